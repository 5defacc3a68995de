"""The schema of an embedded store: made and moved by numbered migrations, checked whenever a store is opened.

A store is born `sample` or `production`, and stays so: that is its first log entry.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine import append_only
from engine.errors import Broken, Words
from engine.schema_numbers import (
    SchemaNew,
    SchemaOld,
    StoreExists,
    check_version,
    give_birth,
    head,
    number_of,
    numbers,
)
from engine.sqlite_errors import refused_by_the_system, told
from engine.sqlite_store import SqliteStore, system_clock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "SchemaNew", "SchemaOld", "StoreExists", "WalMissing", "check_move", "create", "downgrade", "give_birth", "head",
    "number_in", "numbers", "open_store", "upgrade",
]  # fmt: skip
_WAL_INDEX_HEAD, _WAL_INDEX_VERSION = 100, 3007000


class WalMissing(Broken):
    """The write-ahead log was taken away after a crash, and with it what was committed last."""

    code = "wal_missing"
    words = Words(
        "Thiếu tệp {path}-wal trong khi {path}-shm còn đó: những thay đổi sau cùng nằm trong tệp bị mất. Không mở; hãy đặt lại "
        "tệp -wal, hoặc khôi phục từ bản sao lưu và xoá tệp -shm.",
        "{path}-wal is gone while {path}-shm is there: the last changes were in it. It is not opened; put the -wal file "
        "back, or restore a backup and remove the -shm file.",
    )


def create(path: str | Path, *, kind: str, clock: Callable[[], int] = system_clock) -> SqliteStore:
    """Make a new embedded store and open it.

    Shapes:
        kind: "sample" or "production"; unchangeable.
    Errors:
        StoreExists: the file is there; it was not touched.
        StoreUnreachable, StoreFull, StoreReadOnly: there is no file afterwards, so that it can be tried again.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as why:
        raise StoreExists(path=str(path)) from why
    except OSError as why:
        raise refused_by_the_system(why, str(path)) from why
    try:
        upgrade(path)
        store = SqliteStore(path, clock=clock)
        give_birth(store, kind)
    except BaseException:
        for half in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            half.unlink(missing_ok=True)
        raise
    return store


def open_store(path: str | Path, *, clock: Callable[[], int] = system_clock) -> SqliteStore:
    """Open an existing embedded store after checking its schema and its guards.

    Errors:
        StoreUnreachable, StoreCorrupt, StoreOnNetwork, WalMissing, StoreForeign, SchemaOld, SchemaNew,
        GuardsMissing: it was not opened.
    """
    _check_wal(path)
    store = SqliteStore(path, clock=clock)
    try:
        with store.look() as tx:
            check_version(tx.run, "sqlite", store.path)
            append_only.check(tx.run, store.path)
    except BaseException:
        store.close()
        raise
    return store


def upgrade(path: str | Path, to: str = "head") -> None:
    """Bring the schema of a store to a revision; the guards are created anew at the end.

    Errors:
        Unavailable, StoreCorrupt, StoreForeign: the migration that failed has changed nothing.
    """
    from engine import schema_moves  # noqa: PLC0415 - Alembic costs every command 60 ms; few move a schema

    with told(str(path), schema_moves.BUSY_SECONDS):
        schema_moves.upgrade(path, to)


def downgrade(path: str | Path, to: str) -> None:
    """Take the schema of a store back; log tables are left as they are."""
    from engine import schema_moves  # noqa: PLC0415 - as above

    schema_moves.downgrade(path, to)


def _check_wal(path: str | Path) -> None:
    """Refuse a store whose write-ahead log was removed: who closes in order removes -shm first, who dies leaves both.

    Looked at twice, because another process may be opening the store at this moment, the log first. A -shm that says
    that all was copied into the file lost nothing: a disk that failed to remove it left it behind.
    """
    wal, shm = Path(f"{path}-wal"), Path(f"{path}-shm")
    if not wal.exists() and shm.exists() and not wal.exists() and not _is_copied(shm):
        raise WalMissing(path=str(path))


def _is_copied(shm: Path) -> bool:
    """Return whether a -shm file says that every frame of the log stands in the store's file.

    Source: the format of the WAL-index, https://www.sqlite.org/walformat.html 2.1: mxFrame at byte 16, nBackfill at 96.
    """
    try:
        head = shm.read_bytes()[:_WAL_INDEX_HEAD]
    except OSError:
        return False
    if len(head) < _WAL_INDEX_HEAD or int.from_bytes(head[:4], sys.byteorder) != _WAL_INDEX_VERSION:
        return False
    last, copied = (int.from_bytes(head[at : at + 4], sys.byteorder) for at in (16, 96))
    return copied >= last


def number_in(path: str | Path) -> str:
    """Return the number of the last migration of the store in a file; "" where none ever ran.

    Errors:
        StoreForeign, Unavailable, StoreCorrupt: it can't be told.
    """
    store = SqliteStore(path)
    try:
        with store.look() as tx:
            return number_of(tx.run, "sqlite", str(path))
    finally:
        store.close()


def check_move(path: str | Path) -> None:
    """Refuse to move a file that is none of ours, or that a newer version has moved on already.

    Errors:
        StoreForeign, SchemaNew: nothing was done.
    """
    found = number_in(path)
    if found and found not in numbers():
        raise SchemaNew(path=str(path), found=found, wanted=head())
