"""The door of the bell on a real Redis: what goes in, what is let out, and who holds what."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from handlers import deadlines, dispatch, notices  # noqa: F401 - handlers are declared by importing
from handlers.bell_errors import BellRefused
from handlers.redis_bell import RedisBell
from handlers.redis_queues import HEARTBEAT_MS, MOST_WAITING, NAMESPACE
from handlers.worker import Worker
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.redis import RedisServer

PATIENCE_SECONDS = 20
NOTICES = f"{NAMESPACE}:notices"


def noting(broker: Any, topic: str, rows: list[str]) -> None:
    """Declare a handler on `broker` that only notes which rows it was rung for."""

    def note(outbox_id: str) -> None:
        rows.append(outbox_id)

    queue = dispatch.HANDLERS[topic].queue
    dramatiq.actor(note, broker=broker, actor_name=topic, queue_name=queue)  # type: ignore[call-overload]


def plain_broker(redis: RedisServer, namespace: str) -> Any:
    made: Any = RedisBroker
    return made(url=redis.url, namespace=namespace)


@contextmanager
def heard(redis: RedisServer) -> Iterator[tuple[RedisBell, list[str], Worker]]:
    """Run a worker whose handlers only note which rows they were rung for."""
    bell = RedisBell(redis.url)
    rows: list[str] = []
    noting(bell, "notice.requested", rows)
    noting(bell, "deadline.set", [])
    worker = Worker(bell, 4)
    worker.start()
    try:
        yield bell, rows, worker
    finally:
        worker.stop()
        bell.close()


def row(number: int) -> str:
    return f"{number:032x}"


def push(redis: RedisServer, *messages: bytes) -> None:
    """Put bytes into the queue as anybody could who reaches Redis."""
    with redis.client.pipeline() as pipe:
        for data in messages:
            identity = os.urandom(8).hex()
            pipe.hset(f"{NOTICES}.msgs", identity, data)
            pipe.rpush(NOTICES, identity)
        pipe.execute()


def test_what_we_ring_is_what_dramatiq_itself_would_have_sent(redis: RedisServer) -> None:
    # given the same message sent by Dramatiq's own broker and by ours
    theirs, ours = plain_broker(redis, "theirs"), RedisBell(redis.url)
    message = dispatch.message("notice.requested", row(1))
    theirs.enqueue(message)
    ours.enqueue_all([message])

    # then keys, types and bodies are alike but for the id under which it lies
    def kept(namespace: str) -> dict[str, Any]:
        (identity,) = redis.client.lrange(f"{namespace}:notices", 0, -1)
        body: dict[str, Any] = json.loads(redis.client.hget(f"{namespace}:notices.msgs", identity))
        assert body["options"].pop("redis_message_id") == identity.decode()
        return body

    assert kept("theirs") == kept(NAMESPACE)
    assert len(redis.client.hget(f"{NOTICES}.msgs", redis.client.lindex(NOTICES, 0))) < dispatch.MOST_BYTES


def test_a_worker_of_dramatiq_itself_runs_what_we_ring(redis: RedisServer) -> None:
    # given a plain Dramatiq worker on our keys
    plain, got = plain_broker(redis, NAMESPACE), list[str]()
    noting(plain, "notice.requested", got)
    worker = dramatiq.Worker(plain, worker_timeout=50, worker_threads=2)
    worker.start()

    # when a thousand and one messages are rung in one round trip
    dispatch.bell(RedisBell(redis.url))([("notice.requested", row(number)) for number in range(1001)])

    # then it runs all of them
    wait_until(lambda: len(got) >= 1001, PATIENCE_SECONDS, "a thousand and one messages")
    worker.stop()
    assert sorted(got) == [row(number) for number in range(1001)]


def test_a_queue_that_nobody_works_off_takes_so_many_and_no_more(redis: RedisServer) -> None:
    bell = RedisBell(redis.url)

    def ring(first: int) -> int:
        rows = range(first, first + 6000)
        return bell.enqueue_all([dispatch.message("notice.requested", row(number)) for number in rows])

    assert [ring(0), ring(6000), ring(12_000)] == [6000, MOST_WAITING - 6000, 0]
    assert redis.client.llen(NOTICES) == redis.client.hlen(f"{NOTICES}.msgs") == MOST_WAITING


def test_a_row_that_is_rung_again_while_it_waits_waits_once(redis: RedisServer) -> None:
    # given a row that whoever committed and two tickers ring for
    bell = RedisBell(redis.url)
    for _ in range(3):
        assert bell.enqueue_all([dispatch.message("notice.requested", row(1))]) == 1
    assert redis.client.llen(NOTICES) == 1

    # when a worker has taken it, it may be rung for again, as for one that fell due again
    assert len(bell.redis.take("notices", 4, 8192, (), ())) == 1
    bell.enqueue(dispatch.message("notice.requested", row(1)))
    assert redis.client.llen(NOTICES) == 1

    # and a list that somebody emptied is no reason to keep silent
    redis.client.delete(NOTICES)
    bell.enqueue(dispatch.message("notice.requested", row(1)))
    assert redis.client.llen(NOTICES) == 1


def test_a_message_never_waits_in_a_worker(redis: RedisServer) -> None:
    bell = RedisBell(redis.url)
    with pytest.raises(ValueError, match="row"):
        bell.enqueue(dispatch.message("notice.requested", row(1)), delay=1000)
    bell.declare_queue("notices")
    assert bell.get_declared_delay_queues() == set()


def bodies(**changed: Any) -> bytes:
    """Return a message that is right but for what is changed."""
    right = json.loads(dispatch.message("notice.requested", row(7)).encode())
    return json.dumps({**right, "options": {"redis_message_id": row(7)}, **changed}).encode()


HOSTILE = {
    "garbage": b"\x80\x04\x95garbage",
    "empty_object": b"{}",
    "a_list": b"[1, 2]",
    "deep": b"[" * 4000 + b"]" * 4000,
    "too_long": b"x" * 9000,
    "own_arguments": bodies(args=[1]),
    "other_words": bodies(kwargs={"outbox_id": row(7), "then": "more"}),
    "no_id": bodies(kwargs={"outbox_id": "../../etc/passwd"}),
    "a_number": bodies(kwargs={"outbox_id": 7}),
    "delayed": bodies(options={"eta": 1 << 62, "redis_message_id": "x"}),
    "retries": bodies(options={"max_retries": 1000, "redis_message_id": "x"}),
    "other_queue": bodies(queue_name="elsewhere"),
    "somebody_elses_id": bodies(),
    "half_a_letter": bodies(message_id="\ud83d"),
    "nobody": bodies(actor_name=["os.system"]),
}


def test_ten_thousand_hostile_messages_are_set_aside_and_their_neighbours_run(redis: RedisServer) -> None:
    # given ten thousand messages of somebody who owns Redis, and good ones among them
    kinds = list(HOSTILE.values())
    for start in range(0, 10_000, 1000):
        RedisBell(redis.url).enqueue_all(
            [dispatch.message("notice.requested", row(start + each)) for each in range(10)]
        )
        push(redis, *(kinds[number % len(kinds)] for number in range(start, start + 1000)))

    # when a worker meets them
    with heard(redis) as (bell, rows, _):
        wait_until(lambda: len(rows) >= 100, PATIENCE_SECONDS, "a hundred good messages")
        wait_until(lambda: redis.client.hlen(f"{NOTICES}.msgs") == 0, PATIENCE_SECONDS, "an empty queue")

        # then every good one ran once, every other one lies aside, and the worker still works
        assert sorted(rows) == [row(start + each) for start in range(0, 10_000, 1000) for each in range(10)]
        assert sum(bell.redis.set_aside.values()) == 10_000 == redis.client.zcard(f"{NOTICES}.XQ")
        assert set(bell.redis.set_aside) == {"undecodable", "not_a_ring", "too_long"}
        bell.enqueue(dispatch.message("notice.requested", row(10_000)))
        wait_until(lambda: len(rows) > 100, PATIENCE_SECONDS, "one more")
    assert max(map(len, redis.client.hvals(f"{NOTICES}.XQ.msgs"))) <= dispatch.MOST_BYTES


def test_a_topic_of_a_newer_version_is_passed_over_without_a_dead_letter(redis: RedisServer) -> None:
    # given a worker that knows nothing of a newer topic in its queue
    newer = dramatiq.Message[None]("notices", "notice.dreamt", (), {"outbox_id": row(2)}, {})
    with heard(redis) as (bell, rows, _):
        # when both kinds come
        bell.enqueue_all([newer, dispatch.message("notice.requested", row(1))])
        wait_until(
            lambda: rows and not redis.client.exists(f"{NOTICES}.msgs"), PATIENCE_SECONDS, "an empty queue"
        )

        # then nothing of it is a dead letter
        assert rows == [row(1)]
        assert redis.client.zcard(f"{NOTICES}.XQ") == 0
        assert not bell.redis.set_aside


def test_what_a_dead_worker_held_goes_back_by_the_clock_of_redis(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a worker that took messages and was not heard for a while, and one that works
    dead, living = RedisBell(redis.url), RedisBell(redis.url)
    for bell in (dead, living):
        bell.declare_queue("notices")
    living.enqueue_all([dispatch.message("notice.requested", row(number)) for number in range(4)])
    assert len(dead.redis.take("notices", 2, 8192, (), ())) == 2
    assert len(living.redis.take("notices", 2, 8192, (), ())) == 2
    heartbeat = redis.client.zscore(f"{NAMESPACE}:__heartbeats__", dead.broker_id)
    redis.client.zadd(f"{NAMESPACE}:__heartbeats__", {dead.broker_id: heartbeat - HEARTBEAT_MS})

    # when a host whose clock is a day ahead keeps the house
    monkeypatch.setattr(time, "time", lambda: 1e10)
    monkeypatch.setattr(time, "time_ns", lambda: 10**19)
    skewed = RedisBell(redis.url)
    skewed.declare_queue("notices")
    skewed.redis.keep_up(["notices"])

    # then only the dead one's messages are there again
    assert redis.client.llen(NOTICES) == 2
    assert redis.client.scard(f"{NAMESPACE}:__acks__.{living.broker_id}.notices") == 2
    assert redis.client.zscore(f"{NAMESPACE}:__heartbeats__", dead.broker_id) is None


def test_a_worker_that_stops_gives_back_what_it_has_not_begun(redis: RedisServer) -> None:
    # given a worker whose threads are all at work, and more messages than threads
    begun, may_end = threading.Semaphore(0), threading.Event()

    def slow(outbox_id: str) -> None:
        rows.append(outbox_id)
        begun.release()
        may_end.wait(PATIENCE_SECONDS)

    with heard(redis) as (bell, rows, worker):
        bell.actors["notice.requested"].fn = slow
        bell.enqueue_all([dispatch.message("notice.requested", row(number)) for number in range(20)])
        for _ in range(4):
            assert begun.acquire(timeout=PATIENCE_SECONDS)

        # when it is asked to stop
        stopping = threading.Thread(target=worker.stop)
        stopping.start()
        may_end.set()
        stopping.join(PATIENCE_SECONDS)

        # then what it ran is forgotten, all else waits, and it holds nothing
        assert redis.client.llen(NOTICES) == redis.client.hlen(f"{NOTICES}.msgs") == 20 - len(rows)
        assert redis.client.keys(f"{NAMESPACE}:__acks__*") == []


def test_a_wrong_password_and_too_few_rights_are_told_apart_from_an_outage(redis: RedisServer) -> None:
    redis.client.acl_setuser(
        "narrow", enabled=True, passwords=["+secret"], keys=["other:*"], commands=["+eval"]
    )
    for account in ("narrow:wrong", "narrow:secret"):
        with pytest.raises(BellRefused) as refused:
            RedisBell(redis.url.replace("://", f"://{account}@")).redis.try_it()
        assert "secret" not in refused.value.sentence("vi").replace("user_script", "")
        assert "wrong" not in refused.value.facts["url"]
    with pytest.raises(BellRefused):
        RedisBell("redis://127.0.0.1:port/0")
