"""What SQLite and the operating system say, in our words: the one place where their errors become ours."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import Words
from engine.store import StoreBusy, StoreCorrupt, StoreFull, StoreReadOnly, StoreUnreachable
from engine.system_errors import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.errors import TiendoError

_WRITE_FAILED = frozenset({"SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE"})
_DAMAGED = Words("có trang dữ liệu bị hỏng", "pages of it are damaged")
#: What SQLite says, which family it is of, and how we say it.
_SIGNS: tuple[tuple[type[StoreCorrupt | StoreUnreachable], str, Words], ...] = (
    (StoreCorrupt, "malformed", _DAMAGED),
    (StoreCorrupt, "corrupt", _DAMAGED),
    # Noise that the file's own structure does not show: text that is none.
    (StoreCorrupt, "could not decode", _DAMAGED),
    (
        StoreCorrupt,
        "not a database",
        Words("phần đầu tệp không phải của SQLite", "its header is not SQLite's"),
    ),
    (StoreCorrupt, "no such table", Words("thiếu bảng dữ liệu", "a table is missing")),
    (StoreUnreachable, "unable to open", Words("không mở được tệp", "the file can't be opened")),
    (StoreUnreachable, "i/o error", Words("đĩa báo lỗi khi đọc hoặc ghi", "the disk fails to read or write")),
)


@contextmanager
def told(path: str, busy_seconds: float) -> Iterator[None]:
    """Turn what SQLite and the operating system say about a store into our errors.

    A broken constraint passes through: only the transaction knows which command broke it.

    Errors:
        StoreBusy, StoreReadOnly, StoreFull, StoreUnreachable: try again later. StoreCorrupt: an operator must look.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as problem:
        raise _error(problem, path, busy_seconds) from problem
    except Exception as problem:
        # What SQLAlchemy wraps: known by its form, because serving processes never load it.
        said = getattr(problem, "orig", None)
        if not isinstance(said, sqlite3.Error):
            raise
        raise _error(said, path, busy_seconds) from problem


def refused_by_the_system(problem: OSError, path: str) -> TiendoError:
    """Return our error for a file or folder that the operating system does not give."""
    if problem.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreFull(path=path)
    if problem.errno == errno.EROFS:
        return StoreReadOnly(path=path)
    return StoreUnreachable(path=path, why=reason_of(problem))


def _error(problem: BaseException, path: str, busy_seconds: float) -> TiendoError:
    said = str(problem).lower()
    if "locked" in said or "busy" in said:
        return StoreBusy(path=path, seconds=f"{busy_seconds:g}")
    if "readonly" in said or "read-only" in said:
        return StoreReadOnly(path=path)
    # A quota or a limit on the size of files is told as a failed write, not as a full disk.
    if "full" in said or getattr(problem, "sqlite_errorname", "") in _WRITE_FAILED:
        return StoreFull(path=path)
    for family, sign, why in _SIGNS:
        if sign in said:
            return family(path=path, why=why)
    return StoreUnreachable(path=path, why=said)
