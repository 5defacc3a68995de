from __future__ import annotations

import timeit
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from engine.civil_time import InstantRefused, day_at, rung_at, rung_day
from engine.legal_clock import (
    DeadlineRule,
    DeadlineRuleRefused,
    Due,
    FixedDate,
    Monthly,
    OnField,
    Pause,
    Within,
    WorkingDaysBefore,
    civil_day,
    due,
    explain,
    instant_of,
    late_from,
    month_of,
    reminder_at,
    words_left,
)
from engine.working_calendar import CalendarMissing
from tests.shipped import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Callable

ADJUSTMENT_ENDS = FixedDate(1, 31, 1, "by")


def d(text: str) -> date:
    """Return the day written as people write it: 24/11/2026."""
    return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()


def end(
    rule: DeadlineRule, start: str = "01/01/2026", plan: int = 2026, pauses: tuple[Pause, ...] = ()
) -> Due:
    found = due(rule, start=d(start), plan_year=plan, calendar=CALENDAR, pauses=pauses)
    rows = explain(rule, start=d(start), plan_year=plan, calendar=CALENDAR, pauses=pauses)
    assert found.due_on in {None, rows[-1].day}
    return found


@pytest.mark.parametrize(
    ("rule", "start", "due_on"),
    [
        # Counted by hand on a printed calendar.
        (Within(15, "d"), "14/12/2026", "29/12/2026"),  # last acceptance Monday + 15 days
        (Within(5, "wd"), "12/02/2026", "26/02/2026"),  # Fri 13 | Tết leave 14-22 | 23 24 25 26
        (Within(1, "wd"), "13/02/2026", "23/02/2026"),  # over the whole Tết leave
        (Within(3, "wd"), "07/01/2026", "10/01/2026"),  # 8, 9 and the worked Saturday
        (Within(1, "wd"), "01/01/2026", "05/01/2026"),  # Fri 2 is swapped off, Sat 3, Sun 4
        (Within(2, "wd"), "20/08/2026", "22/08/2026"),  # Fri 21 and the worked Saturday
        (Within(1, "wd"), "28/08/2026", "03/09/2026"),  # 29-30 weekend, 31 swapped, 1-2/9
        (Within(2, "wd"), "24/04/2026", "29/04/2026"),  # 26 Sun, 27 compensatory | 28 29
        (Within(3, "wd"), "24/04/2026", "04/05/2026"),  # … 30/4, 1/5, weekend
        (Within(10, "wd"), "21/12/2026", "05/01/2027"),  # over the new year: 22-25, 28-31, 4/1, 5/1
        (Within(5, "wd"), "28/12/2018", "07/01/2019"),  # 31/12 swapped off, Sat 5/1 worked: 2 3 4 5 7
        (Within(3, "d"), "08/01/2026", "12/01/2026"),  # ends Sun 11 -> Mon 12 (Sat 10 was worked)
        (Within(2, "d"), "08/01/2026", "10/01/2026"),  # ends on the worked Saturday
        (Within(15, "d"), "05/02/2026", "23/02/2026"),  # ends Fri 20 in Tết -> Mon 23
        (Within(1, "d"), "30/12/2026", "31/12/2026"),
        (Within(2, "d"), "30/12/2026", "04/01/2027"),  # ends on 1/1, Fri -> Mon 4/1
        (Within(1, "d"), "28/02/2028", "29/02/2028"),
        (Within(1, "wd"), "28/02/2028", "29/02/2028"),
        (Within(1, "d"), "28/02/2026", "02/03/2026"),  # 1/3/2026 is a Sunday
        (Within(30, "wd"), "01/06/2026", "13/07/2026"),
    ],
)
def test_periods_end_where_a_count_by_hand_ends(rule: Within, start: str, due_on: str) -> None:
    assert end(rule, start).due_on == d(due_on)


@pytest.mark.parametrize(
    ("rule", "plan", "due_on", "warn_on"),
    [
        (FixedDate(6, 20, -1, "before"), 2027, "19/06/2026", "19/06/2026"),
        (FixedDate(6, 15, 0, "by"), 2026, "15/06/2026", "15/06/2026"),
        (FixedDate(1, 22, 1, "by"), 2026, "22/01/2027", "22/01/2027"),
        (FixedDate(1, 22, 1, "by"), 2027, "22/01/2028", "21/01/2028"),  # Saturday
        (FixedDate(12, 30, 0, "by"), 2026, "30/12/2026", "30/12/2026"),
        (FixedDate(12, 31, 0, "by"), 2028, "31/12/2028", "29/12/2028"),  # Sunday
        (FixedDate(12, 30, 0, "by"), 2028, "30/12/2028", "29/12/2028"),  # Saturday
        (FixedDate(1, 31, 1, "by"), 2026, "31/01/2027", "29/01/2027"),  # Sunday
        (FixedDate(2, 10, 1, "by"), 2026, "10/02/2027", "03/02/2027"),  # inside the proposed Tết leave
        (FixedDate(2, 15, 1, "before"), 2026, "14/02/2027", "12/02/2027"),
        (FixedDate(1, 1, 1, "before"), 2026, "31/12/2026", "31/12/2026"),
        (FixedDate(2, 29, 0, "by"), 2028, "29/02/2028", "29/02/2028"),
        (FixedDate(2, 29, 0, "by"), 2026, "28/02/2026", "27/02/2026"),
        (FixedDate(2, 29, 0, "before"), 2028, "28/02/2028", "28/02/2028"),
        (FixedDate(2, 29, 0, "before"), 2026, "28/02/2026", "27/02/2026"),
        (FixedDate(3, 1, 0, "before"), 2028, "29/02/2028", "29/02/2028"),
        (WorkingDaysBefore(2, ADJUSTMENT_ENDS), 2026, "28/01/2027", "28/01/2027"),
        (WorkingDaysBefore(2, ADJUSTMENT_ENDS), 2027, "20/01/2028", "20/01/2028"),  # before the Tết leave
        (WorkingDaysBefore(1, ADJUSTMENT_ENDS), 2026, "29/01/2027", "29/01/2027"),
        (WorkingDaysBefore(1, FixedDate(1, 12, 0, "before")), 2026, "10/01/2026", "10/01/2026"),
    ],
)
def test_fixed_dates_stay_and_warn_on_the_last_working_day(
    rule: DeadlineRule, plan: int, due_on: str, warn_on: str
) -> None:
    # when
    found = end(rule, plan=plan)

    # then
    assert (found.due_on, found.warn_on) == (d(due_on), d(warn_on))


def test_before_the_25th_when_the_24th_is_a_sunday_stays_and_warns_on_friday() -> None:
    # when
    found = end(Monthly(25, "before"), "05/05/2026")
    rows = explain(Monthly(25, "before"), start=d("05/05/2026"), plan_year=2026, calendar=CALENDAR)

    # then
    assert (found.due_on, found.warn_on) == (d("24/05/2026"), d("22/05/2026"))
    assert "không tự dời" in rows[-1].why.vi
    assert "does not move" in rows[-1].why.en


def test_a_monthly_deadline_goes_on_from_month_to_month_and_over_the_year() -> None:
    # given
    rule, day, ends = Monthly(25, "before"), d("20/11/2026"), []

    # when
    for _ in range(4):
        found = end(rule, f"{day:%d/%m/%Y}").due_on
        assert found
        day = found
        ends.append(day)

    # then
    assert ends == [d("24/11/2026"), d("24/12/2026"), d("24/01/2027"), d("24/02/2027")]
    assert [month_of(rule, day) for day in ends] == ["2026-11", "2026-12", "2027-01", "2027-02"]


@pytest.mark.parametrize(
    ("rule", "start", "due_on", "month"),
    [
        (Monthly(31, "by"), "01/02/2026", "28/02/2026", "2026-02"),
        (Monthly(31, "by"), "28/02/2028", "29/02/2028", "2028-02"),
        (Monthly(31, "before"), "15/06/2026", "30/06/2026", "2026-06"),
        (Monthly(1, "before"), "15/12/2026", "31/12/2026", "2027-01"),
        (Monthly(1, "before"), "31/12/2026", "31/01/2027", "2027-02"),
        (Monthly(5, "by"), "05/03/2026", "05/04/2026", "2026-04"),
        (Monthly(5, "by"), "04/03/2026", "05/03/2026", "2026-03"),
    ],
)
def test_months_of_every_length_have_their_end(rule: Monthly, start: str, due_on: str, month: str) -> None:
    # when
    found = end(rule, start).due_on

    # then
    assert found == d(due_on)
    assert month_of(rule, found) == month


def test_a_pause_over_the_end_of_a_month_stretches_a_period_by_its_days() -> None:
    # given: 4 of 10 working days counted when suspended on Fri 27/3, resumed on Wed 8/4
    pause = Pause(d("27/03/2026"), d("08/04/2026"))

    # when
    without = end(Within(10, "wd"), "23/03/2026")
    with_pause = end(Within(10, "wd"), "23/03/2026", pauses=(pause,))

    # then: 24 25 26 27 | 9 10 13 14 15 16
    assert without.due_on == d("06/04/2026")
    assert with_pause.due_on == d("16/04/2026")


def test_the_day_of_suspending_counts_and_the_day_of_resuming_does_not() -> None:
    # given
    pause = Pause(d("04/03/2026"), d("06/03/2026"))

    # when
    rows = explain(Within(4, "wd"), start=d("02/03/2026"), plan_year=2026, calendar=CALENDAR, pauses=(pause,))

    # then
    assert {row.day.day: row.number for row in rows if row.counted} == {3: 1, 4: 2, 9: 3, 10: 4}
    assert [row.why.vi for row in rows if row.day.day in {5, 6}] == ["Đang tạm dừng, không tính"] * 2


def test_a_pause_that_lasts_leaves_no_due_date_but_what_is_left() -> None:
    # given
    pause = Pause(d("04/03/2026"))

    # when
    stopped = end(Within(5, "wd"), "02/03/2026", pauses=(pause,))
    fixed = end(FixedDate(6, 20, 0, "before"), "02/03/2026", pauses=(pause,))
    too_late = end(Within(2, "wd"), "02/03/2026", pauses=(pause,))

    # then
    assert stopped == Due(None, None, left=3)
    assert fixed.due_on == d("19/06/2026")
    assert too_late.due_on == d("04/03/2026")


def test_what_was_left_before_a_pause_is_what_is_counted_after_it() -> None:
    # given
    left = end(Within(5, "wd"), "02/03/2026", pauses=(Pause(d("04/03/2026")),)).left

    # when
    resumed = end(Within(5, "wd"), "02/03/2026", pauses=(Pause(d("04/03/2026"), d("20/03/2026")),))
    anew = end(Within(left, "wd"), "20/03/2026")

    # then
    assert resumed.due_on == anew.due_on == d("25/03/2026")


@pytest.mark.parametrize(
    ("pauses", "due_on"),
    [
        ((), "12/03/2026"),
        ((Pause(d("04/03/2026"), d("04/03/2026")),), "12/03/2026"),
        ((Pause(d("04/03/2026"), d("05/03/2026")), Pause(d("05/03/2026"), d("06/03/2026"))), "16/03/2026"),
        ((Pause(d("05/03/2026"), d("06/03/2026")), Pause(d("04/03/2026"), d("05/03/2026"))), "16/03/2026"),
        ((Pause(d("04/03/2026"), d("06/03/2026")), Pause(d("04/03/2026"), d("05/03/2026"))), "16/03/2026"),
        ((Pause(d("01/01/2026"), d("20/01/2026")),), "12/03/2026"),
        ((Pause(d("01/06/2026"), d("20/06/2026")),), "12/03/2026"),
        ((Pause(d("02/03/2026"), d("03/03/2026")),), "13/03/2026"),
    ],
)
def test_pauses_may_touch_overlap_be_empty_or_lie_elsewhere(pauses: tuple[Pause, ...], due_on: str) -> None:
    assert end(Within(8, "wd"), "02/03/2026", pauses=pauses).due_on == d(due_on)


def test_a_calendar_period_whose_last_day_off_runs_into_a_pause_ends_after_it() -> None:
    # given: the tenth day is Sunday 15/3; the case is suspended on that very day
    pause = Pause(d("15/03/2026"), d("18/03/2026"))

    # when
    found = end(Within(10, "d"), "05/03/2026", pauses=(pause,))

    # then
    assert found.due_on == d("19/03/2026")


def test_an_extension_replaces_the_end_and_is_not_moved() -> None:
    # given
    saturday = d("14/03/2026")

    # when
    rows = explain(
        Within(4, "wd"), start=d("02/03/2026"), plan_year=2026, calendar=CALENDAR, extended_to=saturday
    )
    found = due(
        Within(4, "wd"), start=d("02/03/2026"), plan_year=2026, calendar=CALENDAR, extended_to=saturday
    )

    # then
    assert (found.due_on, found.warn_on) == (saturday, d("13/03/2026"))
    assert [row.day for row in rows[-2:]] == [d("06/03/2026"), saturday]
    assert rows[-1].why.vi.startswith("Được gia hạn đến hết ngày này")


def test_a_date_field_is_the_due_date_and_none_while_it_is_empty() -> None:
    # given
    rule, start = OnField("completed_by"), d("02/03/2026")

    # when
    empty = due(rule, start=start, plan_year=2026, calendar=CALENDAR)
    filled = due(rule, start=start, plan_year=2026, calendar=CALENDAR, field_value=d("05/09/2026"))

    # then
    assert empty == Due(None, None)
    assert explain(rule, start=start, plan_year=2026, calendar=CALENDAR) == ()
    assert (filled.due_on, filled.warn_on) == (d("05/09/2026"), d("04/09/2026"))


def test_the_rows_say_why_each_day_counts_and_who_says_so() -> None:
    # when
    rows = explain(Within(3, "wd"), start=d("08/01/2026"), plan_year=2026, calendar=CALENDAR)

    # then
    assert [(row.day.day, row.counted, row.number) for row in rows] == [
        (8, False, None), (9, True, 1), (10, True, 2), (11, False, None), (12, True, 3),
    ]  # fmt: skip
    assert rows[0].why.vi == "Ngày bắt đầu, không tính"
    assert "Điều 147" in rows[0].source
    assert rows[1].why.en == "Working day 1"
    assert rows[2].why.vi == "Ngày làm việc thứ 2 (Làm bù cho ngày 02/01/2026)"
    assert (rows[2].status, "chưa đối chiếu" in rows[2].source) == ("announced", True)
    assert rows[3].why.vi == "Chủ nhật: ngày nghỉ, không tính"
    assert rows[3].status == "law"


def test_a_date_that_rests_on_proposed_days_is_provisional() -> None:
    assert end(Within(3, "wd"), "01/02/2027").provisional  # 4/2/2027 is our proposal
    assert end(FixedDate(2, 10, 1, "by")).provisional
    assert end(WorkingDaysBefore(2, ADJUSTMENT_ENDS), plan=2027).provisional
    assert not end(Within(3, "wd"), "05/01/2026").provisional
    assert not end(FixedDate(1, 22, 1, "by")).provisional


def test_a_year_without_a_calendar_is_refused_whatever_the_rule() -> None:
    cases: list[tuple[DeadlineRule, str, int]] = [
        (Within(30, "wd"), "20/12/2028", 2028),
        (Within(15, "d"), "20/12/2028", 2028),
        (FixedDate(1, 22, 1, "by"), "01/01/2028", 2028),
        (WorkingDaysBefore(2, ADJUSTMENT_ENDS), "01/01/2028", 2028),
        (WorkingDaysBefore(2, FixedDate(1, 2, 0, "by")), "01/01/2014", 2014),
        (Monthly(25, "before"), "24/12/2028", 2028),
        (Within(3, "wd"), "20/12/2013", 2013),
    ]
    for rule, start, plan in cases:
        with pytest.raises(CalendarMissing, match="no working calendar of the year"):
            end(rule, start, plan)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Within(0, "wd"),
        lambda: Within(-3, "d"),
        lambda: Within(3661, "d"),
        lambda: FixedDate(2, 30, 0, "by"),
        lambda: FixedDate(13, 1, 0, "by"),
        lambda: FixedDate(0, 1, 0, "by"),
        lambda: FixedDate(6, 0, 0, "before"),
        lambda: FixedDate(6, 20, 9, "before"),
        lambda: Monthly(0, "by"),
        lambda: Monthly(32, "by"),
        lambda: WorkingDaysBefore(0, ADJUSTMENT_ENDS),
        lambda: Pause(d("04/03/2026"), d("03/03/2026")),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(make: Callable[[], object]) -> None:
    # when
    with pytest.raises(DeadlineRuleRefused) as caught:
        make()

    # then
    assert "Hãy sửa lại" in caught.value.sentence("vi")
    assert "{" not in caught.value.sentence("vi") + caught.value.sentence("en")


def test_what_is_due_is_late_from_midnight_in_vietnam() -> None:
    # given
    last_moment = datetime(2026, 6, 19, 16, 59, 59, 999999, tzinfo=UTC)

    # when
    late = late_from(d("19/06/2026"))

    # then
    assert late == datetime(2026, 6, 19, 17, 0, tzinfo=UTC)
    assert civil_day(last_moment) == d("19/06/2026")
    assert civil_day(late) == d("20/06/2026")
    assert civil_day(late.astimezone(timezone(timedelta(hours=-5)))) == d("20/06/2026")


def test_the_fixed_offset_agrees_with_the_zone_data_on_every_day_since_1976() -> None:
    # given
    zone, day = ZoneInfo("Asia/Ho_Chi_Minh"), date(1976, 1, 1)

    # then
    while day.year < 2060:
        begin = datetime(day.year, day.month, day.day, tzinfo=zone)
        assert instant_of(day) == begin.astimezone(UTC)
        assert civil_day(begin.astimezone(UTC)) == day
        day += timedelta(days=7)
    assert ZoneInfo("Asia/Ho_Chi_Minh").utcoffset(datetime(1975, 1, 1)) == timedelta(hours=8)  # noqa: DTZ001


def test_a_time_without_a_zone_or_before_1976_is_refused() -> None:
    with pytest.raises(InstantRefused):
        civil_day(datetime(2026, 6, 19, 12))  # noqa: DTZ001
    with pytest.raises(InstantRefused):
        civil_day(datetime(1975, 6, 1, tzinfo=UTC))
    with pytest.raises(InstantRefused):
        late_from(date(1970, 1, 1))
    with pytest.raises(InstantRefused):
        late_from(date.max - timedelta(days=1))
    with pytest.raises(InstantRefused):
        civil_day(datetime.max.replace(tzinfo=UTC))
    with pytest.raises(InstantRefused):
        civil_day(datetime.min.replace(tzinfo=timezone(timedelta(hours=9))))
    assert civil_day(datetime(1975, 12, 31, 17, tzinfo=UTC)) == date(1976, 1, 1)


@pytest.mark.parametrize(
    ("distance", "unit", "named", "leaves"),
    [
        # due on Monday 23/2/2026, the first working day after Tết
        (-2, "wd", "12/02/2026", "12/02/2026"),
        (-1, "wd", "13/02/2026", "13/02/2026"),
        (-3, "d", "20/02/2026", "13/02/2026"),  # in the leave: warned before it
        (0, "d", "23/02/2026", "23/02/2026"),
        (3, "wd", "26/02/2026", "26/02/2026"),
        (5, "d", "28/02/2026", "02/03/2026"),  # Saturday: told on Monday
        (15, "d", "10/03/2026", "10/03/2026"),
        (-5, "wd", "09/02/2026", "09/02/2026"),
    ],
)
def test_rungs_leave_at_eight_on_a_working_day(distance: int, unit: str, named: str, leaves: str) -> None:
    # given
    due_on = d("23/02/2026")

    # then
    assert rung_day(distance, unit, due_on, CALENDAR) == d(named)
    left = datetime.fromtimestamp(rung_at(distance, unit, due_on, CALENDAR) / 1_000_000, UTC)
    assert left == datetime(d(leaves).year, d(leaves).month, d(leaves).day, 1, 0, tzinfo=UTC)
    assert left.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).hour == 8


def test_a_rung_on_a_due_date_that_is_a_day_off_warns_on_the_working_day_before() -> None:
    # given
    sunday = d("31/01/2027")

    # then
    assert day_at(rung_at(0, "d", sunday, CALENDAR)) == d("29/01/2027")
    assert civil_day(reminder_at(sunday, False, CALENDAR)) == d("01/02/2027")


@pytest.mark.parametrize(
    ("today", "due_on", "vi", "en"),
    [
        ("10/03/2026", "13/03/2026", "còn 3 ngày làm việc", "3 working days left"),
        ("12/03/2026", "13/03/2026", "còn 1 ngày làm việc", "1 working day left"),
        ("13/03/2026", "13/03/2026", "hạn hôm nay", "due today"),
        ("20/03/2026", "13/03/2026", "quá hạn 5 ngày làm việc", "5 working days late"),
        ("16/03/2026", "13/03/2026", "quá hạn 1 ngày làm việc", "1 working day late"),
        ("15/03/2026", "13/03/2026", "quá hạn 2 ngày (ngày nghỉ)", "2 days late (days off)"),
        ("29/01/2027", "31/01/2027", "còn 2 ngày, đều là ngày nghỉ", "2 days left, all of them off"),
        ("30/01/2027", "31/01/2027", "còn 1 ngày, là ngày nghỉ", "1 day left, a day off"),
        ("13/02/2026", "24/02/2026", "còn 2 ngày làm việc", "2 working days left"),
        ("09/01/2026", "12/01/2026", "còn 2 ngày làm việc", "2 working days left"),
    ],
)
def test_the_time_left_is_said_as_people_say_it(today: str, due_on: str, vi: str, en: str) -> None:
    assert words_left(d(today), d(due_on), CALENDAR) == vi
    assert words_left(d(today), d(due_on), CALENDAR, "en") == en


def test_fifteen_working_days_are_counted_in_microseconds() -> None:
    # given
    rule, start = Within(15, "wd"), d("02/03/2026")

    # when
    times = timeit.repeat(
        lambda: due(rule, start=start, plan_year=2026, calendar=CALENDAR), number=500, repeat=7
    )

    # then
    print(f"{min(times) / 500 * 1e6:.1f} µs")
    assert min(times) / 500 < 15e-6
