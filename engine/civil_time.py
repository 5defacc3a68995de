"""Instants and civil days: Vietnam keeps UTC+7 all year, so both are one addition apart.

The zone data has had UTC+7 without summer time since 13 June 1975 and +8 for some years before. A
fixed offset is therefore exact from 1976 on, needs no zone data on the machine (Windows and small
containers have none) and can't change under a running store; an earlier instant is refused, not guessed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.errors import Refused, Words

if TYPE_CHECKING:
    from engine.working_calendar import WorkingCalendar

_AHEAD = timedelta(hours=7)
_AHEAD_MICROS = _AHEAD // timedelta(microseconds=1)
_DAY_MICROS = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1976, 9998
_REMINDER_HOUR = time(8)


class InstantRefused(Refused):
    """A time has no zone, or lies before 1976. Nothing was changed."""

    code = "instant_refused"
    words = Words(
        "Thời điểm {instant} không dùng được. Hãy ghi múi giờ, và chọn năm từ 1976 đến 9998.",
        "The time {instant} can't be used. Give its time zone, and a year from 1976 to 9998.",
    )


def civil_day(instant: datetime) -> date:
    """Return the day in Vietnam at `instant`.

    Errors:
        InstantRefused: `instant` has no zone, or the day lies before 1976 or after 9998.
    """
    # A year more on both sides than is taken, so that the sum can't leave the years that a datetime knows.
    if instant.tzinfo is None or not _FIRST_YEAR - 1 <= instant.year <= _LAST_YEAR:
        raise InstantRefused(instant=instant.isoformat())
    day = (instant.astimezone(UTC) + _AHEAD).date()
    if day.year < _FIRST_YEAR:
        raise InstantRefused(instant=instant.isoformat())
    return day


def day_at(micros: int) -> date:
    """Return the day in Vietnam at an instant of the store.

    Units: µs since 1970 UTC.
    """
    return date.fromordinal(_EPOCH + (micros + _AHEAD_MICROS) // _DAY_MICROS)


def micros_of(instant: datetime) -> int:
    """Return an aware instant in µs since 1970 UTC, as the store keeps it."""
    return (instant - _START) // _MICRO


def instant_of(day: date, hour: time = time(0)) -> datetime:
    """Return the instant, in UTC, of an hour of a day in Vietnam; without an hour, of its beginning.

    Errors:
        InstantRefused: `day` lies before 1976 or after 9998.
    """
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InstantRefused(instant=day.isoformat())
    return datetime.combine(day, hour, UTC) - _AHEAD


def late_from(due_on: date) -> datetime:
    """Return the first instant at which what is due on `due_on` is late: 00:00 of the next day in Vietnam.

    Units: UTC, so always 17:00 of `due_on`.

    Source:
        Bộ luật Dân sự 91/2015/QH13, Điều 148 (read): a period ends at the end of its last day.
    """
    return instant_of(due_on + timedelta(days=1))


def rung_day(distance: int, unit: str, due_on: date, calendar: WorkingCalendar) -> date:
    """Return the day a rung names, be it worked or not.

    Shapes:
        distance: units before (negative) or after (positive) the due date; unit: `wd` for working days, `d` for
            calendar days.

    Errors:
        CalendarMissing: the day lies outside the calendar's years.
    """
    if unit == "wd":
        return calendar.add_working_days(due_on, distance)
    return due_on + timedelta(days=distance)


def reminder_at(day: date, before: bool, calendar: WorkingCalendar) -> datetime:
    """Return when a reminder for `day` leaves: at 08:00 in Vietnam of a working day.

    On a day off, what warns (`before`: not later than the due date) leaves on the last working day
    before, while something can still be done; what reports lateness leaves on the next working day.

    Errors:
        CalendarMissing: the day lies outside the calendar's years.
    """
    leaves = calendar.working_on_or_before(day) if before else calendar.working_on_or_after(day)
    return instant_of(leaves, _REMINDER_HOUR)


@lru_cache(maxsize=4096)
def rung_at(distance: int, unit: str, due_on: date, calendar: WorkingCalendar) -> int:
    """Return when a rung leaves; a rung on the due date itself still warns. Kept, because many cases ask alike.

    Shapes: as for `rung_day`.
    Units: µs since 1970 UTC.

    Errors:
        CalendarMissing: the day lies outside the calendar's years.
    """
    return micros_of(reminder_at(rung_day(distance, unit, due_on, calendar), distance <= 0, calendar))


def words_left(today: date, due_on: date, calendar: WorkingCalendar, language: str = "vi") -> str:
    """Return how much time is left, as people say it: "còn 3 ngày làm việc", "hạn hôm nay".

    Where only days off lie between, calendar days are said instead, because "0 working days" would say
    nothing.

    Errors:
        CalendarMissing: one of the days lies outside the calendar's years.
    """
    if today == due_on:
        return _TODAY.text(language)
    count = calendar.working_days_between(today, due_on)
    late = today > due_on
    shown = abs(count or (due_on - today).days)
    table = _SINGULAR if shown == 1 else _PLURAL
    return table[late, count != 0].fill(language, n=shown)


_TODAY = Words("hạn hôm nay", "due today")
#: (late, in working days) -> words.
_PLURAL = {
    (False, True): Words("còn {n} ngày làm việc", "{n} working days left"),
    (False, False): Words("còn {n} ngày, đều là ngày nghỉ", "{n} days left, all of them off"),
    (True, True): Words("quá hạn {n} ngày làm việc", "{n} working days late"),
    (True, False): Words("quá hạn {n} ngày (ngày nghỉ)", "{n} days late (days off)"),
}
_SINGULAR = {
    (False, True): Words("còn {n} ngày làm việc", "{n} working day left"),
    (False, False): Words("còn {n} ngày, là ngày nghỉ", "{n} day left, a day off"),
    (True, True): Words("quá hạn {n} ngày làm việc", "{n} working day late"),
    (True, False): Words("quá hạn {n} ngày (ngày nghỉ)", "{n} day late (a day off)"),
}
