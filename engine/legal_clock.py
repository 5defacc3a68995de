"""By when something is due, and why: the rules of a deadline, and the one walk that counts them out.

A rule is data (`Within`, `FixedDate`, …). `due` and `explain` both take what one walk over the days
(`engine/day_count.py`) yields: `explain` puts each day into words, `due` keeps the last. There is no
second computation. Nothing in here reads a clock or a file.

Days are civil days in Vietnam. What is due on a day is late from 00:00 of the next.

Source:
    Bộ luật Dân sự 91/2015/QH13, Điều 145–148 (read), used by analogy: the acts on khuyến công say
    nothing about counting (inferred). The decisions taken where those articles are silent stand in
    `docs/time.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.civil_time import civil_day, instant_of, late_from, reminder_at, words_left
from engine.day_count import Step, Verdict, walk
from engine.deadline_rules import (
    DeadlineRule,
    DeadlineRuleRefused,
    Edge,
    FixedDate,
    Monthly,
    OnField,
    Pause,
    Unit,
    Within,
    WorkingDaysBefore,
)
from engine.errors import LANGUAGES, Words

if TYPE_CHECKING:
    from engine.working_calendar import WorkingCalendar

__all__ = [
    "CountRow",
    "DeadlineRule",
    "DeadlineRuleRefused",
    "Due",
    "Edge",
    "FixedDate",
    "Monthly",
    "OnField",
    "Pause",
    "Unit",
    "Within",
    "WorkingDaysBefore",
    "civil_day",
    "due",
    "explain",
    "instant_of",
    "late_from",
    "month_of",
    "reminder_at",
    "words_left",
]


@dataclass(frozen=True, slots=True)
class Due:
    """When a deadline ends.

    Shapes:
        due_on: the last day in time; None while a pause stops the period, or while the field is empty.
        warn_on: `due_on` if that is a working day, else the last working day before it.
        left: counted days still missing when a pause stopped the period; else 0.
        provisional: a day between start and end rests on a calendar entry that is only proposed: a later
            announcement may move the date.
    """

    due_on: date | None
    warn_on: date | None
    left: int = 0
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class CountRow:
    """One day of the counting.

    Shapes:
        number: how many days are counted with this one; None for a day that is not counted, and in
            rules that count nothing.
        source, status: of the calendar entry or the article behind `why`; status is "law", "announced",
            "proposed", or "" where none is needed.
    """

    day: date
    counted: bool
    number: int | None
    why: Words
    source: str = ""
    status: str = ""


def due(
    rule: DeadlineRule,
    *,
    start: date,
    plan_year: int,
    calendar: WorkingCalendar,
    pauses: tuple[Pause, ...] = (),
    extended_to: date | None = None,
    field_value: date | None = None,
) -> Due:
    """Return by when `rule` is due.

    Shapes:
        start: the day of the event that starts a period (not counted), or after which the next month's end is
            looked for; the other rules do not look at it.
        pauses: in any order, may touch or overlap; only periods look at them.
        extended_to: the day an extension was granted to. It replaces the end as it stands, on a day off too.
        field_value: for `OnField`.

    Errors:
        CalendarMissing: a day of the counting, the end or the warning lies outside the calendar's years.
    """
    return _counted(rule, start, plan_year, calendar, pauses, extended_to, field_value)


@lru_cache(maxsize=4096)
def _counted(
    rule: DeadlineRule,
    start: date,
    plan_year: int,
    calendar: WorkingCalendar,
    pauses: tuple[Pause, ...],
    extended_to: date | None,
    field_value: date | None,
) -> Due:
    """Count once: many cases enter the same state on the same day, and neither rules nor calendars ever change."""
    steps = walk(
        rule,
        start=start,
        plan_year=plan_year,
        calendar=calendar,
        pauses=pauses,
        extended_to=extended_to,
        field_value=field_value,
    )
    first = last = next(steps, None)
    if first is None or last is None:
        return Due(None, None)
    for last in steps:  # noqa: B007  (only the last one counts)
        pass
    ordinal, verdict, number = last
    if verdict is Verdict.STOPPED:
        return Due(None, None, left=rule.amount - number if isinstance(rule, Within) else 0)
    due_on = date.fromordinal(ordinal)
    warn_on = calendar.working_on_or_before(due_on)
    looked_at = warn_on if verdict is Verdict.EXTENDED else date.fromordinal(first[0])
    return Due(due_on, warn_on, 0, calendar.is_provisional(min(warn_on, looked_at), max(due_on, looked_at)))


def explain(
    rule: DeadlineRule,
    *,
    start: date,
    plan_year: int,
    calendar: WorkingCalendar,
    pauses: tuple[Pause, ...] = (),
    extended_to: date | None = None,
    field_value: date | None = None,
) -> tuple[CountRow, ...]:
    """Return the days from which `due` is taken, in the order of counting; the last one is the due date.

    A period that a pause has stopped ends with the row of that pause, and has no due date; so has an
    empty date field, without a row. Arguments and errors are those of `due`.
    """
    steps = walk(
        rule,
        start=start,
        plan_year=plan_year,
        calendar=calendar,
        pauses=pauses,
        extended_to=extended_to,
        field_value=field_value,
    )
    return tuple(_row(step, calendar, rule) for step in steps)


def month_of(rule: Monthly, due_on: date) -> str:
    """Return the month ("2026-11") that a due date of `rule` belongs to.

    "Before day 1" of December is due on 30 November and belongs to "2026-12".
    """
    named = due_on if rule.kind == "by" or rule.day > 1 else due_on + timedelta(days=1)
    return f"{named:%Y-%m}"


_CIVIL_CODE = "Bộ luật Dân sự 91/2015/QH13, {}"
_FIRST_DAY = _CIVIL_CODE.format("Điều 147 (áp dụng tương tự)")
_LAST_DAY = _CIVIL_CODE.format("Điều 148 khoản 5 (áp dụng tương tự)")

#: Verdict -> words and source. `{n}` days counted, `{title}` of the day, `{unit}` of the rule.
_WHY: dict[Verdict, tuple[Words, str]] = {
    Verdict.START: (Words("Ngày bắt đầu, không tính", "The start day, not counted"), _FIRST_DAY),
    Verdict.COUNTED: (Words("Ngày thứ {n}", "Day {n}"), ""),
    Verdict.DAY_OFF: (Words("{title}: ngày nghỉ, không tính", "{title}: a day off, not counted"), ""),
    Verdict.PAUSED: (Words("Đang tạm dừng, không tính", "Paused, not counted"), _FIRST_DAY),
    Verdict.STOPPED: (
        Words("Tạm dừng từ ngày này; đã tính {n} ngày", "Paused from this day on; {n} days counted"),
        _FIRST_DAY,
    ),
    Verdict.MOVED: (
        Words(
            "Ngày cuối rơi vào ngày nghỉ hoặc lúc tạm dừng: hạn là ngày làm việc tiếp theo",
            "The last day was a day off or paused: due on the next working day",
        ),
        _LAST_DAY,
    ),
    Verdict.NAMED: (Words("Mốc nêu trong quy định, không tính", "The day the rule names, not counted"), ""),
    Verdict.END: (Words("Ngày cuối của hạn", "The last day in time"), ""),
    Verdict.EXTENDED: (Words("Được gia hạn đến hết ngày này", "Extended to the end of this day"), ""),
}
_COUNTED_WORKING_DAY = Words("Ngày làm việc thứ {n}", "Working day {n}")
_ON_A_DAY_OFF = Words(
    "{why} ({title}: ngày nghỉ; hạn cố định không tự dời, hãy làm xong trước đó)",
    "{why} ({title}: a day off; a fixed date does not move, so be done before)",
)
_ON_A_SPECIAL_DAY = Words("{why} ({title})", "{why} ({title})")


def _row(step: Step, calendar: WorkingCalendar, rule: DeadlineRule) -> CountRow:
    """Put one step of the walk into words."""
    ordinal, verdict, number = step
    day = date.fromordinal(ordinal)
    note = calendar.why(day)
    why, source = _WHY[verdict]
    counted = verdict is Verdict.COUNTED
    if counted and (isinstance(rule, WorkingDaysBefore) or (isinstance(rule, Within) and rule.unit == "wd")):
        why = _COUNTED_WORKING_DAY
    frame = None
    if verdict in {Verdict.END, Verdict.EXTENDED} and not calendar.is_working(day):
        frame = _ON_A_DAY_OFF
    elif verdict is not Verdict.DAY_OFF and note.kind != "working":
        frame = _ON_A_SPECIAL_DAY
    said = [why.fill(language, n=number, title=note.title.text(language)) for language in LANGUAGES]
    if frame:
        said = [
            frame.fill(language, why=words, title=note.title.text(language))
            for language, words in zip(LANGUAGES, said, strict=True)
        ]
    return CountRow(
        day, counted, number if counted else None, Words(*said), source or note.source, note.status
    )
