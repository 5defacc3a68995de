"""What a Register command needs to be decided, read inside its transaction, after the locks are held."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from engine.personal import open_values
from engine.register_checks import NATURAL, natural_code
from engine.register_rights import named
from engine.register_rows import RegisterRow, Writer
from engine.register_words import CODE, REGISTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from engine.commands import Principal, Register
    from engine.personal import Runs
    from engine.store import Seat

_ID = re.compile(r"[0-9a-f]{32}")
_ROW = "SELECT kind, id, code, data, version, seq, head, sort_text FROM register_row"
#: An organisation chart deeper than this is a ring that some import made.
_DEEPEST = 32


def row_by_key(tx: Runs, kind: str, key: str) -> RegisterRow | None:
    """Return the row with this id or code, or None."""
    column = "id" if _ID.fullmatch(key) else "code"
    found = tx.run(f"{_ROW} WHERE kind = :kind AND {column} = :key", {"kind": kind, "key": key})
    return _row(found[0]) if found else None


def row_of(tx: Runs, command: Register) -> RegisterRow | None:
    """Return the row that a command writes, or None for a new one.

    Shapes:
        command.key: id or code; empty for a new row, or for registers whose code follows from their values
            (budget lines, published texts, the store): there the row that has this code is the one.
    """
    if command.key:
        return row_by_key(tx, command.register, command.key)
    if command.register in NATURAL:
        return row_by_key(tx, command.register, natural_code(command.register, command.values))
    return None


def writer_of(
    tx: Runs, command: Register, row: RegisterRow | None, seats: Iterable[Seat], today: str,
    lists: Callable[[str], Collection[str]] | None = None,
) -> Writer:  # fmt: skip
    """Return who writes and all that `draft` may look at.

    Shapes:
        seats: of the principal, today. today: ISO date. lists: as Engine.lists.
    """
    own = tuple(seat for seat in seats if seat.person == command.principal.person)
    rows = _rows_named(tx, command, row)
    is_person = command.principal.kind == "person"
    places = {found.id for found in rows.values() if found.kind == "organisation"} | {
        seat.bound for seat in own
    }
    return Writer(
        principal=command.principal,
        today=today,
        secret=secret(tx),
        seats=own,
        empty=not tx.run("SELECT id FROM register_row WHERE kind = 'person' LIMIT 1"),
        rows=rows,
        opened=open_values(tx, row.id) if row else {},
        above={place: above(tx, place) for place in sorted(places)} if is_person else {},
        provinces=_provinces(tx, own, today) if is_person else {},
        lists={name: kept for name in _lists_of(command) if lists and (kept := lists(name))},
    )


def _lists_of(command: Register) -> set[str]:
    """Return the closed lists that the words of a command are of."""
    words = REGISTERS.get(command.register, {})
    return {words[word].listed for word in command.values if word in words and words[word].listed}


def eraser_of(tx: Runs, principal: Principal, row: RegisterRow, seats: Iterable[Seat], today: str) -> Writer:
    """Return the writer for `check_erase`."""
    own = tuple(seat for seat in seats if seat.person == principal.person)
    found = _lookup(tx, named(row.kind, row, {}))
    places = {other.id for other in found.values() if other.kind == "organisation"} | {
        seat.bound for seat in own
    }
    return Writer(
        principal=principal,
        today=today,
        secret=secret(tx),
        seats=own,
        rows=found,
        opened=open_values(tx, row.id),
        above={place: above(tx, place) for place in sorted(places)},
        provinces=_provinces(tx, own, today),
    )


def secret(tx: Runs) -> str:
    """Return the secret of the store that keys the look-up of personal values."""
    rows = tx.run("SELECT secret FROM store")
    return str(rows[0][0]) if rows else ""


def above(tx: Runs, organisation: str) -> tuple[str, ...]:
    """Return an organisation and all above it, nearest first; empty when there is no such organisation."""
    found: list[str] = []
    at: str | None = organisation
    while at and at not in found and len(found) < _DEEPEST:
        row = row_by_key(tx, "organisation", at)
        if row is None:
            break
        found.append(row.id)
        at = row.data.get("parent")
    return tuple(found)


def _rows_named(tx: Runs, command: Register, row: RegisterRow | None) -> dict[str, RegisterRow]:
    keys = named(command.register, row, command.values)
    code = command.values.get(CODE) or natural_code(command.register, command.values)
    if isinstance(code, str) and code:
        keys.add(code)
    return _lookup(tx, keys)


def _lookup(tx: Runs, keys: set[str]) -> dict[str, RegisterRow]:
    found: dict[str, RegisterRow] = {}
    kinds = ", ".join(f"'{kind}'" for kind in REGISTERS)
    for key in sorted(keys):
        column = "id" if _ID.fullmatch(key) else "code"
        # Every kind is named because the keys of the table begin with it: no walk through all rows.
        for values in tx.run(f"{_ROW} WHERE kind IN ({kinds}) AND {column} = :key", {"key": key}):
            row = _row(values)
            found[f"{row.kind}:{row.id}"] = found[f"{row.kind}:{row.code}"] = row
    return found


def _provinces(tx: Runs, seats: Iterable[Seat], today: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for seat in seats:
        row = row_by_key(tx, "organisation", seat.bound)
        if row is None:
            continue
        own = [row, *(old for old in _predecessors(tx, row.id) if "" < (old.data.get("to") or "") < today)]
        found[seat.bound] = frozenset(str(other.data.get("province") or "") for other in own)
    return found


def _predecessors(tx: Runs, organisation: str) -> list[RegisterRow]:
    """Return the organisations whose successor this is; the text of the row is a first, coarse filter."""
    rows = tx.run(
        f"{_ROW} WHERE kind = 'organisation' AND CAST(data AS TEXT) LIKE :named",
        {"named": f"%{organisation}%"},
    )
    return [row for row in map(_row, rows) if row.data.get("successor") == organisation]


def _row(values: tuple[Any, ...]) -> RegisterRow:
    kind, row_id, code, data, version, seq, head, sort = values
    words = orjson.loads(data) if isinstance(data, (str, bytes)) else data
    return RegisterRow(kind, row_id, code, words, version, seq, head, sort)
