"""Parent and child in one transaction: pause, resume, stop, end; automatic moves upwards; rings are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.commands import Principal, Vote
from engine.family import AutomaticRing
from tests import small_definitions as small
from tests.builders import World, codes, contents, doing, refused, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def with_parts(w: World, count: int = 2) -> tuple[str, list[str]]:
    order = doing(w)
    for _ in range(count):
        w.fire("clerk", order, "split")
    return order, w.children(order)


def test_a_child_that_a_move_starts_takes_parties_values_and_a_code_of_its_own(w: World) -> None:
    order, (part, _) = with_parts(w)

    row, above = w.case(part), w.case(order)
    assert (row["parent"], row["root"], row["path"], row["depth"]) == (order, order, f"{order}/{part}", 1)
    assert row["code"] == f"{above['code']}/PV1"
    assert (row["parties"], row["plan_year"]) == (above["parties"], above["plan_year"])
    assert row["data"] == {"label": "Ghế"}
    (entry,) = w.log(part)
    assert (entry["principal"]["kind"], entry["caused_by"]) == ("system", 4)
    w.assert_clean()


def test_suspending_the_parent_pauses_children_and_grandchildren(w: World) -> None:
    order, (part, other) = with_parts(w)
    piece = w.start("piece", by="clerk", parent=part).subject

    w.fire("head", order, "suspend")

    assert [w.state(one) for one in (order, part, other, piece)] == [
        "suspended",
        "waiting",
        "waiting",
        "waiting",
    ]
    assert w.rows("SELECT count(*) FROM timer WHERE state = 'waiting'") == [(0,)]
    w.fire("head", order, "resume")
    assert [w.state(one) for one in (order, part, other, piece)] == ["doing", "open", "open", "open"]
    assert w.rows("SELECT DISTINCT case_id FROM timer WHERE state = 'waiting' AND case_id = :id", id=piece)
    w.assert_clean()


def test_stopping_the_parent_stops_the_whole_family_and_closes_its_timers(w: World) -> None:
    order, (part, other) = with_parts(w)
    piece = w.start("piece", by="clerk", parent=part).subject
    w.fire("head", other, "hold")

    w.fire("head", order, "stop", reason="không làm nữa")

    assert [w.case(one)["final"] for one in (order, part, other, piece)] == ["stopped"] * 4
    assert w.rows("SELECT count(*) FROM timer WHERE state IN ('waiting', 'paused')") == [(0,)]
    w.assert_clean()


def test_a_parent_can_not_end_while_a_child_is_open_and_the_refusal_lists_it(w: World) -> None:
    order, (part, other) = with_parts(w)
    w.fire("clerk", part, "finish", values={"cost_vnd": 1})

    why = refused(w, lambda: w.fire("clerk", order, "finish_it"))

    assert codes(why) == ["children_open"]
    assert w.case(other)["code"] in why.unmet[0].words.vi  # type: ignore[attr-defined]
    assert w.case(part)["code"] not in why.unmet[0].words.vi  # type: ignore[attr-defined]


def test_a_child_that_does_not_know_the_word_keeps_its_parent_from_stopping(tmp_path: Path) -> None:
    deaf = small.PART.replace(
        "      go_on: {title: {vi: Làm tiếp, en: Go on}, to: $previous, by: office.head}\n"
        "      drop: {title: {vi: Bỏ, en: Drop}, to: dropped, by: office.head}\n",
        "      go_on: {title: {vi: Làm tiếp, en: Go on}, to: $previous, by: office.head}\n",
    )
    w = world(tmp_path, small.ORDER, deaf, small.PIECE)
    order, (part, _) = with_parts(w)
    w.fire("head", part, "hold")

    why = refused(w, lambda: w.fire("head", order, "stop", reason="x"))

    assert codes(why) == ["children_open"]


def test_an_ended_child_is_left_alone(w: World) -> None:
    order, (part, _) = with_parts(w)
    w.fire("clerk", part, "finish", values={"cost_vnd": 1})
    before = w.case(part)

    w.fire("head", order, "suspend")

    assert w.case(part) == before


def test_a_childs_move_triggers_its_parents_when_in_the_same_transaction(w: World) -> None:
    order, (part, other) = with_parts(w)
    w.fire("clerk", part, "finish", values={"cost_vnd": 1})
    assert w.state(order) == "doing"

    w.fire("clerk", other, "finish", values={"cost_vnd": 1})

    assert w.case(order)["final"] == "accepted"
    last = w.log(order)[-1]
    assert (last["trigger"], last["principal"]["kind"], last["command"]) == (
        "all_parts_in", "system", w.log(other)[-1]["command"],
    )  # fmt: skip
    w.assert_clean()


def test_an_automatic_move_whose_guard_says_no_is_not_taken_and_nobody_is_refused(tmp_path: Path) -> None:
    guarded = small.ORDER.replace(
        "        to: done\n        when:",
        "        to: done\n        needs: {fields: [colour]}\n        when:",
    )
    w = world(tmp_path, guarded, small.PART, small.PIECE)
    order, (part,) = with_parts(w, 1)

    w.fire("clerk", part, "finish", values={"cost_vnd": 1})

    assert (w.state(part), w.state(order)) == ("finished", "doing")
    w.assert_clean()


def test_a_child_decides_on_its_parents_values(w: World) -> None:
    _, (part, _) = with_parts(w)

    why = refused(w, lambda: w.fire("clerk", part, "finish", values={"cost_vnd": 5_000_001}))

    assert codes(why) == ["within_order"]
    assert "5.000.001" in why.unmet[0].words.vi  # type: ignore[attr-defined]
    assert w.fire("clerk", part, "finish", values={"cost_vnd": 5_000_000}).state == "finished"


def test_no_more_children_than_allowed(w: World) -> None:
    _, (part, _) = with_parts(w)
    first = w.start("piece", by="clerk", parent=part).subject
    w.start("piece", by="clerk", parent=part)
    w.fire("clerk", first, "finish")

    assert refused(w, lambda: w.start("piece", by="clerk", parent=part)).code == "parent_wrong"


def test_a_ring_of_automatic_moves_is_broken_and_nothing_changed(tmp_path: Path) -> None:
    ring = small.ORDER.replace(
        "      finish_it:",
        "      round_and_round: {title: {vi: Vòng, en: Round}, to: $same, when: amount_vnd > 0}\n      finish_it:",
    )
    w = world(tmp_path, ring, small.PART, small.PIECE)
    order = w.start("order", values={"subject": "x", "amount_vnd": 1}).subject
    w.fire("buyer", order, "submit")
    before = contents(w)

    with pytest.raises(AutomaticRing) as found:
        w.fire("head", order, "approve")

    assert "order" in found.value.sentence("en")
    assert contents(w) == before


def test_a_chain_of_automatic_moves_shorter_than_the_bound_runs_through(tmp_path: Path) -> None:
    chain = small.ORDER.replace(
        "      finish_it:",
        "      count_up: {title: {vi: Đếm, en: Count}, to: $same, sets: {pieces: pieces + 1}, when: pieces < 10}\n"
        "      finish_it:",
    )
    w = world(tmp_path, chain, small.PART, small.PIECE)
    order = doing(w, pieces=0)

    assert w.case(order)["data"]["pieces"] == 10
    assert [entry["seq"] for entry in w.log(order)] == list(range(1, 14))
    w.assert_clean()


def test_what_a_move_sets_is_checked_like_what_a_person_enters(tmp_path: Path) -> None:
    setting = small.ORDER.replace(
        "      finish_it:",
        "      take_off: {title: {vi: Bớt, en: Less}, to: $same, by: office.clerk, sets: {amount_vnd: amount_vnd - 9000000}}\n"
        "      copy_phone: {title: {vi: Chép, en: Copy}, to: $same, by: office.clerk, sets: {phone: subject}}\n"
        "      finish_it:",
    )
    w = world(tmp_path, setting, small.PART, small.PIECE)
    order = doing(w)

    assert refused(w, lambda: w.fire("clerk", order, "take_off")).code == "field_value_wrong"
    w.fire("clerk", order, "copy_phone")
    assert w.case(order)["data"]["phone"].startswith("sha256:")
    w.assert_clean()


def test_previous_leads_back_also_after_an_overlay_over_an_overlay(w: World) -> None:
    order = doing(w)
    w.fire("head", order, "suspend")

    assert codes(refused(w, lambda: w.fire("clerk", order, "resume"))) == ["not_permitted"]
    assert w.fire("head", order, "resume").state == "doing"
    assert w.case(order)["came_from"] is None
    w.fire("head", order, "suspend")
    assert w.fire("head", order, "stop", reason="x").state == "stopped"
    w.assert_clean()


def test_same_keeps_state_deadlines_and_holding(w: World) -> None:
    order = doing(w, wanted_on="2026-12-20")
    w.clock.move(days=1)
    before = w.case(order)

    w.fire("clerk", order, "split")

    after = w.case(order)
    for word in ("state", "entered_on", "held_since", "due_on", "holder"):
        assert after[word] == before[word]


def test_a_parent_that_changes_lets_its_children_move_by_themselves(tmp_path: Path) -> None:
    waiting = small.PART.replace(
        "      hold: {title: {vi: Chờ, en: Hold}, to: waiting, by: office.head}\n",
        "      hold: {title: {vi: Chờ, en: Hold}, to: waiting, by: office.head}\n"
        "      give_up: {title: {vi: Thôi, en: Give up}, to: dropped, when: parent.wanted_on != null}\n",
        1,
    )
    w = world(tmp_path, small.ORDER, waiting, small.PIECE)
    order, (part,) = with_parts(w, 1)

    w.edit("head", order, wanted_on="2026-12-20")

    assert w.state(part) == "dropped"
    assert w.state(order) == "done"
    w.assert_clean()


def test_no_vote_on_a_child_by_a_person_who_only_sits_elsewhere(w: World) -> None:
    _, (part, _) = with_parts(w)

    vote = Vote(principal=Principal("person", w.who("stranger")), case=part, trigger="finish", verdict="yes")

    assert refused(w, lambda: w.do(vote)).code == "case_unknown"
