"""A serving process is killed again and again under load; nothing is lost, doubled or torn.

Kills come from outside: at a random moment, at a file call or a reply (by strace), at a word of the mail, at an
acknowledgement. Where each landed is told from what it left behind (tests/crash/landing.py).
"""

from __future__ import annotations

import threading
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.crash.landing import POINTS
from tests.crash.lane import AHEAD_SECONDS, AIMS, TRACED, Lane, Tally, run_lanes
from tests.processes import Launcher, has_strace

if TYPE_CHECKING:
    import random
    from pathlib import Path

ENOUGH = 20
RANDOM_KILLS = 300
#: Kills on one store before everything is let finish and is checked.
ROUND = 30


class Plan:
    """What is still to be killed, shared by the lanes."""

    def __init__(self, kills: int, points: tuple[str, ...]) -> None:
        self.tally = Tally()
        self.findings: list[str] = []
        self._left, self._points = kills, points
        self._lock = threading.Lock()
        self._running: list[Lane] = []

    def choose(self, chance: random.Random) -> str:
        """Return how to kill next: first at random moments, then where there were too few."""
        with self._lock:
            self._left -= 1
            if self._left >= 0:
                return "moment"
        return AIMS[chance.choice(self.missing() or ["F02"])]

    def missing(self) -> list[str]:
        total = self.tally.points + sum(
            (lane.tally.points for lane in self._running), start=type(self.tally.points)()
        )
        return [point for point in self._points if total[point] < ENOUGH]

    def is_over(self) -> bool:
        return self._left <= 0 and not self.missing()

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


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default:strace is missing")
def test_three_hundred_kills_lose_nothing_and_hit_every_point(tmp_path: Path) -> None:
    # given two stores at a time, each served by a process of its own, with three clients each
    begun, seed = time.monotonic(), time.time_ns() % 100_000
    plan = Plan(RANDOM_KILLS, points_here())

    def lane(number: int) -> None:
        with Launcher() as launcher:
            plan.run(launcher, tmp_path / str(number), seed + number, policies=("resend", "park"))

    # when the processes are killed, at random and at every point
    run_lanes([lambda: lane(1), lambda: lane(2)])

    # then each point was met often enough, and no promise was broken
    plan.tally.seconds = time.monotonic() - begun
    print(f"\nseed {seed}: {plan.tally.table()}")
    assert not plan.findings, "\n".join(plan.findings[:20])
    assert plan.tally.means["moment"] >= RANDOM_KILLS
    assert not [point for point in points_here() if plan.tally.points[point] < ENOUGH], plan.tally.table()
    assert plan.tally.acknowledged > plan.tally.kills, "the processes that were killed were idle"
