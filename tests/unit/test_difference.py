"""Two versions of a definition, and what lies between them in words."""

from __future__ import annotations

import pytest

from engine.difference import differences
from engine.loader import load
from tests import small_definitions as small

OLD = small.ballot("{of: [office.clerk, office.head], need: all}")


@pytest.mark.parametrize(
    ("taken", "put", "vi", "en"),
    [
        ("by: office.director", "by: office.head",
         "Đổi bước “voting.agree”, ai được làm: từ office.director thành office.head",
         "Changed trigger “voting.agree”, who may do it: from office.director to office.head"),
        ("need: all", "need: 1",
         "Đổi bước “voting.agree”, ý kiến đồng ý: từ 2/2: office.clerk, office.head thành 1/2: office.clerk, office.head",
         "Changed trigger “voting.agree”, approvals: from 2/2: office.clerk, office.head to 1/2: office.clerk, office.head"),
        ("        guards: [{not_same_person_as: [propose]}]\n", "",
         "Đổi bước “voting.agree”, điều kiện đặt sẵn: từ not_same_person_as propose thành không có",
         "Changed trigger “voting.agree”, guards: from not_same_person_as propose to nothing"),
        ("title: {vi: Đã thông qua, en: Agreed}", "title: {vi: Đã đồng ý, en: Agreed}",
         "Đổi trạng thái “agreed”, tên gọi: từ Đã thông qua thành Đã đồng ý",
         "Changed state “agreed”, title: from Đã thông qua to Đã đồng ý"),
        ("    holder: office.director\n", ("    holder: office.director\n    deadline: {within: 5 wd, source: proposed,"
         " ladder: [{at: 0, to: holder}]}\n"),
         "Thêm hạn của “voting.due”", "Added deadline of “voting.due”"),
        ("fields:\n", "fields:\n  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}}\n",
         "Thêm trường “amount_vnd”", "Added field “amount_vnd”"),
    ],
)  # fmt: skip
def test_each_change_is_one_sentence_in_both_languages(taken: str, put: str, vi: str, en: str) -> None:
    # given a file in which one thing changes
    assert taken in OLD
    before, after = load(OLD, name="old.yaml"), load(OLD.replace(taken, put, 1), name="new.yaml")

    # when the two are compared
    said = differences(before, after)

    # then that is said, and nothing else; and what came one way went the other
    assert [(one.vi, one.en) for one in said] == [(vi, en)]
    assert len(differences(after, before)) == 1


def test_a_state_that_comes_with_its_triggers_says_each_thing_once() -> None:
    # given a new state with one trigger
    more = "  shelved:\n    phase: doing\n    title: {vi: Xếp lại, en: Shelved}\n    holder: office.clerk\n    triggers:\n"
    more += "      reopen: {title: {vi: Mở lại, en: Reopen}, to: voting, by: office.clerk}\n"
    shelve = "      shelve: {title: {vi: Xếp lại, en: Shelve}, to: shelved, by: office.clerk}\n      sign:\n"
    text = OLD.replace("      sign:\n", shelve, 1).replace("  signed: {", more + "  signed: {", 1)

    # when
    said = [one.vi for one in differences(load(OLD, name="old.yaml"), load(text, name="new.yaml"))]

    # then
    assert said == ["Thêm bước “agreed.shelve”", "Thêm trạng thái “shelved”", "Thêm bước “shelved.reopen”"]


def test_the_same_content_in_another_layout_is_no_difference() -> None:
    again = "# another remark\n" + OLD.replace("series: BQ\n", "series:   BQ\n")
    assert differences(load(OLD, name="old.yaml"), load(again, name="new.yaml")) == ()
