"""What a worker does when the bell is silent: it looks into the store itself, so that notices still arrive.

The bell may be away, emptied, or in the hands of somebody who swallows every ring. So a worker sweeps when no message came
for some seconds, more often while it knows the bell to be away, and now and then whatever comes. What it finds due it
handles at once; the claim decides between workers, as it does with messages.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from config.log_privacy import harmless
from engine import relay
from handlers.dispatch import HANDLERS, run_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.dispatch import App

log = structlog.get_logger()

#: Without a bell a worker looks this often.
ALONE_SECONDS = 1.0
#: Even while messages come, a worker looks once in so many silent times.
ANYWAY = 6
#: A look takes more rows than it handles, and draws among them: workers that look together then seldom meet.
_SEEN, _HANDLED = 1000, 16
_TICK_SECONDS = 0.2


class OwnSweep:
    """A thread that looks, and as many as the worker has that handle what it found.

    Shapes:
        heard_at: returns monotonic seconds of the last message. is_alone: returns whether there is no bell now.
        done: rows handed to a handler here, whoever's claim won.
    Units:
        silent_seconds: how long nothing must have come before this looks.
    """

    def __init__(
        self,
        app: App,
        *,
        heard_at: Callable[[], float],
        is_alone: Callable[[], bool],
        silent_seconds: float,
        threads: int,
    ) -> None:
        self._app = app
        self._heard_at = heard_at
        self._is_alone = is_alone
        self._silent = silent_seconds
        self._threads = threads
        self._over = threading.Event()
        self._looked = time.monotonic()
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name="own-sweep", daemon=True)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="own-sweep")
        self.done = 0

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def stop(self) -> None:
        """Let running handlers finish and end; what was not begun is left to others."""
        self._over.set()
        self._pool.shutdown(cancel_futures=True)
        if self._thread.is_alive():
            self._thread.join(10)

    def look(self) -> int:
        """Handle some of what is due now; return how many rows were tried."""
        due: list[tuple[str, str]] = []
        relay.sweep(self._app.engine.store, due.extend, limit=_SEEN, topics=HANDLERS)
        some = random.sample(due, min(len(due), _HANDLED * self._threads))
        list(self._pool.map(self._handle, some))
        self.done += len(some)
        return len(some)

    def _run(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            try:
                # As long as there is something and no bell; beside a bell that rings one look is enough.
                while (
                    self._is_time() and self.look() and self._is_alone_or_deaf() and not self._over.is_set()
                ):
                    self._looked = 0.0
                self._failing = ""
            except (CancelledError, Exception) as problem:  # noqa: BLE001 - the next look tries again
                # A pool that is being shut down takes and ends nothing more: that is no failure.
                if not self._over.is_set():
                    self._say(problem)

    def _is_alone_or_deaf(self) -> bool:
        return self._is_alone() or time.monotonic() - self._heard_at() >= self._silent

    def _is_time(self) -> bool:
        """Whether to look now; notes that it was done."""
        now = time.monotonic()
        pause = self._silent if self._is_alone_or_deaf() else self._silent * ANYWAY
        if self._is_alone():
            pause = ALONE_SECONDS
        if now - self._looked < pause:
            return False
        self._looked = now
        return True

    def _handle(self, row: tuple[str, str]) -> None:
        try:
            run_row(self._app, *row)
        except Exception as problem:  # noqa: BLE001 - the row says why, or its lease runs out; the others go on
            self._say(problem)

    def _say(self, problem: BaseException) -> None:
        said = harmless(problem)
        if said != self._failing:
            log.error("own_sweep_failed", said=said, exc_info=problem)
        self._failing = said
