"""A serving process is killed again and again under load; nothing is lost, doubled or torn.

Kills come from outside: at a random moment, at a file call or a reply (by strace), at a word of the mail, at an
acknowledgement. Where each landed is told from what it left behind (tests/crash/landing.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.plan import ENOUGH, Plan, kill, points_here

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

RANDOM_KILLS = 300


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default:strace is missing")
def test_three_hundred_kills_lose_nothing_and_hit_every_point(
    tmp_path: Path, count_kills: Counter[str]
) -> None:
    # given two stores at a time, each served by a process of its own, with three clients each
    plan = Plan(RANDOM_KILLS, points_here())

    # when the processes are killed, at random moments and then at every point that was met too seldom
    kill(tmp_path, plan, lanes=2, policies=("resend", "park"))
    count_kills["SQLite"] += plan.tally.kills

    # then each point was met often enough, and no promise was broken
    assert not plan.findings, "\n".join(plan.findings[:20])
    assert plan.tally.means["moment"] >= RANDOM_KILLS
    assert not [point for point in points_here() if plan.tally.points[point] < ENOUGH], plan.tally.table()
    assert plan.tally.acknowledged > plan.tally.kills, "the processes that were killed were idle"
