"""Votes: N of M, in order, veto, voids, one person one seat, four-eyes; the last vote that is needed moves the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.commands import Principal, Vote
from tests import small_definitions as small
from tests.builders import World, codes, refused, unmet, world

if TYPE_CHECKING:
    from pathlib import Path

ALL = "{of: [office.clerk, office.head, office.director], need: all}"
TWO = "{of: [office.clerk, office.head, office.director], need: 2}"


def ballot(tmp_path: Path, approvals: str, **more: str) -> tuple[World, str]:
    w = world(tmp_path, small.ballot(approvals, **more))
    return w, w.start("ballot").subject


def test_two_of_three_are_enough_and_the_second_moves_the_case(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)

    first, second = w.vote("clerk", case, "agree"), w.vote("director", case, "agree")

    assert (first.state, second.state) == ("voting", "agreed")
    vote, move = w.log(case)[-2:]
    assert (vote["command"]["kind"], vote["trigger"]) == ("vote", None)
    assert (move["trigger"], move["principal"]["kind"], move["caused_by"]) == ("agree", "system", vote["seq"])
    w.assert_clean()


def test_the_paper_that_was_missing_beside_the_votes_moves_the_case(tmp_path: Path) -> None:
    # given all votes, and a field still empty
    w = world(
        tmp_path,
        small.ballot(TWO).replace("guards: [{not_same_person_as: [propose]}]", "needs: {fields: [subject]}"),
    )
    case = w.start("ballot").subject
    w.vote("clerk", case, "agree")
    assert w.vote("director", case, "agree").state == "voting"
    # when it is supplied, then the votes move the case
    assert w.edit("buyer", case, subject="Ghế").state == "agreed"
    w.assert_clean()


def test_all_means_all(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)

    states = [w.vote(who, case, "agree").state for who in ("clerk", "head", "director")]

    assert states == ["voting", "voting", "agreed"]


def test_the_votes_are_used_up_by_the_move(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    w.vote("clerk", case, "agree")
    w.vote("head", case, "agree")

    assert not [word for word in w.case(case)["book"] if word.startswith("vote.")]


def test_who_voted_did_it_so_four_eyes_holds_for_the_next_step(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    w.vote("clerk", case, "agree")
    w.vote("head", case, "agree")

    assert set(w.case(case)["book"]["done.agree"]["by"]) == {w.who("clerk"), w.who("head")}
    assert codes(refused(w, lambda: w.fire("clerk", case, "sign"))) == ["not_same_person_as"]
    assert w.fire("director", case, "sign").state == "signed"
    w.assert_clean()


def test_who_proposed_does_not_vote_for_it(tmp_path: Path) -> None:
    w = world(tmp_path, small.ballot(TWO))
    case = w.start("ballot", by="clerk").subject

    why = refused(w, lambda: w.vote("clerk", case, "agree"))

    assert (why.code, codes(why)) == ("vote_refused", ["not_same_person_as"])
    assert w.vote("clerk", case, "agree", "no").state == "voting"


def test_in_order_each_waits_for_those_before(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL.replace("need: all", "need: all, in_order: true"))

    early = refused(w, lambda: w.vote("director", case, "agree"))
    states = [w.vote(who, case, "agree").state for who in ("clerk", "head", "director")]

    assert codes(early) == ["out_of_order"]
    assert states == ["voting", "voting", "agreed"]


def test_a_no_of_the_first_keeps_the_second_waiting(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL.replace("need: all", "need: all, in_order: true"))
    w.vote("clerk", case, "agree", "no")

    assert codes(refused(w, lambda: w.vote("head", case, "agree"))) == ["out_of_order"]


def test_a_veto_stands_until_it_is_changed(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO.replace("need: 2", "need: 2, veto: true"))
    w.vote("head", case, "agree", "no")
    w.vote("clerk", case, "agree")

    held = w.vote("director", case, "agree")
    why = refused(w, lambda: w.fire("director", case, "agree"))
    freed = w.vote("head", case, "agree", "")

    assert held.state == "voting"
    assert codes(why) == ["vetoed"]
    assert freed.state == "agreed"
    w.assert_clean()


def test_without_veto_a_no_is_one_voice_less(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    w.vote("head", case, "agree", "no")
    w.vote("clerk", case, "agree")

    assert w.vote("director", case, "agree").state == "agreed"


def test_a_move_voids_the_votes_of_the_seats_it_lists_and_only_those(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)
    w.vote("clerk", case, "agree")
    w.vote("head", case, "agree")

    w.fire("director", case, "again")

    book = w.case(case)["book"]
    assert ("vote.agree.office.clerk" in book, "vote.agree.office.head" in book) == (True, False)
    assert book["returns"] == 1
    w.assert_clean()


def test_a_vote_is_changed_by_whoever_cast_it(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)
    w.vote("head", case, "agree")
    w.vote("head", case, "agree", "no")

    assert w.case(case)["book"]["vote.agree.office.head"]["verdict"] == "no"
    w.vote("head", case, "agree", "")
    assert "vote.agree.office.head" not in w.case(case)["book"]
    w.assert_clean()


def test_a_colleague_of_the_same_role_does_not_overwrite_a_vote(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)
    w.person("deputy", "head")
    w.vote("head", case, "agree", "no")

    assert codes(refused(w, lambda: w.vote("deputy", case, "agree"))) == ["seat_taken"]
    assert codes(refused(w, lambda: w.vote("deputy", case, "agree", ""))) == ["seat_taken"]


def test_the_seat_of_somebody_who_left_is_free_for_the_successor(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)
    w.vote("head", case, "agree", "no")
    w.register("person", w.who("head"), **{"membership.1": None})
    w.person("new_head", "head")

    w.vote("new_head", case, "agree")

    assert w.case(case)["book"]["vote.agree.office.head"]["person"] == w.who("new_head")


def test_one_person_fills_one_seat(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    w.person("both", "head", "director")

    w.vote("both", case, "agree")
    again = w.vote("both", case, "agree")

    assert again.state == "voting"
    assert len([word for word in w.case(case)["book"] if word.startswith("vote.")]) == 1


def stand_in(w: World, absent: str, substitute: str) -> None:
    w.register(
        "person", w.who(absent),
        **{"substitution.1": {"substitute": w.who(substitute), "from": "2026-11-01", "to": "2026-12-31"}},
    )  # fmt: skip


def test_one_person_fills_no_second_seat_for_somebody_else(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    stand_in(w, "director", "head")
    w.vote("head", case, "agree")

    why = refused(
        w,
        lambda: w.do(_vote(w, "head", case, behalf="director")),
    )

    assert codes(why) == ["voted_before"]


def test_nobody_is_represented_in_a_second_seat(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)
    w.person("both", "head", "director")
    w.person("deputy")
    stand_in(w, "both", "deputy")
    w.vote("both", case, "agree")

    w.vote("deputy", case, "agree")

    assert w.state(case) == "voting"
    assert [word for word in w.case(case)["book"] if word.startswith("vote.")] == ["vote.agree.office.head"]


def _vote(w: World, by: str, case: str, *, behalf: str) -> Vote:
    return Vote(
        principal=Principal("person", w.who(by), "cli", w.who(behalf)),
        case=case,
        trigger="agree",
        verdict="yes",
    )


def test_where_votes_do_not_move_the_case_a_person_does(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO.replace("need: 2", "need: 2, moves: false"))
    w.vote("clerk", case, "agree")
    before = refused(w, lambda: w.fire("director", case, "agree"))
    after = w.vote("head", case, "agree")
    moved = w.fire("director", case, "agree")

    assert codes(before) == ["approvals"]
    assert (after.state, moved.state) == ("voting", "agreed")
    assert set(w.case(case)["book"]["done.agree"]["by"]) == {w.who("director"), w.who("clerk"), w.who("head")}
    w.assert_clean()


def test_what_lacks_names_the_seats_that_are_waited_for(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, ALL)
    w.vote("clerk", case, "agree")

    (said,) = unmet(refused(w, lambda: w.fire("director", case, "agree")))

    assert "1 trên 3" in said.words.vi
    assert "Trưởng phòng" in said.words.vi
    assert "Văn thư" not in said.words.vi


def test_someone_without_a_seat_does_not_vote(tmp_path: Path) -> None:
    w, case = ballot(tmp_path, TWO)

    assert codes(refused(w, lambda: w.vote("buyer", case, "agree"))) == ["no_seat"]
    assert refused(w, lambda: w.vote("stranger", case, "agree")).code == "case_unknown"
