"""A changed calendar: which deadlines to come move, previewed first, then counted again case by case.

What was due before today stays as it was. Each case whose due day really moves gets an entry of its own; the others
get none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine import civil_time, deadlines, records
from engine.commands import Edit
from engine.execute import execute_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.cases import Case
    from engine.commands import Principal
    from engine.engine import Engine

TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline that would move.

    Shapes:
        before, after: civil days.
    """

    case: str
    code: str
    deadline: str
    before: date
    after: date


def preview(engine: Engine) -> list[Moved]:
    """Return every deadline to come that the present calendar counts to another day, in order of code."""
    return sorted(_moved(engine), key=lambda one: (one.code, one.deadline))


def recount(engine: Engine, principal: Principal, *, reason: str) -> list[Moved]:
    """Move what `preview` names; the reason says which calendar entry changed. Return what was moved.

    Errors:
        Refused: the principal is no operator; nothing was moved.
        Unavailable: cases already moved stay moved; run it again for the rest.
    """
    moved = preview(engine)
    cases = list(dict.fromkeys(one.case for one in moved))
    for start in range(0, len(cases), TOGETHER):
        together = cases[start : start + TOGETHER]
        commands = [Edit(principal=principal, case=case, recount=True, reason=reason) for case in together]
        for answer in execute_all(engine, commands):
            if isinstance(answer, Exception):
                raise answer
    return moved


def _moved(engine: Engine) -> Iterator[Moved]:
    today = civil_time.day_at(engine.store.now()).isoformat()
    for case in _open_cases(engine):
        definition = engine.definitions.by_hash(case.definition)
        for name, book in case.below("deadline").items():
            deadline = deadlines.find(definition, case.state, name)
            if deadline is None or book["paused"] or book["due"] < today:
                continue
            due = deadlines.due_of(deadline, book, case, engine.calendar).due_on
            if due is not None and due.isoformat() != book["due"]:
                yield Moved(case.id, case.code, name, date.fromisoformat(book["due"]), due)


def _open_cases(engine: Engine) -> Iterator[Case]:
    table = records.workflow_case
    with engine.store.read() as connection:
        found = connection.execute(
            select(table.c.id).where(table.c.final.is_(None), table.c.due_on.is_not(None))
        )
        ids = list(found.scalars())
    with engine.store.look() as tx:
        for one in ids:
            case = tx.case(one)
            if case is not None:
                yield case
