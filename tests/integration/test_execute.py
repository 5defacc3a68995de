"""Every kind of command on a real store: what it does, what it refuses, and what a refusal leaves behind: nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from engine.commands import (
    KINDS,
    Assign,
    Attach,
    Comment,
    Detach,
    Document,
    Edit,
    Erase,
    Fire,
    Migrate,
    Principal,
    Register,
    Remind,
    Start,
    Vote,
)
from engine.errors import Refused
from engine.execute import execute_all, preview
from tests import small_definitions as small
from tests.builders import ADMIN, World, codes, doing, paper, refused, submitted, world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOBODY = "0" * 32


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
def ballot(tmp_path: Path) -> World:
    return world(tmp_path, small.ballot("{of: [office.head, office.director], need: all}"))


# each kind: what it does


def test_start_opens_a_case_with_code_holder_and_first_entry(w: World) -> None:
    receipt = w.start("order", values={"subject": "Ghế"}, plan_year=2027)

    row = w.case(receipt.subject)
    assert (receipt.code, receipt.seq, receipt.version, receipt.state) == ("ORDER-2027-DH-01", 1, 1, "draft")
    assert (row["holder"], row["plan_year"], row["title"]) == ("buyer", 2027, "Ghế")
    assert (row["root"], row["path"], row["parent"]) == (receipt.subject, receipt.subject, None)
    (entry,) = w.log(receipt.subject)
    assert (entry["seq"], entry["previous"], entry["trigger"], entry["to"]) == (1, "", "open", "draft")
    assert entry["principal"]["seat"] == "buyer"
    w.assert_clean()


def test_numbers_of_a_series_follow_one_another_and_years_have_their_own(w: World) -> None:
    found = [w.start("order", plan_year=year).code for year in (2026, 2026, 2027)]

    assert found == ["ORDER-2026-DH-01", "ORDER-2026-DH-02", "ORDER-2027-DH-01"]


def test_fire_moves_the_case_and_tells(w: World) -> None:
    order = w.start("order", values={"subject": "Ghế"}).subject

    receipt = w.fire("buyer", order, "submit", values={"amount_vnd": 7})

    assert (receipt.state, receipt.version, receipt.seq) == ("review", 2, 2)
    assert w.case(order)["data"]["amount_vnd"] == 7
    assert [(one["word"], one["person"]) for one in w.notices(order)] == [("submitted", w.who("head"))]
    assert [topic for topic, _ in w.rung] == ["deadline.set", "notice.requested"]
    w.assert_clean()


def test_edit_changes_fields_and_clears_them(w: World) -> None:
    order = w.start("order", values={"subject": "Ghế", "colour": "red"}).subject

    receipt = w.edit("buyer", order, subject="Bàn", colour=None)

    assert w.case(order)["data"] == {"subject": "Bàn"}
    assert receipt.version == 2
    assert w.log(order)[-1]["changes"] == {"data.subject": ["Ghế", "Bàn"], "data.colour": ["red", None]}
    w.assert_clean()


def test_attach_and_detach_keep_the_history_of_a_paper(w: World) -> None:
    order = w.start("order").subject

    w.attach("buyer", order, paper("quote", "01/BG"), paper("quote", "02/BG"))
    w.detach("buyer", order, "quote", 1)
    w.attach("buyer", order, paper("quote", "03/BG"))

    book = w.case(order)["book"]
    assert [book[f"document.quote.{number}"]["number"] for number in (2, 3)] == ["02/BG", "03/BG"]
    assert w.log(order)[2]["changes"]["document.quote.1"][1] is None
    assert "Nguyễn Văn A" not in str(w.log(order))
    w.assert_clean()


def test_a_comment_is_kept_as_a_commitment_and_changes_nothing(w: World) -> None:
    order = w.start("order").subject
    before = w.case(order)

    receipt = w.comment("head", order, "Xem lại giúp nhé")

    after = w.case(order)
    assert (receipt.version, receipt.seq) == (1, 2)
    assert {k: v for k, v in after.items() if before[k] != v}.keys() == {"seq", "head"}
    assert w.log(order)[-1]["comment"].startswith("sha256:")
    w.assert_clean()


def test_assign_names_the_person_who_holds_and_frees_again(w: World) -> None:
    order = submitted(w)

    named = w.assign("head", order, person=w.who("head"))
    held_by = w.case(order)["holder_person"]
    freed = w.assign("head", order)

    assert held_by == w.who("head")
    assert w.case(order)["holder_person"] is None
    assert (named.version, freed.version) == (3, 4)
    w.assert_clean()


def test_assign_binds_another_party_and_visibility_follows(w: World) -> None:
    order = submitted(w)
    other = w.register("organisation", code="vp2", name="Văn phòng 2", kind="other").subject

    w.do(Assign(principal=ADMIN, case=order, parties={"office": other}))

    row = w.case(order)
    assert (row["parties"]["office"], row["holder_organisation"]) == (other, other)
    assert w.rows("SELECT bound FROM case_party WHERE case_id = :id AND party = 'office'", id=order) == [
        (other,)
    ]
    assert refused(w, lambda: w.comment("head", order, "?")).code == "case_unknown"
    w.assert_clean()


def test_nobody_binds_another_judge_in_the_place_of_a_party(w: World) -> None:
    # given an order in review, and an office that would be kinder
    order = submitted(w)
    other = w.register("organisation", code="vp2", name="Văn phòng 2", kind="other").subject
    # when the buyer, who could open it, names that office instead
    why = refused(w, lambda: w.assign("buyer", order, parties={"office": other}))
    # then it stays with the office that has it; naming the same again is no harm
    assert why.code == "not_permitted"
    assert "người vận hành" in why.sentence()
    assert w.assign("buyer", order, parties={"office": w.office}).state == "review"
    assert w.case(order)["parties"]["office"] == w.office


def test_assigning_person_and_party_at_once_does_both(w: World) -> None:
    order = submitted(w)
    other = w.register("organisation", code="vp2", name="Văn phòng 2", kind="other").subject
    boss = w.person("boss", "head", office=other)

    w.do(Assign(principal=ADMIN, case=order, parties={"office": other}, person=boss.person))

    row = w.case(order)
    assert (row["holder_organisation"], row["holder_person"]) == (other, boss.person)
    w.assert_clean()


def test_vote_is_kept_under_its_seat(ballot: World) -> None:
    case = ballot.start("ballot").subject

    receipt = ballot.vote("head", case, "agree")

    vote = ballot.case(case)["book"]["vote.agree.office.head"]
    assert (vote["person"], vote["verdict"]) == (ballot.who("head"), "yes")
    assert (receipt.state, receipt.version) == ("voting", 2)
    ballot.assert_clean()


def test_migrate_pins_the_case_to_another_version(w: World) -> None:
    order = submitted(w)
    newer = small.ORDER.replace("version: 1", "version: 2", 1).replace("  review:\n", "  appraisal:\n")
    w.publish(newer.replace("to: review", "to: appraisal").replace("[review, doing]", "[appraisal, doing]"))

    receipt = w.do(Migrate(principal=ADMIN, case=order, to=2, states={"review": "appraisal"}))

    assert (receipt.state, receipt.version) == ("appraisal", 3)
    assert w.fire("head", order, "approve").state == "doing"
    assert {entry["definition"]["version"] for entry in w.log(order)[2:]} == {2}
    w.assert_clean()


def test_a_migration_that_moves_no_due_day_sends_no_rung_again(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=4)
    fired = w.tick()
    sent = len(w.notices(order))
    w.publish(small.ORDER.replace("version: 1", "version: 2", 1))

    w.do(Migrate(principal=ADMIN, case=order, to=2))
    w.tick()

    assert fired == 1
    assert len(w.notices(order)) == sent
    assert [timer["rung"] for timer in w.timers(order)] == [100, 200]
    w.assert_clean()


def test_register_writes_a_row_with_its_own_chain(w: World) -> None:
    receipt = w.register("organisation", code="x1", name="Xưởng", kind="other")

    (entry,) = w.log(receipt.subject)
    assert (receipt.subject_kind, receipt.seq, entry["subject"]["kind"]) == (
        "organisation",
        1,
        "organisation",
    )
    w.assert_clean()


def test_erase_takes_a_personal_value_of_a_case_and_leaves_the_commitment(w: World) -> None:
    order = w.start("order", values={"phone": "0912345678"}).subject
    kept = w.case(order)["data"]["phone"]

    receipt = w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word="phone"))

    assert w.case(order)["data"]["phone"] == kept
    assert w.case(order)["book"]["erased.phone"] == "2026-11-23"
    assert (receipt.subject, receipt.seq, receipt.version) == (order, 2, 1)
    assert w.rows("SELECT value FROM personal_value WHERE commitment = :one", one=kept) == [(None,)]
    w.assert_clean()


@pytest.mark.parametrize("word", ["reason", "comment", "signer", "phone"])
def test_every_text_of_a_person_on_a_case_can_be_erased_also_one_that_was_cleared(
    w: World, word: str
) -> None:
    order = submitted(w, phone="bí mật phone")
    w.fire("head", order, "send_back", reason="bí mật reason")
    w.comment("head", order, "bí mật comment")
    w.attach("buyer", order, paper(signer="bí mật signer"))
    w.edit("buyer", order, phone=None)

    w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word=word))

    left = str(w.rows("SELECT value FROM personal_value WHERE value LIKE '%bí mật%'"))
    assert f"bí mật {word}" not in left
    assert left.count("bí mật") == 3
    again = refused(w, lambda: w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word=word)))
    assert again.code == "erase_wrong"
    w.assert_clean()


# refusals of each kind: a sentence in both languages, nothing written but the refusal


def _wrong(w: World) -> dict[str, tuple[str, Callable[[], object]]]:
    order = submitted(w)
    part = doing(w)
    w.fire("clerk", part, "split")
    child = w.children(part)[0]
    ended = submitted(w)
    w.fire("head", ended, "stop", reason="thôi")
    p = w.people
    buyer, office = w.who("buyer"), w.office
    both = {"buyer": buyer, "office": office}
    return {
        "start an unknown definition": ("definition_unknown", lambda: w.start("ordre")),
        "start with an unknown party": (
            "party_wrong", lambda: w.start("order", parties={**both, "offices": office}),
        ),
        "start without a party": ("party_wrong", lambda: w.start("order", parties={"buyer": buyer})),
        "start with a party of another kind": (
            "party_wrong", lambda: w.start("order", parties={"buyer": office, "office": office}),
        ),
        "start with a party that is nobody": (
            "party_wrong", lambda: w.start("order", parties={"buyer": NOBODY, "office": office}),
        ),
        "start by a stranger": ("requirements_unmet", lambda: w.start("order", by="stranger")),
        "start a root with a parent": (
            "parent_wrong", lambda: w.start("order", parent=order, parties=both),
        ),
        "start a child without its parent": ("case_unknown", lambda: w.start("part", parties=both)),
        "start a child of an unknown parent": ("case_unknown", lambda: w.start("part", parent=NOBODY)),
        "start a child under the wrong parent": ("parent_wrong", lambda: w.start("piece", by="clerk", parent=order)),
        "start a child under an ended parent": ("parent_wrong", lambda: w.start("part", by="clerk", parent=ended)),
        "start with an unknown field": ("field_unknown", lambda: w.start("order", values={"subjekt": "x"})),
        "start with an impossible plan year": ("plan_year_wrong", lambda: w.start("order", plan_year=20262026)),
        "start with a plan year before time": ("plan_year_wrong", lambda: w.start("order", plan_year=-1)),
        "fire on a case that is not there": ("case_unknown", lambda: w.fire("head", NOBODY, "approve")),
        "fire as a stranger": ("case_unknown", lambda: w.fire("stranger", order, "approve")),
        "fire an unknown trigger": ("trigger_not_allowed", lambda: w.fire("head", order, "aprove")),
        "fire a trigger of another state": ("trigger_not_allowed", lambda: w.fire("buyer", order, "submit")),
        "fire without the role": ("requirements_unmet", lambda: w.fire("clerk", order, "approve")),
        "fire an automatic trigger": ("not_permitted", lambda: w.fire("clerk", part, "all_parts_in")),
        "fire with a field that may not be changed": (
            "not_editable", lambda: w.fire("head", order, "approve", values={"amount_vnd": 1}),
        ),
        "fire on an ended case": ("trigger_not_allowed", lambda: w.fire("head", ended, "stop", reason="?")),
        "fire an old version": (
            "version_conflict", lambda: w.fire("head", order, "approve", expected_version=1),
        ),
        "edit a field that may not be changed now": ("not_editable", lambda: w.edit("buyer", order, subject="x")),
        "edit an unknown field": ("field_unknown", lambda: w.edit("buyer", order, subjekt="x")),
        "edit an ended case": ("case_ended", lambda: w.edit("buyer", ended, subject="x")),
        "edit as a stranger": ("case_unknown", lambda: w.edit("stranger", order, subject="x")),
        "edit a rule nobody knows": (
            "rule_unknown",
            lambda: w.do(Edit(principal=p["head"], case=order, rules={"cap": {"value": 1, "source": "x"}})),
        ),
        "attach an unknown paper": ("document_wrong", lambda: w.attach("buyer", order, paper("qoute"))),
        "attach a file that is not stored": (
            "document_wrong", lambda: w.attach("buyer", order, paper(file="a" * 64)),
        ),
        "attach a paper signed on no day": (
            "field_value_wrong", lambda: w.attach("buyer", order, paper(signed_on="2026-02-30")),
        ),
        "attach a paper of an unknown kind of copy": (
            "document_wrong", lambda: w.attach("buyer", order, paper(copy="maybe")),
        ),
        "attach nothing": ("document_wrong", lambda: w.attach("buyer", order)),
        "attach to an ended case": ("case_ended", lambda: w.attach("buyer", ended, paper())),
        "detach what is not there": ("document_wrong", lambda: w.detach("head", order, "quote", 1)),
        "detach without holding": ("document_wrong", lambda: w.detach("buyer", order, "quote", 9)),
        "say nothing": ("field_value_wrong", lambda: w.comment("head", order, "  ")),
        "say too much": ("field_value_wrong", lambda: w.comment("head", order, "á" * 4001)),
        "say it as a stranger": ("case_unknown", lambda: w.comment("stranger", order, "hm")),
        "assign to somebody without the role": (
            "assign_wrong", lambda: w.assign("head", order, person=w.who("clerk")),
        ),
        "assign without holding": ("not_permitted", lambda: w.assign("buyer", order, person=w.who("head"))),
        "assign an unknown party": (
            "party_wrong", lambda: w.assign("buyer", order, parties={"ofice": office}),
        ),
        "assign on an ended case": ("case_ended", lambda: w.assign("head", ended, person=w.who("head"))),
        "vote where nobody votes": ("vote_refused", lambda: w.vote("head", order, "approve")),
        "vote on an ended case": ("vote_refused", lambda: w.vote("head", ended, "approve")),
        "migrate without the right": (
            "not_permitted", lambda: w.do(Migrate(principal=p["head"], case=order, to=1)),
        ),
        "migrate to an unknown version": (
            "definition_unknown", lambda: w.do(Migrate(principal=ADMIN, case=order, to=9)),
        ),
        "migrate to an unknown state": (
            "migration_wrong",
            lambda: w.do(Migrate(principal=ADMIN, case=order, to=1, states={"review": "nowhere"})),
        ),
        "remind as a person": (
            "case_unknown", lambda: w.do(Remind(principal=p["head"], case=order, timer=NOBODY)),
        ),
        "remind by a timer that is not there": (
            "timer_closed",
            lambda: w.do(Remind(principal=Principal("timer", "timer", "timer"), case=order, timer=NOBODY)),
        ),
        "erase what is not personal": (
            "erase_wrong",
            lambda: w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word="subject")),
        ),
        "erase what was never there": (
            "erase_wrong",
            lambda: w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word="phone")),
        ),
        "erase without the right": (
            "not_permitted",
            lambda: w.do(Erase(principal=p["head"], subject_kind="case", subject=order, word="phone")),
        ),
        "erase on an unknown case": (
            "case_unknown",
            lambda: w.do(Erase(principal=ADMIN, subject_kind="case", subject=NOBODY, word="phone")),
        ),
        "write an unknown register": ("register_unknown", lambda: w.register("organization", code="x")),
        "claim a day without importing": (
            "happened_on_wrong",
            lambda: w.do(Comment(principal=p["head"], case=order, text="x", happened_on="2026-01-01")),
        ),
        "import a day to come": (
            "happened_on_wrong",
            lambda: w.do(Comment(principal=Principal("person", w.who("head"), "import"), case=order, text="x",
                                 happened_on="2027-01-01")),
        ),
        "import no day": (
            "happened_on_wrong",
            lambda: w.do(Comment(principal=Principal("person", w.who("head"), "import"), case=order, text="x",
                                 happened_on="2026-13-01")),
        ),
        "open a grandchild too many": (
            "parent_wrong",
            lambda: [w.start("piece", by="clerk", parent=child) for _ in range(3)] if not w.children(child)
            else w.start("piece", by="clerk", parent=child),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def wrong(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[World, dict[str, tuple[str, Callable[[], object]]]]:
    w = world(tmp_path_factory.mktemp("wrong"))
    asked = _wrong(w)
    child = w.rows("SELECT id FROM workflow_case WHERE name = 'part'")[0][0]
    for _ in range(2):
        w.start("piece", by="clerk", parent=child)
    return w, asked


def test_each_wrong_command_is_refused_with_its_code_and_leaves_no_trace(
    wrong: tuple[World, dict[str, tuple[str, Callable[[], object]]]],
) -> None:
    w, asked = wrong
    met: dict[str, str] = {}
    for what, (_, ask) in asked.items():
        try:
            met[what] = refused(w, ask).code
        except Exception as why:  # noqa: BLE001 - all of them are shown together
            met[what] = f"{type(why).__name__}: {why}"[:200]

    assert met == {what: code for what, (code, _) in asked.items()}
    w.assert_clean()


HOSTILE: tuple[tuple[str, Any], ...] = (
    ("amount_vnd", -1), ("amount_vnd", 10**20), ("amount_vnd", 10**15 + 1), ("amount_vnd", 1.5),
    ("amount_vnd", "5000000"), ("amount_vnd", True), ("rate", 100_001), ("rate", -1), ("pieces", 2**53),
    ("pieces", 0.0), ("wanted_on", "2026-02-30"), ("wanted_on", "20261123"), ("wanted_on", "2026-1-1"),
    ("wanted_on", "2026-11-23T00:00"), ("wanted_on", 20261123), ("urgent", "yes"), ("urgent", 1),
    ("colour", "green"), ("colour", ["red"]), ("subject", "a\x00b"), ("subject", "a\u202eb"), ("subject", "\u2066x"),
    ("subject", "\ud800"), ("subject", "x" * 4001), ("subject", "   "), ("subject", 5), ("subject", b"x"),
    ("subject", {"a": 1}), ("phone", "\x07"), ("quote", "paper"), ("subject", float("nan")), ("subject", {1, 2}),
)  # fmt: skip


@pytest.mark.parametrize(("field", "value"), HOSTILE, ids=lambda value: repr(value)[:30])
def test_a_hostile_value_is_refused_in_words(
    wrong: tuple[World, dict[str, tuple[str, Callable[[], object]]]], field: str, value: Any
) -> None:
    w, _ = wrong

    why = refused(w, lambda: w.start("order", values={field: value}))

    assert why.code in {"field_value_wrong", "not_canonical"}
    assert field in why.sentence("vi")


@pytest.mark.parametrize("command_id", ["", "x" * 65, "a\x00b", "a\u202eb", "có dấu", "a b"])
def test_a_command_id_is_a_short_plain_word(
    wrong: tuple[World, dict[str, tuple[str, Callable[[], object]]]], command_id: str
) -> None:
    w, _ = wrong

    assert refused(w, lambda: w.start("order", id=command_id)).code == "command_id_wrong"


ODD = ({"values": None}, {"values": ["x"]}, {"trigger": None}, {"trigger": "a\x00"}, {"case": 5}, {"case": "\ud800"},
       {"reason": None}, {"expected_version": "2"}, {"expected_version": True}, {"documents": "paper"},
       {"documents": (Document("quote", number=5),)},  # type: ignore[arg-type]
        {"documents": [paper()]}, {"request": "r" * 129},
       {"happened_on": 5})  # fmt: skip


@pytest.mark.parametrize("part", ODD, ids=lambda part: repr(part)[:40])
def test_a_part_of_another_kind_is_refused_by_name(
    wrong: tuple[World, dict[str, tuple[str, Callable[[], object]]]], part: dict[str, Any]
) -> None:
    w, _ = wrong
    order = w.rows("SELECT id FROM workflow_case WHERE state = 'review'")[0][0]
    asked: dict[str, Any] = {"principal": w.people["head"], "case": order, "trigger": "approve", **part}

    why = refused(w, lambda: w.do(Fire(**asked)))

    assert (why.code, why.facts["part"]) == ("command_wrong", next(iter(part)))


def test_parties_plan_year_and_rules_of_another_kind_are_refused(w: World) -> None:
    order = submitted(w)
    odd: list[Any] = [
        Start(principal=w.people["buyer"], definition="order", parties={"buyer": None}),  # type: ignore[dict-item]
        Start(principal=w.people["buyer"], definition="order", plan_year="2026"),  # type: ignore[arg-type]
        Edit(principal=w.people["head"], case=order, rules={"x": 5}),  # type: ignore[dict-item]
        Comment(principal=w.people["head"], case=order, text=None),  # type: ignore[arg-type]
    ]

    assert [refused(w, partial(w.do, one)).code for one in odd] == ["command_wrong"] * 4


def test_a_migration_takes_the_place_of_no_move(w: World) -> None:
    order = submitted(w)
    w.publish(small.ORDER.replace("version: 1", "version: 2", 1))

    for version, states in ((1, {"review": "done"}), (2, {"review": "doing"}), (2, {"review": "stopped"})):
        move = Migrate(principal=ADMIN, case=order, to=version, states=states)
        assert refused(w, partial(w.do, move)).code == "migration_wrong"


def test_hostile_words_around_a_command_are_refused(
    wrong: tuple[World, dict[str, tuple[str, Callable[[], object]]]],
) -> None:
    w, _ = wrong

    assert refused(w, lambda: w.start("order", request="\u202ereq")).code == "command_wrong"
    assert refused(w, lambda: w.start("order", reason="\x00")).code == "not_canonical"
    assert refused(w, lambda: w.start("order", reason="r" * 4001)).code == "field_value_wrong"
    assert refused(w, lambda: w.attach("buyer", NOBODY, paper(number="\u2067"))).code == "not_canonical"


def test_a_paper_with_a_book_for_a_number_is_refused(w: World) -> None:
    order = w.start("order").subject

    why = refused(w, lambda: w.attach("buyer", order, Document("quote", number="x" * 5000)))

    assert why.code == "document_wrong"


@pytest.mark.parametrize("verdict", ["maybe", "YES", "yes ", None, 1])
def test_a_vote_says_yes_or_no_or_is_taken_back(ballot: World, verdict: Any) -> None:
    case = ballot.start("ballot").subject

    why = refused(ballot, lambda: ballot.vote("head", case, "agree", verdict))

    assert why.code == "vote_refused"


# version and seq


def test_only_what_others_must_know_of_raises_the_version(w: World) -> None:
    order = submitted(w)
    seen = w.case(order)["version"]

    w.comment("head", order, "một")
    w.attach("buyer", order, paper())
    w.clock.move(days=11)
    w.tick()

    row = w.case(order)
    assert row["version"] == seen
    assert row["seq"] > seen + 2
    assert w.fire("head", order, "approve", expected_version=seen).version == seen + 1
    w.assert_clean()


def test_every_change_of_state_fields_parties_holder_and_votes_raises_it(ballot: World) -> None:
    case = ballot.start("ballot").subject
    other = ballot.register("organisation", code="vp2", name="VP 2", kind="other").subject

    versions = [
        ballot.edit("buyer", case, subject="A").version,
        ballot.vote("head", case, "agree").version,
        ballot.vote("head", case, "agree", "").version,
        ballot.assign("director", case, person=ballot.who("director")).version,
        ballot.do(Assign(principal=ADMIN, case=case, parties={"office": other})).version,
    ]

    assert versions == [2, 3, 4, 5, 6]


def test_an_old_version_is_told_what_the_case_is_now(w: World) -> None:
    order = submitted(w)

    why = refused(w, lambda: w.fire("head", order, "approve", expected_version=1))

    assert "Đang xét" in why.sentence("vi")
    assert "Review" in why.sentence("en")
    assert (why.facts["expected"], why.facts["found"]) == (1, 2)


# several commands in one transaction


def test_a_refused_command_does_not_touch_the_others_of_its_transaction(w: World) -> None:
    one, two = submitted(w), submitted(w)
    head, clerk = w.people["head"], w.people["clerk"]

    answers = execute_all(
        w.engine,
        [
            Fire(principal=head, case=one, trigger="approve"),
            Fire(principal=clerk, case=two, trigger="approve"),
            Start(principal=w.people["stranger"], definition="order", parties={"buyer": w.who("buyer"), "office": w.office}),
            Fire(principal=head, case=two, trigger="approve"),
        ],
    )  # fmt: skip

    assert [isinstance(one, Refused) for one in answers] == [False, True, True, False]
    assert (w.state(one), w.state(two)) == ("doing", "doing")
    w.assert_clean()


def test_a_refused_start_uses_no_number_up(w: World) -> None:
    order = doing(w)
    w.start("part", by="clerk", parent=order)

    refused(w, lambda: w.start("part", by="buyer", parent=order))
    refused(w, lambda: w.start("order", by="stranger"))

    assert w.start("part", by="clerk", parent=order).code.endswith("/PV2")
    assert w.start("order").code.endswith("-02")


def test_a_bulk_of_commands_on_one_case_sees_each_of_them(w: World) -> None:
    order = w.start("order").subject
    buyer = w.people["buyer"]

    answers = execute_all(
        w.engine, [Edit(principal=buyer, case=order, values={"pieces": number}) for number in range(1, 21)]
    )

    assert [one.seq for one in answers if not isinstance(one, Exception)] == list(range(2, 22))
    w.assert_clean()


# values that come with the command are what is decided on


def test_a_personal_value_that_comes_along_is_what_is_decided_on(tmp_path: Path) -> None:
    asking = small.ORDER.replace(
        "        needs: {fields: [subject, amount_vnd]}\n        tells: {office.head: submitted}",
        """        needs: {fields: [phone]}
        require:
          - id: vietnamese
            that: phone.startsWith("0")
            else: {vi: Bắt đầu bằng 0, en: Begins with 0}
            source: proposed""",
    )
    w = world(tmp_path, asking, small.PART, small.PIECE)
    order = w.start("order").subject

    why = refused(w, lambda: w.fire("buyer", order, "submit", values={"phone": "912"}))
    receipt = w.fire("buyer", order, "submit", values={"phone": "0912-345-678"})

    assert codes(why) == ["vietnamese"]
    assert receipt.state == "review"
    assert "0912-345-678" not in str(w.log(order))
    w.assert_clean()


def test_a_verdict_over_a_value_gives_no_right_to_change_it(tmp_path: Path) -> None:
    judging = small.ORDER.replace(
        "        guards: [{not_same_person_as: [open, submit]}]\n",
        """        guards: [{not_same_person_as: [open, submit]}]
        require: [{id: cheap, that: amount_vnd < 100 && pieces > 0, else: {vi: Đắt quá, en: Too dear}, source: proposed}]
""",
    )
    w = world(tmp_path, judging, small.PART, small.PIECE)
    order = submitted(w)

    changing = refused(w, lambda: w.fire("head", order, "approve", values={"amount_vnd": 99}))
    filling = refused(
        w, lambda: w.fire("head", order, "approve", values={"pieces": 1, "amount_vnd": 5_000_000})
    )

    assert changing.code == "not_editable"
    assert codes(filling) == ["cheap"]


def test_preview_says_what_firing_would_say_and_writes_nothing(w: World) -> None:
    order = submitted(w)
    before = w.counts()

    steps = {
        step.trigger.name: [one.code for one in step.unmet]
        for step in preview(w.engine, order, w.who("buyer"))
    }

    assert steps == {"approve": ["not_permitted", "not_same_person_as"], "send_back": ["not_permitted", "reason"],
                     "suspend": ["not_permitted"], "stop": ["not_permitted", "reason"]}  # fmt: skip
    assert w.counts() == before


def test_each_kind_of_command_was_tried_here() -> None:
    assert set(KINDS.values()) == {
        Start, Fire, Edit, Attach, Detach, Comment, Assign, Vote, Remind, Migrate, Register, Erase,
    }  # fmt: skip


def test_a_stranger_learns_nothing_about_a_case_from_any_refusal(w: World) -> None:
    order = submitted(w)
    stranger = w.people["stranger"]

    asked: list[Any] = [
        Fire(principal=stranger, case=order, trigger="approve", expected_version=1),
        Edit(principal=stranger, case=order, values={"subjekt": 1}),
        Migrate(principal=stranger, case=order, to=7),
        Erase(principal=stranger, subject_kind="case", subject=order, word="phone"),
        Vote(principal=stranger, case=order, trigger="approve", verdict="yes"),
    ]

    for command in asked:
        why = refused(w, partial(w.do, command))
        assert why.code == "case_unknown", command
        assert "DH-01" not in why.sentence("vi")
