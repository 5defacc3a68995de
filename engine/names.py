"""The names behind ids: people, organisations and establishments, as lists and histories show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, select

from engine import records
from engine.personal import is_commitment
from engine.shown_values import ERASED, OURS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

#: Registers whose rows have a name that people know them by.
_NAMED = ("establishment", "organisation", "person")
#: Ids asked for in one statement.
_AT_ONCE = 500
_VALUE, _ROW = records.personal_value, records.register_row
# Statements are made once: making one costs as much as running it.
_OPENED = select(_VALUE.c.commitment, _VALUE.c.value).where(
    _VALUE.c.commitment.in_(bindparam("some", expanding=True)), _VALUE.c.value.is_not(None)
)
#: The kind is named because the key of the table begins with it. A value comes along where the name is a commitment.
_NAMES = (
    select(_ROW.c.id, _ROW.c.code, _ROW.c.data["name"].as_string(), _VALUE.c.value)
    .outerjoin(_VALUE, _VALUE.c.commitment == _ROW.c.data["name"].as_string())
    .where(_ROW.c.kind.in_(_NAMED), _ROW.c.id.in_(bindparam("some", expanding=True)))
)


def opened(connection: Connection, commitments: Iterable[str]) -> dict[str, Any]:
    """Return commitment -> value; an erased one is missing."""
    found: dict[str, Any] = {}
    for some in _portions(set(commitments)):
        rows = connection.execute(_OPENED, {"some": some})
        found.update((commitment, orjson.loads(value)) for commitment, value in rows)
    return found


def names_of(connection: Connection, ids: Iterable[str | None], language: str = "vi") -> dict[str, str]:
    """Return id -> name for rows of registers; an erased name shows as such, an unknown id as itself."""
    wanted = {one for one in ids if one}
    found = {one: OURS[one].text(language) for one in wanted & set(OURS)}
    for some in _portions(wanted - set(OURS)):
        for one, code, name, value in connection.execute(_NAMES, {"some": some}):
            if is_commitment(name):
                found[one] = str(orjson.loads(value)) if value else ERASED.text(language)
            else:
                found[one] = name or code
    return {one: found.get(one, one) for one in wanted}


def _portions(wanted: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(wanted)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
