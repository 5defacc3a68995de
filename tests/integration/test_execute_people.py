"""Who may: dated memberships, substitutions, four-eyes on the real person, roles that are taken away meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.commands import Fire, Principal
from tests.builders import World, codes, refused, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def stand_in(
    w: World, absent: str, substitute: str, since: str = "2026-11-01", until: str | None = "2026-12-31"
) -> None:
    w.register(
        "person", w.who(absent),
        **{"substitution.1": {"substitute": w.who(substitute), "from": since, "to": until}},
    )  # fmt: skip


def member(w: World, code: str, since: str, until: str | None) -> None:
    w.register(
        "person",
        w.who(code),
        **{"membership.1": {"bound": w.office, "role": "head", "from": since, "to": until}},
    )


@pytest.mark.parametrize(
    ("since", "until", "may"),
    [
        ("2026-11-23", "2026-11-23", True), ("2026-11-24", None, False), ("2020-01-01", "2026-11-22", False),
        ("2020-01-01", None, True),
    ],
)  # fmt: skip
def test_a_membership_counts_from_its_first_day_to_its_last(
    w: World, since: str, until: str | None, *, may: bool
) -> None:
    order = submitted(w)
    member(w, "head", since, until)

    if may:
        assert w.fire("head", order, "approve").state == "doing"
    else:
        assert refused(w, lambda: w.fire("head", order, "approve")).code == "case_unknown"


def test_the_day_changes_at_midnight_in_vietnam(w: World) -> None:
    order = submitted(w)
    member(w, "head", "2026-11-24", None)
    w.clock.move(hours=14)
    w.clock.now += 59 * 60 * 1_000_000
    assert refused(w, lambda: w.fire("head", order, "approve")).code == "case_unknown"

    w.clock.now += 60 * 1_000_000

    assert w.fire("head", order, "approve").state == "doing"


def test_a_role_taken_away_while_the_form_was_open_decides(w: World) -> None:
    order = submitted(w)
    approve = Fire(principal=w.people["head"], case=order, trigger="approve", expected_version=2)
    w.register("person", w.who("head"), **{"membership.1": None})

    assert refused(w, lambda: w.do(approve)).code == "case_unknown"


def test_a_role_given_and_taken_again_leaves_its_trace(w: World) -> None:
    stranger = w.who("stranger")
    w.register(
        "person",
        stranger,
        **{"membership.1": {"bound": w.office, "role": "head", "from": "2026-11-23", "to": None}},
    )
    w.register("person", stranger, **{"membership.1": None})

    changed = [entry["changes"] for entry in w.log(stranger)[1:]]

    assert [next(iter(one)) for one in changed] == ["membership.1", "membership.1"]
    w.assert_clean()


def test_a_substitute_acts_and_the_log_names_both(w: World) -> None:
    order = submitted(w)
    stand_in(w, "head", "stranger")

    w.fire("stranger", order, "approve")

    who = w.log(order)[-1]["principal"]
    assert (who["person"], who["on_behalf_of"], who["seat"]) == (
        w.who("stranger"),
        w.who("head"),
        "office.head",
    )
    assert set(w.case(order)["book"]["done.approve"]["by"]) == {w.who("stranger"), w.who("head")}
    w.assert_clean()


@pytest.mark.parametrize(("since", "until"), [("2026-11-24", None), ("2026-11-01", "2026-11-22")])
def test_a_substitution_counts_in_its_days_only(w: World, since: str, until: str | None) -> None:
    order = submitted(w)
    stand_in(w, "head", "stranger", since, until)

    assert refused(w, lambda: w.fire("stranger", order, "approve")).code == "case_unknown"


def test_a_substitute_has_no_more_than_the_absent_person(w: World) -> None:
    order = submitted(w)
    stand_in(w, "head", "stranger")
    member(w, "head", "2020-01-01", "2026-11-22")

    assert refused(w, lambda: w.fire("stranger", order, "approve")).code == "case_unknown"


def test_substitution_does_not_pass_on(w: World) -> None:
    order = submitted(w)
    stand_in(w, "head", "stranger")
    w.person("third")
    stand_in(w, "stranger", "third")

    assert refused(w, lambda: w.fire("third", order, "approve")).code == "case_unknown"


def test_absent_and_substitute_may_both_act(w: World) -> None:
    one, two = submitted(w), submitted(w)
    stand_in(w, "head", "stranger")

    assert w.fire("head", one, "approve").state == "doing"
    assert w.fire("stranger", two, "approve").state == "doing"


def test_four_eyes_look_at_the_real_person_behind_a_substitution(w: World) -> None:
    order = submitted(w)
    stand_in(w, "head", "buyer")

    assert codes(refused(w, lambda: w.fire("buyer", order, "approve"))) == ["not_same_person_as"]


def test_four_eyes_look_at_the_person_who_was_represented(w: World) -> None:
    w.person("boss", "clerk", "head")
    w.person("deputy")
    stand_in(w, "boss", "deputy")
    order = w.start("order", by="clerk", values={"subject": "x", "amount_vnd": 1}).subject
    w.fire("deputy", order, "submit")

    assert codes(refused(w, lambda: w.fire("boss", order, "approve"))) == ["not_same_person_as"]
    assert codes(refused(w, lambda: w.fire("deputy", order, "approve"))) == ["not_same_person_as"]
    assert w.fire("head", order, "approve").state == "doing"


def test_standing_in_for_somebody_forbids_nothing_in_ones_own_seat(w: World) -> None:
    order = submitted(w)
    stand_in(w, "buyer", "head")

    assert w.fire("head", order, "approve").state == "doing"


def test_ones_own_seat_comes_before_that_of_somebody_else(w: World) -> None:
    order = submitted(w)
    w.person("second", "head")
    stand_in(w, "second", "head")

    w.fire("head", order, "approve")

    assert w.log(order)[-1]["principal"]["on_behalf_of"] == ""


def test_insisting_on_whom_one_represents_takes_only_that_persons_seats(w: World) -> None:
    order = submitted(w)
    stand_in(w, "clerk", "head")
    behalf = Principal("person", w.who("head"), "web", w.who("clerk"))

    why = refused(w, lambda: w.do(Fire(principal=behalf, case=order, trigger="approve")))

    assert codes(why) == ["not_permitted"]


def test_nobody_represents_whom_they_do_not_stand_in_for(w: World) -> None:
    order = submitted(w)
    behalf = Principal("person", w.who("stranger"), "web", w.who("head"))

    assert (
        refused(w, lambda: w.do(Fire(principal=behalf, case=order, trigger="approve"))).code == "case_unknown"
    )


def test_a_party_that_is_a_person_acts_for_itself_and_through_a_substitute(w: World) -> None:
    order = w.start("order", values={"subject": "x", "amount_vnd": 1}).subject
    stand_in(w, "buyer", "stranger")

    w.fire("stranger", order, "submit")

    assert w.log(order)[-1]["principal"]["on_behalf_of"] == w.who("buyer")
    w.assert_clean()
