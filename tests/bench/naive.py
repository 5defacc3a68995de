"""What one writes in an afternoon: SQLAlchemy's unit of work, one object a row, `transitions` on the mapped object.

It asks the database what an approval must ask and writes the very rows of a recorded approval. The decision itself (rules,
guards, words, hashes) is given to it ready made, so that a real one would be slower, never faster.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import create_engine, func, or_, select, text
from sqlalchemy.orm import Session, registry
from transitions import Machine

from engine import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Engine

    from engine.commands import Fire

#: Written in this order where nothing says which depends on which.
_WRITTEN = ("transition_log", "unfolded", "receipt", "personal_value", "timer", "notice", "outbox")
_DAY = "2026-11-02"


class Case:
    """A row of `workflow_case`."""


class Party:
    """A row of `case_party`."""


class Membership:
    """A row of `membership`."""


class Row:
    """A row of `register_row`."""


class LogEntry:
    """A row of `transition_log`."""


class Unfolded:
    """A row of `unfolded`."""


class Receipt:
    """A row of `receipt`."""


class PersonalValue:
    """A row of `personal_value`."""


class Timer:
    """A row of `timer`."""


class Notice:
    """A row of `notice`."""


class Promise:
    """A row of `outbox`."""


_CLASSES: dict[str, Any] = {
    "workflow_case": Case, "case_party": Party, "membership": Membership, "register_row": Row, "transition_log": LogEntry,
    "unfolded": Unfolded, "receipt": Receipt, "personal_value": PersonalValue, "timer": Timer, "notice": Notice,
    "outbox": Promise,
}  # fmt: skip
_mapped = registry(metadata=records.metadata)
for _table, _class in _CLASSES.items():
    _mapped.map_imperatively(_class, records.metadata.tables[_table])
_machine = Machine(
    model=None, states=["awaiting_minister", "approved"], initial="awaiting_minister", auto_transitions=False,
    transitions=[["approve", "*", "approved"]],
)  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]


def approver(url: str, numbers: Iterable[int]) -> Callable[[Fire], None]:
    """Return what approves one project in a transaction of its own, on a copy of the floor's database.

    Shapes:
        numbers: of the approvals that will be sent; their recorded rows are read now.
    """
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"),
        pool_size=8,
        connect_args={"options": "-c tiendo.reads=engine"},
        # The store's own way of writing JSON, so that the bytes are the same.
        json_serializer=lambda value: orjson.dumps(value).decode(),
    )
    recorded = _recorded(engine, set(numbers))

    def approve(command: Fire) -> None:
        with Session(engine) as session, session.begin():
            _approve(session, command, recorded[int(command.id.rpartition("-")[2])])

    return approve


def _approve(session: Session, command: Fire, rows: Rows) -> None:
    case: Any = session.get(Case, command.case, with_for_update=True)
    if session.get(Receipt, (command.principal.key, command.id)) is not None:
        return
    _look(session, command, case)
    waiting: Any = session.scalars(
        select(Timer).where(Timer.case_id == case.id, Timer.state.in_(("waiting", "paused")))  # type: ignore[attr-defined]
    )
    timers = {timer.id: timer for timer in waiting}
    _machine.add_model(case, initial=case.state)
    case.approve()
    _machine.remove_model(case)
    for name, value in rows["workflow_case"][0].items():
        setattr(case, name, value)
    for row in rows["timer_changed"]:
        for name, value in row.items():
            setattr(timers[row["id"]], name, value)
    for table in _WRITTEN:
        for row in rows[table]:
            session.add(_CLASSES[table](**row))


def _look(session: Session, command: Fire, case: Any) -> None:
    """Ask what the guards and the notices ask."""
    seats: Any = session.scalars(
        select(Membership).where(
            Membership.person == command.principal.person,  # type: ignore[attr-defined]
            Membership.from_on <= _DAY,  # type: ignore[attr-defined]
            or_(Membership.to_on.is_(None), Membership.to_on >= _DAY),  # type: ignore[attr-defined]
        )
    ).all()
    parties: Any = session.scalars(select(Party).where(Party.case_id == case.id)).all()  # type: ignore[attr-defined]
    table = Case.__table__  # type: ignore[attr-defined]
    line = f"national/{case.plan_year}/{case.scope}"
    session.scalars(select(Row).where(Row.kind == "budget_line", Row.code == line)).one()  # type: ignore[attr-defined]
    session.execute(
        select(func.coalesce(func.sum(table.c.amount_vnd), 0)).where(
            table.c.name == case.name, table.c.plan_year == case.plan_year, table.c.scope == case.scope,
            table.c.decided_on.is_not(None), or_(table.c.final.is_(None), table.c.final == "accepted"),
            table.c.id != case.id,
        )
    ).scalar_one()  # fmt: skip
    by_name = {party.party: party.bound for party in parties}
    session.scalars(
        select(Case).join(Party, Party.case_id == Case.id)  # type: ignore[attr-defined]
        .where(Party.bound == by_name["beneficiary"], Case.root != case.root, Case.decided_on.is_not(None))  # type: ignore[attr-defined]
    ).all()  # fmt: skip
    for party in {seat.bound for seat in seats} | set(by_name.values()):
        session.scalars(select(Membership).where(Membership.bound == party)).all()  # type: ignore[attr-defined]


def _recorded(engine: Engine, numbers: set[int]) -> dict[int, Rows]:
    """Return number -> table -> rows, as the floor has them lying ready."""
    found: dict[int, Rows] = defaultdict(lambda: defaultdict(list))
    staged = {"workflow_case": "workflow_case_changed", "timer_changed": "timer_changed"}
    staged |= {table: f"{table}_new" for table in _WRITTEN}
    with engine.connect() as connection:
        for table, source in staged.items():
            for row in connection.execute(text(f"SELECT * FROM bench.{source}")).mappings():
                if row["number"] in numbers:
                    found[row["number"]][table].append(
                        {name: value for name, value in row.items() if name != "number"}
                    )
    engine.dispose()
    return found
