"""Rings in a thread of its own, so that whoever has committed never waits for Redis."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: So many rings wait at most; what is beyond is swept up.
MOST_WAITING = 20_000
_STOP_SECONDS = 5


class Ringer:
    """Takes (topic, outbox id) pairs from any thread and rings for all that wait at once.

    Shapes:
        send: what rings, and never fails.
    """

    def __init__(self, send: Callable[[Sequence[tuple[str, str]]], None]) -> None:
        self._send = send
        self._waiting: deque[tuple[str, str]] = deque()
        self._woken = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ring(self, rows: Sequence[tuple[str, str]]) -> None:
        """Leave rows to be rung for, and return at once."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.extend(rows)
        self._woken.set()

    def stop(self) -> None:
        """Ring for what still waits, up to 5 s, and end."""
        self._over = True
        self._woken.set()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._over or self._waiting:
            self._woken.wait()
            self._woken.clear()
            rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if rows:
                self._send(rows)
            if self._over:
                self._woken.set()
