"""The bell on Redis: Dramatiq's broker, of which nothing is believed and on which nothing depends.

Keys and messages are laid out as Dramatiq lays them out, so its own workers and tools read them. What differs:

- Many messages go in one round trip. A row that is rung for again while it waits still waits once, and a queue takes so
  many messages and no more: due rows that nobody works off must not fill Redis. What found no room is swept up later.
- A message is read only when it is what `dispatch.message` writes. Anything else (not JSON, too long, arguments of its
  own, a delay) is set aside in Dramatiq's dead letters for a day, and its neighbours run. A message for a topic that this
  process doesn't know is passed over: a newer process is rung again for its row.
- Nobody waits for Redis. What was handled is forgotten there with the next look; while Redis is away looks become rarer,
  and rows are found by the sweep.
"""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson
import redis
import structlog
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DecodeError
from dramatiq.message import Message
from dramatiq.middleware import Retries
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.log_privacy import harmless
from config.setting_wrong import without_password
from engine import tally
from handlers.bell_errors import BellRefused, BellUnreachable
from handlers.dispatch import MOST_BYTES
from handlers.redis_scripts import GIVE_BACK, RING, TAKE, UPKEEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = structlog.get_logger()

NAMESPACE = "tiendo"
#: A queue that holds so many messages takes no more.
MOST_WAITING = 10_000
#: A worker that was not heard for so long is dead, and its messages go back to their queues.
HEARTBEAT_MS = 15_000
#: What was set aside is kept so long for a person to look at.
ASIDE_MS = 86_400_000
#: Redis answers in far less; whoever waits longer waits for nothing.
TIMEOUT_SECONDS = 2.0
#: An idle worker looks at least this often; one without Redis at least that often.
IDLE_SECONDS, DOWN_SECONDS = 0.04, 2.0
#: Dead workers are looked for this often.
UPKEEP_SECONDS = 1.0
_HEARTBEATS = f"{NAMESPACE}:__heartbeats__"
_QUEUE = ("", ".msgs", ".waiting")
_TOGETHER = 500
_ROW = re.compile(r"[0-9a-f]{32}")
_TOPIC = re.compile(r"[a-z_.]{1,64}")
#: It answers, but not now: full, loading, a replica.
_LATER = (redis.OutOfMemoryError, redis.ReadOnlyError, redis.BusyLoadingError)


class RedisBell(RedisBroker):
    """Dramatiq's broker on Redis with a guarded door.

    Shapes:
        set_aside: reason -> how many messages this process could not read.
        heard_at: monotonic seconds of the last readable message.
        is_down: whether the last look failed.
    Errors:
        BellRefused: the address can't be read.
    """

    def __init__(self, url: str) -> None:
        self.where = without_password(url)
        try:
            # No repeats by the driver: a ring whose answer was lost would ring twice, and the sweep repeats it anyway.
            client = redis.Redis.from_url(
                url, retry=Retry(NoBackoff(), 0),
                socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS,
            )  # fmt: skip
        except (ValueError, redis.RedisError) as why:
            raise BellRefused(url=self.where, said=str(why)) from why
        super().__init__(  # type: ignore[no-untyped-call]  # Dramatiq's broker on Redis has no types
            client=client, namespace=NAMESPACE, middleware=[Retries(max_retries=0)], maintenance_chance=1_000_000,
            heartbeat_timeout=HEARTBEAT_MS, dead_message_ttl=ASIDE_MS,
        )  # fmt: skip
        self.set_aside: Counter[str] = Counter()
        self.heard_at = time.monotonic()
        self.is_down = False

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> GuardedDoor:
        """Return what takes messages off a queue."""
        return GuardedDoor(self, queue_name, prefetch, timeout)

    def try_it(self) -> None:
        """Ring once and take it back, before anything is started: everything the bell needs is asked of Redis.

        Errors:
            BellUnreachable: nobody answers, or not now. BellRefused: somebody does, and will not have us.
        """
        tried = f"tried-{self.broker_id}"
        try:
            self.client.eval(RING, 3, *_keys(tried, *_QUEUE), 1, "tried", "{}")
            self.take(tried, 1, (), ())
            self.take(tried, 0, ("tried",), ())
            self.keep_up()
        except redis.AuthenticationError as why:
            raise BellRefused(url=self.where, said=str(why)) from why
        except (redis.ConnectionError, redis.TimeoutError, OSError, *_LATER) as why:
            raise BellUnreachable(url=self.where, said=str(why)) from why
        except redis.RedisError as why:
            raise BellRefused(url=self.where, said=str(why)) from why

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue, without the one for delays that Dramatiq adds: deadlines are rows."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[None], *, delay: int | None = None) -> Message[None]:
        """Put one message into its queue, if there is room.

        Errors:
            ValueError: a delay is asked for; nothing was sent.
        """
        if delay is not None:
            raise ValueError("a message never waits: what is due later is a row")
        self.enqueue_all([message])
        return message

    def enqueue_all(self, messages: Sequence[Message[None]]) -> int:
        """Put messages into their queues, all in one round trip, and return how many are there: a row waits but once."""
        pairs: dict[str, list[str | bytes]] = {}
        for message in messages:
            row = message.kwargs["outbox_id"]
            message.options["redis_message_id"] = row
            # The bytes of Dramatiq's own encoder, ten times as fast; a test compares.
            pairs.setdefault(message.queue_name, []).extend((row, orjson.dumps(vars(message))))
        with self.client.pipeline(transaction=False) as pipe:
            for queue, given in pairs.items():
                for start in range(0, len(given), 2 * _TOGETHER):
                    some = given[start : start + 2 * _TOGETHER]
                    pipe.eval(RING, 3, *_keys(queue, *_QUEUE), MOST_WAITING, *some)
            return sum(pipe.execute())

    def take(
        self, queue: str, most: int, handled: Sequence[str], aside: Sequence[bytes]
    ) -> list[tuple[bytes, bytes]]:
        """Take up to `most` messages off a queue, with their ids; say which are handled, and which to set aside."""
        keys = [*_keys(queue, *_QUEUE), self._held(queue), *_keys(queue, ".XQ", ".XQ.msgs"), _HEARTBEATS]
        long, taken = self.client.eval(
            TAKE, len(keys), *keys, self.broker_id, most, MOST_BYTES, len(handled), *handled, *aside
        )
        if long:
            self.put_aside(queue, "too_long", long)
        return list(zip(taken[::2], taken[1::2], strict=True))

    def give_back(self, queue: str, ids: Sequence[str]) -> None:
        """Put messages back that were never begun; they come first again."""
        self.client.eval(GIVE_BACK, 4, *_keys(queue, *_QUEUE), self._held(queue), *ids)

    def keep_up(self) -> None:
        """Put back what dead workers held, and throw away old dead letters."""
        self.client.eval(UPKEEP, 1, _HEARTBEATS, NAMESPACE, HEARTBEAT_MS, ASIDE_MS, *sorted(self.queues))

    def put_aside(self, queue: str, reason: str, count: int = 1) -> None:
        """Count what could not be read; the log tells of the 1st, 10th, 100th …, and never what stood in it."""
        before = self.set_aside[reason]
        self.set_aside[reason] = before + count
        tally.add("set_aside", reason, by=count)
        if not before or len(str(before + count)) > len(str(before)):
            log.warning("message_set_aside", queue=queue, reason=reason, count=before + count)

    def feel(self, problem: Exception | None) -> None:
        """Note whether Redis answers; the log tells of each change once."""
        if problem is not None and not self.is_down:
            log.warning("bell_down", where=self.where, said=harmless(problem))
        elif problem is None and self.is_down:
            log.info("bell_back", where=self.where)
        self.is_down = problem is not None
        tally.put("bell_up", not self.is_down)

    def close(self) -> None:
        """Close the lines to Redis."""
        self.client.close()

    def _held(self, queue: str) -> str:
        return f"{NAMESPACE}:__acks__.{self.broker_id}.{queue}"


def _keys(queue: str, *endings: str) -> list[str]:
    return [f"{NAMESPACE}:{queue}{ending}" for ending in endings]


class GuardedDoor(Consumer):
    """Takes messages off one queue for the worker threads; never raises for what Redis does or holds.

    `__next__` runs in a thread of its own; `ack` and `nack` come from the worker threads.
    """

    def __init__(self, broker: RedisBell, queue_name: str, prefetch: int, timeout: int) -> None:
        self._broker = broker
        self._queue = queue_name
        self._most = prefetch
        self._idle = min(timeout / 1000, IDLE_SECONDS)
        self._waiting: deque[MessageProxy] = deque()
        self._out: set[str] = set()
        self._handled: deque[str] = deque()
        self._freed = Event()
        self._misses = 0
        self._kept_up = 0.0

    def ack(self, message: MessageProxy) -> None:
        """Note that a message was handled; Redis hears of it with the next look."""
        row = message.kwargs["outbox_id"]
        self._out.discard(row)
        self._handled.append(row)
        self._freed.set()

    def nack(self, message: MessageProxy) -> None:
        """Do as `ack` does: what a handler could not do stands in its row, and the sweep rings for it."""
        self.ack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Put messages back that were never begun, for other workers to take."""
        ids = [message.kwargs["outbox_id"] for message in messages]
        if not ids:
            return
        try:
            self._broker.give_back(self._queue, ids)
        except Exception as problem:  # noqa: BLE001 - what is not given back is rung for again
            self._broker.feel(problem)

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or None after a short wait for one."""
        if not self._waiting:
            self._look()
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._out.add(message.kwargs["outbox_id"])
        return message

    def close(self) -> None:
        """Give back what was taken and not begun, and say what was handled."""
        self.requeue(self._waiting)
        self._waiting.clear()
        self._fetch(0)

    def _look(self) -> None:
        """Fetch as many as the threads can take; where there is nothing, wait a little."""
        self._freed.clear()
        room = self._most - len(self._out)
        if room > 0 and self._fetch(room):
            self._misses = 0
            return
        self._misses += 1
        longest = DOWN_SECONDS if self._broker.is_down else self._idle
        self._freed.wait(min(0.005 * 2 ** min(self._misses, 10), longest))

    def _fetch(self, most: int, aside: Sequence[bytes] = ()) -> int:
        """Take messages from Redis; return how many came, readable or not."""
        handled = [self._handled.popleft() for _ in range(len(self._handled))]
        try:
            if time.monotonic() - self._kept_up > UPKEEP_SECONDS:
                self._broker.keep_up()
                self._kept_up = time.monotonic()
            taken = self._broker.take(self._queue, most, handled, aside)
        except Exception as problem:  # noqa: BLE001 - whatever it says, this thread goes on
            self._handled.extend(handled)
            self._broker.feel(problem)
            return 0
        self._broker.feel(None)
        unreadable = [identity for identity, data in taken if not self._let_in(identity, data)]
        if unreadable:
            self._fetch(0, unreadable)
        return len(taken)

    def _let_in(self, identity: bytes, data: bytes) -> bool:
        """Keep a readable message for the threads; return False for one to be set aside."""
        try:
            message: Message[None] = Message.decode(data)
        except DecodeError:
            self._broker.put_aside(self._queue, "undecodable")
            return False
        if not self._is_a_ring(message, identity):
            self._broker.put_aside(self._queue, "not_a_ring")
            return False
        if message.actor_name not in self._broker.actors:
            # Nothing is wrong with it, so it is no dead letter: the row stays due, and who knows the topic is rung again.
            log.info("topic_not_here", topic=message.actor_name)
            self._handled.append(identity.decode())
            return True
        self._broker.heard_at = time.monotonic()
        self._waiting.append(MessageProxy(message))
        return True

    def _is_a_ring(self, message: Any, identity: bytes) -> bool:
        """Whether a message is what we write: one outbox id, for this queue, under that id, nothing else."""
        row = message.kwargs.get("outbox_id") if isinstance(message.kwargs, dict) else None
        return bool(
            message.queue_name == self._queue
            and message.args == ()
            and isinstance(row, str)
            and _ROW.fullmatch(row) is not None
            and len(message.kwargs) == 1
            and isinstance(message.actor_name, str)
            and _TOPIC.fullmatch(message.actor_name) is not None
            and row.encode() == identity
            and message.options == {"redis_message_id": row}
        )
