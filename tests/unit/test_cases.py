"""A case is its log: what is put on a draft is what a fold of the changes gives again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.cases import COLUMNS, Case, Draft, fold
from tests.properties import tries

WORDS = st.sampled_from(
    ["state", "holder", "due_on", "data.a", "data.b", "party.p", "vote.t.seat", "document.q.1", "returns"]
)
VALUES = st.none() | st.text("abc", min_size=1, max_size=3)


@tries(25)
@given(st.lists(st.lists(st.tuples(WORDS, VALUES), max_size=6), max_size=8))
def test_the_fold_of_what_changed_is_the_case(commands: list[list[tuple[str, Any]]]) -> None:
    draft = Draft(Case(id="c"))
    entries = []
    for number, puts in enumerate(commands, 1):
        for word, value in puts:
            draft.put(word, value)
        entries.append({"seq": number, "changes": draft.take_changes()})

    words, misfits = fold(entries)

    assert misfits == []
    assert words == draft.case.projection()


@tries(20)
@given(WORDS, VALUES, VALUES)
def test_a_change_back_leaves_no_trace(word: str, first: Any, second: Any) -> None:
    draft = Draft(Case(id="c"))
    draft.put(word, first)
    draft.take_changes()

    draft.put(word, second)
    draft.put(word, first)

    assert draft.take_changes() == {}


def test_a_fold_says_which_entry_does_not_fit() -> None:
    entries: list[dict[str, Any]] = [
        {"seq": 1, "changes": {"state": [None, "draft"]}},
        {"seq": 2, "changes": {"state": ["review", "done"]}},
    ]

    _, misfits = fold(entries)

    assert misfits == ["entry 2: state was 'draft', the entry says 'review'"]


def test_documents_of_one_kind_come_in_the_order_they_were_attached() -> None:
    case = Case(id="c")
    for number in (1, 2, 10):
        case.put(f"document.quote.{number}", {"number": str(number)})

    assert [paper["number"] for paper in case.documents("quote")] == ["1", "2", "10"]


def test_words_of_one_kind_do_not_show_up_under_another_that_begins_alike() -> None:
    case = Case(id="c")
    case.put("vote.agree.office.head", 1)
    case.put("vote.agree_twice.office.head", 2)

    assert case.below("vote.agree") == {"office.head": 1}


def test_depth_is_the_number_of_ancestors() -> None:
    assert [Case(id="c", path=path).depth for path in ("a", "a/b", "a/b/c")] == [0, 1, 2]


def test_every_column_is_a_word_of_the_projection() -> None:
    case = Case(id="c")
    for word in COLUMNS:
        case.put(word, 2026 if word == "plan_year" else "x")

    assert case.projection().keys() == set(COLUMNS)
