"""The clock of a serving process: fires due timers, rings for what is owed, beats, keeps house.

Every sweep looks first whether anything was written or has become due; where not, nothing is asked. A pass
that fails is logged once and tried again at the next: nothing it does is lost by being late.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from config.log_privacy import harmless
from engine import relay, tally, timers
from engine.errors import TiendoError
from handlers import housekeeping
from handlers.dispatch import HANDLERS
from handlers.serving import BEAT_SECONDS, ServingLost, ServingSeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from handlers.dispatch import App

log = structlog.get_logger()

AT_ONCE = 200
#: A bell that is rung in one round trip is rung for so many rows at once.
SWEPT_AT_ONCE = 5000
#: However quiet the store is, and whatever the clock does, a full look is taken this often.
FULL_LOOK_SECONDS = 10
HOUSE_SECONDS = 3600
#: A row rung by the sweep is not rung again for so long: its message is waiting, or its handler is at work.
RUNG_SECONDS = 5


class Ticker:
    """One thread; `passes` counts the sweeps that asked the store anything.

    Shapes:
        fires: whether timers are fired here. sweeps: whether rows are rung for.
        has_seat: whether this process alone may serve the store (an embedded one).
        over: set when the process is to stop, by whoever asks for it or by this.
    """

    def __init__(
        self,
        app: App,
        ring: Callable[[Sequence[tuple[str, str]]], None],
        *,
        sweep_ms: int = 250,
        fires: bool = True,
        sweeps: bool = True,
        has_seat: bool = True,
        over: threading.Event | None = None,
    ) -> None:
        self._app = app
        self._ring = ring
        self._pause = sweep_ms / 1000
        self._fires = fires
        self._sweeps = sweeps
        self._seat = ServingSeat(app.engine.store) if has_seat else None
        self._stop = over or threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._due_at = 0
        self._looked = self._beaten = self._house = -1e9
        self._rung: dict[str, float] = {}
        self._failing = ""
        self.lost: ServingLost | None = None
        self.passes = 0
        self.fired = 0

    def take(self) -> None:
        """Take the seat of the serving process, where there is but one.

        Errors:
            AlreadyServed: nothing was started.
        """
        if self._seat is not None:
            self._seat.take()
        self._beaten = self._house = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stop.set()

    def stop(self) -> None:
        """Finish the pass that runs and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def leave(self) -> None:
        """Give the seat up; a store that can't be written now finds it stale later."""
        try:
            if self._seat is not None:
                self._seat.leave()
        except TiendoError as problem:
            log.warning("seat_kept", code=problem.code)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the ticker stops; return whether it did."""
        return self._stop.wait(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.sweep()
                self._others()
                self._failing = ""
            except ServingLost as lost:
                self.lost = lost
                log.warning("serving_lost", **lost.facts)
                self._stop.set()
            except Exception as problem:
                tally.add("tick_failures")
                said = harmless(problem)
                if said != self._failing:
                    log.exception("tick_failed", said=said)
                self._failing = said
            self._stop.wait(self._pause)

    def sweep(self) -> bool:
        """Fire and ring for everything that is due; return whether there was a reason to look."""
        store = self._app.engine.store
        elapsed = time.monotonic()
        is_overdue = elapsed - self._looked >= FULL_LOOK_SECONDS
        if not (store.changed() or is_overdue or store.now() >= self._due_at):
            return False
        self.passes += 1
        tally.add("sweeps")
        self._looked = elapsed
        while self._fires and not self._stop.is_set():
            fired = timers.fire_due(self._app.engine, limit=AT_ONCE)
            self.fired += fired
            tally.add("timers_fired", by=fired)
            if fired < AT_ONCE:
                break
        if self._sweeps:
            relay.sweep(store, self._ring_once, limit=SWEPT_AT_ONCE, topics=HANDLERS)
        self._due_at = relay.next_due(store)
        return True

    def _ring_once(self, rows: Sequence[tuple[str, str]]) -> None:
        now = time.monotonic()
        self._rung = {row: at for row, at in self._rung.items() if now - at < RUNG_SECONDS}
        fresh = [(topic, row) for topic, row in rows if row not in self._rung]
        self._rung.update((row, now) for _, row in fresh)
        if fresh:
            self._ring(fresh)

    def _others(self) -> None:
        now = time.monotonic()
        if self._seat is not None and now - self._beaten >= BEAT_SECONDS:
            self._seat.beat()
            self._beaten = now
        if now - self._house >= HOUSE_SECONDS:
            housekeeping.keep_house(self._app.engine.store)
            self._house = now
