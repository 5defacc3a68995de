"""A notice leaves the house once: claimed, composed, sent, recorded; and what each answer of a channel leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import relay, timers
from handlers import housekeeping
from handlers.channels import ChannelRefused, ChannelUnavailable, OutcomeUnknown
from handlers.deadlines import check_deadlines
from handlers.notices import deliver_notice, wait_seconds
from tests.integration.leave_office import DAY, HOUR, Office, Postman, open_office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handlers.channels import Message, Policy


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = open_office(tmp_path)
    yield found
    found.store.close()


def decide(office: Office) -> str:
    """Lan asks, Minh rejects: Lan is told why."""
    case = office.ask().subject
    office.fire(case, "reject", "minh", reason="trùng đợt kiểm tra")
    return case


def deliver_all(office: Office) -> None:
    for row in office.outbox():
        deliver_notice(office.app, row.id)


def test_a_notice_says_what_why_by_which_rule_what_to_do_and_until_when(office: Office) -> None:
    # given a request that waits for the manager, and a day before it is due
    office.ask()
    office.clock.now += 2 * DAY
    timers.fire_due(office.engine)

    # when the reminder goes out
    deliver_all(office)

    # then it names the case, the state, who holds it, the rule and its grade, the steps and the due day
    (message,) = office.postman.taken
    assert message.name == "Trần Văn Minh"
    assert "sắp đến hạn 19/11/2026" in message.subject
    assert "Chờ duyệt" in message.text
    assert "còn 1 ngày làm việc" in message.text
    assert "Việc cần làm: Duyệt; Từ chối; Trả lại để sửa" in message.text
    assert "Hạn: 19/11/2026" in message.text
    assert "Căn cứ: đề xuất, chưa có căn cứ" in message.text
    assert "tiendo show" in message.text
    assert "<script" not in message.html


def test_the_decision_reaches_whoever_asked_with_name_and_reason(office: Office) -> None:
    decide(office)

    deliver_all(office)

    (message,) = office.postman.taken
    assert message.name == "Lê Thị Lan"
    assert "Không duyệt" in message.subject
    assert "Trần Văn Minh" in message.text
    assert "trùng đợt kiểm tra" in message.text


def test_it_is_written_in_the_receivers_language(office: Office) -> None:
    # given a request that nobody decides in time, so that it passes on to the director, who reads English
    office.ask()
    office.clock.now += 4 * DAY
    timers.fire_due(office.engine)

    deliver_all(office)

    found = next(
        one for one in office.postman.taken if one.name == "Phạm Quốc Dũng" and "passed on" in one.subject
    )
    assert found.language == "en"
    assert "What to do: Approve; Reject" in found.text


def test_a_delivered_notice_is_recorded_and_never_sent_again(office: Office) -> None:
    decide(office)

    deliver_all(office)
    deliver_all(office)

    (row,) = office.outbox()
    (delivery,) = office.deliveries()
    assert row.state == "done"
    assert len(office.postman.taken) == 1
    assert delivery.message_id == office.postman.taken[0].id
    assert delivery.person == office.people["lan"]


def test_absence_is_resolved_when_it_is_sent_not_when_it_is_written(office: Office) -> None:
    # given a notice to Lan, who is away from the next day on
    decide(office)
    stand_in = {"substitute": office.people["hoa"], "from": "2026-11-17", "to": "2026-11-20"}
    office.register("person", office.people["lan"], **{"substitution.1": stand_in})
    office.clock.now += DAY

    # when it is sent on that day
    deliver_all(office)

    # then it goes to the substitute and says in whose place
    (message,) = office.postman.taken
    (delivery,) = office.deliveries()
    assert message.name == "Ngô Thị Hoa"
    assert "thay cho Lê Thị Lan" in message.text
    assert delivery.person == office.people["hoa"]


def test_two_who_stand_in_for_each_other_make_no_circle(office: Office) -> None:
    decide(office)
    for one, other in (("lan", "hoa"), ("hoa", "lan")):
        stand_in = {"substitute": office.people[other], "from": "2026-11-16", "to": "2026-11-20"}
        office.register("person", office.people[one], **{"substitution.1": stand_in})

    deliver_all(office)

    assert [one.name for one in office.postman.taken] == ["Ngô Thị Hoa"]


def test_unavailable_is_tried_later_with_growing_waits_kept_in_the_row(office: Office) -> None:
    # given a channel that is down
    decide(office)
    office.postman.answer = down
    waits = []

    # when it is tried as soon as it is due, again and again
    for _ in range(4):
        deliver_all(office)
        (row,) = office.outbox()
        waits.append((row.due_at - office.clock.now) // 1_000_000)
        deliver_all(office)  # not due yet: nothing happens
        office.clock.now = row.due_at

    # then each wait is longer, the row says why, and it arrives when the channel is back
    assert waits == [wait_seconds(number, row.id) for number in (1, 2, 3, 4)]
    assert waits == sorted(waits)
    assert row.attempts == 4
    assert "421 busy" in row.error
    office.postman.answer = None
    deliver_all(office)
    assert len(office.deliveries()) == 1


def test_after_the_last_attempt_it_is_parked_and_a_person_may_retry(office: Office) -> None:
    decide(office)
    office.postman.answer = down
    for _ in range(office.app.most_attempts):
        deliver_all(office)
        office.clock.now = max(office.clock.now, office.outbox()[0].due_at)

    (row,) = office.outbox()
    assert row.state == "parked"
    assert f"{office.app.most_attempts} lần" in row.error
    assert relay.stuck(office.store)[0]["id"] == row.id
    office.postman.answer = None
    relay.retry(office.store, row.id)
    deliver_all(office)
    assert office.outbox()[0].state == "done"


def test_refused_is_parked_at_once_with_the_words_of_the_server(office: Office) -> None:
    decide(office)
    office.postman.answer = refuse

    deliver_all(office)

    (row,) = office.outbox()
    assert row.state == "parked"
    assert row.attempts == 1
    assert "550 no such mailbox" in row.error


@pytest.mark.parametrize(("policy", "state", "sent"), [("resend", "done", 2), ("park", "parked", 1)])
def test_an_unknown_outcome_follows_the_policy_of_the_channel(
    tmp_path: Path, policy: Policy, state: str, sent: int
) -> None:
    # given a channel that breaks off after it took the message, once
    attempts: list[Message] = []

    def break_off(message: Message) -> None:
        attempts.append(message)
        if len(attempts) == 1:
            raise OutcomeUnknown(channel="console", said="cut")

    office = open_office(tmp_path, postman=Postman(policy=policy, answer=break_off))
    decide(office)

    # when it is due again
    deliver_all(office)
    office.clock.now += HOUR
    deliver_all(office)

    # then `resend` sends a second copy of the same id, `park` asks a person
    assert office.outbox()[0].state == state
    assert len(attempts) == sent
    assert len({one.id for one in attempts}) == 1
    office.store.close()


def test_whoever_slept_past_the_lease_records_nothing(office: Office) -> None:
    # given a send that takes longer than the lease, while another worker claims and delivers
    decide(office)
    (row,) = office.outbox()

    def sleepy(_message: Message) -> None:
        office.postman.answer = None
        office.clock.now += (office.app.lease_seconds + 1) * 1_000_000
        deliver_notice(office.app, row.id)

    office.postman.answer = sleepy

    # when the sleeper wakes
    deliver_notice(office.app, row.id)

    # then one delivery is recorded, the other's
    assert office.outbox()[0].state == "done"
    assert office.outbox()[0].attempts == 2
    assert len(office.deliveries()) == 1


def test_a_row_that_kills_its_worker_is_parked_in_the_end(office: Office) -> None:
    # given claims that end without a word
    decide(office)
    (row,) = office.outbox()
    deaths = 0
    while relay.claim_row(office.store, row.id, lease_seconds=1):
        office.clock.now += 2_000_000
        deaths += 1

    deliver_notice(office.app, row.id)

    assert 0 < deaths <= office.app.most_attempts

    assert office.outbox()[0].state == "parked"
    assert office.postman.taken == []


def test_a_person_without_an_address_is_parked_and_named(tmp_path: Path) -> None:
    office = open_office(tmp_path, postman=Postman(name="email", address_word="email"))
    decide(office)
    office.register("person", office.people["lan"], email=None)

    deliver_all(office)

    (row,) = office.outbox()
    assert row.state == "parked"
    assert "Lê Thị Lan" in row.error
    office.store.close()


def test_mail_goes_to_the_opened_address(tmp_path: Path) -> None:
    office = open_office(tmp_path, postman=Postman(name="email", address_word="email"))
    decide(office)

    deliver_all(office)

    assert office.postman.taken[0].address == "lan@so.example"
    assert office.deliveries()[0].address == "lan@so.example"
    office.store.close()


def test_a_channel_that_is_switched_off_parks_what_it_owes(office: Office) -> None:
    decide(office)
    office.app.channels.clear()  # type: ignore[attr-defined]  # the test's own dict

    deliver_all(office)

    assert office.outbox()[0].state == "parked"
    assert "TIENDO_CHANNELS" in office.outbox()[0].error


def test_planned_deadlines_are_looked_at_once(office: Office) -> None:
    # given a request whose first reminder is due already when the message is handled
    office.ask()
    office.clock.now += 2 * DAY
    (row, *_) = office.outbox(topic="deadline.set")

    check_deadlines(office.app, row.id)

    assert office.outbox(topic="deadline.set")[0].state == "done"
    assert [one.word for one in office.notices()] == ["deadline_near"]


def test_house_keeping_prunes_what_is_finished_and_keeps_the_record(office: Office) -> None:
    # given one notice delivered and one parked
    decide(office)
    deliver_all(office)
    office.postman.answer = refuse
    decide(office)
    deliver_all(office)

    # when two months have passed
    office.clock.now += 60 * DAY
    housekeeping.prune_outbox(office.store, at_once=1)

    # then the parked row and the delivery are still there
    assert [row.state for row in office.outbox()] == ["parked"]
    assert len(office.deliveries()) == 1


def down(_message: Message) -> None:
    raise ChannelUnavailable(channel="console", said="421 busy")


def refuse(_message: Message) -> None:
    raise ChannelRefused(channel="console", said="550 no such mailbox")
