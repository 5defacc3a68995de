"""Sending a command twice does it once; whoever else knows its id learns nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from engine.commands import Comment, Edit, Erase, Fire, Principal, Start
from engine.execute import execute_all
from tests.builders import ADMIN, World, refused, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def test_a_repeat_gets_the_first_receipt_and_does_nothing(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["head"], id="a1", case=order, trigger="approve", expected_version=2)
    first = w.do(approve)
    w.comment("clerk", order, "đã nhận")
    before = w.counts()

    again = w.do(approve)

    assert again.repeated
    assert (again.seq, again.head, again.version, again.state) == (
        first.seq,
        first.head,
        first.version,
        "doing",
    )
    assert w.counts() == before


def test_a_repeated_start_opens_no_second_case(w: World) -> None:
    start = Start(
        principal=w.people["buyer"], id="s1", definition="order",
        parties={"buyer": w.who("buyer"), "office": w.office}, values={"phone": "0912"},
    )  # fmt: skip

    first, second = w.do(start), w.do(start)

    assert (second.subject, second.code, second.repeated) == (first.subject, first.code, True)
    assert w.rows("SELECT count(*) FROM workflow_case") == [(1,)]


def test_a_repeat_in_the_same_transaction_is_answered_too(w: World) -> None:
    order = submitted(w)
    comment = Comment(principal=w.people["head"], id="c1", case=order, text="x")

    first, second = execute_all(w.engine, [comment, comment])

    assert not isinstance(first, Exception)
    assert not isinstance(second, Exception)
    assert (first.repeated, second.repeated, second.seq) == (False, True, first.seq)


def test_the_same_id_with_another_body_is_refused(w: World) -> None:
    order = submitted(w)
    w.comment("head", order, "một")
    w.do(Comment(principal=w.people["head"], id="c1", case=order, text="một"))

    for other in (
        Comment(principal=w.people["head"], id="c1", case=order, text="hai"),
        Comment(principal=w.people["head"], id="c1", case=order, text="một", reason="vì"),
        Fire(principal=w.people["head"], id="c1", case=order, trigger="approve"),
    ):
        assert refused(w, partial(w.do, other)).code == "command_id_reused"


def test_another_principal_with_a_known_id_learns_nothing(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["head"], id="a1", case=order, trigger="approve")
    w.do(approve)

    stranger = Fire(principal=w.people["stranger"], id="a1", case=order, trigger="approve")
    clerk = w.do(Comment(principal=w.people["clerk"], id="a1", case=order, text="của tôi"))

    assert refused(w, lambda: w.do(stranger)).code == "case_unknown"
    assert not clerk.repeated
    w.assert_clean()


def test_the_same_person_at_another_door_gets_the_same_receipt(w: World) -> None:
    order = submitted(w)
    head = w.people["head"]
    first = w.do(Fire(principal=head, id="a1", case=order, trigger="approve", request="r1"))

    web = Principal("person", head.person, "web")
    again = w.do(Fire(principal=web, id="a1", case=order, trigger="approve", request="r2"))

    assert (again.repeated, again.head) == (True, first.head)


def test_the_id_of_a_refused_command_is_not_used_up(w: World) -> None:
    order = w.start("order").subject
    submit = Fire(principal=w.people["buyer"], id="f1", case=order, trigger="submit")
    refused(w, lambda: w.do(submit))
    w.edit("buyer", order, subject="Ghế", amount_vnd=5)

    receipt = w.do(submit)

    assert (receipt.state, receipt.repeated) == ("review", False)


def test_a_repeat_by_somebody_who_lost_the_role_is_still_answered(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["head"], id="a1", case=order, trigger="approve")
    first = w.do(approve)
    w.register("person", w.who("head"), **{"membership.1": None})

    assert w.do(approve).head == first.head


def test_a_repeat_after_an_erasure_is_answered_and_keeps_the_value_away(w: World) -> None:
    start = Start(
        principal=w.people["buyer"], id="s1", definition="order",
        parties={"buyer": w.who("buyer"), "office": w.office}, values={"phone": "0912345678"},
    )  # fmt: skip
    order = w.do(start).subject
    w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word="phone"))

    again = w.do(start)

    assert (again.repeated, again.subject) == (True, order)
    assert w.rows("SELECT count(*) FROM personal_value WHERE value LIKE '%0912%'") == [(0,)]


def test_a_refusal_is_recorded_once_and_counted(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["clerk"], id="f1", case=order, trigger="approve")
    for _ in range(3):
        refused(w, lambda: w.do(approve))

    (row,) = w.rows(
        "SELECT command, code, times, unmet, subject FROM refusal WHERE code = 'requirements_unmet'"
    )

    assert row[:3] == ("f1", "requirements_unmet", 3)
    assert "not_permitted" in row[3]
    assert row[4] == order


def test_refusals_of_one_person_are_capped_by_the_hour_and_then_counted(w: World) -> None:
    order = submitted(w)
    edits = [Edit(principal=w.people["clerk"], case=order, values={"subject": str(n)}) for n in range(260)]

    execute_all(w.engine, edits)
    rows = w.rows("SELECT command, times FROM refusal WHERE principal = :key", key=w.people["clerk"].key)

    assert len(rows) == 201
    assert sum(times for _, times in rows) == 260


def test_a_refusal_keeps_nothing_of_what_was_sent(w: World) -> None:
    order = w.start("order").subject

    refused(w, lambda: w.fire("stranger", order, "submit", values={"phone": "0987654321"}, reason="bí mật"))
    refused(w, lambda: w.start("order", values={"phone": "0987654321", "nowhere": 1}))

    assert "0987654321" not in str(w.rows("SELECT * FROM refusal"))
    assert "bí mật" not in str(w.rows("SELECT * FROM refusal"))
