"""Which migrations a store has, and its first entry: what stores of both kinds are asked when they are made or opened."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine import append_only, entries
from engine.commands import SYSTEM, Register, new_id
from engine.entries import Entry
from engine.errors import Broken, Refused, Words
from engine.store import StoreForeign

if TYPE_CHECKING:
    from engine.append_only import Ask
    from engine.store import Store

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


class SchemaOld(Refused):
    """The store was made by an older version."""

    code = "schema_old"
    words = Words(
        "Kho {path} ở lược đồ {found}, phần mềm cần {wanted}. Sao lưu rồi chạy `tiendo schema upgrade`.",
        "The store {path} has schema {found}, this version needs {wanted}. Back it up, then run `tiendo schema upgrade`.",
    )


class SchemaNew(Broken):
    """The store was moved on by a newer version."""

    code = "schema_new"
    words = Words(
        "Kho {path} ở lược đồ {found}, mới hơn phần mềm này ({wanted}). Hãy dùng phiên bản phần mềm mới.",
        "The store {path} has schema {found}, newer than this version ({wanted}). Use the newer version.",
    )


class StoreExists(Refused):
    """There is something at this path already."""

    code = "store_exists"
    words = Words(
        "{path} đã có; không ghi đè. Chọn đường dẫn khác hoặc mở kho này.",
        "{path} exists and is not overwritten. Choose another path, or open this store.",
    )


def head() -> str:
    """Return the newest revision that this version knows."""
    return numbers()[-1]


@cache
def numbers() -> list[str]:
    """Return the numbers of all migrations in order: what their files begin with."""
    return sorted(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*.py"))


def check_version(ask: Ask, kind: str, path: str) -> None:
    """Refuse a store whose schema is not the one of this version.

    Shapes:
        kind: "sqlite" or "postgresql".
    Errors:
        StoreForeign, SchemaOld, SchemaNew: nothing was done.
    """
    found = number_of(ask, kind, path)
    wanted = head()
    if found == wanted:
        return
    if not found or found in numbers():
        raise SchemaOld(path=path, found=found or "—", wanted=wanted)
    raise SchemaNew(path=path, found=found, wanted=wanted)


def number_of(ask: Ask, kind: str, path: str) -> str:
    """Return the number of the last migration of a store; "" where none ever ran.

    Errors:
        StoreForeign: it is no store of ours.
    """
    there = append_only.tables(ask, kind)
    if not append_only.is_ours(there):
        raise StoreForeign(path=path)
    found = (
        [number for (number,) in ask("SELECT version_num FROM alembic_version")]
        if "alembic_version" in there
        else []
    )
    return str(found[0]) if found else ""


def give_birth(store: Store, kind: str) -> None:
    """Write the store's own row and the first entry of its log."""
    row = new_id()
    birth = Register(principal=SYSTEM, register="store", values={"kind": kind})
    with store.begin() as tx:
        changes = {"code": [None, "store"], "kind": [None, kind]}
        at = tx.stamp()
        _, head_hash, logged = entries.write(
            Entry(changes), birth, subject=("store", row), seq=1, previous="", recorded_at=at
        )
        tx.run(
            "INSERT INTO store (id, kind, born_at, secret) VALUES (1, :kind, :at, :secret)",
            {"kind": kind, "at": at, "secret": secrets.token_hex(32)},
        )
        columns = "subject_kind, subject, seq, hash, recorded_at, principal, command, kind, trigger, entry"
        names = columns.split(", ")
        marks = ", ".join(f":{name}" for name in names)
        tx.run(
            f"INSERT INTO transition_log ({columns}) VALUES ({marks})",  # noqa: S608 - our own words
            dict(zip(names, logged, strict=True)),
        )
        tx.run("INSERT INTO unfolded (subject_kind, subject, seq) VALUES ('store', :row, 1)", {"row": row})
        tx.run(
            "INSERT INTO register_row (kind, id, code, sort_text, data, version, seq, head)"
            " VALUES ('store', :row, 'store', 'store', :data, 1, 1, :head)",
            {"row": row, "data": f'{{"kind":"{kind}"}}', "head": head_hash},
        )
