"""How many processes are killed where: shared by lanes that run at the same time, and by the long and the short test."""

from __future__ import annotations

import threading
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from engine import audit, schema
from engine.registry import Definitions
from tests.crash.landing import POINTS
from tests.crash.lane import AHEAD_SECONDS, AIMS, TRACED, Lane, Tally, run_lanes
from tests.processes import Launcher, has_strace

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

ENOUGH = 20
#: Kills on one store before everything is let finish and is checked.
ROUND = 30


class Plan:
    """What is still to be killed, shared by the lanes.

    Shapes:
        kills: at random moments, before points are aimed at that were met too seldom.
    Units:
        seconds: for at least so long it goes on, at random moments and points by turns.
    """

    def __init__(self, kills: int, points: tuple[str, ...], *, seconds: float = 0) -> None:
        self.tally = Tally()
        self._end = time.monotonic() + seconds
        self.findings: list[str] = []
        self._left, self._points = kills, points
        self._lock = threading.Lock()
        self._running: list[Lane] = []

    def choose(self, chance: random.Random) -> str:
        """Return how to kill next: first at random moments, then where there were too few."""
        with self._lock:
            self._left -= 1
            if self._left >= 0 or (time.monotonic() < self._end and self._left % 2):
                return "moment"
        return AIMS[chance.choice(self.missing() or list(self._points))]

    def missing(self) -> list[str]:
        total = self.tally.points + sum((lane.tally.points for lane in self._running), start=Counter[str]())
        return [point for point in self._points if total[point] < ENOUGH]

    def is_over(self) -> bool:
        return self._left <= 0 and not self.missing() and time.monotonic() >= self._end

    def run(self, launcher: Launcher, folder: Path, seed: int, *, policies: tuple[str, ...]) -> None:
        """Kill on one store after the other until enough is enough."""
        made = launcher.prepare(folder / "prepared.db", AHEAD_SECONDS)
        number = 0
        while not self.is_over() and not self.findings:
            policy = policies[number % len(policies)]
            number += 1
            lane = Lane(
                launcher,
                folder / str(number),
                (folder / "prepared.db", made),
                seed * 1000 + number,
                policy=policy,
            )
            self._running.append(lane)
            lane.run(ROUND, self.choose, until=self.is_over)
            if not lane.findings:
                lane.findings += [f"fsck: {found}" for found in fsck(lane.store)]
            with self._lock:
                self._running.remove(lane)
                self.tally.add(lane.tally)
                self.findings += [
                    f"[{policy}, seed {seed * 1000 + number}] {found}" for found in lane.findings
                ]


def points_here() -> tuple[str, ...]:
    """Return the points that can be aimed at on this machine."""
    if has_strace():
        return POINTS
    warnings.warn(
        "strace is missing: no kills at a file call or a reply; CI has it", pytest.PytestWarning, stacklevel=2
    )
    return tuple(point for point in POINTS if AIMS[point] not in TRACED)


def fsck(store: Path) -> list[str]:
    """Ask the product's own check, beside ours which shares no code with it."""
    opened = schema.open_store(store)
    try:
        return [str(found) for found in audit.fsck(opened, Definitions(opened)).findings]
    finally:
        opened.close()


def kill(folder: Path, plan: Plan, *, lanes: int, policies: tuple[str, ...]) -> int:
    """Carry a plan out on so many stores at a time; return the seed."""
    begun, seed = time.monotonic(), time.time_ns() % 100_000

    def lane(number: int) -> Callable[[], None]:
        def run() -> None:
            with Launcher() as launcher:
                plan.run(launcher, folder / str(number), seed + number, policies=policies)

        return run

    run_lanes([lane(number) for number in range(lanes)])
    plan.tally.seconds = time.monotonic() - begun
    print(f"\nseed {seed}: {plan.tally.table()}")
    return seed
