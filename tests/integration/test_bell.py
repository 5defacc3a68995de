"""The bell and the sweep, each alone and both together, in a serving process with real Dramatiq threads."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from dramatiq.brokers.stub import StubBroker

from engine import relay
from engine.sqlite_store import system_clock
from handlers import build
from handlers.serving import STALE_SECONDS, AlreadyServed, ServingLost, ServingSeat, holder_of
from handlers.ticker import Ticker
from handlers.worker import Worker
from tests import stores
from tests.integration.leave_office import Clock, Office, open_office

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from handlers.channels import Message

PATIENCE_SECONDS = 20


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = open_office(tmp_path, clock=system_clock)
    yield found
    found.store.close()


def decide(office: Office) -> None:
    case = office.ask(first="2030-01-07", last="2030-01-08").subject
    office.fire(case, "reject", "minh", reason="bận")


def until(office: Office, count: int) -> None:
    """Wait until so many messages were taken; a condition, not a length of time, ends it."""
    arrived = threading.Event()
    office.postman.answer = lambda _message: arrived.set() if len(office.postman.taken) + 1 >= count else None
    if len(office.postman.taken) < count:
        assert arrived.wait(PATIENCE_SECONDS), f"{len(office.postman.taken)} of {count} arrived"


@contextmanager
def serving(office: Office, *, drops: bool = False, sweeps: bool = True) -> Iterator[Ticker]:
    broker, ring = build.make_bell(office.app)
    if drops:
        assert isinstance(broker, StubBroker)
        office.engine.ring = lambda _rows: None
    worker = Worker(broker, 4)
    ticker = Ticker(office.app, ring, sweep_ms=50, sweeps=sweeps)
    ticker.take()
    worker.start()
    ticker.start()
    try:
        yield ticker
    finally:
        ticker.stop()
        worker.stop()
        ticker.leave()


def test_with_a_bell_that_rings_for_nobody_notices_arrive_by_the_sweep_alone(office: Office) -> None:
    with serving(office, drops=True):
        for _ in range(3):
            decide(office)
        until(office, 3)

    assert {row.state for row in office.outbox()} == {"done"}


def test_with_the_sweep_off_they_arrive_by_messages_alone(office: Office) -> None:
    with serving(office, sweeps=False):
        for _ in range(3):
            decide(office)
        until(office, 3)

    assert {row.state for row in office.outbox()} == {"done"}


def test_with_neither_they_wait_and_are_not_lost(office: Office) -> None:
    # given a process that neither rings nor sweeps
    with serving(office, drops=True, sweeps=False) as ticker:
        decide(office)
        while ticker.passes < 2:
            ticker.wait(0.01)
    assert office.postman.taken == []

    # when a whole one takes over
    with serving(office):
        until(office, 1)

    assert office.outbox()[0].state == "done"


def test_a_message_that_comes_twice_delivers_once(office: Office) -> None:
    with serving(office, sweeps=False):
        decide(office)
        (row,) = office.outbox()
        office.engine.ring([("notice.requested", row.id)] * 20)
        until(office, 1)

    assert len(office.postman.taken) == 1
    assert len(office.deliveries()) == 1


def test_from_commit_to_handler_within_50_ms_at_the_median(office: Office) -> None:
    # given a serving process, and requests that are decided one after the other
    arrived: list[float] = []
    taken = threading.Event()

    def note(_message: Message) -> None:
        arrived.append(time.perf_counter())
        taken.set()

    office.postman.answer = note
    cases = [office.ask(first="2030-01-07", last="2030-01-08").subject for _ in range(20)]
    waits = []
    with serving(office):
        for case in cases:
            taken.clear()
            office.fire(case, "reject", "minh", reason="bận")
            committed = time.perf_counter()
            assert taken.wait(PATIENCE_SECONDS)
            waits.append(max(0.0, arrived[-1] - committed) * 1000)

    print(f"commit to handler: p50 {median(waits):.1f} ms, most {max(waits):.1f} ms, n={len(waits)}")
    assert median(waits) <= 50


def test_the_broker_in_the_process_carries_a_thousand_messages_a_second(office: Office) -> None:
    # given handlers that only count
    done = threading.Event()
    counted: list[str] = []

    def count(outbox_id: str) -> None:
        counted.append(outbox_id)
        if len(counted) >= 3000:
            done.set()

    broker, ring = build.make_bell(office.app)
    actor: Any = broker.get_actor("notice.requested")
    actor.fn = count
    worker = Worker(broker, 4)
    worker.start()

    # when three thousand messages are rung
    started = time.perf_counter()
    ring([("notice.requested", f"{number:032x}") for number in range(3000)])
    assert done.wait(PATIENCE_SECONDS)
    rate = 3000 / (time.perf_counter() - started)
    worker.stop()

    print(f"broker in the process: {rate:,.0f} messages/s")
    assert rate >= 1000


def test_a_quiet_store_costs_nothing_or_next_to_nothing(office: Office) -> None:
    # given a ticker that has looked once
    rung: list[tuple[str, str]] = []
    ticker = Ticker(office.app, rung.extend)
    assert ticker.sweep()

    # when nothing is written, a file is asked nothing; a server is asked, and there is nothing to ring for
    looked = [ticker.sweep() for _ in range(5)]
    assert looked == [stores.kind() == "postgresql"] * 5
    assert rung == []

    # and when something is written, it looks
    decide(office)
    assert ticker.sweep()
    assert rung


def test_what_the_sweep_rang_is_not_rung_at_every_pass(office: Office) -> None:
    rung: list[tuple[str, str]] = []

    def ring(rows: Sequence[tuple[str, str]]) -> None:
        rung.extend(rows)

    ticker = Ticker(office.app, ring)
    decide(office)
    ticker.sweep()
    decide(office)
    ticker.sweep()

    assert len(rung) == len(set(rung)) == len(office.outbox()) + len(office.outbox(topic="deadline.set"))


def test_one_process_serves_a_store_and_the_second_is_told_who(tmp_path: Path) -> None:
    # given a store that another machine serves
    clock = Clock()
    office = open_office(tmp_path, clock=clock)
    seat(office, "other-host", 4711)

    # when a second one wants to, it is refused with the name of the first
    with pytest.raises(AlreadyServed) as refused:
        ServingSeat(office.store).take()
    assert "4711" in refused.value.sentence("vi")
    assert "other-host" in refused.value.sentence("vi")

    # and takes over when the heartbeat is old
    clock.now += (STALE_SECONDS + 1) * 1_000_000
    ServingSeat(office.store).take()
    office.store.close()


def test_a_dead_process_of_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    seat(office, socket.gethostname(), pid)

    ServingSeat(office.store).take()

    held = holder_of(office.store)
    assert held is not None
    assert held[1] == os.getpid()
    office.store.close()


def test_whoever_was_taken_over_stops(tmp_path: Path) -> None:
    office = open_office(tmp_path)
    mine = ServingSeat(office.store)
    mine.take()
    seat(office, "other-host", 4711)

    with pytest.raises(ServingLost):
        mine.beat()
    mine.leave()

    with pytest.raises(AlreadyServed):
        ServingSeat(office.store).take()
    office.store.close()


def test_a_lease_that_ran_out_is_swept_up(tmp_path: Path) -> None:
    # given a row whose worker died
    clock = Clock()
    office = open_office(tmp_path, clock=clock)
    decide(office)
    (row,) = office.outbox()
    assert relay.claim_row(office.store, row.id, lease_seconds=60)

    # when the lease is over, the sweep rings for it, and not before
    rung: list[tuple[str, str]] = []
    Ticker(office.app, rung.extend).sweep()
    assert ("notice.requested", row.id) not in rung
    clock.now += 61_000_000
    Ticker(office.app, rung.extend).sweep()
    assert ("notice.requested", row.id) in rung
    office.store.close()


def seat(office: Office, host: str, pid: int) -> None:
    with office.store.begin() as tx:
        tx.run("DELETE FROM serving")
        values = {"host": host, "pid": pid, "now": tx.now}
        tx.run("INSERT INTO serving (id, host, pid, beat_at) VALUES (1, :host, :pid, :now)", values)
