"""The raw floor: plain sqlite3 that writes the rows of an approval and does nothing else.

What it writes is taken from a finished run of the engine: for each approval the rows that its transaction left behind,
table by table. One connection, WAL and full synchronisation as the engine has, one `executemany` for each table, between
`BEGIN IMMEDIATE` and `COMMIT`. It reads nothing, decides nothing, hashes nothing.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Row = tuple[Any, ...]
#: Table -> the columns that name a row, and the column by which a row belongs to a case.
TABLES = {
    "workflow_case": (("id",), "id"),
    "case_party": (("case_id", "party"), "case_id"),
    "transition_log": (("subject_kind", "subject", "seq"), "subject"),
    "unfolded": (("subject_kind", "subject", "seq"), "subject"),
    "receipt": (("principal", "command"), "command"),
    "personal_value": (("commitment",), "subject"),
    "timer": (("id",), "case_id"),
    "notice": (("id",), "case_id"),
    "outbox": (("id",), "subject"),
}


@dataclass(slots=True)
class Written:
    """What one transaction wrote: (statement, its rows), in the order of the tables."""

    statements: list[tuple[str, list[Row]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows of one table that were inserted or changed, and the bytes of their values as text."""

    rows: int
    size_bytes: int


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection with the durability that the engine has."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def run(path: Path, plan: Sequence[Written]) -> list[float]:
    """Write every transaction of a plan and return what each took, in µs."""
    connection = connect(path)
    execute, many = connection.execute, connection.executemany
    took = []
    for one in plan:
        begun = time.perf_counter_ns()
        execute("BEGIN IMMEDIATE")
        for statement, rows in one.statements:
            many(statement, rows)
        execute("COMMIT")
        took.append((time.perf_counter_ns() - begun) / 1000)
    connection.close()
    return took


def plan_of(before: Path, after: Path, commands: Iterable[tuple[str, str]]) -> list[Written]:
    """Return what each command wrote, in order.

    Shapes:
        before, after: the store without and with the run. commands: (command id, case id) in the order sent.
    """
    plan = {case: Written() for _, case in commands}
    owner = dict(commands) | {case: case for case in plan}
    for table, (old, new, columns) in _changed(before, after).items():
        key, belongs = TABLES[table]
        place = columns.index(belongs)
        inserted: dict[str, list[Row]] = {}
        updated: dict[str, list[Row]] = {}
        for row in new:
            # An outbox row speaks of a notice or of the case: a notice leads to its case.
            case = owner[row[place]]
            (updated if _key(row, columns, key) in old else inserted).setdefault(case, []).append(row)
            if table == "notice":
                owner[row[columns.index("id")]] = case
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        update = _update(table, columns, key)
        for case, rows in inserted.items():
            plan[case].statements.append((insert, rows))
        for case, rows in updated.items():
            plan[case].statements.append((update, [_moved(row, columns, key) for row in rows]))
    return list(plan.values())


def volumes(before: Path, after: Path) -> dict[str, Volume]:
    """Return for each table how many rows a run inserted or changed, and how many bytes they hold."""
    return {
        table: Volume(len(new), sum(len(value) if isinstance(value, bytes) else len(str(value).encode())
                                    for row in new for value in row if value is not None))
        for table, (_, new, _) in _changed(before, after).items()
    }  # fmt: skip


def _changed(before: Path, after: Path) -> dict[str, tuple[set[Row], list[Row], list[str]]]:
    """Return table -> (keys before, rows inserted or changed in the order written, columns); every table is looked at."""
    connection = sqlite3.connect(after)
    connection.execute("ATTACH DATABASE ? AS old", (str(before),))
    names = [
        name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
    ]
    found = {}
    for table in sorted(names, key=lambda name: [*TABLES, name].index(name)):
        columns = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
        new = connection.execute(f"SELECT * FROM main.{table} EXCEPT SELECT * FROM old.{table}").fetchall()
        if not new:
            continue
        key = TABLES[table][0]
        old = {tuple(row) for row in connection.execute(f"SELECT {', '.join(key)} FROM old.{table}")}
        found[table] = (old, new, columns)
    connection.close()
    return found


def _key(row: Row, columns: list[str], key: tuple[str, ...]) -> Row:
    return tuple(row[columns.index(name)] for name in key)


def _update(table: str, columns: list[str], key: tuple[str, ...]) -> str:
    sets = ", ".join(f'"{name}" = ?' for name in columns if name not in key)
    return f"UPDATE {table} SET {sets} WHERE " + " AND ".join(f'"{name}" = ?' for name in key)


def _moved(row: Row, columns: list[str], key: tuple[str, ...]) -> Row:
    rest = tuple(value for name, value in zip(columns, row, strict=True) if name not in key)
    return rest + _key(row, columns, key)
