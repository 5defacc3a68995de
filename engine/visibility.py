"""Who sees which case: the one filter that every list, page, report and search goes through.

A person sees a case through dated memberships → organisations (and, in roles that manage, all below them) →
the parties of the case's root; children inherit. A successor sees its predecessors' cases from the day after
they ended. Whoever stands in for somebody sees what that one sees. To everybody else a case does not exist:
the answer is the same as for a code that was never given.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, or_, select

from engine import records
from engine.store import Seat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection, Select, Table

    from engine.definition import Definition
    from engine.store import Store

#: Roles that see the cases of every organisation below their own.
MANAGING_ROLES = frozenset(
    {"administrator", "auditor", "chairman", "deputy_director", "deputy_head", "director", "head", "leader",
     "manager", "minister"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person looking on a day, with all that follows from the registers.

    Shapes:
        person: id. today: ISO date. persons: the person and all whom they stand in for today.
        seats: memberships of those persons that hold today.
        bound: ids of organisations, establishments and persons whose cases are visible.
    """

    person: str
    today: str
    persons: frozenset[str]
    seats: tuple[Seat, ...]
    bound: frozenset[str]

    @property
    def own(self) -> frozenset[str]:
        """The organisations and establishments of the seats, without what lies below or came before."""
        return frozenset(seat.bound for seat in self.seats)


@dataclass(frozen=True, slots=True)
class _Organisation:
    id: str
    parent: str
    successor: str
    ended_on: str


def look_as(connection: Connection, person: str, today: str) -> Viewer:
    """Return what a person may see on a day; somebody who is nobody sees nothing.

    Shapes:
        person: id. today: ISO date.
    """
    persons = frozenset({person, *connection.execute(_STANDING_IN, {"me": person, "today": today}).scalars()})
    seats = seats_of(connection, person, today)
    return Viewer(person, today, persons, seats, persons | _reach(seats, _organisations(connection), today))


@contextmanager
def reading_as(store: Store, viewer: Viewer) -> Iterator[Connection]:
    """Open a snapshot in which only what a viewer may see exists, where the database itself can see to that.

    On PostgreSQL row security repeats `visible`: a query that forgot the filter still shows nothing more. An embedded
    store has no such thing; there the filter stands alone.
    """
    with store.read() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_NARROWED, {"bound": " ".join(sorted(viewer.bound)) or "nobody"})
        yield connection


def seats_of(connection: Connection, person: str, today: str) -> tuple[Seat, ...]:
    """Return the memberships that hold today of a person and of all whom they stand in for today."""
    return tuple(Seat(*row) for row in connection.execute(_SEATS, {"me": person, "today": today}))


def _holds(table: Table) -> ColumnElement[bool]:
    today: BindParameter[str] = bindparam("today")
    return and_(table.c.from_on <= today, or_(table.c.to_on.is_(None), table.c.to_on >= today))


#: Until the end of the transaction; engine/postgres_guards.py reads it.
_NARROWED = select(func.set_config("tiendo.reads", bindparam("bound"), True))
_ABSENT, _MEMBER = records.substitution, records.membership
_STANDING_IN = select(_ABSENT.c.absent).where(_ABSENT.c.substitute == bindparam("me"), _holds(_ABSENT))
_SEATS = (
    select(_MEMBER.c.person, _MEMBER.c.bound, _MEMBER.c.role)
    .where(or_(_MEMBER.c.person == bindparam("me"), _MEMBER.c.person.in_(_STANDING_IN)), _holds(_MEMBER))
    .order_by(_MEMBER.c.person, _MEMBER.c.word)
)


def _organisations(connection: Connection) -> list[_Organisation]:
    row = records.register_row
    found = connection.execute(select(row.c.id, row.c.data).where(row.c.kind == "organisation"))
    return [
        _Organisation(one, data.get("parent") or "", data.get("successor") or "", data.get("to") or "")
        for one, data in found
    ]


def _reach(seats: Iterable[Seat], organisations: Iterable[_Organisation], today: str) -> frozenset[str]:
    """Return all organisations that the seats reach: below for those who manage, before for everybody."""
    below: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for one in organisations:
        if one.parent:
            below.setdefault(one.parent, []).append(one.id)
        if one.successor and one.ended_on and one.ended_on < today:
            before.setdefault(one.successor, []).append(one.id)
    reached: set[tuple[str, bool]] = set()
    waiting = [(seat.bound, seat.role in MANAGING_ROLES) for seat in seats]
    while waiting:
        at = waiting.pop()
        if at in reached:
            continue
        reached.add(at)
        place, manages = at
        waiting.extend((other, manages) for other in before.get(place, ()))
        if manages:
            waiting.extend((other, True) for other in below.get(place, ()))
    return frozenset(place for place, _ in reached)


def visible_roots(viewer: Viewer) -> Select[tuple[str]]:
    """Return the ids of the root cases that are visible (ids of children among them match no root)."""
    party = records.case_party
    return select(party.c.case_id).where(party.c.bound.in_(sorted(viewer.bound)))


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on `workflow_case`: this, and nothing else, decides what a reading shows."""
    return records.workflow_case.c.root.in_(visible_roots(viewer))


def hidden_words(definition: Definition, parties: Mapping[str, str], viewer: Viewer) -> frozenset[str]:
    """Return the words of a case whose field is shown to others than this viewer.

    Shapes:
        parties: party -> bound id, of the case. returns: words such as "data.owner_name".
    """
    mine = {
        (party, seat.role) for party, bound in parties.items() for seat in viewer.seats if seat.bound == bound
    }
    mine |= {(party, "") for party, bound in parties.items() if bound in viewer.persons}
    return frozenset(
        f"data.{name}"
        for name, field in definition.fields.items()
        if field.shown_to and not any((who.party, who.role) in mine for who in field.shown_to)
    )
