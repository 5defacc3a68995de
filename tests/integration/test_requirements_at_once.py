"""One command that lacks everything is told everything, at once: code, words, citation and the place to supply it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.commands import Edit
from engine.execute import preview
from engine.machine import RequirementsUnmet
from engine.rule_packs import read_pack, read_vocabulary
from engine.rule_rows import Cite
from engine.rules import RuleBook
from tests import small_definitions as small
from tests.builders import codes, paper, refused, unmet, world

if TYPE_CHECKING:
    from pathlib import Path

PACK = """
rule_pack: sample
language: 1
version: 1
title: {vi: Gói mẫu, en: Sample pack}
scope: {}
rules:
  papers:
    unit: documents
    title: {vi: Giấy tờ, en: Papers}
    rows: [{value: [plan_paper], cite: {act: Sổ tay mẫu, article: Điều 4}, grade: read}]
  least:
    unit: count
    title: {vi: Ít nhất, en: At least}
    rows: [{value: 2, cite: {act: Sổ tay mẫu, article: Điều 5}, grade: secondary}]
"""
UNSET = PACK.replace("value: [plan_paper]", "value: null").replace(", grade: read}]", "}]")
WORDS = """
rule_words: sample
language: 1
title: {vi: Giấy tờ mẫu, en: Sample papers}
documents:
  plan_paper: {title: {vi: Kế hoạch, en: Plan}, grade: proposed}
  permit: {title: {vi: Giấy phép, en: Permit}, grade: proposed}
"""


def rules(text: str = PACK) -> RuleBook:
    vocabulary = read_vocabulary({"words.yaml": WORDS})
    return RuleBook.of([read_pack(text, name="sample.yaml", vocabulary=vocabulary)], vocabulary)


def test_nine_things_of_seven_kinds_are_missing_and_all_are_named(tmp_path: Path) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules())
    case = w.start("strict").subject
    w.fire("clerk", case, "give")

    why = refused(w, lambda: w.fire("clerk", case, "close"))

    assert isinstance(why, RequirementsUnmet)
    found = {one.code: one for one in why.unmet}
    assert {code: one.place for code, one in found.items()} == {
        "not_permitted": "person",
        "reason": "reason",
        "amount_vnd": "field:amount_vnd",
        "permit": "document:permit",
        "plan_paper": "document:plan_paper",
        "worth_it": "children",
        "children_all_in": "children",
        "approvals": "votes",
        "children_open": "children",
    }
    assert list(found) == codes(why)
    for one in why.unmet:
        assert one.words.vi
        assert one.words.en
        assert one.words.vi != one.words.en
    assert {code: (one.citation, one.grade) for code, one in found.items() if one.citation} == {
        "amount_vnd": ("Sổ tay mẫu Điều 2", "secondary"),
        "permit": ("Sổ tay mẫu Điều 3", "inferred"),
        "plan_paper": (str(Cite("Sổ tay mẫu", "Điều 4")), "read"),
        "worth_it": (str(Cite("Sổ tay mẫu", "Điều 5")), "secondary"),
    }


def test_the_checklist_of_the_page_is_the_refusal(tmp_path: Path) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules())
    case = w.start("strict").subject
    w.fire("clerk", case, "give")

    (step,) = [one for one in preview(w.engine, case, w.who("clerk")) if one.trigger.name == "close"]

    assert [one.code for one in step.unmet] == codes(refused(w, lambda: w.fire("clerk", case, "close")))


def test_what_the_refusal_asked_for_is_enough(tmp_path: Path) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules())
    case = w.start("strict").subject
    for _ in range(2):
        w.fire("clerk", case, "give")

    w.edit("clerk", case, amount_vnd=1)
    w.attach("clerk", case, paper("permit"), paper("plan_paper"))
    for child in w.children(case):
        w.fire("clerk", child, "finish")
    w.vote("head", case, "close")
    w.vote("director", case, "close")
    receipt = w.fire("head", case, "close", reason="đã đủ")

    assert receipt.state == "closed"
    used = w.log(case)[-1]["rules"]
    assert [(one["key"], one["value"]) for one in used] == [("papers", ["plan_paper"])]
    w.assert_clean()


def test_a_rule_that_nobody_verified_stands_in_the_way_until_it_is_entered_with_its_source(
    tmp_path: Path,
) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules(UNSET))
    case = w.start("strict").subject

    why = refused(w, lambda: w.fire("head", case, "close", reason="x"))

    assert ("papers", "rule:papers") in [(one.code, one.place) for one in unmet(why)]
    w.do(
        Edit(
            principal=w.people["clerk"],
            case=case,
            rules={"papers": {"value": ["permit"], "source": "CV 12/SCT"}},
        )
    )
    again = refused(w, lambda: w.fire("head", case, "close", reason="x"))
    assert "papers" not in codes(again)
    assert "permit" in codes(again)
    assert "plan_paper" not in codes(again)
    w.assert_clean()


def test_a_paper_without_number_day_or_signer_does_not_count(tmp_path: Path) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules())
    case = w.start("strict").subject
    for lacking in ("number", "signed_on", "signer"):
        w.attach("clerk", case, paper("permit", **{lacking: ""}))

    why = refused(w, lambda: w.fire("head", case, "close", reason="x"))
    (said,) = [one for one in unmet(why) if one.code == "permit"]

    assert "chưa đủ" in said.words.vi
    w.attach("clerk", case, paper("permit"))
    assert "permit" not in codes(refused(w, lambda: w.fire("head", case, "close", reason="x")))


def test_a_blank_reason_is_no_reason(tmp_path: Path) -> None:
    w = world(tmp_path, small.STRICT, small.ERRAND, rules=rules())
    case = w.start("strict").subject

    assert "reason" in codes(refused(w, lambda: w.fire("head", case, "close", reason="  \t")))
