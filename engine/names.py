"""The names behind ids: people, organisations and establishments, as lists and histories show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from engine import records
from engine.errors import Words
from engine.personal import is_commitment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

#: Shown in place of a personal value that is no longer there.
ERASED = Words("đã xoá theo yêu cầu", "erased on request")
#: Shown for the principals that are no persons.
OURS = {"timer": Words("hẹn giờ", "timer"), "system": Words("hệ thống", "system")}

#: Registers whose rows have a name that people know them by.
_NAMED = ("establishment", "organisation", "person")
#: Ids asked for in one statement.
_AT_ONCE = 500


def opened(connection: Connection, commitments: Iterable[str]) -> dict[str, Any]:
    """Return commitment -> value; an erased one is missing."""
    table = records.personal_value
    found: dict[str, Any] = {}
    for some in _portions(set(commitments)):
        rows = connection.execute(
            select(table.c.commitment, table.c.value).where(
                table.c.commitment.in_(some), table.c.value.is_not(None)
            )
        )
        found.update((commitment, orjson.loads(value)) for commitment, value in rows)
    return found


def names_of(connection: Connection, ids: Iterable[str | None], language: str = "vi") -> dict[str, str]:
    """Return id -> name for rows of registers; an erased name shows as such, an unknown id as itself."""
    wanted = {one for one in ids if one}
    found = {one: OURS[one].text(language) for one in wanted & set(OURS)}
    row = records.register_row
    held: dict[str, str] = {}
    for some in _portions(wanted - set(OURS)):
        # The kind is named because the key of the table begins with it.
        where = (row.c.kind.in_(_NAMED), row.c.id.in_(some))
        for one, code, data in connection.execute(select(row.c.id, row.c.code, row.c.data).where(*where)):
            held[one] = data.get("name") or code
    values = opened(connection, filter(is_commitment, held.values()))
    for one, name in held.items():
        found[one] = str(values.get(name, ERASED.text(language))) if is_commitment(name) else name
    return {one: found.get(one, one) for one in wanted}


def shown(value: Any, values: Mapping[str, Any], language: str = "vi") -> Any:
    """Return a value as people may see it: commitments inside it opened, or told to be erased."""
    if is_commitment(value):
        return values.get(value, ERASED.text(language))
    if isinstance(value, dict):
        return {word: shown(inner, values, language) for word, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner, values, language) for inner in value]
    return value


def commitments_in(value: Any) -> set[str]:
    """Return every commitment inside a value."""
    if is_commitment(value):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {found for item in inner for found in commitments_in(item)}


def _portions(wanted: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(wanted)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
