"""The checker is checked: each known fault, planted in a copy of the product, must be called by its name in time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.crash import planted
from tests.crash.lane import AHEAD_SECONDS, TRACED, Lane
from tests.processes import Launcher, has_strace

if TYPE_CHECKING:
    from pathlib import Path

#: Kills after which a fault counts as not found; most show within five.
MOST_KILLS = 60


@pytest.mark.parametrize("fault", planted.BY_KILLS, ids=lambda fault: fault.name.replace(" ", "_"))
def test_a_planted_fault_is_named_by_the_checker(tmp_path: Path, fault: planted.Fault) -> None:
    # given a product with one known fault
    tree = planted.plant(fault, tmp_path)
    means = [one for one in fault.means if one not in TRACED or has_strace()] or ["moment"]
    begun = time.monotonic()

    # when its processes are killed under load
    with Launcher(tree) as launcher:
        made = launcher.prepare(tmp_path / "prepared.db", AHEAD_SECONDS)
        lane = Lane(
            launcher,
            tmp_path / "store",
            (tmp_path / "prepared.db", made),
            time.time_ns() % 100_000,
            check_each=True,
        )
        lane.run(MOST_KILLS, lambda chance: chance.choice(means))

    # then the checker calls the fault by its name
    print(f"\n{fault.name}: {lane.tally.kills} kills, {time.monotonic() - begun:.1f} s: {lane.findings[:1]}")
    named = {found.partition(":")[0] for found in lane.findings}
    assert lane.tally.acknowledged, "the planted product never worked"
    assert named & set(fault.named), f"not found in {lane.tally.kills} kills; said: {lane.findings[:5]}"
