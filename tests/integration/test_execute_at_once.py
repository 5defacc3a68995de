"""Commands that meet: one order, one winner; the losers are told, and nothing is written twice."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from engine import timers
from engine.commands import Comment, Edit, Fire, Register, Start, Vote
from engine.errors import Refused, TiendoError
from engine.execute import execute, execute_all
from tests import small_definitions as small
from tests.builders import ADMIN, World, doing, submitted, world

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.commands import Command, Receipt


def at_once(asks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at the same instant, each in a thread of its own; return what they answered or raised, in order."""
    gate = threading.Barrier(len(asks))
    answers: list[Any] = [None] * len(asks)

    def run(number: int, ask: Callable[[], Any]) -> None:
        gate.wait()
        try:
            answers[number] = ask()
        except TiendoError as why:
            answers[number] = why

    threads = [threading.Thread(target=run, args=(number, ask)) for number, ask in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def sending(w: World, *commands: Command) -> list[Callable[[], Receipt]]:
    return [lambda one=one: execute(w.engine, one) for one in commands]  # type: ignore[misc]


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def test_eight_clients_press_approve_and_one_wins(w: World) -> None:
    for _ in range(5):
        order = submitted(w)
        presses = [
            Fire(principal=w.people["head"], case=order, trigger="approve", expected_version=2)
            for _ in range(8)
        ]

        answers = at_once(sending(w, *presses))

        lost = [one for one in answers if isinstance(one, Refused)]
        assert len(answers) - len(lost) == 1
        assert {one.code for one in lost} == {"version_conflict"}
        assert all("Đang làm" in one.sentence("vi") for one in lost)
        assert [entry["trigger"] for entry in w.log(order)] == ["open", "submit", "approve"]
    w.assert_clean()


def test_a_double_click_of_one_command_gets_one_receipt_eight_times(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["head"], case=order, trigger="approve")

    answers = at_once(sending(w, *[approve] * 8))

    assert Counter(one.repeated for one in answers) == {False: 1, True: 7}
    assert {one.head for one in answers} == {answers[0].head}
    w.assert_clean()


def test_two_starts_with_one_id_open_one_case(w: World) -> None:
    start = Start(
        principal=w.people["buyer"], definition="order", parties={"buyer": w.who("buyer"), "office": w.office}
    )

    answers = at_once(sending(w, *[start] * 4))

    assert {one.subject for one in answers} == {answers[0].subject}
    assert w.rows("SELECT count(*) FROM workflow_case") == [(1,)]


def test_starts_at_once_get_numbers_without_gap_or_twin(w: World) -> None:
    starts = [
        Start(
            principal=w.people["buyer"],
            definition="order",
            parties={"buyer": w.who("buyer"), "office": w.office},
        )
        for _ in range(12)
    ]

    answers = at_once(sending(w, *starts))

    assert sorted(one.code for one in answers) == [f"ORDER-2026-DH-{number:02d}" for number in range(1, 13)]


def test_approving_and_sending_back_at_once_have_one_order(w: World) -> None:
    head = w.people["head"]
    for _ in range(5):
        order = submitted(w)

        answers = at_once(
            sending(
                w,
                Fire(principal=head, case=order, trigger="approve"),
                Fire(principal=head, case=order, trigger="send_back", reason="thiếu"),
            )
        )

        (lost,) = [one for one in answers if isinstance(one, Refused)]
        assert lost.code == "trigger_not_allowed"
        assert len(w.log(order)) == 3
    w.assert_clean()


def test_the_last_seat_is_filled_once_and_moves_the_case_once(tmp_path: Path) -> None:
    w = world(tmp_path, small.ballot("{of: [office.clerk, office.head, office.director], need: 2}"))
    for _ in range(5):
        case = w.start("ballot").subject

        at_once(sending(w, *[Vote(principal=w.people[who], case=case, trigger="agree", verdict="yes")
                             for who in ("clerk", "head", "director")]))  # fmt: skip

        assert w.state(case) == "agreed"
        assert [entry["trigger"] for entry in w.log(case)].count("agree") == 1
        assert len(w.case(case)["book"]["done.agree"]["by"]) == 2
    w.assert_clean()


def test_a_role_revoked_while_somebody_submits_decides_by_the_order_of_the_two(w: World) -> None:
    head = w.people["head"]
    order = submitted(w)

    fired, revoked = at_once(
        sending(
            w,
            Fire(principal=head, case=order, trigger="approve"),
            Register(principal=ADMIN, register="person", key=head.person, values={"membership.1": None}),
        )
    )

    (at,) = w.rows("SELECT recorded_at FROM transition_log WHERE subject = :id AND seq = 2", id=head.person)[
        0
    ]
    if isinstance(fired, Refused):
        assert (fired.code, w.state(order)) == ("case_unknown", "review")
    else:
        assert w.log(order)[-1]["recorded_at"] < at
    assert not isinstance(revoked, Exception)
    w.assert_clean()


def test_a_child_that_ends_and_a_parent_that_stops_leave_one_story(w: World) -> None:
    for _ in range(5):
        order = doing(w)
        w.fire("clerk", order, "split")
        (part,) = w.children(order)

        at_once(
            sending(
                w,
                Fire(principal=w.people["clerk"], case=part, trigger="finish", values={"cost_vnd": 1}),
                Fire(principal=w.people["head"], case=order, trigger="stop", reason="thôi"),
            )
        )

        assert w.case(part)["final"] is not None
        assert (w.case(order)["final"], w.case(part)["final"]) in {
            ("accepted", "accepted"),
            ("stopped", "stopped"),
        }
    w.assert_clean()


def test_a_parents_sum_that_is_lowered_meanwhile_is_the_one_that_counts(w: World) -> None:
    lowering = small.ORDER.replace(
        "{fields: [wanted_on], in: [doing]", "{fields: [wanted_on, amount_vnd], in: [doing]"
    )
    w.publish(lowering.replace("version: 1", "version: 2", 1))
    for _ in range(5):
        order = doing(w)
        w.fire("clerk", order, "split")
        (part,) = w.children(order)

        finished, lowered = at_once(
            sending(
                w,
                Fire(
                    principal=w.people["clerk"], case=part, trigger="finish", values={"cost_vnd": 4_000_000}
                ),
                Edit(principal=w.people["head"], case=order, values={"amount_vnd": 1_000_000}),
            )
        )

        if isinstance(finished, Refused):
            assert finished.code == "requirements_unmet"
        else:
            # The order ended with its last part, and takes no edit any more; or the sum was lowered afterwards.
            assert (
                isinstance(lowered, Refused)
                or w.log(order)[-1]["recorded_at"] > w.log(part)[-1]["recorded_at"]
            )
    w.assert_clean()


def test_two_ticks_and_a_person_fire_everything_once(w: World) -> None:
    orders = [submitted(w) for _ in range(10)]
    w.clock.move(days=10)

    counts = at_once(
        [lambda: timers.fire_due(w.engine)] * 2
        + [lambda one=one: w.fire("head", one, "approve") for one in orders]  # type: ignore[misc]
    )

    assert not [one for one in counts if isinstance(one, Exception)]
    for order in orders:
        told = [(one["word"], one["person"]) for one in w.notices(order)]
        assert len(told) == len(set(told))
    w.assert_clean()


def test_two_processes_on_one_file_share_it(w: World) -> None:
    order = submitted(w)
    other = w.beside()
    edits = [Comment(principal=w.people["head"], case=order, text=str(number)) for number in range(20)]

    answers = at_once(sending(w, *edits[:10]) + sending(other, *edits[10:]))

    assert sorted(one.seq for one in answers) == list(range(3, 23))
    other.engine.store.close()
    w.assert_clean()


def test_a_bulk_that_breaks_in_the_middle_did_nothing_and_is_done_by_the_repeat(w: World) -> None:
    orders = [submitted(w) for _ in range(6)]
    head = w.people["head"]
    approvals = [Fire(principal=head, case=order, trigger="approve") for order in orders]
    execute_all(w.engine, approvals[:2])

    answers = execute_all(w.engine, approvals)

    assert [one.repeated for one in answers if not isinstance(one, TiendoError)] == [True, True] + [False] * 4
    assert {w.state(order) for order in orders} == {"doing"}
    w.assert_clean()


def test_what_another_process_published_counts_from_the_next_case_on(w: World) -> None:
    other = w.beside()
    order = doing(w)
    other.publish(
        small.ORDER.replace("version: 1", "version: 2", 1),
        small.PART.replace("version: 1", "version: 2", 1).replace("vi: Phần việc", "vi: Phần"),
    )

    opened = w.start("order").subject
    w.fire("clerk", order, "split")

    assert w.log(opened)[0]["definition"]["version"] == 2
    assert w.log(w.children(order)[0])[0]["definition"]["version"] == 2
    assert w.log(order)[-1]["definition"]["version"] == 1
    other.engine.store.close()
    w.assert_clean()


def test_publishing_while_cases_move_leaves_each_entry_with_one_whole_version(w: World) -> None:
    newer = [small.ORDER.replace("version: 1", f"version: {number}", 1) for number in range(2, 6)]

    def work() -> None:
        for _ in range(5):
            submitted(w)

    answers = at_once([work, work, lambda: w.publish(*newer)])

    assert answers == [None] * 3
    pinned = w.rows("SELECT id, definition FROM workflow_case")
    for case, definition in pinned:
        assert {entry["definition"]["hash"] for entry in w.log(case)} == {definition}
    w.assert_clean()
