"""The legal clock beside a slow count that knows nothing of it, on random cases."""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.legal_clock import (
    DeadlineRule,
    FixedDate,
    Monthly,
    OnField,
    Pause,
    Unit,
    Within,
    WorkingDaysBefore,
    due,
    explain,
)
from tests.properties import MORE, tries
from tests.shipped import CALENDAR

#: Put the printed seed of a failed run here to see it again.
REPEAT = 0
ONE = timedelta(days=1)

STARTS = st.dates(date(2014, 2, 1), date(2026, 12, 31))
AMOUNTS = st.integers(1, 120)
UNITS: st.SearchStrategy[Unit] = st.sampled_from(["wd", "d"])


def naive_period(rule: Within, start: date, pauses: tuple[Pause, ...]) -> date | None:
    """Count day by day from the definition alone: sets of days, no indexes."""
    closed = {
        one.from_day + timedelta(days=n)
        for one in pauses
        if one.to_day
        for n in range(1, (one.to_day - one.from_day).days + 1)
    }
    stops = [one.from_day for one in pauses if one.to_day is None]
    day, left = start, rule.amount
    while True:
        day += ONE
        if stops and day > min(stops):
            return None
        if day in closed:
            continue
        may_act = CALENDAR.is_working(day)
        if left and (rule.unit == "d" or may_act):
            left -= 1
        if not left and may_act:
            return day


def naive_fixed(rule: FixedDate, plan_year: int) -> date:
    year = plan_year + rule.year_offset
    first_of_next = date(year + rule.month // 12, rule.month % 12 + 1, 1)
    last = first_of_next - ONE
    wanted = rule.day if rule.kind == "by" else rule.day - 1
    if wanted == 0:
        return last.replace(day=1) - ONE
    return last.replace(day=min(wanted, last.day))


def naive(
    rule: DeadlineRule, start: date, plan_year: int, pauses: tuple[Pause, ...], value: date | None
) -> date | None:
    if isinstance(rule, Within):
        return naive_period(rule, start, pauses)
    if isinstance(rule, FixedDate):
        return naive_fixed(rule, plan_year)
    if isinstance(rule, Monthly):
        ends = (
            naive_month(rule, year, month) for year in (start.year, start.year + 1) for month in range(1, 13)
        )
        return min(one for one in ends if one > start)
    if isinstance(rule, WorkingDaysBefore):
        day, left = naive_fixed(rule.end, plan_year), rule.amount
        while left:
            day -= ONE
            left -= CALENDAR.is_working(day)
        return day
    return value


def naive_month(rule: Monthly, year: int, month: int) -> date:
    """Walk back from the named day into the month, which may be too short for it."""
    named = date(year, month, 1) + timedelta(days=rule.day - 1)
    while named.month != month:
        named -= ONE
    return named - ONE if rule.kind == "before" and named.day == rule.day else named


def random_case(dice: random.Random) -> tuple[DeadlineRule, date, int, tuple[Pause, ...], date | None]:
    start = date(2014, 2, 1) + timedelta(days=dice.randrange(4500))
    pauses = []
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2, 3])):
        begin = start + timedelta(days=dice.randrange(-10, 40))
        length = dice.choice([0, 1, 2, dice.randrange(30), None if dice.random() < 0.3 else 5])
        pauses.append(Pause(begin, None if length is None else begin + timedelta(days=length)))
    month = dice.randint(1, 12)
    day = dice.randint(1, (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1])
    fixed = FixedDate(month, day, dice.randint(-1, 1), dice.choice(["before", "by"]))
    rules: list[DeadlineRule] = [
        Within(dice.randint(1, 40), dice.choice(["wd", "d"])),
        Within(dice.randint(1, 40), dice.choice(["wd", "d"])),
        fixed,
        Monthly(dice.randint(1, 31), dice.choice(["before", "by"])),
        WorkingDaysBefore(dice.randint(1, 12), fixed),
        OnField("ends_on"),
    ]
    rule = dice.choice(rules)
    value = dice.choice([None, start + timedelta(days=dice.randrange(100))])
    return rule, start, dice.randint(2016, 2026), tuple(pauses), value


def check_many(count: int) -> None:
    seed = REPEAT or random.SystemRandom().randrange(2**32)
    print(f"seed {seed}: set REPEAT to it to see the same run again", file=sys.stderr)
    dice = random.Random(seed)
    kinds: dict[str, int] = {}
    for _ in range(count):
        rule, start, plan_year, pauses, value = random_case(dice)
        extended_to = start + timedelta(days=30) if dice.random() < 0.05 else None
        arguments = {
            "start": start, "plan_year": plan_year, "calendar": CALENDAR, "pauses": pauses,
            "extended_to": extended_to, "field_value": value,
        }  # fmt: skip
        found = due(rule, **arguments)  # type: ignore[arg-type]
        rows = explain(rule, **arguments)  # type: ignore[arg-type]
        slow = extended_to or naive(rule, start, plan_year, pauses, value)
        facts = (rule, arguments, found, slow)
        assert found.due_on == slow, facts
        if slow:
            assert rows[-1].day == slow, facts
            assert found.warn_on == CALENDAR.working_on_or_before(slow), facts
            numbers = [row.number for row in rows if row.counted]
            assert numbers == list(range(1, len(numbers) + 1)), facts
        elif isinstance(rule, Within):
            assert found.left == rule.amount - sum(row.counted for row in rows), facts
        kinds[type(rule).__name__] = kinds.get(type(rule).__name__, 0) + 1
    print(kinds, file=sys.stderr)
    assert len(kinds) == 5


def test_due_is_the_last_row_of_explain_and_what_a_slow_count_finds() -> None:
    check_many(300 * MORE)


@pytest.mark.slow
def test_the_same_on_a_hundred_thousand_cases() -> None:
    check_many(100_000)


@given(STARTS, AMOUNTS, UNITS)
@tries(25)
def test_one_day_more_never_ends_earlier(start: date, amount: int, unit: Unit) -> None:
    # when
    less = due(Within(amount, unit), start=start, plan_year=2026, calendar=CALENDAR).due_on
    more = due(Within(amount + 1, unit), start=start, plan_year=2026, calendar=CALENDAR).due_on

    # then
    assert less
    assert more
    assert start < less <= more
    assert unit == "d" or less < more
    assert CALENDAR.is_working(less)


@given(STARTS, AMOUNTS, UNITS)
@tries(25)
def test_starting_a_day_later_never_ends_earlier(start: date, amount: int, unit: Unit) -> None:
    # when
    rule = Within(amount, unit)
    early = due(rule, start=start, plan_year=2026, calendar=CALENDAR).due_on
    late = due(rule, start=start + ONE, plan_year=2026, calendar=CALENDAR).due_on

    # then
    assert early
    assert late
    assert early <= late


@given(STARTS, AMOUNTS, st.integers(0, 60), st.data())
@tries(25)
def test_a_pause_of_some_working_days_moves_a_period_by_exactly_those(
    start: date, amount: int, length: int, data: st.DataObject
) -> None:
    # given
    rule = Within(amount, "wd")
    without = due(rule, start=start, plan_year=2026, calendar=CALENDAR).due_on
    assert without
    begin = start + timedelta(days=data.draw(st.integers(0, (without - start).days - 1)))
    pause = Pause(begin, begin + timedelta(days=length))
    paused = CALENDAR.working_days_between(begin, begin + timedelta(days=length))

    # when
    with_pause = due(rule, start=start, plan_year=2026, calendar=CALENDAR, pauses=(pause,)).due_on

    # then
    assert with_pause == CALENDAR.add_working_days(without, paused)


@given(STARTS, AMOUNTS, UNITS, st.integers(0, 30), st.integers(0, 30))
@tries(25)
def test_what_a_stopped_period_has_left_is_what_it_needs_after_resuming(
    start: date, amount: int, unit: Unit, after: int, length: int
) -> None:
    # given
    rule, begin = Within(amount, unit), start + timedelta(days=after)
    stopped = due(rule, start=start, plan_year=2026, calendar=CALENDAR, pauses=(Pause(begin),))
    resumed = begin + timedelta(days=length)

    # when
    whole = due(rule, start=start, plan_year=2026, calendar=CALENDAR, pauses=(Pause(begin, resumed),)).due_on

    # then
    if stopped.due_on:
        assert whole == stopped.due_on
    elif stopped.left:
        rest = Within(stopped.left, unit)
        assert whole == due(rest, start=resumed, plan_year=2026, calendar=CALENDAR).due_on
    else:
        assert whole == CALENDAR.next_working(resumed)
