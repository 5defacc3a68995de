"""Workers and tickers as processes of their own, on one PostgreSQL and one Redis: killed, stopped, aged, with wrong clocks."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq.message import Message

from engine import schema
from engine.civil_time import day_at
from engine.commands import new_id
from handlers.redis_bell import RedisBell
from handlers.redis_queues import NAMESPACE
from tests.integration.prepared_office import copied_office
from tests.processes import MailServer, wait_until
from tests.servers.redis import RedisServer, redis_server
from tests.servers.tiendo import NEWER, ServingProcess, Tiendo
from tests.stores import running_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.leave_office import Office

PATIENCE_SECONDS = 40
LEASE_SECONDS = 5
DAY_SECONDS = 86_400
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as found:
        yield found


@pytest.fixture(scope="module")
def tiendo() -> Iterator[Tiendo]:
    with Tiendo() as launcher:
        yield launcher


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_on("postgresql"):
        yield copied_office(tmp_path, channel="email")


@pytest.fixture
def post() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


class Cluster:
    """The processes of one test, and what they are started with."""

    def __init__(self, tiendo: Tiendo, office: Office, redis: RedisServer, post: MailServer) -> None:
        self.tiendo, self.office, self.redis, self.post = tiendo, office, redis, post
        self.running: list[ServingProcess] = []
        redis.client.flushall()

    def start(
        self, *commands: str, ahead: int = 0, newer: bool = False, **settings: object
    ) -> list[ServingProcess]:
        """Start processes together and wait until all of them serve."""
        given = {
            "database_url": self.office.settings.database_url, "redis_url": self.redis.url, "channels": "email",
            "smtp_host": "127.0.0.1", "smtp_port": self.post.port, "smtp_starttls": "false",
            "sweep_ms": 100, "lease_seconds": LEASE_SECONDS, "smtp_timeout_seconds": 4, "own_sweep_seconds": 600, **settings,
        }  # fmt: skip
        made = [self.tiendo.start(command, given, ahead=ahead, newer=newer) for command in commands]
        self.running += made
        return [each.ready() for each in made]

    def decide(self, count: int = 1) -> None:
        for _ in range(count):
            case = self.office.ask(first="2030-01-07", last="2030-01-08").subject
            self.office.fire(case, "reject", "minh", reason="bận")

    def rows(self, topic: str = "notice.requested") -> list[Any]:
        return self.office.outbox(topic=topic)

    def until(self, met: Callable[[], object], what: str) -> None:
        wait_until(met, PATIENCE_SECONDS, what, pause=0.05)

    def until_done(self, count: int) -> None:
        self.until(lambda: sum(row.state == "done" for row in self.rows()) >= count, f"{count} rows done")

    def delivered(self) -> list[str]:
        """Return the notices that were recorded as delivered, each as often as it was."""
        return [each.notice for each in self.office.deliveries()]


@pytest.fixture
def cluster(tiendo: Tiendo, office: Office, redis: RedisServer, post: MailServer) -> Iterator[Cluster]:
    made = Cluster(tiendo, office, redis, post)
    yield made
    for each in made.running:
        each.stop()


def test_two_workers_and_two_tickers_deliver_each_notice_once_while_others_are_killed(
    cluster: Cluster,
) -> None:
    # given two of each, at work
    workers = cluster.start("worker", "worker", "ticker", "ticker")
    cluster.decide(10)
    cluster.until_done(5)

    # when one of each is killed, and more is decided
    workers[0].kill()
    workers[2].kill()
    cluster.decide(10)

    # then everything arrives, recorded once; a second mail is a row that the dead worker had begun
    cluster.until_done(20)
    delivered = cluster.delivered()
    assert len(delivered) == len(set(delivered)) == 20
    assert len(cluster.post.taken) - len({mail.message_id for mail in cluster.post.taken}) <= 4
    assert [each.stop() for each in (workers[1], workers[3])] == [0, 0]


def test_clocks_of_hosts_that_differ_by_a_day_change_nothing(cluster: Cluster) -> None:
    # given a row that is due in an hour
    cluster.decide()
    with cluster.office.store.begin() as tx:
        begun, hour = tx.now, tx.now + 3_600_000_000
        tx.run("UPDATE outbox SET due_at = :hour", {"hour": hour})

    # when a ticker and a worker a day ahead and a worker a day behind do what is due now
    ahead = cluster.start("ticker", "worker", ahead=DAY_SECONDS)
    behind = cluster.start("worker", ahead=-DAY_SECONDS)
    cluster.decide(12)
    cluster.until_done(12)

    # then each notice went out once, and what is not due waits
    assert [row.state for row in cluster.rows() if row.due_at == hour] == ["pending"]
    assert len(cluster.delivered()) == len(set(cluster.delivered())) == len(cluster.post.taken) == 12

    # and every instant is the database's, though the processes believe in another day
    with cluster.office.store.begin() as tx:
        first, last = tx.run("SELECT min(delivered_at), max(delivered_at) FROM delivery")[0]
        assert begun <= first <= last <= tx.now
    believed = {
        line["timestamp"][:10] for each in (*ahead, *behind) for line in each.logged("notice_delivered")
    }
    assert day_at(begun).isoformat() not in believed


def test_a_worker_asleep_past_its_lease_is_fenced_off_and_one_delivery_is_recorded(cluster: Cluster) -> None:
    # given a worker that has handed a message over and waits for the answer
    may_answer, answers = threading.Event(), iter([True])
    cluster.post.on_dot = lambda _id: "250 taken" if not next(answers, False) or may_answer.wait(60) else None
    (asleep,) = cluster.start("worker", own_sweep_seconds=1)
    cluster.decide()
    cluster.until(lambda: cluster.post.taken, "the message")

    # when it falls asleep until its lease is over and another one has taken the row
    asleep.send(signal.SIGSTOP)
    may_answer.set()
    cluster.start("worker", own_sweep_seconds=1)
    cluster.until_done(1)

    # then what it says when it wakes is fenced off: two mails with one id, one delivery
    asleep.send(signal.SIGCONT)
    cluster.until(lambda: asleep.logged("notice_fenced"), "the fence")
    assert len(cluster.delivered()) == 1
    assert [mail.message_id for mail in cluster.post.taken] == [cluster.post.taken[0].message_id] * 2
    assert asleep.stop() == 0


def test_a_topic_of_a_newer_version_waits_for_it_and_is_no_dead_letter(cluster: Cluster) -> None:
    # given old processes, and a row of a topic that only a newer version knows
    old = cluster.start("worker", "ticker", own_sweep_seconds=1)
    with cluster.office.store.begin() as tx:
        values = {"id": new_id(), "topic": NEWER, "now": tx.now}
        tx.run(
            "INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, created_at)"
            " VALUES (:id, :topic, :id, '', 'pending', :now, 0, :now)",
            values,
        )
    bell = RedisBell(cluster.redis.url)
    bell.enqueue(Message("notices", NEWER, (), {"outbox_id": values["id"]}, {}))
    cluster.decide(3)
    cluster.until_done(3)
    cluster.until(lambda: old[0].logged("topic_not_here"), "the worker to pass it over")
    assert [row.state for row in cluster.rows(NEWER)] == ["pending"]

    # when newer ones come beside them, one by one
    cluster.start("worker", newer=True)
    cluster.start("ticker", newer=True)
    cluster.until(lambda: cluster.rows(NEWER)[0].state == "done", "the newer topic")
    for each in old:
        assert each.stop() == 0
    cluster.decide(3)
    cluster.until_done(6)

    # then nothing was a dead letter, nothing was parked, nothing was tried in vain
    assert cluster.redis.client.keys(f"{NAMESPACE}:*XQ*") == []
    assert {(row.state, row.attempts) for row in (*cluster.rows(), *cluster.rows(NEWER))} == {("done", 1)}


def test_a_redis_restarted_under_running_processes_is_found_again_by_all(cluster: Cluster) -> None:
    # given a worker and a ticker
    running = cluster.start("worker", "ticker")
    cluster.decide(2)
    cluster.until_done(2)

    # when Redis dies and comes back empty while more is decided
    cluster.redis.stop()
    cluster.decide(3)
    cluster.until(lambda: running[0].logged("bell_down"), "the worker to miss it")
    cluster.until_done(5)
    cluster.redis.start()
    cluster.until(lambda: running[0].logged("bell_back"), "the worker to find it again")
    cluster.decide(3)
    cluster.until_done(8)

    # then nobody has ended, and each went out once
    assert [each.stop() for each in running] == [0, 0]
    assert len(cluster.delivered()) == len(cluster.post.taken) == 8


@pytest.mark.parametrize(
    ("redis_url", "code", "word"),
    [
        ("redis://127.0.0.1:1/0", 75, "bell_unreachable"),
        ("redis://tiendo:hush@127.0.0.1:{port}/0", 2, "bell_refused"),
        ("redis://127.0.0.1:{mail}/0", 2, "bell_refused"),
    ],
    ids=["nowhere", "wrong-password", "not-a-redis"],
)
def test_a_bell_that_cannot_be_used_stops_the_start_in_words(
    cluster: Cluster, redis_url: str, code: int, word: str
) -> None:
    url = redis_url.format(port=cluster.redis.port, mail=cluster.post.port)
    refused = cluster.tiendo.start(
        "worker", {"database_url": cluster.office.settings.database_url, "redis_url": url}
    )

    assert refused.ended() == code
    assert word in refused.said
    assert "hush" not in refused.said + str(refused.log())
    assert not any("Traceback" in str(line) for line in refused.log())


def test_on_an_embedded_store_a_worker_of_its_own_is_refused_in_words(tiendo: Tiendo, tmp_path: Path) -> None:
    schema.create(tmp_path / "office.db", kind="sample").close()

    for command in ("worker", "ticker"):
        refused = tiendo.start(command, {"database_url": f"sqlite:///{tmp_path / 'office.db'}"})
        assert refused.ended() == 2
        assert "one_server_only" in refused.said
