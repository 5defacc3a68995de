"""The one walk that counts out a deadline, day after day. What it yields last is the due date.

Days are ordinals (`date.toordinal()`) and verdicts are words for code: the walk runs for every
deadline that is set, so putting days into words is left to whoever asks why.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from engine.deadline_rules import FixedDate, Monthly, OnField, Within, WorkingDaysBefore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.deadline_rules import DeadlineRule, Edge, Pause
    from engine.working_calendar import WorkingCalendar

DECEMBER = 12
#: An index after every day of every calendar.
_ENDLESS = 10_000_000


class Verdict(Enum):
    """What the walk decided about a day."""

    START = "start"
    COUNTED = "counted"
    DAY_OFF = "day off"
    PAUSED = "paused"
    STOPPED = "stopped"
    MOVED = "moved"
    NAMED = "named"
    END = "end"
    EXTENDED = "extended"


#: Ordinal of the day, verdict, days counted so far.
Step = tuple[int, Verdict, int]


def walk(
    rule: DeadlineRule,
    *,
    start: date,
    plan_year: int,
    calendar: WorkingCalendar,
    pauses: tuple[Pause, ...],
    extended_to: date | None,
    field_value: date | None,
) -> Iterator[Step]:
    """Yield day after day until the due date, which is the last. Nothing else computes due dates."""
    match rule:
        case Within():
            yield from _period(rule, start, calendar, pauses)
        case FixedDate():
            yield from _fixed(rule, plan_year)
        case Monthly():
            yield from _month_end(rule, start)
        case WorkingDaysBefore():
            yield from _backwards(rule, plan_year, calendar)
        case OnField():
            if field_value is not None:
                yield field_value.toordinal(), Verdict.END, 0
        case _:
            assert_never(rule)
    if extended_to is not None:
        yield extended_to.toordinal(), Verdict.EXTENDED, 0


def _period(
    rule: Within, start: date, calendar: WorkingCalendar, pauses: tuple[Pause, ...]
) -> Iterator[Step]:
    first, worked, length = calendar.first_ordinal, calendar.worked, len(calendar.worked)
    index, amount, skips_days_off = calendar.index(start), rule.amount, rule.unit == "wd"
    spans = _spans(pauses, first)
    pause_from, pause_to = spans.pop()
    number = 0
    yield index + first, Verdict.START, 0
    # After the last counted day the walk goes on only while that day, or the next, is no day to act on.
    while True:
        index += 1
        if index >= length:
            raise calendar.missing(calendar.years.stop)
        while index > pause_to:
            pause_from, pause_to = spans.pop()
        if index >= pause_from:
            if pause_to == _ENDLESS:
                yield index + first, Verdict.STOPPED, number
                return
            yield index + first, Verdict.PAUSED, number
        elif number == amount:
            if worked[index]:
                yield index + first, Verdict.MOVED, number
                return
            yield index + first, Verdict.DAY_OFF, number
        elif skips_days_off and not worked[index]:
            yield index + first, Verdict.DAY_OFF, number
        else:
            number += 1
            yield index + first, Verdict.COUNTED, number
            if number == amount and worked[index]:
                return


def _spans(pauses: tuple[Pause, ...], first: int) -> list[tuple[int, int]]:
    """Return the first and last day index of each pause, to be popped from the end.

    What is popped last is a span that no day reaches.
    """
    spans = [
        (
            pause.from_day.toordinal() + 1 - first,
            _ENDLESS if pause.to_day is None else pause.to_day.toordinal() - first,
        )
        for pause in pauses
    ]
    spans.sort(reverse=True)
    return [(_ENDLESS, _ENDLESS), *spans]


def _fixed(rule: FixedDate, plan_year: int) -> Iterator[Step]:
    yield from _edge(plan_year + rule.year_offset, rule.month, rule.day, rule.kind)


def _edge(year: int, month: int, day: int, kind: Edge) -> Iterator[Step]:
    """Yield the day named, where the month has it, and then the last day in time."""
    length = monthrange(year, month)[1]
    first = date(year, month, 1).toordinal()
    if kind == "by":
        yield first + min(day, length) - 1, Verdict.END, 0
    else:
        # In a month that lacks the named day, the day after its last stands for it.
        named = first + min(day, length + 1) - 1
        yield named, Verdict.NAMED, 0
        yield named - 1, Verdict.END, 0


def _month_end(rule: Monthly, start: date) -> Iterator[Step]:
    """Yield the first end of a month after `start`, which is not counted itself."""
    year, month = start.year, start.month
    while True:
        steps = list(_edge(year, month, rule.day, rule.kind))
        if steps[-1][0] > start.toordinal():
            yield from steps
            return
        year, month = (year + 1, 1) if month == DECEMBER else (year, month + 1)


def _backwards(rule: WorkingDaysBefore, plan_year: int, calendar: WorkingCalendar) -> Iterator[Step]:
    ordinal = 0
    for ordinal, _, _ in _fixed(rule.end, plan_year):
        yield ordinal, Verdict.NAMED, 0
    index, number = calendar.index(date.fromordinal(ordinal)), 0
    while number < rule.amount:
        index -= 1
        if index < 0:
            raise calendar.missing(calendar.years.start - 1)
        number += calendar.worked[index]
        verdict = Verdict.COUNTED if calendar.worked[index] else Verdict.DAY_OFF
        yield index + calendar.first_ordinal, verdict, number
