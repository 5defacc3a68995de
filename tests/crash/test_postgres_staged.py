"""Faults on a cluster that are staged, not left to chance."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash import planted, postgres_planted, trails
from tests.crash.cluster import Cluster
from tests.processes import HERE, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer


@pytest.mark.parametrize("is_fenced", [True, False])
def test_a_worker_that_was_asleep_past_its_lease_records_nothing_and_a_product_without_fencing_is_named(
    tmp_path: Path,
    servers: tuple[PostgresServer, RedisServer],
    make_database: Callable[[], Database],
    *,
    is_fenced: bool,
) -> None:
    tree = HERE if is_fenced else planted.plant(postgres_planted.NO_FENCING, tmp_path)
    with Cluster(tmp_path / "store", servers, make_database(), 1, tree=tree, lease=1) as cluster:
        findings = late_worker(cluster)
    assert {found.partition(":")[0] for found in findings} == (set() if is_fenced else {"fence"}), findings


def late_worker(cluster: Cluster) -> list[str]:
    """Let a worker hang in the mail past its lease while the other takes over; return what went wrong."""
    releases = (threading.Event(), threading.Event())
    hanging: list[str] = []

    def held_by(name: str) -> Callable[[str], str]:
        def hold(_message_id: str) -> str:
            hanging.append(name)
            releases[min(len(hanging) - 1, 1)].wait(30)
            return "250 taken"

        return hold

    for name, box in cluster.boxes.items():
        box.on_dot = held_by(name)
    for slot in cluster.slots:
        if slot.role != "client":
            cluster.start(slot)
    cluster.launcher.ask(question="submit", database=cluster.database.app_url, made=cluster.made, cases=1)
    # Another worker, or another thread of the same.
    wait_until(lambda: len(hanging) == 2, 20, "a second worker to take over after the lease")
    held = row(cluster)

    # The late one comes back.
    begun = time.monotonic()
    releases[0].set()
    wait_until(lambda: has_tried(cluster, f"{hanging[0]}.db", begun), 10, "the late worker to record")
    found = row(cluster)
    releases[1].set()
    wait_until(lambda: row(cluster)["state"] == "done", 10, "the second worker to finish")
    findings = []
    if (found["state"], found["token"]) != ("claimed", held["token"]):
        findings.append(f"fence: a late worker made the row {found['state']} although another held it")
    with cluster.postgres.superuser(cluster.database.name) as connection:
        deliveries = connection.execute("SELECT count(*) FROM delivery").fetchone()
    if deliveries != (1,):
        findings.append(f"fence: {deliveries} deliveries")
    return findings


def has_tried(cluster: Cluster, line: str, since: float) -> bool:
    """Whether a worker has tried to finish a row since then, and its transaction is over."""
    tried = [
        one
        for one in trails.transactions(cluster.proxy.passed(line))
        if one.has(trails.FINISH) and one.at > since
    ]
    return any(one.over for one in tried)


def row(cluster: Cluster) -> dict[str, Any]:
    """Return the outbox row of the notice."""
    with cluster.postgres.superuser(cluster.database.name) as connection:
        found = connection.execute(
            "SELECT state, token FROM outbox WHERE topic = 'notice.requested'"
        ).fetchall()
    assert len(found) == 1
    return dict(zip(("state", "token"), found[0], strict=True))
