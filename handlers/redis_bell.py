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
from collections import deque
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DecodeError
from dramatiq.message import Message
from dramatiq.middleware import Retries

from handlers.dispatch import MOST_BYTES
from handlers.redis_queues import ASIDE_MS, HEARTBEAT_MS, NAMESPACE, RedisQueues

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = structlog.get_logger()

#: An idle worker looks at least this often; one without Redis at least that often.
IDLE_SECONDS, DOWN_SECONDS = 0.04, 2.0
#: Dead workers are looked for this often.
UPKEEP_SECONDS = 1.0
_ROW = re.compile(r"[0-9a-f]{32}")
_TOPIC = re.compile(r"[a-z_.]{1,64}")


class RedisBell(RedisBroker):
    """Dramatiq's broker on Redis with a guarded door.

    Shapes:
        redis: the queues, and whether Redis answers.
    Errors:
        BellRefused: the address can't be read.
    """

    def __init__(self, url: str) -> None:
        self.redis = RedisQueues(url)
        super().__init__(  # type: ignore[no-untyped-call]  # Dramatiq's broker on Redis has no types
            client=self.redis.client, namespace=NAMESPACE, middleware=[Retries(max_retries=0)],
            maintenance_chance=1_000_000, heartbeat_timeout=HEARTBEAT_MS, dead_message_ttl=ASIDE_MS,
        )  # fmt: skip
        self.broker_id = self.redis.worker

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> GuardedDoor:
        """Return what takes messages off a queue."""
        return GuardedDoor(self, queue_name, prefetch, timeout)

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
        return self.redis.put(pairs)

    def close(self) -> None:
        """Close the lines to Redis."""
        self.redis.close()


class GuardedDoor(Consumer):
    """Takes messages off one queue for the worker threads; never raises for what Redis does or holds.

    `__next__` runs in a thread of its own; `ack` and `nack` come from the worker threads.
    """

    def __init__(self, broker: RedisBell, queue_name: str, prefetch: int, timeout: int) -> None:
        self._broker = broker
        self._redis = broker.redis
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
            self._redis.give_back(self._queue, ids)
        except Exception as problem:  # noqa: BLE001 - what is not given back is rung for again
            self._redis.feel(problem)

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
        longest = DOWN_SECONDS if self._redis.is_down else self._idle
        self._freed.wait(min(0.005 * 2 ** min(self._misses, 10), longest))

    def _fetch(self, most: int, aside: Sequence[bytes] = ()) -> int:
        """Take messages from Redis; return how many came, readable or not."""
        handled = [self._handled.popleft() for _ in range(len(self._handled))]
        try:
            if time.monotonic() - self._kept_up > UPKEEP_SECONDS:
                self._redis.keep_up(self._broker.queues)
                self._kept_up = time.monotonic()
            taken = self._redis.take(self._queue, most, MOST_BYTES, handled, aside)
        except Exception as problem:  # noqa: BLE001 - whatever it says, this thread goes on
            self._handled.extend(handled)
            self._redis.feel(problem)
            return 0
        self._redis.feel(None)
        unreadable = [identity for identity, data in taken if not self._let_in(identity, data)]
        if unreadable:
            self._fetch(0, unreadable)
        return len(taken)

    def _let_in(self, identity: bytes, data: bytes) -> bool:
        """Keep a readable message for the threads; return False for one to be set aside."""
        try:
            message: Message[None] = Message.decode(data)
        except DecodeError:
            self._redis.put_aside(self._queue, "undecodable")
            return False
        if not self._is_a_ring(message, identity):
            self._redis.put_aside(self._queue, "not_a_ring")
            return False
        if message.actor_name not in self._broker.actors:
            # Nothing is wrong with it, so it is no dead letter: the row stays due, and who knows the topic is rung again.
            log.info("topic_not_here", topic=message.actor_name)
            self._handled.append(identity.decode())
            return True
        self._redis.heard_at = time.monotonic()
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
