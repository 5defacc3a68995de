from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from engine.store import Seat
from engine.visibility import MANAGING_ROLES, _Organisation, _reach
from tests.properties import tries

if TYPE_CHECKING:
    from collections.abc import Iterable

TODAY = "2026-11-22"
NAMES = [f"{number:032}" for number in range(7)]
NAME = st.sampled_from([*NAMES, ""])
ENDED = st.sampled_from(["", "2025-06-30", "2026-11-21", TODAY, "2027-01-01"])
CHARTS = st.tuples(*(st.builds(_Organisation, st.just(name), NAME, NAME, ENDED) for name in NAMES))
SEATS = st.lists(
    st.builds(Seat, st.just("p"), st.sampled_from(NAMES), st.sampled_from(["officer", "head", "auditor"]))
)


def by_the_words_of_the_rule(seats: Iterable[Seat], chart: Iterable[_Organisation]) -> set[str]:
    """Apply the two rules, one organisation after another, until nothing more becomes visible."""
    chart = list(chart)
    plain = {seat.bound for seat in seats}
    managed = {seat.bound for seat in seats if seat.role in MANAGING_ROLES}
    while True:
        before = (len(plain), len(managed))
        for one in chart:
            if one.parent in managed:
                managed.add(one.id)
            if one.ended_on and one.ended_on < TODAY:
                if one.successor in managed:
                    managed.add(one.id)
                if one.successor in plain:
                    plain.add(one.id)
        if before == (len(plain), len(managed)):
            return plain | managed


@tries(25)
@given(SEATS, CHARTS)
def test_any_chart_is_reached_as_the_rules_say(seats: list[Seat], chart: tuple[_Organisation, ...]) -> None:
    # given any chart, rings and unknown parents included
    # when / then
    assert _reach(seats, chart, TODAY) == by_the_words_of_the_rule(seats, chart)


@tries(20)
@given(SEATS, CHARTS)
def test_one_more_seat_never_hides_anything(seats: list[Seat], chart: tuple[_Organisation, ...]) -> None:
    assert _reach(seats[:-1], chart, TODAY) <= _reach(seats, chart, TODAY)
