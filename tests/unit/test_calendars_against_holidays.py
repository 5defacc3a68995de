"""Our calendar beside the one of the library `holidays`: each difference is listed with its reason."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from tests.shipped import CALENDAR

CULTURE_DAY = "Politburo and Government ask to make 24/11 a day off; the law that does so was not found"
SWAP_2014 = (
    "28/1 and 29/1 off, worked on 25/1 and 8/2: press of December 2013; the library does not have the swap"
)
SHIFT_2014 = "law days 30/1-3/2, two of them on a weekend, made good on 4/2 and 5/2; the library ends on 4/2"
NEW_YEAR_2026 = "2/1 off, worked on 10/1: announced; the library does not have the swap"

#: Day -> is it worked (ours), and why we differ.
DIFFERENCES: dict[date, tuple[bool, str]] = {
    date(2014, 1, 25): (True, SWAP_2014),
    date(2014, 1, 28): (False, SWAP_2014),
    date(2014, 2, 5): (False, SHIFT_2014),
    date(2014, 2, 8): (True, SWAP_2014),
    date(2026, 1, 2): (False, NEW_YEAR_2026),
    date(2026, 1, 10): (True, NEW_YEAR_2026),
    date(2026, 11, 24): (True, CULTURE_DAY),
    date(2027, 11, 24): (True, CULTURE_DAY),
    date(2028, 11, 24): (True, CULTURE_DAY),
}

#: First day of the first lunar month, and the tenth of the third: computed anchors, Vietnamese time.
LUNAR = {
    2014: (date(2014, 1, 31), date(2014, 4, 9)),
    2015: (date(2015, 2, 19), date(2015, 4, 28)),
    2016: (date(2016, 2, 8), date(2016, 4, 16)),
    2017: (date(2017, 1, 28), date(2017, 4, 6)),
    2018: (date(2018, 2, 16), date(2018, 4, 25)),
    2019: (date(2019, 2, 5), date(2019, 4, 14)),
    2020: (date(2020, 1, 25), date(2020, 4, 2)),
    2021: (date(2021, 2, 12), date(2021, 4, 21)),
    2022: (date(2022, 2, 1), date(2022, 4, 10)),
    2023: (date(2023, 1, 22), date(2023, 4, 29)),
    2024: (date(2024, 2, 10), date(2024, 4, 18)),
    2025: (date(2025, 1, 29), date(2025, 4, 7)),
    2026: (date(2026, 2, 17), date(2026, 4, 26)),
    2027: (date(2027, 2, 6), date(2027, 4, 16)),
    2028: (date(2028, 1, 26), date(2028, 4, 4)),
}


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(366 if year % 4 == 0 else 365)]


def test_every_difference_from_the_library_is_listed_with_its_reason() -> None:
    # given
    library = holidays.country_holidays("VN", years=list(CALENDAR.years))

    # when
    found = {
        day: CALENDAR.is_working(day)
        for year in CALENDAR.years
        for day in days_of(year)
        if CALENDAR.is_working(day) != library.is_working_day(day)
    }

    # then
    assert found == {day: ours for day, (ours, _) in DIFFERENCES.items()}


@pytest.mark.parametrize("year", CALENDAR.years)
def test_lunar_days_agree_with_the_anchors_and_with_the_library(year: int) -> None:
    # given
    library = holidays.country_holidays("VN", years=year, language="en_US")
    first, kings = LUNAR[year]

    # when
    ours = {entry.title.en: day for day, entry in CALENDAR.entries.items() if day.year == year}

    # then
    assert ours["Lunar New Year, first day"] == first
    assert ours["Hùng Kings' Commemoration Day"] == kings
    assert "Lunar New Year" in library.get_list(first)
    assert "Hung Kings' Commemoration Day" in library.get_list(kings)
