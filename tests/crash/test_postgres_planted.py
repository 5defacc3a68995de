"""The checker is checked on a cluster: each known fault, planted in a copy of the product, must be called by its name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.crash import planted, postgres_planted
from tests.crash.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.cluster import Slot
    from tests.crash.cluster_tally import Tally
    from tests.crash.planted import Fault
    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

#: Kills after which a fault counts as not found; most show within ten.
MOST_KILLS = 120


@pytest.mark.parametrize("fault", postgres_planted.BY_KILLS, ids=lambda fault: fault.name.replace(" ", "_"))
def test_a_planted_fault_is_named_by_the_checker(
    tmp_path: Path,
    servers: tuple[PostgresServer, RedisServer],
    make_database: Callable[[], Database],
    fault: Fault,
) -> None:
    # given a product with one known fault
    tree, seed, begun = planted.plant(fault, tmp_path), time.time_ns() % 100_000, time.monotonic()
    means = postgres_planted.MEANS.get(fault.name, {})
    left = iter(range(MOST_KILLS))

    def choose(slot: Slot, _tally: Tally) -> str | None:
        return None if next(left, None) is None else slot.chance.choice(means.get(slot.role, ("moment",)))

    # when its processes are killed under load
    with Cluster(
        tmp_path / "store", servers, make_database(), seed, tree=tree, wanted=fault.named
    ) as cluster:
        cluster.run(choose)

    # then the checker calls the fault by its name
    tally, named = cluster.tally, cluster.named()
    print(
        f"\n{fault.name}: {tally.kills.total()} kills, {time.monotonic() - begun:.1f} s: {cluster.findings[:1]}"
    )
    assert tally.acknowledged, "the planted product never worked"
    assert named & set(fault.named), (
        f"not found in {tally.kills.total()} kills, seed {seed}; said: {cluster.findings[:5]}"
    )
