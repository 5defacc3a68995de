"""The table of topics, and what a message may carry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.encoder import JSONEncoder, PickleEncoder

from engine.errors import Broken
from handlers import build, dispatch
from handlers.bell_errors import EncoderWrong, MessageTooLarge, TopicUnknown
from handlers.dispatch import HANDLERS, Handler

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPIC = "test.requested"


@pytest.fixture(autouse=True)
def _topic_of_the_test() -> Iterator[None]:
    HANDLERS[TOPIC] = Handler(TOPIC, "tests", lambda _app, _row: None)
    yield
    del HANDLERS[TOPIC]


def queued(broker: StubBroker, queue: str) -> list[dict[str, Any]]:
    waiting = broker.queues[queue]
    return [json.loads(waiting.get_nowait()) for _ in range(waiting.qsize())]


def declared() -> StubBroker:
    broker = build.make_broker()
    dispatch.declare_all(broker, object())  # type: ignore[arg-type]  # no handler runs here
    assert isinstance(broker, StubBroker)
    return broker


def test_every_topic_has_an_actor_of_its_name_on_its_own_queue_without_retries() -> None:
    broker = declared()

    assert set(broker.actors) == set(HANDLERS) >= {"notice.requested", "deadline.set"}
    assert len({actor.queue_name for actor in broker.actors.values()}) == len(broker.actors)
    for name, actor in broker.actors.items():
        assert actor.actor_name == name
        assert actor.options["max_retries"] == 0


def test_the_body_of_a_message_is_exactly_the_outbox_id() -> None:
    broker = declared()

    dispatch.bell(broker)([("notice.requested", "a" * 32)])

    (message,) = queued(broker, "notices")
    assert message["actor_name"] == "notice.requested"
    assert message["args"] == []
    assert message["kwargs"] == {"outbox_id": "a" * 32}
    assert message["options"] == {}


def test_two_brokers_in_one_process_do_not_know_each_other() -> None:
    first, second = declared(), declared()

    dispatch.bell(first)([(TOPIC, "b" * 32)])

    assert len(queued(first, "tests")) == 1
    assert queued(second, "tests") == []


def test_a_message_over_8_kib_is_refused() -> None:
    with pytest.raises(MessageTooLarge):
        dispatch.message(TOPIC, "x" * 8192)
    with pytest.raises(TopicUnknown):
        dispatch.message("notice.requestd", "a" * 32)


def test_an_encoder_that_is_not_json_stops_the_start() -> None:
    dramatiq.set_encoder(PickleEncoder())
    try:
        with pytest.raises(EncoderWrong, match="PickleEncoder"):
            declared()
    finally:
        dramatiq.set_encoder(JSONEncoder())


def test_a_topic_has_one_handler() -> None:
    with pytest.raises(Broken):
        dispatch.handles(TOPIC, queue="tests")(lambda _app, _row: None)


def test_a_broker_that_is_down_never_hurts_whoever_rings() -> None:
    # given a broker that fails, then works, then fails
    class Down(StubBroker):
        fails = True

        def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
            if self.fails:
                raise ConnectionError("no route")
            return super().enqueue(message, delay=delay)

    broker = Down(middleware=[dramatiq.middleware.Retries(max_retries=0)])
    dispatch.declare_all(broker, object())  # type: ignore[arg-type]  # no handler runs here
    ring = dispatch.bell(broker)

    # when it is rung each time, nothing is raised
    ring([(TOPIC, "a" * 32)])
    ring([(TOPIC, "a" * 32)])
    broker.fails = False
    ring([(TOPIC, "b" * 32)])

    # then only what was rung while it was up is there
    assert [one["kwargs"]["outbox_id"] for one in queued(broker, "tests")] == ["b" * 32]


def test_failed_messages_do_not_pile_up_in_memory() -> None:
    broker = declared()

    for number in range(1000):
        broker.dead_letters_by_queue["tests"].append(number)  # type: ignore[arg-type]  # only counted

    assert len(broker.dead_letters_by_queue["tests"]) == 100
