"""Words in expressions, and what is of no use, in the places where the files of findings do not look."""

from __future__ import annotations

import pytest

from engine import expressions
from engine.expressions import Names
from engine.linter import validate
from engine.loader import Known, outline

CHILD = outline(
    """
definition: payment
parent: purchase
parties: {office: {kind: organisation, roles: {head: {vi: x, en: x}}}}
fields: {way: {type: choice, choices: {cash: {vi: x, en: x}, bank: {vi: x, en: x}}}}
states: {asked: {triggers: {}}, paid: {final: accepted}}
""",
    name="payment.yaml",
)
KNOWN = Known(definitions={"payment": CHILD})
TEXT = """\
definition: purchase
language: 1
version: 1
title: {vi: Mua, en: Purchase}
parties:
  office: {kind: organisation, title: {vi: Cơ quan, en: Office}, roles: {head: {vi: Lãnh đạo, en: Head}}}
fields:
  kind: {type: choice, title: {vi: Loại, en: Kind}, choices: {goods: {vi: Hàng, en: Goods}, works: {vi: Công, en: Works}}}
reads: [children]
start: {trigger: ask, title: {vi: Đề nghị, en: Ask}, by: office.head, to: waiting, needs: {fields: [kind]}}
children: {payment: {}}
states:
  waiting:
    phase: approval
    title: {vi: Chờ, en: Waiting}
    holder: office.head
    triggers:
      agree:
        title: {vi: Duyệt, en: Agree}
        to: agreed
        by: office.head
        require: [{id: fits, that: "QUESTION", else: {vi: Không, en: No}, source: proposed}]
        sets: {kind: '"goods"'}
        starts: {definition: payment, values: {way: '"cash"'}}
  agreed: {phase: closed, title: {vi: Xong, en: Done}, final: accepted}
"""


def _found(text: str) -> list[tuple[str, str]]:
    return [(one.code, one.suggestion) for one in validate(text, name="purchase.yaml", known=KNOWN)[1]]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("kind == 'goods' && 'works' != kind", []),
        ("kind in ['goods', 'work']", [("no_such_choice", "works")]),
        ("kind == (case.returns > 0 ? 'good' : 'works')", [("no_such_choice", "goods")]),
        ("case.came_from == '' && case.state == 'waiting'", []),
        ("case.came_from == 'waitin'", [("no_such_state", "waiting")]),
        ("case.final == '' || case.final == 'acepted'", [("no_such_ending", "accepted")]),
        ("children.payment.exists(c, c.state == 'payd')", [("no_such_state", "paid")]),
        ("children.payment.filter(c, c.final == '').all(p, p.way in ['cash', 'banc'])", [("no_such_choice", "bank")]),
        ("'askd' in children.payment.map(c, c.state)", [("no_such_state", "asked")]),
        ("count(children.payment.filter(c, !(c.state in ['asked', 'paid']))) == 0", []),
    ],
)  # fmt: skip
def test_a_word_is_held_against_what_it_is_compared_with(question: str, found: list[tuple[str, str]]) -> None:
    # given a requirement that compares / when validated / then only words that can never be meant are found
    assert _found(TEXT.replace("QUESTION", question)) == found


@pytest.mark.parametrize(
    ("taken", "put", "suggestion"),
    [("kind: '\"goods\"'", "kind: '\"godds\"'", "goods"), ("way: '\"cash\"'", "way: '\"csh\"'", "cash")],
)
def test_a_move_that_fills_a_field_with_no_choice_of_it_is_found(
    taken: str, put: str, suggestion: str
) -> None:
    # given a move that sets its own field, or the child's, to a word that is no choice there
    text = TEXT.replace("QUESTION", "true")
    assert taken in text

    # when it is validated / then it is found, with the choice that was meant
    assert _found(text.replace(taken, put)) == [("no_such_choice", suggestion)]


@pytest.mark.parametrize(
    ("taken", "put", "line", "word"),
    [
        ("fields:\n", "fields:\n  idle: {type: text, title: {vi: Thừa, en: Idle}}\n", 8, "field “idle”"),
        ("parties:\n", "parties:\n  idle: {kind: person, title: {vi: Thừa, en: Idle}}\n", 6, "party “idle”"),
        (", needs: {fields: [kind]}", "", 8, "choice “works” of “kind”"),
    ],
)
def test_what_is_declared_and_of_no_use_is_found(taken: str, put: str, line: int, word: str) -> None:
    # given a file with one thing that nothing speaks of
    text = TEXT.replace("QUESTION", "true").replace(taken, put, 1)

    # when it is validated
    _, found = validate(text, name="purchase.yaml", known=KNOWN)

    # then that is found, where it stands
    assert [(one.code, one.line) for one in found] == [("unused", line)]
    assert word in found[0].words.en


def test_papers_computed_fields_and_parties_of_a_child_are_never_idle() -> None:
    # given a paper that nothing asks for, a computed field that nothing reads, a party that only the child names
    more = (
        "fields:\n  note: {type: document, title: {vi: Giấy, en: Note}}\n"
        '  two: {type: integer, title: {vi: Hai, en: Two}, formula: "1 + 1"}\n'
    )
    party = "parties:\n  seller: {kind: person, title: {vi: Bên bán, en: Seller}}\n"
    child = outline(
        "definition: payment\nparent: purchase\nparties: {seller: {kind: person}}\n", name="c.yaml"
    )
    text = TEXT.replace("QUESTION", "true").replace("fields:\n", more, 1).replace("parties:\n", party, 1)
    text = text.replace("values: {way: '\"cash\"'}", "values: {}")

    # when it is validated / then nothing is found
    _, found = validate(text, name="purchase.yaml", known=Known(definitions={"payment": child}))
    assert [one.sentence("en") for one in found] == []


def test_words_are_named_in_the_order_written_with_what_they_are_compared_with() -> None:
    # given an expression with a nested list
    names = Names({"kind": "text"}, None, {"payment": {"way": "text"}})
    expression = expressions.compile('"a" == kind || children.payment.all(c, c.way != "b")', names=names)

    # when asked / then each word has its path and its place
    assert [(one.path, one.word, one.at) for one in expression.compared] == [
        ("kind", "a", 0), ("children.payment.way", "b", 48)
    ]  # fmt: skip
