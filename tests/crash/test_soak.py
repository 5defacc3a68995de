"""The kill suites of both stores for as long as one likes: `make soak MINUTES=60`. The result goes into docs/reliability.md."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.crash import soak_page, trails
from tests.crash.cluster import Cluster
from tests.crash.cluster_plan import ENOUGH, ClusterPlan
from tests.crash.cluster_tally import Tally
from tests.crash.plan import Plan, kill, points_here
from tests.crash.weather import rough

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

#: Half of it for each store.
MINUTES = float(os.environ.get("MINUTES", "10"))
#: So long one database of a cluster is used before everything is let finish and is checked.
ROUND_SECONDS = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


def test_an_embedded_store_is_killed_for_long(tmp_path: Path) -> None:
    # given two stores at a time, of both policies
    plan = Plan(100, points_here(), seconds=MINUTES * 30)

    # when their processes are killed for long
    seed = kill(tmp_path, plan, lanes=2, policies=("resend", "park"))

    # then no promise was broken, and each point was met often
    assert not plan.findings, "\n".join(plan.findings[:20])
    assert not [point for point in points_here() if plan.tally.points[point] < ENOUGH], plan.tally.table()
    soak_page.write(
        "sqlite",
        seed,
        soak_page.machine(f"SQLite {sqlite3.sqlite_version}"),
        plan.tally.table() + "\nFindings: none.",
    )


def test_a_cluster_is_killed_for_long(
    tmp_path: Path, servers: tuple[PostgresServer, RedisServer], make_database: Callable[[], Database]
) -> None:
    seed, begun, total, number = time.time_ns() % 100_000, time.monotonic(), Tally(), 0
    plan = ClusterPlan(0, rounds=max(2, int(MINUTES * 30 / ROUND_SECONDS)))
    while time.monotonic() - begun < MINUTES * 30 or number < 2:
        # given a new database, with another policy than the one before
        policy, number = ("resend", "park")[number % 2], number + 1
        end = time.monotonic() + min(ROUND_SECONDS, MINUTES * 15)
        with Cluster(
            tmp_path / str(number), servers, make_database(), seed + number, policy=policy
        ) as cluster:
            # when its processes are killed while the servers have bad days
            cluster.run(plan.round(is_over=lambda end=end: time.monotonic() > end), rough)  # type: ignore[misc]

            # then no promise was broken
            found = [f"[{policy}, seed {seed + number}] {one}" for one in cluster.findings]
            assert not found, "\n".join([*found[:20], cluster.tally.table()])
            total.add(cluster.tally)
    total.seconds = time.monotonic() - begun
    print(f"\nseed {seed}: {total.table()}")
    assert not [point for point in trails.POINTS if total.points[point] < ENOUGH], total.table()
    server, redis = servers
    said = subprocess.run(
        [server.programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    where = soak_page.machine(said.stdout.strip(), f"Redis {redis.client.info()['redis_version']}")
    soak_page.write("cluster", seed, where, total.table() + f"\n{number} databases. Findings: none.")
