"""Clients, workers and tickers of a cluster are killed again and again; nothing is lost, doubled or torn.

Meanwhile PostgreSQL crashes, Redis forgets everything or goes away, lines are cut, mail is put off. Kills come from
outside: at a random moment, or by the proxy at a message. Where each landed is told from the messages that passed
(tests/crash/trails.py).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.crash import trails
from tests.crash.cluster import Cluster
from tests.crash.cluster_plan import ENOUGH, ClusterPlan
from tests.crash.cluster_tally import Tally
from tests.crash.weather import rough

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

KILLS = 700
#: So many of them at a moment that nothing but a clock chose.
RANDOM_KILLS = 200


@pytest.mark.timeout(900)
def test_seven_hundred_kills_of_a_cluster_lose_nothing_and_hit_every_point(
    tmp_path: Path,
    servers: tuple[PostgresServer, RedisServer],
    make_database: Callable[[], Database],
    count_kills: Counter[str],
) -> None:
    # given two stores, one after the other, each with three clients, two workers and two tickers
    plan, total, seed = ClusterPlan(KILLS, rounds=2), Tally(), time.time_ns() % 100_000
    begun = time.monotonic()
    for policy in ("resend", "park"):
        with Cluster(tmp_path / policy, servers, make_database(), seed, policy=policy) as cluster:
            # when all of them are killed at random moments and at every point, and the servers have bad days
            cluster.run(plan.round(), rough)
            total.add(cluster.tally)
            count_kills["PostgreSQL"] += cluster.tally.kills.total()

            # then no promise was broken
            found = [f"[{policy}, seed {seed}] {one}" for one in cluster.findings]
            assert not found, "\n".join([*found[:20], cluster.tally.table()])

    # then each point was met often enough
    total.seconds = time.monotonic() - begun
    print(f"\nseed {seed}, PostgreSQL and Redis: {total.table()}")
    assert total.kills.total() >= KILLS
    assert total.means["moment"] >= RANDOM_KILLS
    assert not [point for point in trails.POINTS if total.points[point] < ENOUGH], total.table()
    assert total.acknowledged > total.kills["client"], "the clients that were killed were idle"
    assert all(total.weather[what] for what in ("crashes of PostgreSQL", "flushes of Redis", "cut lines"))
