"""A case as a row of `workflow_case`, the same in both stores: which columns, in which order, and there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from engine.cases import Case
from engine.store import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What `case_of` reads.
READ = (
    "id, code, definition, parent, root, path, state, came_from, entered_on, final, holder, holder_organisation,"
    " holder_person, held_since, due_on, decided_on, plan_year, version, seq, head, data, parties, book"
)
#: What `place_of` reads.
PLACE = "definition, plan_year, coalesce(scope, ''), parties"
#: What `written` gives.
WRITTEN = (
    "id, code, definition, name, parent, root, path, depth, state, phase, came_from, entered_on, final, holder,"
    " holder_organisation, holder_person, held_since, due_on, decided_on, plan_year, scope, category, amount_vnd,"
    " title, sort_text, version, seq, head, data, parties, book"
)
COLUMNS = tuple(WRITTEN.split(", "))
#: What a case keeps from its start is not written again: each such column would cost its index and its foreign key.
_KEPT = frozenset({"id", "code", "name", "parent", "root", "path", "depth", "plan_year"})
#: Places in `COLUMNS` of what an update writes.
CHANGING = tuple(place for place, column in enumerate(COLUMNS) if column not in _KEPT)


def case_of(row: tuple[Any, ...]) -> Case:
    """Return the case of a row that begins with the columns of `READ`."""
    return Case(
        id=row[0], code=row[1], definition=row[2], parent=row[3], root=row[4], path=row[5], state=row[6],
        came_from=row[7], entered_on=row[8], final=row[9], holder=row[10], holder_organisation=row[11],
        holder_person=row[12], held_since=row[13], due_on=row[14], decided_on=row[15], plan_year=row[16],
        version=row[17], seq=row[18], head=row[19], data=orjson.loads(row[20]), parties=orjson.loads(row[21]),
        book=orjson.loads(row[22]),
    )  # fmt: skip


def place_of(definition: str, plan_year: int | None, scope: str, parties: str) -> Place:
    """Return what decides on the locks of a case, from the columns of `PLACE`."""
    return Place(definition, plan_year, scope, orjson.loads(parties))


def written(case: Case, derived: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`; `derived` are those that its definition makes of it."""
    return (
        case.id, case.code, case.definition, derived["name"], case.parent, case.root, case.path, case.depth,
        case.state, derived["phase"], case.came_from, case.entered_on, case.final, case.holder,
        case.holder_organisation, case.holder_person, case.held_since, case.due_on, case.decided_on, case.plan_year,
        derived["scope"], derived["category"], derived["amount_vnd"], derived["title"], derived["sort_text"],
        case.version, case.seq, case.head, orjson.dumps(case.data).decode(), orjson.dumps(case.parties).decode(),
        orjson.dumps(case.book).decode(),
    )  # fmt: skip
