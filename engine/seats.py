"""Which seats a person takes on a case today: own memberships, and those of people they stand in for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.definition import HOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.cases import Case
    from engine.definition import Who
    from engine.store import Claimed


def seats_of(person: str, case: Case, claimed: Claimed, insists_on: str = "") -> dict[str, str]:
    """Return seat -> on whose behalf it is taken ("" for one's own; one's own seat wins).

    Shapes:
        insists_on: id of the person represented: only that person's seats count. Empty: all.
    """
    seats: dict[str, str] = {}
    bound: dict[str, list[str]] = {}
    for party, held_by in case.parties.items():
        bound.setdefault(held_by, []).append(party)
    for seat in claimed.seats:
        behalf = "" if seat.person == person else seat.person
        for party in bound.get(seat.bound, ()):
            _take(seats, f"{party}.{seat.role}", behalf)
    for party in bound.get(person, ()):
        _take(seats, party, "")
    for absent in claimed.absent:
        for party in bound.get(absent, ()):
            _take(seats, party, absent)
    if insists_on:
        return {seat: behalf for seat, behalf in seats.items() if behalf == insists_on}
    return seats


def _take(seats: dict[str, str], seat: str, behalf: str) -> None:
    if not behalf or seat not in seats:
        seats[seat] = behalf


def seat_for(wanted: Iterable[Who], case: Case, seats: Mapping[str, str]) -> str | None:
    """Return the seat of `seats` that is wanted, one's own before one taken for somebody else; None when there is none."""
    found = None
    for who in wanted:
        name = case.holder or "" if who.party == "holder" else str(who)
        if name in seats:
            if not seats[name]:
                return name
            found = found or name
    return found


def bound_to(case: Case, who: Who) -> tuple[str, str] | None:
    """Return (id, role) of a recipient of a notice: an organisation with a role, or a person with an empty role."""
    if who.party == HOLDER:
        if case.holder_person:
            return case.holder_person, ""
        if not case.holder:
            return None
        party, _, role = case.holder.partition(".")
    else:
        party, role = who.party, who.role
    bound: Any = case.parties.get(party)
    return (bound, role) if bound else None
