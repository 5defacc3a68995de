"""The sample of the five provinces on PostgreSQL and Redis, carried to its end and then worked on, while everybody dies.

First the past: the process that enters it dies at messages and begins again, while two workers die at random moments. No
ticker runs then, as nothing ticks before the past is entered. Then the present: people suspend and resume the projects that
are under way, two workers and two tickers tell and remind, all of them die, PostgreSQL crashes, Redis forgets.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.crash.aims import AIMS
from tests.crash.cluster import Cluster
from tests.crash.cluster_plan import ClusterPlan
from tests.crash.weather import rough
from tests.processes import wait_until
from tests.servers.proxy import Rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.cluster import Slot
    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

#: How far the loader is when it dies, in hundredths, and at which message.
DEATHS = ((10, "write"), (50, "sent"), (90, "answer"))
KILLS = 120


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_sample_of_five_provinces_is_finished_under_kills(
    tmp_path: Path, servers: tuple[PostgresServer, RedisServer], make_database: Callable[[], Database]
) -> None:
    # given a store with the shipped definitions
    database, seed, begun = make_database(), time.time_ns() % 100_000, time.monotonic()
    with Cluster(
        tmp_path / "past", servers, database, seed, crew={"loader": 1, "worker": 2}, made={"sample": True}
    ) as cluster:
        assert cluster.launcher.ask(question="prepare_sample", database=database.app_url)

        # when the past is entered by a process that dies three times
        deaths = load(cluster)
        said = f"{deaths} deaths of the loader, {cluster.tally.kills['worker']} of workers, {time.monotonic() - begun:.0f} s"

        # then it is there as a whole: every published figure is met, nobody was told anything
        assert not cluster.findings, cluster.findings[:10]
        assert cluster.launcher.ask(question="figures", database=database.app_url) == []
        assert cluster.launcher.ask(question="fsck", database=database.app_url) == []
        assert cluster.mails() == []
        made = cluster.launcher.ask(question="residents", database=database.app_url, clients=3)

    # and when people go on with the projects that are under way, and everybody dies
    assert len(made["projects"]) >= 3
    with Cluster(tmp_path / "present", servers, database, seed, made=made) as cluster:
        cluster.run(ClusterPlan(KILLS, enough=3).round(), rough)
        cluster.tally.seconds = time.monotonic() - begun
        print(f"\nseed {seed}: the past: {said}\nthe present: {cluster.tally.table()}")

        # then what was told stands, everything owed was sent, the log is whole, and the figures are still met
        assert not cluster.findings, cluster.findings[:10]
        assert cluster.launcher.ask(question="figures", database=database.app_url) == []
        assert cluster.tally.mails > 50


def load(cluster: Cluster) -> int:
    """Let the loader die at each of its deaths and then finish; return how often it died."""
    over, deaths = threading.Event(), [0]
    loader, *workers = cluster.slots

    def enter() -> None:
        try:
            for hundredths, means in DEATHS:
                deaths[0] += die(cluster, loader, hundredths, means)
            status = cluster.launcher.ask(reap=started(cluster, loader))
            if status != 0:
                cluster.findings.append(f"process: the loader ended with {status}")
        except BaseException as why:  # noqa: BLE001 - the test fails by it
            cluster.findings.append(f"the test itself: {type(why).__name__}: {why}")
        finally:
            over.set()

    def live(slot: Slot) -> None:
        while not over.is_set():
            cluster.live(slot, "moment")

    threads = [
        threading.Thread(target=enter),
        *(threading.Thread(target=live, args=(slot,)) for slot in workers),
    ]
    for thread in threads:
        thread.start()
    rough(cluster, over)
    for thread in threads:
        thread.join()
    return deaths[0]


def started(cluster: Cluster, loader: Slot) -> int:
    """Start the loader and wait for its end, without keeping the launcher busy; return its pid."""
    pid = cluster.start(loader)
    watch = os.pidfd_open(pid)
    wait_until(lambda: select.select([watch], [], [], 0.05)[0], 300, "the loader to finish")
    os.close(watch)
    return pid


def die(cluster: Cluster, loader: Slot, hundredths: int, means: str) -> bool:
    """Start the loader and kill it at a message once it is so far; return whether it died there."""
    loader.work.unlink(missing_ok=True)
    pid = cluster.start(loader)
    watch = os.pidfd_open(pid)

    def is_far_or_gone() -> bool:
        words = loader.work.read_text(encoding="utf-8").split() if loader.work.exists() else []
        is_far = len(words) == 2 and int(words[0]) * 100 >= int(words[1]) * hundredths
        return (is_far and words[1] != "0" and int(words[0]) > 0) or bool(
            select.select([watch], [], [], 0)[0]
        )

    wait_until(is_far_or_gone, 200, f"the loader to be {hundredths} % done", pause=0.01)
    line, aim = AIMS["client"][means]
    cluster.proxy.arm(f"{loader.name}.{line}", Rule(**{**aim, "pid": pid}))
    if not select.select([watch], [], [], 5)[0]:
        os.kill(pid, signal.SIGKILL)
        select.select([watch], [], [], 10)
    os.close(watch)
    cluster.proxy.arm(f"{loader.name}.{line}")
    return bool(cluster.launcher.ask(reap=pid) == -signal.SIGKILL)
