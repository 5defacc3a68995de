"""Queues of rings on Redis: put in, taken out, given back, set aside. Nothing that comes from there is believed here.

Each visit is one round trip and one script (handlers/redis_scripts.py); the driver repeats nothing by itself.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.log_privacy import harmless
from config.setting_wrong import without_password
from engine import tally
from engine.errors import Words
from handlers.bell_errors import BellRefused, BellUnreachable
from handlers.redis_scripts import GIVE_BACK, RING, TAKE, UPKEEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
_HEARTBEATS = f"{NAMESPACE}:__heartbeats__"
_QUEUE = ("", ".msgs", ".waiting")
_TOGETHER = 500
#: It answers, but not now: full, loading, a replica.
_LATER = (redis.OutOfMemoryError, redis.ReadOnlyError, redis.BusyLoadingError)
_UNREADABLE = Words("địa chỉ không đọc được", "the address can't be read")


class RedisQueues:
    """The queues, and one worker's view of them.

    Shapes:
        worker: under this id Redis knows what this process holds. where: the address without its password.
        set_aside: reason -> how many messages this process could not read.
        heard_at: monotonic seconds of the last readable message. is_down: whether the last visit failed.
    Errors:
        BellRefused: the address can't be read.
    """

    def __init__(self, url: str) -> None:
        self.where = without_password(url)
        try:
            # No repeats by the driver: a ring whose answer was lost is swept up, and a repeated one costs a look.
            self.client: Any = redis.Redis.from_url(
                url, retry=Retry(NoBackoff(), 0),
                socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS,
            )  # fmt: skip
        except (ValueError, redis.RedisError) as why:
            raise BellRefused(url=self.where, said=_UNREADABLE) from why
        self.worker = str(uuid.uuid4())
        self.set_aside: Counter[str] = Counter()
        self.heard_at = time.monotonic()
        self.is_down = False

    def try_it(self) -> None:
        """Ring once and take it back, before anything is started: everything a bell needs is asked of Redis.

        Errors:
            BellUnreachable: nobody answers, or not now. BellRefused: somebody does, and will not have us.
        """
        tried = f"tried-{self.worker}"
        try:
            self.put({tried: ["tried", "{}"]})
            self.take(tried, 1, 100, (), ())
            self.give_back(tried, ["tried"])
            self.take(tried, 1, 100, (), ())
            self.take(tried, 0, 100, ("tried",), ())
            self.keep_up((tried,))
        except redis.AuthenticationError as why:
            raise BellRefused(url=self.where, said=str(why)) from why
        except (redis.ConnectionError, redis.TimeoutError, OSError, *_LATER) as why:
            raise BellUnreachable(url=self.where, said=str(why)) from why
        except redis.RedisError as why:
            raise BellRefused(url=self.where, said=str(why)) from why

    def put(self, pairs: Mapping[str, Sequence[str | bytes]]) -> int:
        """Put messages into queues, all in one round trip, and return how many are there: a row waits but once.

        Shapes:
            pairs: queue -> id and message in turn.
        """
        with self.client.pipeline(transaction=False) as pipe:
            for queue, given in pairs.items():
                for start in range(0, len(given), 2 * _TOGETHER):
                    some = given[start : start + 2 * _TOGETHER]
                    pipe.eval(RING, 3, *_keys(queue, *_QUEUE), MOST_WAITING, *some)
            return sum(pipe.execute())

    def take(
        self, queue: str, most: int, most_bytes: int, handled: Sequence[str], aside: Sequence[bytes]
    ) -> list[tuple[bytes, bytes]]:
        """Take up to `most` messages off a queue, with their ids; say which are handled, and which to set aside."""
        keys = [*_keys(queue, *_QUEUE), self._held(queue), *_keys(queue, ".XQ", ".XQ.msgs"), _HEARTBEATS]
        long, taken = self.client.eval(
            TAKE, len(keys), *keys, self.worker, most, most_bytes, len(handled), *handled, *aside
        )
        if long:
            self.put_aside(queue, "too_long", long)
        return list(zip(taken[::2], taken[1::2], strict=True))

    def give_back(self, queue: str, ids: Sequence[str]) -> None:
        """Put messages back that were never begun; they come first again."""
        self.client.eval(GIVE_BACK, 4, *_keys(queue, *_QUEUE), self._held(queue), *ids)

    def keep_up(self, queues: Iterable[str]) -> None:
        """Put back what dead workers held of these queues, and throw away old dead letters."""
        self.client.eval(UPKEEP, 1, _HEARTBEATS, NAMESPACE, HEARTBEAT_MS, ASIDE_MS, *sorted(queues))

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
        return f"{NAMESPACE}:__acks__.{self.worker}.{queue}"


def _keys(queue: str, *endings: str) -> list[str]:
    return [f"{NAMESPACE}:{queue}{ending}" for ending in endings]
