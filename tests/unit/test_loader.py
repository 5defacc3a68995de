"""The loader: what a definition becomes, and what its hash depends on."""

from __future__ import annotations

import re

import pytest

from engine.definition import HOLDER, SAME, Citation, LadderRung, Needs, Who
from engine.errors import Words
from engine.findings import DefinitionRefused
from engine.legal_clock import FixedDate, Monthly, OnField, Within, WorkingDaysBefore
from engine.loader import Known, load, outline
from engine.loader_parts import PROGRAMME_PHASES

TEXT = """\
definition: sample
language: 1
version: 3
title: {vi: Mẫu, en: Sample}
parent: [first, second]
parties:
  office: {kind: organisation, title: {vi: Cơ quan, en: Office}, roles: {head: {vi: Lãnh đạo, en: Head}}}
  person: {kind: person, title: {vi: Người, en: Person}, required: false}
fields:
  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}}
  until: {type: date, title: {vi: Đến ngày, en: Until}}
  contract: {type: document, title: {vi: Hợp đồng, en: Contract}, form: Mẫu 1}
reads: [parent]
start: {trigger: ask, title: {vi: Đề nghị, en: Ask}, by: person, to: waiting}
states:
  waiting:
    phase: approval
    title: {vi: Chờ, en: Waiting}
    holder: office.head
    deadlines:
      soon: {within: 5 wd, source: proposed, fires: give_up}
      fixed: {before: {day: 06-20, year: plan - 1}, source: rules.some_day, fires: give_up}
      month: {monthly: {by: 24}, source: {act: TT 1, grade: read}, fires: give_up}
      back: {working_days_before: {days: 2, day: 01-31, year: plan + 1}, source: proposed, fires: give_up}
      field: {on: until, source: proposed, ladder: [{at: -2 wd, to: holder}, {at: 3 d, every: 7 d, times: 4, to: office.head}]}
    triggers:
      agree:
        title: {vi: Duyệt, en: Agree}
        to: done
        by: office.head
        approvals: {of: [office.head, person], need: all}
        needs: {reason: true, documents: [contract, rules.papers]}
        require:
          - {id: enough, that: "amount_vnd <= parent.amount_vnd", else: {vi: Quá, en: Over}, source: rules.cap}
      give_up: {title: {vi: Thôi, en: Give up}, to: dropped}
  done: {phase: closed, title: {vi: Xong, en: Done}, final: accepted}
  dropped: {phase: closed, title: {vi: Dừng, en: Dropped}, final: stopped}
overlays:
  note: {title: {vi: Ghi, en: Note}, to: $same, by: [holder, person], anywhere_in: [approval, closed]}
"""


def test_a_definition_becomes_plain_frozen_data() -> None:
    # given a file with one of each / when it is loaded
    definition = load(TEXT, name="sample.yaml")

    # then its parts are typed
    waiting = definition.states["waiting"]
    assert (definition.name, definition.version, definition.parents) == ("sample", 3, ("first", "second"))
    assert definition.phases == PROGRAMME_PHASES
    assert definition.parties["person"].required is False
    assert definition.start.by == (Who("person"),)
    assert [one.rule for one in waiting.deadlines] == [
        Within(5, "wd"),
        FixedDate(6, 20, -1, "before"),
        Monthly(24, "by"),
        WorkingDaysBefore(2, FixedDate(1, 31, 1, "by")),
        OnField("until"),
    ]
    assert [one.source for one in waiting.deadlines[:3]] == [
        Citation(), Citation(rule="some_day"), Citation("TT 1", "", "read")
    ]  # fmt: skip
    assert waiting.deadlines[4].ladder == (
        LadderRung(-2, "wd", (Who(HOLDER),), "deadline_near"),
        LadderRung(3, "d", (Who("office", "head"),), "deadline_passed", every=7, times=4),
    )
    agree = waiting.triggers["agree"]
    assert agree.approvals is not None
    assert agree.approvals.need == 2
    assert agree.needs == Needs(reason=True, documents=("contract",), document_rules=("papers",))
    assert agree.require[0].otherwise == Words("Quá", "Over")
    assert definition.rule_keys == ("cap", "papers", "some_day")
    assert waiting.public == waiting.title


def test_an_overlay_comes_last_in_its_states_and_never_in_a_final_one() -> None:
    # given an overlay for two phases, of which one holds only final states / when the file is loaded
    definition = load(TEXT, name="sample.yaml")

    # then only the state that goes on has it, after its own triggers
    assert list(definition.states["waiting"].triggers) == ["agree", "give_up", "note"]
    assert definition.states["waiting"].triggers["note"].overlay
    assert definition.states["waiting"].triggers["note"].to == SAME
    assert dict(definition.states["done"].triggers) == {}


def test_layout_and_notes_do_not_change_the_hash_and_content_and_order_do() -> None:
    # given a file and its hash
    before = load(TEXT, name="sample.yaml").hash

    # when only the layout or the notes change / then the hash stays
    same = TEXT.replace("{vi: Mẫu, en: Sample}", '\n  en: "Sample"   # note\n  vi: Mẫu').replace(
        "\nstates:", "\n\n# here\nstates:"
    )
    assert load(same, name="other.yaml").hash == before

    # when a word, or the order in which people see states or fields changes / then it does not
    other_order = re.sub(r"(  done: .*\n)(  dropped: .*\n)", r"\2\1", TEXT)
    assert other_order != TEXT
    for changed in (TEXT.replace("Chờ,", "Đợi,"), TEXT.replace("version: 3", "version: 4"), other_order):
        assert load(changed, name="sample.yaml").hash != before


def test_fields_of_parents_are_those_that_all_parents_have() -> None:
    # given two possible parents that share one field
    first = outline(
        "definition: first\nfields: {amount_vnd: {type: money}, only: {type: date}}\n", name="first.yaml"
    )
    second = outline("definition: second\nfields: {amount_vnd: {type: integer}}\n", name="second.yaml")
    known = Known(definitions={"first": first, "second": second})

    # when an expression reads the shared one / then it loads
    assert load(TEXT, name="sample.yaml", known=known).reads == frozenset({"parent"})

    # when it reads what only one of them has / then it is refused, with the nearest name
    with pytest.raises(DefinitionRefused) as refused:
        load(TEXT.replace("parent.amount_vnd", "parent.only"), name="sample.yaml", known=known)
    assert [one.code for one in refused.value.findings] == ["unknown_name"]


def test_a_refusal_says_everything_in_both_languages() -> None:
    # given a file with two faults / when it is loaded
    with pytest.raises(DefinitionRefused) as refused:
        load(TEXT.replace("to: done", "to: don").replace("by: person", "by: persn"), name="sample.yaml")

    # then the sentence names both places, in either language
    for language, question in (("vi", "Có phải là “done”?"), ("en", "Did you mean “done”?")):
        sentence = refused.value.sentence(language)
        assert question in sentence
        assert sentence.count("sample.yaml:") == 2


def test_an_outline_never_refuses_what_is_only_half_written() -> None:
    # given files that are no definitions yet / when their outlines are read / then there is one
    for text in (
        "",
        "definition: x",
        "definition: [1]",
        "fields: 3",
        "states: {a: 1, b: {triggers: [x]}}",
        "start: x",
    ):
        assert isinstance(outline(text, name="x.yaml").name, str)
