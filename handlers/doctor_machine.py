"""Looks at the machine: versions, account, modes of files, room on the disk. None needs an open store."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Words
from handlers import opening
from handlers.doctor_lines import bad, ok, same, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlers.cli_session import Session
    from handlers.doctor_lines import Line

_LIBRARIES = (
    "transitions", "SQLAlchemy", "alembic", "psycopg", "dramatiq", "redis", "structlog", "prometheus-client",
)  # fmt: skip
_PYTHON = ((3, 11), (3, 14))
#: RETURNING and the upsert forms that the store writes with.
_SQLITE_LEAST = (3, 35, 0)
_MIB = 1 << 20
_LITTLE, _TOO_LITTLE = 1024 * _MIB, 100 * _MIB


def versions(_session: Session) -> Iterator[Line]:
    """Which Python, SQLite and libraries run here."""
    least, before = _PYTHON
    python = f"Python {platform.python_version()}"
    if least <= sys.version_info[:2] < before:
        yield ok(same(f"{python} · {platform.system()} {platform.release()}"))
    else:
        yield bad(
            same(python), Words("Cài Python 3.11, 3.12 hoặc 3.13.", "Install Python 3.11, 3.12 or 3.13.")
        )
    if sqlite3.sqlite_version_info < _SQLITE_LEAST:
        least_sqlite = ".".join(map(str, _SQLITE_LEAST))
        yield bad(
            same(f"SQLite {sqlite3.sqlite_version}"),
            Words(f"Cần SQLite từ {least_sqlite}.", f"SQLite {least_sqlite} or newer is needed."),
        )
    shown = [f"SQLite {sqlite3.sqlite_version}"]
    for name in _LIBRARIES:
        try:
            shown.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            shown.append(f"{name} —")
    yield ok(same(" · ".join(shown)))


def account(_session: Session) -> Iterator[Line]:
    """Whether the product runs under an account that may do everything."""
    if os.geteuid() == 0:
        yield warn(
            Words("đang chạy bằng root", "running as root"),
            Words(
                "Chạy bằng một tài khoản riêng (ví dụ tiendo): lỗi nào cũng chỉ chạm tới kho của chính nó.",
                "Run under an account of its own (e.g. tiendo): a fault then reaches its own store only.",
            ),
        )
    else:
        yield ok(same(f"uid {os.geteuid()}"))


def file_modes(session: Session) -> Iterator[Line]:
    """Whether others on this machine can read or change the store, its folder or a province's own definitions."""
    path = store_file(session)
    looked = 0
    for file in _files_of(path):
        looked += 1
        yield from _mode(file, may_read=False)
    folder = path.resolve().parent if path is not None else None
    for each in (folder, session.settings.workflows_dir):
        if each is not None and each.is_dir():
            looked += 1
            yield from _mode(each, may_read=True)
    if not looked:
        yield ok(Words("không có tệp của kho trên máy này", "no file of the store on this machine"))
    else:
        yield ok(Words(f"đã xem {looked} tệp và thư mục", f"{looked} files and folders looked at"))


def _files_of(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield from (each for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if each.exists())


def _mode(file: Path, *, may_read: bool) -> Iterator[Line]:
    mode = file.stat().st_mode & 0o7777
    is_shared_folder = file.is_dir() and bool(mode & 0o1000)
    if mode & 0o002 and not is_shared_folder:
        right = "o-w" if may_read else "600"
        yield bad(
            Words(
                f"{file}: ai trên máy cũng ghi được ({mode:04o})", f"{file}: anybody may write ({mode:04o})"
            ),
            same(f"chmod {right} {file}"),
        )
    elif mode & 0o077 and not may_read:
        yield warn(
            Words(
                f"{file}: tài khoản khác đọc được ({mode:04o})",
                f"{file}: other accounts may read it ({mode:04o})",
            ),
            same(f"chmod 600 {file}"),
        )


def disk(session: Session) -> Iterator[Line]:
    """How much room is left where the store grows."""
    path = store_file(session)
    if path is None:
        yield ok(
            Words(
                "kho nằm ở máy chủ PostgreSQL: xem đĩa ở đó",
                "the store is PostgreSQL's: watch its disk there",
            )
        )
        return
    folder = next((each for each in path.resolve().parents if each.is_dir()), Path("/"))
    free = _free(folder)
    size = sum(each.stat().st_size for each in _files_of(path))
    seen = Words(
        f"còn {free // _MIB} MiB ở {folder}, kho {size // _MIB} MiB",
        f"{free // _MIB} MiB free at {folder}, the store has {size // _MIB} MiB",
    )
    todo = Words(
        "Dọn hoặc mở rộng đĩa; sao lưu và nâng cấp cần thêm ít nhất bằng cỡ kho.",
        "Free or add room; a copy and an upgrade need at least the size of the store again.",
    )
    if free < _TOO_LITTLE:
        yield bad(seen, todo)
    elif free < max(_LITTLE, 2 * size):
        yield warn(seen, todo)
    else:
        yield ok(seen)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and limit < max(_LITTLE, 2 * size):
        yield warn(
            Words(
                f"tài khoản này chỉ ghi tệp tới {limit // _MIB} MiB",
                f"a file may grow to {limit // _MIB} MiB only",
            ),
            Words("Nâng giới hạn (LimitFSIZE, ulimit -f).", "Raise the limit (LimitFSIZE, ulimit -f)."),
        )


def _free(folder: Path) -> int:
    """Return the bytes that this account may still write there."""
    return shutil.disk_usage(folder).free


def store_file(session: Session) -> Path | None:
    """Return the file of an embedded store, whether it is there or not; None for a store elsewhere."""
    if not session.settings.database_url.startswith("sqlite:///"):
        return None
    return opening.present_path(session.settings)
