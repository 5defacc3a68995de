"""Outbox rows until they are done: claims with a lease and a token, retries in the row, parking, the sweep."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from engine import relay
from engine.relay import MOST_ATTEMPTS, OutboxRowUnknown
from tests.builders import HOUR, World, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    made = world(tmp_path)
    submitted(made)
    return made


def owed(w: World) -> str:
    """Return the row that owes the notice of the submission."""
    return str(w.rows("SELECT id FROM outbox WHERE topic = 'notice.requested'")[0][0])


def state(w: World, row: str) -> str:
    return str(w.rows("SELECT state FROM outbox WHERE id = :id", id=row)[0][0])


def delivery(w: World) -> dict[str, str]:
    ((notice, person),) = w.rows("SELECT id, person FROM notice")
    return {
        "notice": notice,
        "person": person,
        "channel": "email",
        "address": "a@b.vn",
        "message_id": "<1@b.vn>",
    }


def test_a_transition_owes_each_notice_once_for_each_channel(tmp_path: Path) -> None:
    w = world(tmp_path, channels=("email", "sms"))
    submitted(w)

    found = w.rows("SELECT topic, channel, state FROM outbox ORDER BY topic, channel")

    assert found == [
        ("deadline.set", "2", "pending"), ("notice.requested", "email", "pending"), ("notice.requested", "sms", "pending"),
    ]  # fmt: skip


def test_who_claims_first_has_it(w: World) -> None:
    row = owed(w)

    first = relay.claim_row(w.engine.store, row, lease_seconds=60)

    assert first is not None
    assert (first.attempts, first.channel) == (1, "email")
    assert relay.claim_row(w.engine.store, row, lease_seconds=60) is None


def test_eight_workers_claim_one_row_once(w: World) -> None:
    row = owed(w)
    won: list[object] = []
    threads = [
        threading.Thread(target=lambda: won.append(relay.claim_row(w.engine.store, row, lease_seconds=60)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([one for one in won if one]) == 1


def test_whoever_comes_back_after_the_lease_is_fenced_off(w: World) -> None:
    row, store = owed(w), w.engine.store
    slow = relay.claim_row(store, row, lease_seconds=60)
    assert slow
    w.clock.move(hours=1)
    quick = relay.claim_row(store, row, lease_seconds=60)
    assert quick

    assert not relay.finish(store, slow, delivery(w))
    assert not relay.put_back(store, slow, "x", due_in_seconds=1)
    assert not relay.park(store, slow, "x")
    assert not relay.mark_in_flight(store, slow, lease_seconds=60)
    assert w.rows("SELECT count(*) FROM delivery") == [(0,)]
    assert relay.finish(store, quick, delivery(w))
    assert w.rows("SELECT count(*) FROM delivery") == [(1,)]
    w.assert_clean()


def test_a_done_row_is_never_claimed_again(w: World) -> None:
    row, store = owed(w), w.engine.store
    claimed = relay.claim_row(store, row, lease_seconds=60)
    assert claimed
    relay.finish(store, claimed, delivery(w))
    w.clock.move(days=9)

    assert relay.claim_row(store, row, lease_seconds=60) is None
    assert not relay.finish(store, claimed)


def test_a_failed_row_waits_in_the_row_until_it_is_due(w: World) -> None:
    row, store = owed(w), w.engine.store
    claimed = relay.claim_row(store, row, lease_seconds=60)
    assert claimed
    relay.put_back(store, claimed, "mailbox full", due_in_seconds=600)

    assert relay.claim_row(store, row, lease_seconds=60) is None
    (seen,) = relay.stuck(store)
    assert (seen["id"], seen["error"], seen["attempts"], seen["state"]) == (row, "mailbox full", 1, "pending")
    w.clock.move(hours=1)
    again = relay.claim_row(store, row, lease_seconds=60)
    assert again
    assert again.attempts == 2


def test_a_row_that_kills_its_workers_is_parked_in_the_end(w: World) -> None:
    row, store = owed(w), w.engine.store
    claims = 0
    for _ in range(MOST_ATTEMPTS + 3):
        w.clock.move(hours=1)
        claims += relay.claim_row(store, row, lease_seconds=60) is not None

    assert claims <= MOST_ATTEMPTS
    assert state(w, row) == "parked"
    assert relay.claim_row(store, row, lease_seconds=60) is None


def test_a_row_that_died_in_flight_is_parked_because_nobody_knows(w: World) -> None:
    row, store = owed(w), w.engine.store
    claimed = relay.claim_row(store, row, lease_seconds=60)
    assert claimed
    assert relay.mark_in_flight(store, claimed, lease_seconds=60)
    w.clock.move(hours=1)

    assert relay.claim_row(store, row, lease_seconds=60) is None
    relay.sweep(store, w.rung.extend)

    assert state(w, row) == "parked"
    assert relay.stuck(store)[0]["error"] == "outcome unknown"


def test_a_parked_row_is_tried_again_when_a_person_says_so(w: World) -> None:
    row, store = owed(w), w.engine.store
    claimed = relay.claim_row(store, row, lease_seconds=60)
    assert claimed
    relay.park(store, claimed, "no such address")
    with pytest.raises(OutboxRowUnknown):
        relay.retry(store, "0" * 32)

    relay.retry(store, row)

    again = relay.claim_row(store, row, lease_seconds=60)
    assert again
    assert again.attempts == 1
    with pytest.raises(OutboxRowUnknown):
        relay.retry(store, row)


def test_the_sweep_rings_for_what_is_due_and_for_what_died(w: World) -> None:
    row, store = owed(w), w.engine.store
    w.rung.clear()
    assert relay.sweep(store, w.rung.extend) == 2
    assert ("notice.requested", row) in w.rung

    relay.claim_row(store, row, lease_seconds=60)
    w.rung.clear()
    relay.sweep(store, w.rung.extend)
    assert ("notice.requested", row) not in w.rung

    w.clock.now += HOUR
    w.rung.clear()
    relay.sweep(store, w.rung.extend)
    assert ("notice.requested", row) in w.rung


def test_a_bell_that_fails_costs_nothing_because_the_sweep_rings_again(w: World) -> None:
    def broken(_rings: object) -> None:
        raise ConnectionError("redis is gone")

    w.engine.ring = broken
    order = w.start("order", values={"subject": "x", "amount_vnd": 1}).subject

    receipt = w.fire("buyer", order, "submit")

    assert receipt.state == "review"
    assert relay.sweep(w.engine.store, w.rung.extend) == 4
    w.assert_clean()


def test_rows_of_a_newer_version_hold_up_no_others(w: World) -> None:
    # given more rows of an unknown topic than a sweep takes, all of them older
    with w.engine.store.begin() as tx:
        for number in range(3):
            tx.run(
                "INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, created_at)"
                " VALUES (:id, 'notice.dreamt', :id, '', 'pending', 0, 0, 0)",
                {"id": f"{number:032x}"},
            )
    rung: list[tuple[str, str]] = []

    # when only known topics are swept
    assert relay.sweep(w.engine.store, rung.extend, limit=2, topics=("notice.requested", "deadline.set")) > 0

    # then they are rung
    assert {topic for topic, _ in rung} <= {"notice.requested", "deadline.set"}
    assert ("notice.requested", owed(w)) in rung


def test_owed_counts_what_still_waits(w: World) -> None:
    store = w.engine.store
    assert relay.owed(store) == 2
    claimed = relay.claim_row(store, owed(w), lease_seconds=60)
    assert claimed
    assert relay.owed(store) == 2
    relay.finish(store, claimed, delivery(w))

    assert relay.owed(store) == 1


def test_one_delivery_for_each_notice_person_and_channel(w: World) -> None:
    row, store = owed(w), w.engine.store
    for _ in range(2):
        with store.begin() as tx:
            tx.run("UPDATE outbox SET state = 'pending', due_at = 0 WHERE id = :id", {"id": row})
        claimed = relay.claim_row(store, row, lease_seconds=60)
        assert claimed
        assert relay.finish(store, claimed, delivery(w))

    assert w.rows("SELECT count(*) FROM delivery") == [(1,)]
