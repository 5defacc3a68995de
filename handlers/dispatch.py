"""Walk 6 of 7 · from a topic to the function that handles it.

`@handles` writes a table: topic -> function. `declare_all` makes Dramatiq actors of it on the broker it is
given; there is no global broker. `bell` returns the function that execute and the sweep ring. A message
carries the id of one outbox row and nothing else: the row is the promise, the message only says "look
now". So a broker that loses, doubles or refuses messages costs time, never a notice.

Next: handlers/notices.py handles the first topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import dramatiq
import structlog
from dramatiq.encoder import JSONEncoder

from config.log_privacy import harmless
from engine import tally
from engine.errors import Broken, Refused
from handlers.bell_errors import EncoderWrong, MessageTooLarge, TopicUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.engine import Engine
    from handlers.channels import Channel
    from handlers.notice_texts import NoticeTexts

log = structlog.get_logger()

MOST_BYTES = 8192
#: Beside topic and id a message has a few hundred bytes, and a character takes six at most: so long needs no counting.
_SURELY_FITS = 1024


@dataclass(frozen=True, slots=True)
class App:
    """All that a handler may need, made in handlers/build.py.

    Shapes:
        channels: name -> channel. texts: the words of notices.
        public_url: what links begin with. mail_domain: of Message-IDs.
        most_attempts: a row claimed that often without an end is parked.
    Units:
        lease_seconds: how long a handler may hold a row; longer than the slowest channel.
    """

    engine: Engine
    channels: Mapping[str, Channel]
    texts: NoticeTexts
    lease_seconds: int = 60
    most_attempts: int = 8
    public_url: str = ""
    mail_domain: str = "tiendo.localhost"


@dataclass(frozen=True, slots=True)
class Handler:
    """The function behind a topic, and the queue that its messages wait in."""

    topic: str
    queue: str
    run: Callable[[App, str], None]


HANDLERS: dict[str, Handler] = {}


def handles(topic: str, *, queue: str) -> Callable[[Callable[[App, str], None]], Callable[[App, str], None]]:
    """Declare the function below as the handler of `topic`.

    Errors:
        Broken: the topic has another handler.
    """

    def declare(run: Callable[[App, str], None]) -> Callable[[App, str], None]:
        if HANDLERS.setdefault(topic, Handler(topic, queue, run)).run is not run:
            raise Broken(topic=topic)
        return run

    return declare


def declare_all(broker: dramatiq.Broker, app: App) -> None:
    """Make an actor of every handler on `broker`: name = topic, no retry (that belongs to the row).

    Errors:
        EncoderWrong: messages would not be JSON; nothing was declared.
    """
    encoder = type(dramatiq.get_encoder())
    if encoder is not JSONEncoder:
        raise EncoderWrong(found=encoder.__name__)
    for handler in HANDLERS.values():
        declare = dramatiq.actor(
            broker=broker,
            actor_name=handler.topic,
            queue_name=handler.queue,
            max_retries=0,
            throws=(Refused, Broken),
        )
        declare(_on_row(app, handler))


def run_row(app: App, topic: str, outbox_id: str) -> None:
    """Run the handler of a topic for one outbox row; what it logs carries both."""
    with structlog.contextvars.bound_contextvars(topic=topic, outbox_id=outbox_id):
        HANDLERS[topic].run(app, outbox_id)


def _on_row(app: App, handler: Handler) -> Callable[[str], None]:
    def run(outbox_id: str) -> None:
        run_row(app, handler.topic, outbox_id)

    return run


def message(topic: str, outbox_id: str) -> dramatiq.Message[None]:
    """Return the message for one outbox row: a body of exactly `{outbox_id}`.

    Errors:
        TopicUnknown, MessageTooLarge: nothing was sent.
    """
    if topic not in HANDLERS:
        raise TopicUnknown(topic=topic)
    made: dramatiq.Message[None] = dramatiq.Message(
        queue_name=HANDLERS[topic].queue,
        actor_name=topic,
        args=(),
        kwargs={"outbox_id": outbox_id},
        options={},
    )
    if len(topic) + len(outbox_id) > _SURELY_FITS and len(made.encode()) > MOST_BYTES:
        raise MessageTooLarge(topic=topic, size=len(made.encode()), limit=MOST_BYTES)
    return made


@runtime_checkable
class TakesMany(Protocol):
    """A broker that takes many messages at once."""

    def enqueue_all(self, messages: Sequence[dramatiq.Message[None]]) -> int:
        """Take all of them, or as many as there is room for; return how many."""


def bell(broker: dramatiq.Broker) -> Callable[[Sequence[tuple[str, str]]], None]:
    """Return `ring`, which takes (topic, outbox id) pairs and never fails: whoever rings has committed.

    A broker that is down is logged once and again when it is back; the sweep rings for what was missed. A topic that only
    a newer version knows is left to that version, and the others are rung.
    """
    is_down = False
    strangers: set[str] = set()

    def ring(rows: Sequence[tuple[str, str]]) -> None:
        nonlocal is_down
        for topic in {topic for topic, _ in rows} - HANDLERS.keys() - strangers:
            strangers.add(topic)
            log.warning("topic_not_here", topic=topic)
        try:
            _enqueue(broker, [message(topic, row) for topic, row in rows if topic in HANDLERS])
        except Exception as problem:  # noqa: BLE001 - the bell is best effort: the rows stay and are swept
            tally.add("bell_failures")
            if not is_down:
                log.warning("bell_down", said=harmless(problem), rows=len(rows))
            is_down = True
        else:
            if is_down:
                log.info("bell_back")
            is_down = False
            tally.add("rung", by=len(rows))
        tally.put("bell_up", not is_down)

    return ring


def _enqueue(broker: dramatiq.Broker, messages: Sequence[dramatiq.Message[None]]) -> None:
    if isinstance(broker, TakesMany):
        broker.enqueue_all(messages)
    else:
        for each in messages:
            broker.enqueue(each)
