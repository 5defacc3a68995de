"""Which days are worked: computed once from the year files, then answered by index.

A calendar covers whole years without a gap. A day outside them is refused: Tết, its leave and the swapped
Saturdays are decided year by year, so a year without a file can't be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from engine import canonical
from engine.errors import Refused, Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Status = Literal["law", "announced", "proposed"]
#: `note` changes nothing: it says what may come. `local_off` and `local_work` belong to an
# organisation's overlay.
EntryKind = Literal[
    "holiday", "compensatory", "swapped_off", "swapped_work", "note", "local_off", "local_work"
]  # fmt: skip
DayKind = EntryKind | Literal["working", "weekend"]

_WORKED: frozenset[str] = frozenset({"swapped_work", "local_work"})
_SATURDAY = 5
_WEEKEND = {5: Words("Thứ Bảy", "Saturday"), 6: Words("Chủ nhật", "Sunday")}
_WORKING_DAY = Words("Ngày làm việc", "Working day")


class CalendarMissing(Refused):
    """A day was asked for in a year that has no file. Nothing was changed."""

    code = "calendar_missing"
    words = Words(
        "Chưa có lịch làm việc của năm {year} (đang có {first}–{last}). "
        "Hãy thêm tệp lịch {year}.yaml, hoặc chọn ngày trong các năm đã có lịch.",
        "There is no working calendar of the year {year} (known: {first}–{last}). "
        "Add the calendar file {year}.yaml, or choose a day of a known year.",
    )


@dataclass(frozen=True, slots=True)
class CalendarSource:
    """Why a day is off or worked.

    Shapes:
        text: the act and article, or the announcement, as people cite it.
        verified: whether its text was compared with the gazette; False is shown as "chưa đối chiếu".
    """

    status: Status
    text: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One entry of a year file or of an overlay.

    Shapes:
        partner: of a swapped day, its other half; of a compensatory day, the holiday that fell on a weekend.
    """

    day: date
    kind: EntryKind
    title: Words
    source: CalendarSource
    partner: date | None = None


@dataclass(frozen=True, slots=True)
class DayNote:
    """What a day is, and who says so. A plain working day has no source."""

    kind: DayKind
    title: Words
    status: Status | Literal[""] = ""
    source: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WorkingCalendar:
    """The working days of some whole years. Immutable; made by `build` or by `overlaid`.

    Shapes:
        first_ordinal: `date.toordinal()` of 1 January of the first year; the indexes below count from it.
        worked: one byte a day, 1 for a working day.
        rank: working days up to and with each day.
        workdays: every working day, in order.
        unsure: proposed entries up to and with each day.
        entries: the days that are not plain.
        digest: SHA-256 over years and entries; two calendars that answer alike in all have the same.

    Errors:
        CalendarMissing: from every method that is given, or would answer, a day outside the years.
    """

    first_ordinal: int
    worked: bytes
    rank: tuple[int, ...]
    workdays: tuple[date, ...]
    unsure: tuple[int, ...]
    entries: Mapping[date, CalendarDay]
    weekend: CalendarSource
    digest: str

    @classmethod
    def build(cls, years: range, days: Iterable[CalendarDay], weekend: CalendarSource) -> WorkingCalendar:
        """Return the calendar of `years`; of two entries for a day the later one counts."""
        first, last = date(years.start, 1, 1).toordinal(), date(years.stop, 1, 1).toordinal()
        entries = {entry.day: entry for entry in days if entry.day.year in years}
        worked = bytes(_is_worked(entries.get(day), day) for day in map(date.fromordinal, range(first, last)))
        proposed = {entry.day.toordinal() for entry in entries.values() if entry.source.status == "proposed"}
        return cls(
            first_ordinal=first,
            worked=worked,
            rank=tuple(accumulate(worked)),
            workdays=tuple(date.fromordinal(first + index) for index, is_on in enumerate(worked) if is_on),
            unsure=tuple(accumulate(int(ordinal in proposed) for ordinal in range(first, last))),
            entries=MappingProxyType(entries),
            weekend=weekend,
            digest=_digest(years, entries),
        )

    @property
    def years(self) -> range:
        """The years covered."""
        first = date.fromordinal(self.first_ordinal).year
        return range(first, date.fromordinal(self.first_ordinal + len(self.worked) - 1).year + 1)

    def overlaid(self, extra: Iterable[CalendarDay]) -> WorkingCalendar:
        """Return a calendar of the same years in which `extra` counts before our entries."""
        added = list(extra)
        for entry in added:
            self.index(entry.day)
        return WorkingCalendar.build(self.years, [*self.entries.values(), *added], self.weekend)

    def index(self, day: date) -> int:
        """Return the index of `day` in `worked`, `rank` and `unsure`."""
        index = day.toordinal() - self.first_ordinal
        if 0 <= index < len(self.worked):
            return index
        raise self.missing(day.year)

    def missing(self, year: int) -> CalendarMissing:
        """Return the error for a year that is not covered."""
        return CalendarMissing(year=year, first=self.years.start, last=self.years.stop - 1)

    def is_working(self, day: date) -> bool:
        """Return whether `day` is worked."""
        return self.worked[self.index(day)] == 1

    def next_working(self, day: date) -> date:
        """Return the first working day after `day`."""
        return self.add_working_days(day, 1)

    def last_working_before(self, day: date) -> date:
        """Return the last working day before `day`."""
        return self.add_working_days(day, -1)

    def working_on_or_after(self, day: date) -> date:
        """Return `day` if it is worked, else the next working day."""
        return day if self.is_working(day) else self.add_working_days(day, 1)

    def working_on_or_before(self, day: date) -> date:
        """Return `day` if it is worked, else the last working day before it."""
        return day if self.is_working(day) else self.add_working_days(day, -1)

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`, or before it when negative; `day` itself when 0."""
        index = self.index(day)
        if count > 0:
            place = self.rank[index] + count - 1
            if place >= len(self.workdays):
                raise self.missing(self.years.stop)
        elif count < 0:
            place = self.rank[index] - self.worked[index] + count
            if place < 0:
                raise self.missing(self.years.start - 1)
        else:
            return day
        return self.workdays[place]

    def working_days_between(self, start: date, end: date) -> int:
        """Return the working days after `start` up to and with `end`; negative when `end` comes first."""
        return self.rank[self.index(end)] - self.rank[self.index(start)]

    def is_provisional(self, start: date, end: date) -> bool:
        """Return whether a day from `start` to `end`, both included, rests on a proposed entry."""
        begin = self.index(start)
        return self.unsure[self.index(end)] > (self.unsure[begin - 1] if begin else 0)

    def why(self, day: date) -> DayNote:
        """Return what `day` is, and who says so."""
        is_on = self.is_working(day)
        entry = self.entries.get(day)
        if entry is not None:
            source = entry.source
            return DayNote(entry.kind, entry.title, source.status, source.text, source.verified)
        if is_on:
            return DayNote("working", _WORKING_DAY)
        title = _WEEKEND[day.weekday()]
        return DayNote("weekend", title, self.weekend.status, self.weekend.text, self.weekend.verified)


def _is_worked(entry: CalendarDay | None, day: date) -> bool:
    if entry is None or entry.kind == "note":
        return day.weekday() < _SATURDAY
    return entry.kind in _WORKED


def _digest(years: range, entries: Mapping[date, CalendarDay]) -> str:
    rows = [
        [
            day.isoformat(),
            entry.kind,
            entry.partner.isoformat() if entry.partner else None,
            [entry.title.vi, entry.title.en],
            [entry.source.status, entry.source.text, entry.source.verified],
        ]
        for day, entry in sorted(entries.items())
    ]
    return canonical.digest(canonical.write(canonical.check([years.start, years.stop, rows])))
