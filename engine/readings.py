"""What the doors read of a store beside lists and history: single rows, who sits where, what is owed and when.

Reading only, on a snapshot. Whoever calls has asked the filter of visibility first where a person is looking.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, func, or_, select
from sqlalchemy import Connection as Connection  # noqa: PLC0414 - the doors name it from here

from engine import records
from engine.cases import Case

if TYPE_CHECKING:
    from engine.store import Store

_CASE, _ROW, _MEMBER = records.workflow_case, records.register_row, records.membership
_FIELDS = tuple(item.name for item in fields(Case))
_KEY: BindParameter[Any] = bindparam("key")
# Statements for one row are made once: making one costs as much as running it, and every notice runs them.
_ONE_CASE = select(*(_CASE.c[name] for name in _FIELDS)).where(_CASE.c.id == _KEY)
_ONE_ROW = select(_ROW.c.id, _ROW.c.code, _ROW.c.data, _ROW.c.version).where(
    _ROW.c.kind == bindparam("kind"), or_(_ROW.c.code == _KEY, _ROW.c.id == _KEY)
)


@dataclass(frozen=True, slots=True)
class Entered:
    """A row of a register. data: flat word -> value; personal ones are commitments."""

    id: str
    code: str
    data: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Child:
    """A child case as its parent lists it."""

    code: str
    definition: str
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What a store holds.

    Shapes:
        phases: (name of the definition, phase) -> cases.
        suppressed: notices of imports, never sent. fired: timers.
    """

    phases: dict[tuple[str, str], int]
    cases: int
    transitions: int
    notices: int
    suppressed: int
    delivered: int
    fired: int


def case_by_id(connection: Connection, case_id: str) -> Case:
    """Return a case as it stands in this snapshot."""
    row = connection.execute(_ONE_CASE, {"key": case_id}).one()
    return Case(**dict(zip(_FIELDS, row, strict=True)))


def children_of(connection: Connection, case_id: str) -> list[Child]:
    """Return the children of a case, oldest first."""
    columns = (_CASE.c.code, _CASE.c.definition, _CASE.c.state, _CASE.c.title)
    rows = connection.execute(select(*columns).where(_CASE.c.parent == case_id).order_by(_CASE.c.id))
    return [Child(*row) for row in rows]


def entered(connection: Connection, kind: str) -> list[Entered]:
    """Return all rows of a register, by code."""
    columns = (_ROW.c.id, _ROW.c.code, _ROW.c.data, _ROW.c.version)
    return [
        Entered(*row)
        for row in connection.execute(select(*columns).where(_ROW.c.kind == kind).order_by(_ROW.c.code))
    ]


def entered_as(connection: Connection, kind: str, key: str) -> Entered | None:
    """Return the row of a register with this code or id."""
    found = connection.execute(_ONE_ROW, {"kind": kind, "key": key}).first()
    return Entered(*found) if found else None


def sitting(connection: Connection, bound: str, role: str, today: str, *, limit: int) -> list[str]:
    """Return the codes of people who hold a role in an organisation today, some of them."""
    query = (
        select(_ROW.c.code)
        .join(_MEMBER, _MEMBER.c.person == _ROW.c.id)
        .where(_ROW.c.kind == "person", _MEMBER.c.bound == bound, _MEMBER.c.role == role, _today(today))
    )
    return list(connection.execute(query.order_by(_ROW.c.code).limit(limit)).scalars())


def somebody_with_work(connection: Connection, today: str) -> tuple[str, str] | None:
    """Return (code of an open case, code of a person who holds it today), the most urgent root first."""
    found = connection.execute(
        select(_CASE.c.code, _ROW.c.code)
        .join(_MEMBER, _MEMBER.c.bound == _CASE.c.holder_organisation)
        .join(_ROW, _ROW.c.id == _MEMBER.c.person)
        .where(_CASE.c.final.is_(None), _CASE.c.holder.like("%." + _MEMBER.c.role), _today(today))
        .order_by(_CASE.c.depth, _CASE.c.due_on.is_(None), _CASE.c.due_on.desc(), _CASE.c.code)
    ).first()
    return (str(found[0]), str(found[1])) if found else None


def _today(today: str) -> Any:
    return (_MEMBER.c.from_on <= today) & or_(_MEMBER.c.to_on.is_(None), _MEMBER.c.to_on >= today)


def kind_of(store: Store) -> str:
    """Return "sample" or "production"."""
    with store.read() as connection:
        return str(connection.execute(select(records.store.c.kind)).scalar_one())


def owed_now(store: Store) -> int:
    """Return how many outbox rows are due and neither done nor parked."""
    table = records.outbox
    open_now = table.c.state.in_(("pending", "claimed", "in_flight"))
    with store.read() as connection:
        query = select(func.count()).select_from(table).where(open_now, table.c.due_at <= store.now())
        return int(connection.execute(query).scalar_one())


def count(store: Store) -> Counts:
    """Count what a store holds."""
    log, notice, timer = records.transition_log, records.notice, records.timer
    with store.read() as connection:
        rows = connection.execute(
            select(_CASE.c.name, _CASE.c.phase, func.count()).group_by(_CASE.c.name, _CASE.c.phase)
        )
        phases = {(name, phase): number for name, phase, number in rows}

        def number_of(table: Any, *where: Any) -> int:
            return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

        return Counts(
            phases=phases,
            cases=sum(phases.values()),
            transitions=number_of(log, log.c.subject_kind == "case", log.c.trigger.is_not(None)),
            notices=number_of(notice),
            suppressed=number_of(notice, notice.c.suppressed.is_not(None)),
            delivered=number_of(records.delivery),
            fired=number_of(timer, timer.c.state == "fired"),
        )
