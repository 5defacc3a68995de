"""Notices by a bell on a real Redis, which is stopped, emptied, robbed and lied to: nothing depends on it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import Settings
from handlers import build, dispatch, redis_queues
from handlers.bell_errors import BellUnreachable, OneServerOnly
from handlers.redis_bell import RedisBell
from handlers.redis_queues import NAMESPACE
from tests import stores
from tests.integration.prepared_office import copied_office
from tests.processes import HERE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.leave_office import Office
    from tests.servers.redis import RedisServer

PATIENCE_SECONDS = 20
NOTICES = f"{NAMESPACE}:notices"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return copied_office(tmp_path)


def decide(office: Office) -> None:
    case = office.ask(first="2030-01-07", last="2030-01-08").subject
    office.fire(case, "reject", "minh", reason="bận")


@contextmanager
def serving(office: Office, redis: RedisServer, **settings: Any) -> Iterator[build.Serving]:
    given = Settings(
        database_url=office.settings.database_url, redis_url=redis.url, **{"sweep_ms": 50, **settings}
    )
    with build.serving(given, office.app) as found:
        yield found


def until_delivered(office: Office, count: int) -> None:
    wait_until(lambda: len(office.deliveries()) >= count, PATIENCE_SECONDS, f"{count} deliveries", pause=0.02)


def row(number: int) -> str:
    return f"{number:032x}"


def test_notices_arrive_by_a_bell_on_redis(office: Office, redis: RedisServer) -> None:
    with serving(office, redis):
        for _ in range(3):
            decide(office)
        until_delivered(office, 3)

    assert {one.state for one in office.outbox()} == {"done"}
    assert redis.client.hlen(f"{NOTICES}.msgs") == 0
    assert redis.client.llen(NOTICES) == 0


def test_messages_that_were_never_owed_change_nothing_and_send_nothing(
    office: Office, redis: RedisServer
) -> None:
    # given a notice that was delivered, and one that is not yet due
    with serving(office, redis):
        decide(office)
        until_delivered(office, 1)
        decide(office)
        until_delivered(office, 2)
        done = [one.id for one in office.outbox()]
        before = len(office.postman.taken)

        # when valid messages for these, each many times, and for rows that don't exist are pushed in
        owed = [*done, *(row(number) for number in range(500))]
        RedisBell(redis.url).enqueue_all([dispatch.message("notice.requested", one) for one in owed])
        redis.client.rpush(NOTICES, *(done * 250))
        wait_until(lambda: redis.client.hlen(f"{NOTICES}.msgs") == 0, PATIENCE_SECONDS, "an empty queue")

    assert len(office.postman.taken) == before
    assert len(office.deliveries()) == 2


def test_no_message_is_lost_when_redis_is_emptied_in_the_middle(office: Office, redis: RedisServer) -> None:
    with serving(office, redis):
        for number in range(12):
            decide(office)
            if number % 3 == 0:
                redis.client.flushall()
        until_delivered(office, 12)

    assert len(office.postman.taken) == len({(one.id) for one in office.postman.taken}) == 12


def test_a_restart_of_redis_is_lived_through(office: Office, redis: RedisServer) -> None:
    with serving(office, redis):
        decide(office)
        until_delivered(office, 1)
        redis.restart()
        decide(office)
        until_delivered(office, 2)

        # and the bell itself is back, not only the sweep
        heartbeats = f"{NAMESPACE}:__heartbeats__"
        wait_until(lambda: redis.client.exists(heartbeats), PATIENCE_SECONDS, "the worker at Redis")
    assert len(office.postman.taken) == 2


def test_while_redis_is_away_notices_arrive_by_the_workers_own_sweep(
    office: Office, redis: RedisServer
) -> None:
    with serving(office, redis) as found:
        redis.stop()
        try:
            for _ in range(3):
                decide(office)
            until_delivered(office, 3)
        finally:
            redis.start()
        assert found.own_sweep is not None
        assert found.own_sweep.done >= 3


def test_a_redis_that_swallows_every_ring_delays_and_loses_nothing(
    office: Office, redis: RedisServer
) -> None:
    # given a Redis on which every queue is emptied as soon as anything is in it
    over = threading.Event()

    def swallow() -> None:
        while not over.wait(0.001):
            redis.client.delete(NOTICES, f"{NOTICES}.msgs")

    thief = threading.Thread(target=swallow)
    with serving(office, redis, own_sweep_seconds=1):
        thief.start()
        try:
            for _ in range(3):
                decide(office)
            until_delivered(office, 3)
        finally:
            over.set()
            thief.join()

    assert {one.state for one in office.outbox()} == {"done"}


def test_keys_of_a_wrong_kind_stop_nobody(office: Office, redis: RedisServer) -> None:
    with serving(office, redis, own_sweep_seconds=1):
        redis.client.set(NOTICES, "a text")
        redis.client.set(f"{NAMESPACE}:__heartbeats__", "another")
        decide(office)
        until_delivered(office, 1)

    assert {one.state for one in office.outbox()} == {"done"}


def test_a_commit_never_waits_for_a_redis_that_hangs(office: Office, redis: RedisServer) -> None:
    with serving(office, redis), redis.asleep():
        begun = time.monotonic()
        for _ in range(5):
            decide(office)
        took = time.monotonic() - begun
        assert took < redis_queues.TIMEOUT_SECONDS, f"ten commands took {took:.1f} s"
        until_delivered(office, 5)


def test_a_redis_that_is_not_there_stops_the_start_in_words(office: Office, redis: RedisServer) -> None:
    redis.stop()
    try:
        with pytest.raises(BellUnreachable) as refused, serving(office, redis):
            pass
    finally:
        redis.start()

    assert redis.url in refused.value.sentence("vi")
    # and the store is free again
    with serving(office, redis):
        decide(office)
        until_delivered(office, 1)


def test_the_rights_that_the_manual_names_suffice(office: Office, redis: RedisServer) -> None:
    # given an account made by the line of the manual
    manual = (HERE / "docs" / "operations.md").read_text(encoding="utf-8")
    line = next(each for each in manual.splitlines() if each.startswith("ACL SETUSER tiendo"))
    redis.client.execute_command(*line.replace("PASSWORD", "hush").split())

    # when everything is served with it
    given = Settings(
        database_url=office.settings.database_url,
        redis_url=redis.url.replace("://", "://tiendo:hush@"),
        sweep_ms=50,
    )
    with build.serving(given, office.app):
        decide(office)
        until_delivered(office, 1)

    # then nothing was denied
    assert [one for one in redis.client.acl_log() if one["username"] == "tiendo"] == []


def test_worker_and_ticker_of_their_own_belong_to_a_store_on_a_server(office: Office) -> None:
    # given nobody but a worker without a bell, and a ticker
    alone = {"works": True, "ticks": False}, {"works": False, "ticks": True}
    if stores.kind() == "sqlite":
        for given in alone:
            with pytest.raises(OneServerOnly), build.serving(office.settings, office.app, **given):
                pass
        return
    with (
        build.serving(office.settings, office.app, **alone[0]),
        build.serving(office.settings, office.app, **alone[1]),
    ):
        decide(office)
        until_delivered(office, 1)
    assert {one.state for one in office.outbox()} == {"done"}
