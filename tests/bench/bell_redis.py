"""The bell on Redis: what rings cost one by one and together, what a door lets through, and a notice from row to delivery."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from engine import relay
from engine.execute import execute
from handlers import build, dispatch
from handlers.redis_bell import RedisBell
from handlers.redis_queues import MOST_WAITING, NAMESPACE
from handlers.worker import Worker
from tests.bench import world
from tests.bench.bell import Silent
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.settings import Settings
    from engine.engine import Engine
    from tests.bench.world import World
    from tests.servers.redis import RedisServer

THREADS = 8
MESSAGES = 5_000
ROUNDS = 3
_LONGEST_SECONDS = 60
TOPIC = "notice.requested"


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages a second, medians of three rounds taken by turns; everything runs in one process beside one Redis.

    Shapes:
        n: messages of a round. memory: put into the broker in the process. one_by_one: Dramatiq's own `enqueue`.
        together: our bell, one round trip. relayed: found in the outbox of a store and rung, one sweep.
        theirs, ours: consumed by Dramatiq's own worker, and through the guarded door; 8 threads that do nothing.
        at_once: Dramatiq's own rate, sent one by one while its own worker consumes.
        notices: outbox rows rung by one sweep, delivered and recorded in the store. of: how many.
    """

    n: int
    memory: float
    one_by_one: float
    together: float
    relayed: float
    theirs: float
    ours: float
    at_once: float
    notices: float
    of: int

    @property
    def ratio(self) -> float:
        """A notice end to end beside a message of Dramatiq's own that does nothing."""
        return self.notices / self.at_once


def measure(prepared: World) -> Figures:
    """Measure everything on a Redis of its own.

    Errors:
        RuntimeError: something was not done within a minute.
    """
    quieted, logging.root.manager.disable = logging.root.manager.disable, logging.CRITICAL
    rows = [(TOPIC, f"{number:032x}") for number in range(MESSAGES)]
    pending = _pending(prepared)
    found: dict[str, list[float]] = {}
    try:
        with redis_server() as server:
            parts: dict[str, Callable[[], float]] = {
                "memory": lambda: _sent(_declared(StubBroker(middleware=[])), rows),
                "one_by_one": lambda: _sent(_theirs(server), rows),
                "together": lambda: _rung(server, rows),
                "relayed": lambda: _relayed(server, pending),
                "theirs": lambda: _consumed(server, _theirs(server), rows),
                "ours": lambda: _consumed(server, RedisBell(server.url), rows),
                "at_once": lambda: _at_once(_theirs(server), rows),
            }
            for _ in range(ROUNDS):
                for name, part in parts.items():
                    server.client.flushall()
                    found.setdefault(name, []).append(part())
            server.client.flushall()
            of, notices = _delivered(prepared, server)
    finally:
        logging.root.manager.disable = quieted
    return Figures(
        len(rows), **{name: median(rates) for name, rates in found.items()}, notices=notices, of=of
    )


def _theirs(server: RedisServer) -> Any:
    untyped: Any = RedisBroker
    return untyped(url=server.url, namespace=NAMESPACE)


def _declared(broker: Any, run: Callable[[str], None] = lambda _row: None) -> Any:
    def noted(outbox_id: str) -> None:
        run(outbox_id)

    dramatiq.actor(noted, broker=broker, actor_name=TOPIC, queue_name="notices")  # type: ignore[call-overload]
    return broker


def _sent(broker: Any, rows: list[tuple[str, str]]) -> float:
    begun = time.perf_counter()
    for topic, row in rows:
        broker.enqueue(dispatch.message(topic, row))
    return len(rows) / (time.perf_counter() - begun)


def _rung(server: RedisServer, rows: list[tuple[str, str]]) -> float:
    ring = dispatch.bell(RedisBell(server.url))
    begun = time.perf_counter()
    ring(rows)
    seconds = time.perf_counter() - begun
    _want(server.client.llen(f"{NAMESPACE}:notices"), len(rows))
    return len(rows) / seconds


def _pending(prepared: World) -> Path:
    """Return a store whose outbox owes as many rows as a queue takes, beside what it owes anyway."""
    path = prepared.copy("relay")
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, created_at)"
            " VALUES (?, ?, ?, 'bench', 'pending', 0, 0, 0)",
            [(f"{number:032x}", TOPIC, f"{number:032x}") for number in range(MOST_WAITING)],
        )
    connection.close()
    return path


def _relayed(server: RedisServer, path: Path) -> float:
    engine = world.open_engine(path)
    ring = dispatch.bell(RedisBell(server.url))
    begun = time.perf_counter()
    relay.sweep(engine.store, ring, limit=MOST_WAITING)
    seconds = time.perf_counter() - begun
    engine.store.close()
    _want(server.client.llen(f"{NAMESPACE}:notices"), MOST_WAITING)
    return MOST_WAITING / seconds


def _consumed(server: RedisServer, broker: Any, rows: list[tuple[str, str]]) -> float:
    dispatch.bell(RedisBell(server.url))(rows)
    return _worked_off(broker, rows, lambda: None)


def _at_once(broker: Any, rows: list[tuple[str, str]]) -> float:
    return _worked_off(broker, rows, lambda: _sent(broker, rows))


def _worked_off(broker: Any, rows: list[tuple[str, str]], meanwhile: Callable[[], object]) -> float:
    done, got = threading.Event(), list[str]()

    def note(row: str) -> None:
        got.append(row)
        if len(got) >= len(rows):
            done.set()

    _declared(broker, note)
    worker: Any = (
        Worker(broker, THREADS)
        if isinstance(broker, RedisBell)
        else dramatiq.Worker(broker, worker_threads=THREADS)
    )
    begun = time.perf_counter()
    worker.start()
    meanwhile()
    finished = done.wait(_LONGEST_SECONDS)
    seconds = time.perf_counter() - begun
    worker.stop()
    _want(len(got) if finished else -1, len(rows))
    return len(rows) / seconds


def _delivered(prepared: World, server: RedisServer) -> tuple[int, float]:
    """Commit approvals with nobody listening, then have all of their notices delivered."""
    path = prepared.copy("bell-redis")
    engine = world.open_engine(path)
    for command in prepared.approvals():
        execute(engine, command)
    found = deliver_all(engine, world.settings(path), server)
    engine.store.close()
    return found


def deliver_all(engine: Engine, given: Settings, server: RedisServer) -> tuple[int, float]:
    """Let one sweep ring for everything that a store owes, and return how many notices were delivered, and the rate.

    Shapes:
        engine: on any kind of store; its outbox owes rows that are due.
    """
    owed = relay.owed(engine.store)
    broker, ring = build.make_bell(build.make_app(given, engine, {"console": Silent()}), server.url)
    worker = Worker(broker, given.worker_threads)
    begun = time.perf_counter()
    worker.start()
    relay.sweep(engine.store, ring, limit=owed)
    left, until = owed, begun + _LONGEST_SECONDS
    while left and time.perf_counter() < until:
        time.sleep(0.01)
        left = relay.owed(engine.store)
    seconds = time.perf_counter() - begun
    worker.stop()
    with engine.store.begin() as tx:
        delivered = int(tx.run("SELECT count(*) FROM delivery")[0][0])
    _want(left, 0)
    return delivered, delivered / seconds


def _want(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} where {wanted} were wanted")
