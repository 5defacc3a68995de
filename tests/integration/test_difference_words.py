"""No change of a definition passes in silence: each is told by `differences`, on the page's larger example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.difference import differences
from engine.loader import load

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text()
TEXT = next(
    example
    for example in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    if example.startswith("definition: file_check")
)
OLD = load(TEXT, name="old.yaml")


@pytest.mark.parametrize(
    ("taken", "put", "said"),
    [
        ("by: office.officer, to: checking", "by: office.head, to: checking",
         "opening “open”, who may do it: from office.officer to office.head"),
        ("en: Being checked", "en: Looked at",
         "state “checking”, English title: from Being checked to Looked at"),
        ("en: Under review", "en: Seen",
         "state “checking”, English words for outsiders: from Under review to Seen"),
        ("share_vnd, paid_on]", "share_vnd, paid_on, until]",
         "field “until”, who may edit it, and where: from nothing to office.officer: agreed, checking, on_hold"),
        ("paid_on: today", "until: today",
         "trigger “checking.agree”, values set: from paid_on = today to until = today"),
        ("share_vnd, 5000", "share_vnd, 4000",
         "field “half_vnd”, formula: from share(share_vnd, 5000) to share(share_vnd, 4000)"),
        ("since: agree, ", "", "deadline of “agreed.due”, counted from: from agree to nothing"),
        ("within: 15 d", "within: 10 wd",
         "deadline of “checking.answer”, how it is counted: from within 15 d to within 10 wd"),
        ("year: plan}", "year: plan + 1}",
         "deadline of “checking.year_end”, how it is counted: from by 12-31, plan to by 12-31, plan +1"),
        ("category: kind, amount: share_vnd", "category: kind",
         "definition “file_check”, common columns: from category: kind, amount: share_vnd to category: kind"),
        ("    pauses_clock: true\n", "",
         "state “on_hold”, clock stands still: from ✓ to nothing"),
        (", moves: false", "",
         ("trigger “checking.agree”, approvals: from 2/2: office.accountant, office.head (in_order, moves: false) "
         "to 2/2: office.accountant, office.head (in_order)")),
        ("grade: proposed}", "grade: inferred}",
         ("deadline of “checking.answer”, source: from Quy chế của cơ quan (proposed) "
         "to Quy chế của cơ quan (inferred)")),
        ("except: [on_hold]", "except: [on_hold, agreed]",
         "trigger “hold”, in the states: from checking, agreed to checking"),
    ],
)  # fmt: skip
def test_a_change_anywhere_in_a_definition_is_told_once(taken: str, put: str, said: str) -> None:
    # given a file in which one thing changes
    assert taken in TEXT
    new = load(TEXT.replace(taken, put, 1), name="new.yaml")

    # when the two are compared
    told = differences(OLD, new)

    # then that is told, in both languages, and nothing else
    assert [one.en for one in told] == [f"Changed {said}"]
    assert told[0].vi.startswith("Đổi ")
    assert len(differences(new, OLD)) == 1


def test_a_change_of_an_example_alone_is_told_as_what_no_case_notices() -> None:
    # given a file of which only one of its own tests changes
    new = load(TEXT.replace("share_vnd: 5, parent", "share_vnd: 6, parent", 1), name="new.yaml")
    assert new.hash != OLD.hash

    # when the two are compared
    told = differences(OLD, new)

    # then one sentence says so
    assert [one.vi for one in told] == ["Chỉ đổi những gì hồ sơ không thấy: thứ tự, hoặc tests của tệp"]
