"""The short form of the kill suite: twenty kills of a serving process under load. The long one is in tests/crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.plan import Plan, kill

if TYPE_CHECKING:
    from pathlib import Path


def test_twenty_kills_of_a_serving_process_lose_nothing(tmp_path: Path) -> None:
    # given a store that is served, with three clients
    plan = Plan(20, ())

    # when its process is killed twenty times at random moments
    kill(tmp_path, plan, lanes=1, policies=("resend",))

    # then every promise was kept, and there was something to lose
    assert not plan.findings, "\n".join(plan.findings[:20])
    assert plan.tally.kills == 20
    assert plan.tally.acknowledged > 20
    assert plan.tally.points["F01"] > 10
