"""Guards in the database itself: log, published texts, receipts and the store's birth are never changed or emptied.

They stop accidents and injected SQL, not an administrator; that is what the chain is for. They are created anew at the
end of every migration, because a rebuilt table silently loses them, and a store whose guards differ is not opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Broken, Words
from engine.table_names import APPEND_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    #: Runs one statement and returns its rows: `run` of a transaction, `exec_driver_sql` of a connection.
    Ask = Callable[[str], Iterable[Any]]


class GuardsMissing(Broken):
    """The store's own guards are not as they must be."""

    code = "guards_missing"
    words = Words(
        "Kho {path} thiếu hoặc sai lớp bảo vệ nhật ký: {names}. Không mở; hãy tìm hiểu ai đã sửa tệp, rồi khôi phục.",
        "The log guards of store {path} are missing or changed: {names}. It is not opened; find out who changed it.",
    )


def wanted() -> dict[str, str]:
    """Return name -> statement of every guard of an SQLite store."""
    guards: dict[str, str] = {}
    for table in APPEND_ONLY:
        for deed in ("UPDATE", "DELETE"):
            name = f"guard_{table}_{deed.lower()}"
            guards[name] = (
                f"CREATE TRIGGER {name} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    guards["guard_personal_value_delete"] = (
        "CREATE TRIGGER guard_personal_value_delete BEFORE DELETE ON personal_value "
        "BEGIN SELECT RAISE(ABORT, 'personal_value is erased, not deleted'); END"
    )
    guards["guard_personal_value_update"] = (
        "CREATE TRIGGER guard_personal_value_update BEFORE UPDATE ON personal_value "
        "WHEN NEW.value IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.commitment <> OLD.commitment "
        "OR NEW.context <> OLD.context OR NEW.subject <> OLD.subject "
        "BEGIN SELECT RAISE(ABORT, 'personal_value can only be erased'); END"
    )
    return guards


#: Kind of a store -> the question for the names of all its tables.
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def is_ours(there: set[str]) -> bool:
    """Return whether a database with these tables has a log of ours, or numbered migrations went over it."""
    return not {"transition_log", "alembic_version"}.isdisjoint(there)


def tables(ask: Ask, kind: str) -> set[str]:
    """Return the names of all tables of a database.

    Shapes:
        kind: "sqlite" or "postgresql".
    """
    return {str(name) for (name,) in ask(_TABLES[kind])}


def install(connection: Connection) -> None:
    """Create every guard anew; safe to run again."""
    for name, statement in wanted().items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(statement)


def check(ask: Ask, path: str) -> None:
    """Compare the guards in the store with those that must be there.

    Errors:
        GuardsMissing: naming every guard that is missing, changed or not ours.
    """
    found = dict(ask("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    must = wanted()
    wrong = sorted({name for name in must.keys() | found.keys() if must.get(name) != found.get(name)})
    if wrong:
        raise GuardsMissing(path=path, names=", ".join(wrong))
