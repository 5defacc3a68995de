"""Notices in the serving process: how many a second are delivered, and how soon after the commit."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import structlog

from engine import relay
from engine.execute import execute
from handlers import build
from handlers.worker import Worker
from tests.bench import world
from tests.bench.floor import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from handlers.channels import Message, Policy
    from tests.bench.world import World

#: Commands of the latency run come one by one, as people send them.
_PAUSE_SECONDS = 0.02
_LONGEST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """Outbox rows worked off by the broker in the process.

    Shapes:
        n: deliveries, counted in the store at the end. rows: outbox rows done, deadline checks included.
        rate: deliveries a second, the time for the other rows included.
        floor: what plain sqlite3 does of the two transactions of a notice (claim, delivery) on the same disk, in
            notices a second; it composes nothing and sends nothing.
    """

    n: int
    rows: int
    rate: float
    floor: float


@dataclass(frozen=True, slots=True)
class Latency:
    """From the return of a commit until a handler hands the first of its notices to the channel.

    That is later than the beginning of the handler by the claim and the writing of the message.

    Units:
        p50, p99: ms.
    """

    n: int
    p50: float
    p99: float


class Silent:
    """The console without a screen: it takes everything and says when."""

    name = "console"
    policy: Policy = "resend"
    address_word = ""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.more = threading.Condition()

    def send(self, message: Message) -> None:  # noqa: ARG002 - the signature of a channel
        with self.more:
            self.taken.append(time.perf_counter_ns())
            self.more.notify()

    def wait_for(self, count: int, seconds: float = _LONGEST_SECONDS) -> None:
        """Wait until `count` messages were taken."""
        with self.more:
            if not self.more.wait_for(lambda: len(self.taken) >= count, seconds):
                raise RuntimeError(f"{len(self.taken)} of {count} notices were sent")


def quiet() -> None:
    """Keep the line of every delivery off the screen."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def throughput(prepared: World) -> Throughput:
    """Commit approvals with nobody listening, then let the bell ring for all and the workers deliver."""
    path = prepared.copy("bell")
    engine = world.open_engine(path)
    for command in prepared.approvals():
        execute(engine, command)
    owed = relay.owed(engine.store)
    with engine.store.look() as tx:
        notices = int(
            tx.run("SELECT count(*) FROM outbox WHERE topic = 'notice.requested' AND state = 'pending'")[0][0]
        )
    floor = _floor(path)
    given = world.settings(path)
    channel = Silent()
    broker, ring = build.make_bell(build.make_app(given, engine, {"console": channel}))
    worker = Worker(broker, given.worker_threads)
    begun = time.perf_counter()
    worker.start()
    relay.sweep(engine.store, ring, limit=owed)
    # Nobody asks the store while they work: what is left is counted when the last message was handed over.
    channel.wait_for(notices, _LONGEST_SECONDS * 6)
    left, until = owed, time.perf_counter() + _LONGEST_SECONDS
    while left and time.perf_counter() < until:
        left = relay.owed(engine.store)
    seconds = time.perf_counter() - begun
    worker.stop()
    with engine.store.begin() as tx:
        delivered = int(tx.run("SELECT count(*) FROM delivery")[0][0])
    engine.store.close()
    if left or not delivered:
        raise RuntimeError(f"{left} of {owed} outbox rows are still owed")
    return Throughput(delivered, owed, delivered / seconds, floor)


def _floor(path: Path) -> float:
    """Return how many rows a second are claimed and recorded, each in two transactions, on a copy of the store."""
    there = path.with_name("bell-floor.db")
    with sqlite3.connect(path) as source, sqlite3.connect(there) as copy:
        source.backup(copy)
    connection = connect(there)
    rows = connection.execute(
        "SELECT o.id, o.subject, n.person FROM outbox o JOIN notice n ON n.id = o.subject WHERE o.state = 'pending'"
    ).fetchall()
    execute_sql = connection.execute
    begun = time.perf_counter()
    for row, notice, person in rows:
        execute_sql("BEGIN IMMEDIATE")
        execute_sql(
            "UPDATE outbox SET state = 'claimed', token = ?, lease_until = 1, attempts = 1 WHERE id = ?",
            (row, row),
        )
        execute_sql("COMMIT")
        execute_sql("BEGIN IMMEDIATE")
        execute_sql("UPDATE outbox SET state = 'done', token = NULL, lease_until = NULL WHERE id = ?", (row,))
        execute_sql(
            "INSERT INTO delivery (notice, person, channel, address, message_id, delivered_at)"
            " VALUES (?, ?, 'console', 'console', ?, 1)",
            (notice, person, row * 2),
        )
        execute_sql("COMMIT")
    seconds = time.perf_counter() - begun
    connection.close()
    return len(rows) / seconds


def latency(prepared: World) -> Latency:
    """Send approvals one by one to a serving process and take the time from commit to channel."""
    path = prepared.copy("latency")
    engine = world.open_engine(path)
    given = world.settings(path)
    channel = Silent()
    committed = rung_for = 0
    took = []
    with build.serving(given, build.make_app(given, engine, {"console": channel})):
        rung = engine.ring

        def ring(rows: Sequence[tuple[str, str]]) -> None:
            nonlocal committed, rung_for
            committed = time.perf_counter_ns()
            rung_for = sum(topic == "notice.requested" for topic, _ in rows)
            rung(rows)

        engine.ring = ring
        for command in prepared.approvals():
            before = len(channel.taken)
            execute(engine, command)
            channel.wait_for(before + rung_for)
            took.append((channel.taken[before] - committed) / 1e6)
            time.sleep(_PAUSE_SECONDS)
    engine.store.close()
    took.sort()
    return Latency(len(took), median(took), took[len(took) * 99 // 100])
