"""A calendar that changes while cases run."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from engine import recounting
from engine.commands import Edit
from engine.errors import Words
from engine.refusals import NotPermitted
from engine.working_calendar import CalendarDay, CalendarSource
from tests.builders import ADMIN, World, submitted, world

if TYPE_CHECKING:
    from pathlib import Path

WHY = "Nghỉ bù theo thông báo mới"


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def close_the_office(w: World, day: date) -> None:
    source = CalendarSource("announced", "thông báo (invented)")
    off = CalendarDay(day, "local_off", Words("Nghỉ riêng", "Closed"), source)
    w.engine.calendar = w.engine.calendar.overlaid([off])


def test_a_new_day_off_moves_what_is_to_come_with_an_entry_and_new_rungs(w: World) -> None:
    # given an order that is due on Monday the 30th, and its rungs
    order = submitted(w)
    before = w.case(order)
    assert before["due_on"] == "2026-11-30"
    # when Thursday is declared off
    close_the_office(w, date(2026, 11, 26))
    foreseen = recounting.preview(w.engine)
    moved = recounting.recount(w.engine, ADMIN, reason=WHY)
    # then the preview was right, the case says so, and its rungs wait anew
    assert moved == foreseen
    assert [(one.deadline, one.before, one.after) for one in moved] == [
        ("due", date(2026, 11, 30), date(2026, 12, 1))
    ]
    after = w.case(order)
    assert (after["due_on"], after["seq"], after["version"]) == (
        "2026-12-01",
        before["seq"] + 1,
        before["version"],
    )
    assert {timer["generation"] for timer in w.timers(order)} == {2}
    assert w.log(order)[-1]["changes"]["due_on"] == ["2026-11-30", "2026-12-01"]
    w.assert_clean()


def test_counting_again_by_the_same_calendar_writes_nothing(w: World) -> None:
    order = submitted(w)
    before = w.counts()
    assert recounting.recount(w.engine, ADMIN, reason=WHY) == []
    assert w.counts() == before
    assert w.case(order)["due_on"] == "2026-11-30"


def test_what_was_due_already_stays_as_it_was(w: World) -> None:
    # given an order whose day is past
    order = submitted(w)
    w.clock.move(days=10)
    # when a day within its period is declared off afterwards
    close_the_office(w, date(2026, 11, 26))
    # then nothing is made undone
    assert recounting.recount(w.engine, ADMIN, reason=WHY) == []
    assert w.case(order)["due_on"] == "2026-11-30"


def test_only_an_operator_counts_again(w: World) -> None:
    order = submitted(w)
    close_the_office(w, date(2026, 11, 26))
    with pytest.raises(NotPermitted):
        w.do(Edit(principal=w.people["head"], case=order, recount=True))
    assert w.case(order)["due_on"] == "2026-11-30"
