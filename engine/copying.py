"""A whole store copied to another, row by row, and compared before it counts.

All of it is one transaction of the target: either the target holds every row of the source, found equal one by one, or it is
as empty as before. Nobody writes the source meanwhile. The copy is no new beginning: every entry, hash and receipt is the
old one, so that chains, proofs and repeats go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, text

from engine import records
from engine.errors import Broken, Refused, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.postgres_rows import PostgresTransaction
    from engine.postgres_store import PostgresStore
    from engine.sqlite_store import SqliteStore
    from engine.store import Store

Row = tuple[Any, ...]
#: Rows that go in one round trip, and that are compared at once.
_TOGETHER = 500
#: Pieces of files, which have 256 KiB each.
_FEW = 16
#: Who serves a store is no part of it.
_LEFT_OUT = frozenset({"serving"})
_LOG = "transition_log"


class CopyTargetTaken(Refused):
    """The target holds a store already."""

    code = "copy_target_taken"
    words = Words(
        "{path} đã có dữ liệu ({table}: {rows} dòng); không chép đè. Chọn cơ sở dữ liệu trống.",
        "{path} holds data already ({table}: {rows} rows) and is not overwritten. Choose an empty database.",
    )


class CopyDiffers(Broken):
    """What was written is not what was read."""

    code = "copy_differs"
    words = Words(
        "Bản sao ở {path} khác bản gốc: bảng {table}, dòng {row}. Đã bỏ bản sao, bản gốc còn nguyên; hãy báo người bảo trì.",
        "The copy in {path} differs from its source: table {table}, row {row}. The copy was dropped and the source is as it "
        "was; tell the maintainer.",
    )


@dataclass(slots=True)
class Copied:
    """What was copied.

    Shapes:
        rows: table -> number of rows, in the order of copying. entries: log entries compared one by one.
    """

    rows: dict[str, int] = field(default_factory=dict)

    @property
    def entries(self) -> int:
        """How many log entries there are."""
        return self.rows.get(_LOG, 0)


def copy(
    source: SqliteStore, target: PostgresStore, *, progress: Callable[[str, int], None] | None = None
) -> Copied:
    """Copy every row of a store into an empty one of the same schema and compare all of it.

    Shapes:
        progress: called with a table and its number of rows when it is copied.
    Errors:
        CopyTargetTaken, CopyDiffers: the target is as empty as before, the source as it was.
        Unavailable: the same, unless it is CommitUnknown; then a look at the target tells.
    """
    copied = Copied()
    # The writer's lock of the source keeps everybody else from writing there; the rows are read beside it.
    with source.begin(), target.begin() as tx:
        _refuse_taken(tx, target.path)
        for table in _tables():
            copied.rows[table.name] = _fill(source, tx, table)
            if progress is not None:
                progress(table.name, copied.rows[table.name])
        for table in _tables():
            _compare(source, tx, table, target.path)
    return copied


def _tables() -> Iterator[Table]:
    """Return the tables, those that others refer to first."""
    return (table for table in records.metadata.sorted_tables if table.name not in _LEFT_OUT)


def _refuse_taken(tx: PostgresTransaction, path: str) -> None:
    for table in _tables():
        rows = tx.run(f"SELECT count(*) FROM {table.name}")[0][0]  # noqa: S608 - our own words
        if rows:
            raise CopyTargetTaken(path=path, table=table.name, rows=rows)


def _fill(source: Store, tx: PostgresTransaction, table: Table) -> int:
    names = [column.name for column in table.columns]
    marks = ", ".join(f"${place}" for place in range(1, len(names) + 1))
    insert = f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({marks})"  # noqa: S608 - our own words
    count = 0
    for rows in _batches(_source_rows(source, table), _together(table)):
        tx.ask(*((insert, row) for row in rows))
        count += len(rows)
    return count


def _compare(source: Store, tx: PostgresTransaction, table: Table, path: str) -> None:
    """Refuse a copy of which any value of any row is another one than in the source."""
    for number, (was, now) in enumerate(zip_longest(_source_rows(source, table), _target_rows(tx, table)), 1):
        if was != now:
            raise CopyDiffers(path=path, table=table.name, row=number)


def _order(table: Table) -> list[str]:
    """Return what a table is sorted by: parents before their children, else its key; the same in both stores."""
    key = [column.name for column in table.primary_key.columns]
    return ["depth", *key] if table is records.workflow_case else key


def _source_rows(source: Store, table: Table) -> Iterator[Row]:
    names = _quoted([column.name for column in table.columns])
    asked = f"SELECT {names} FROM {table.name} ORDER BY {_quoted(_order(table))}"  # noqa: S608 - our own words
    with source.read() as connection:
        for row in connection.execution_options(yield_per=_together(table)).execute(text(asked)):
            yield tuple(row)


def _target_rows(tx: PostgresTransaction, table: Table) -> Iterator[Row]:
    names = _quoted([column.name for column in table.columns])
    # Each table has a cursor of its own: what is fetched is prepared, and stays what it was.
    name = f"copied_{table.name}"
    cursor = f"DECLARE {name} NO SCROLL CURSOR FOR SELECT {names} FROM {table.name} ORDER BY {_quoted(_order(table))}"  # noqa: S608
    tx.run(cursor)
    while rows := tx.run(f"FETCH {_together(table)} FROM {name}"):
        yield from rows
    tx.run(f"CLOSE {name}")


def _together(table: Table) -> int:
    return _FEW if table is records.file_chunk else _TOGETHER


def _batches(rows: Iterator[Row], together: int) -> Iterator[list[Row]]:
    while some := list(islice(rows, together)):
        yield some


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
