from __future__ import annotations

import pickle
import timeit
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar_files import CalendarRefused, read_calendar
from engine.errors import Refused, Words
from engine.working_calendar import CalendarDay, CalendarMissing, CalendarSource, WorkingCalendar
from tests.properties import tries
from tests.shipped import CALENDAR, CALENDARS

OURS = CalendarSource("announced", "Quyết định của Sở (dữ liệu thử, invented)")
DAYS = st.dates(date(2014, 3, 1), date(2028, 10, 1))

HEAD = """\
calendar: 2026
sources:
  weekend: {status: law, verified: false, text: tuần làm việc 40 giờ}
  law: {status: law, verified: true, text: điều luật}
days:
"""
SWAP = """\
  - {day: 2026-01-02, kind: swapped_off, with: 2026-01-10, source: law, title: {vi: nghỉ, en: off}}
  - {day: 2026-01-10, kind: swapped_work, with: 2026-01-02, source: law, title: {vi: làm, en: work}}
"""


def test_the_shipped_calendar_covers_2014_to_2028() -> None:
    assert CALENDAR.years == range(2014, 2029)
    assert len(CALENDAR.worked) == 5479


@pytest.mark.parametrize(
    ("day", "worked", "kind"),
    [
        (date(2026, 1, 2), False, "swapped_off"),
        (date(2026, 1, 10), True, "swapped_work"),
        (date(2026, 2, 13), True, "working"),
        (date(2026, 2, 14), False, "weekend"),
        (date(2026, 2, 16), False, "holiday"),
        (date(2026, 2, 20), False, "holiday"),
        (date(2026, 2, 23), True, "working"),
        (date(2026, 4, 26), False, "holiday"),
        (date(2026, 4, 27), False, "compensatory"),
        (date(2026, 8, 22), True, "swapped_work"),
        (date(2026, 8, 31), False, "swapped_off"),
        (date(2026, 11, 24), True, "note"),
        (date(2018, 12, 31), False, "swapped_off"),
        (date(2019, 1, 5), True, "swapped_work"),
        (date(2020, 9, 3), True, "working"),
        (date(2021, 9, 3), False, "holiday"),
    ],
)
def test_days_are_what_the_year_files_say(day: date, worked: bool, kind: str) -> None:
    # when
    note = CALENDAR.why(day)

    # then
    assert CALENDAR.is_working(day) is worked
    assert note.kind == kind
    assert (note.source == "") is (kind == "working")


def test_every_entry_has_a_source_and_none_claims_to_have_been_compared() -> None:
    for entry in CALENDAR.entries.values():
        assert entry.source.text
        assert not entry.source.verified
        assert entry.title.vi != entry.title.en


def test_what_no_act_or_announcement_fixes_is_shown_as_proposed() -> None:
    # when
    proposed = [day for day, entry in sorted(CALENDAR.entries.items()) if entry.source.status == "proposed"]

    # then
    assert proposed == [
        date(2026, 11, 24),
        date(2027, 2, 4), date(2027, 2, 9), date(2027, 2, 10), date(2027, 9, 3), date(2027, 11, 24),
        date(2028, 1, 24), date(2028, 9, 1), date(2028, 11, 24),
    ]  # fmt: skip


def test_every_year_has_its_days_of_law_and_every_holiday_on_a_weekend_is_made_good() -> None:
    for year in CALENDAR.years:
        # when
        entries = [entry for day, entry in CALENDAR.entries.items() if day.year == year]
        holidays = [entry.day for entry in entries if entry.kind == "holiday"]
        on_weekends = {day for day in holidays if day.weekday() >= 5}
        made_good = [entry.partner for entry in entries if entry.kind == "compensatory"]

        # then
        assert len(holidays) == (10 if year < 2021 else 11), year
        assert sorted(on_weekends) == sorted(day for day in made_good if day), year
        assert len(made_good) == len(on_weekends), year


def test_each_swap_keeps_the_number_of_working_days() -> None:
    # when
    off = {entry.day: entry.partner for entry in CALENDAR.entries.values() if entry.kind == "swapped_off"}
    work = {entry.partner: entry.day for entry in CALENDAR.entries.values() if entry.kind == "swapped_work"}

    # then
    assert off == work
    assert len(off) == 13


@given(DAYS, st.integers(-400, 400))
@tries(25)
def test_adding_working_days_is_what_a_day_by_day_count_finds(day: date, count: int) -> None:
    # given
    step = timedelta(days=1 if count > 0 else -1)
    naive, left = day, abs(count)
    if not date(2016, 1, 1) <= day <= date(2026, 6, 1):
        left = left % 20
    wanted = left if count > 0 else -left

    # when
    while left:
        naive += step
        left -= CALENDAR.is_working(naive)

    # then
    assert CALENDAR.add_working_days(day, wanted) == naive


@given(DAYS, DAYS)
@tries(25)
def test_days_between_is_the_other_way_round(one: date, other: date) -> None:
    # when
    count = CALENDAR.working_days_between(one, other)

    # then
    assert CALENDAR.working_days_between(other, one) == -count
    if count > 0 and CALENDAR.is_working(other):
        assert CALENDAR.add_working_days(one, count) == other


@given(DAYS)
@tries(25)
def test_the_neighbours_of_a_day_are_worked_and_nearest(day: date) -> None:
    # when
    after, before = CALENDAR.next_working(day), CALENDAR.last_working_before(day)

    # then
    assert before < day < after
    assert CALENDAR.is_working(after)
    assert CALENDAR.is_working(before)
    assert CALENDAR.working_days_between(before, after) == 1 + CALENDAR.is_working(day)
    assert CALENDAR.working_on_or_after(day) == (day if CALENDAR.is_working(day) else after)
    assert CALENDAR.working_on_or_before(day) == (day if CALENDAR.is_working(day) else before)


@pytest.mark.parametrize(
    ("day", "count", "year"),
    [
        (date(2029, 1, 1), 1, 2029),
        (date(2013, 12, 31), 1, 2013),
        (date(2028, 12, 29), 1, 2029),
        (date(2028, 12, 1), 300, 2029),
        (date(2014, 1, 1), -1, 2013),
        (date(2014, 1, 10), -30, 2013),
    ],
)
def test_a_year_without_a_file_is_refused_and_not_guessed(day: date, count: int, year: int) -> None:
    # when
    with pytest.raises(CalendarMissing) as caught:
        CALENDAR.add_working_days(day, count)

    # then
    assert caught.value.facts == {"year": year, "first": 2014, "last": 2028}
    assert f"{year}.yaml" in caught.value.sentence("vi")
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), Refused)  # noqa: S301  (our own bytes)


def test_an_overlay_of_an_organisation_counts_before_the_common_days() -> None:
    # given
    saturday, founding_day = date(2026, 3, 7), date(2026, 3, 9)
    title = Words("Ngày riêng", "Own day")

    # when
    own = CALENDAR.overlaid(
        [
            CalendarDay(saturday, "local_work", title, OURS),
            CalendarDay(founding_day, "local_off", title, OURS),
        ]
    )

    # then
    assert own.is_working(saturday)
    assert not own.is_working(founding_day)
    assert own.next_working(date(2026, 3, 6)) == saturday
    assert own.why(founding_day).source == OURS.text
    assert CALENDAR.next_working(date(2026, 3, 6)) == founding_day
    assert own.digest != CALENDAR.digest


def test_an_overlay_outside_the_known_years_is_refused() -> None:
    with pytest.raises(CalendarMissing):
        CALENDAR.overlaid([CalendarDay(date(2031, 1, 2), "local_off", Words("x", "y"), OURS)])


def test_the_digest_is_of_the_content_and_not_of_the_layout() -> None:
    # given
    text = HEAD + SWAP

    # when
    one = read_calendar({"2026.yaml": text})
    same = read_calendar({"2026.yaml": "# lời\n" + text.replace("days:\n", "days:\n\n")})
    other = read_calendar({"2026.yaml": text.replace("điều luật", "điều luật khác")})

    # then
    assert one.digest == same.digest
    assert one.digest != other.digest


def entry(start: str, rest: str = "source: law, title: {vi: x, en: x}") -> str:
    return f"  - {{{start}, {rest}}}\n"


@pytest.mark.parametrize(
    ("days", "line", "says"),
    [
        (entry("day: 2026-02-30, kind: holiday"), 6, "no day “2026-02-30”"),
        (entry("day: 30/4/2026, kind: holiday"), 6, "no day “30/4/2026”"),
        (entry("day: 2025-04-30, kind: holiday"), 6, "not in 2026"),
        (entry("day: 2026-04-30, kind: holyday"), 6, "did you mean “holiday”"),
        (entry("day: 2026-04-30, kind: holiday", "source: lav, title: {vi: x, en: x}"), 6, "mean “law”"),
        (entry("day: 2026-04-30, kind: holiday", "source: law"), 6, "“title” is missing"),
        (entry("day: 2026-04-30, kinds: holiday"), 6, "did you mean “kind”"),
        (entry("day: 2026-04-30, kind: holiday", "source: law, title: {vi: x}"), 6, "“en” is missing"),
        (entry("day: 2026-04-30, kind: holiday", "source: law, title: {vi: x, en: ''}"), 6, "“en” must"),
        ("  - 2026-04-30\n", 6, "the keys day, kind, source, title are wanted"),
        (SWAP + SWAP, 8, "was written before"),
        (SWAP.splitlines()[0] + "\n", 6, "2026-01-10 must be written as “swapped_work”"),
        (SWAP.replace("with: 2026-01-02", "with: 2026-01-05"), 6, "name 2026-01-02"),
        (SWAP.replace("with: 2026-01-10, ", ""), 6, "names the other day"),
        (entry("day: 2026-01-03, kind: compensatory, with: 2026-01-01"), 6, "off"),
        (entry("day: 2026-01-05, kind: compensatory, with: 2026-01-04"), 6,
         "must be written as “holiday”"),
        (entry("day: 2026-01-05, kind: swapped_work, with: 2026-01-06"), 6,
         "worked anyway"),
        (entry("day: 2026-01-05, kind: note, with: 2026-01-06"), 6, "“with”"),
    ],
)  # fmt: skip
def test_a_year_file_that_cannot_be_is_refused_at_its_line(days: str, line: int, says: str) -> None:
    # when
    with pytest.raises(CalendarRefused) as caught:
        read_calendar({"2026.yaml": HEAD + days})

    # then
    assert (caught.value.facts["file"], caught.value.facts["line"]) == ("2026.yaml", line)
    assert says in caught.value.sentence("en")
    assert "Hãy sửa tệp lịch" in caught.value.sentence("vi")


def test_a_file_under_another_year_a_gap_and_no_file_are_refused() -> None:
    # given
    shipped = {path.name: path.read_bytes() for path in CALENDARS.glob("*.yaml")}
    with_gap = {name: text for name, text in shipped.items() if name != "2020.yaml"}

    # then
    with pytest.raises(CalendarRefused, match=r"name 2026\.yaml"):
        read_calendar({"2027.yaml": HEAD + SWAP})
    with pytest.raises(CalendarRefused, match="the calendar of 2020"):
        read_calendar(with_gap)
    with pytest.raises(CalendarRefused, match="no calendar file"):
        read_calendar({})
    with pytest.raises(CalendarRefused, match="source “weekend”"):
        read_calendar({"2026.yaml": "calendar: 2026\nsources: {}\ndays: []\n"})
    with pytest.raises(CalendarRefused, match="the year must be"):
        read_calendar({"x.yaml": "calendar: next\nsources: {}\ndays: []\n"})


def test_a_calendar_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        CALENDAR.worked = b""  # type: ignore[misc]
    with pytest.raises(TypeError):
        CALENDAR.entries[date(2026, 1, 1)] = CALENDAR.entries[date(2026, 1, 2)]  # type: ignore[index]


def test_adding_working_days_takes_microseconds() -> None:
    # given
    day = date(2026, 2, 10)

    # when
    best = min(timeit.repeat(lambda: CALENDAR.add_working_days(day, 15), number=2000, repeat=5)) / 2000

    # then
    print(f"{best * 1e6:.2f} µs")
    assert best < 2e-6


def test_the_calendar_is_one_object_whatever_the_order_of_the_files() -> None:
    # given
    files = {path.name: path.read_bytes() for path in sorted(CALENDARS.glob("*.yaml"), reverse=True)}

    # when
    again: WorkingCalendar = read_calendar(files)

    # then
    assert again.digest == CALENDAR.digest
