"""What a store's files say, read from a copy without any code of the product: tables, and the tail of the WAL."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WAL_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True)
class Snapshot:
    """A store as it lay on the disk at one moment.

    Shapes:
        torn_frames: pages written to the WAL by a transaction that never got its commit mark.
        outbox: id -> row. receipts: (principal, command) -> answer as text.
    """

    path: Path
    torn_frames: int = 0
    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[tuple[str, str], str] = field(default_factory=dict)


def torn_frames(wal: Path, page: int = 4096) -> int:
    """Return how many frames of the running WAL lie after its last commit, the last one perhaps cut short.

    Source:
        the SQLite file format, section 4: header (magic, version, page size, number, salt 1, salt 2, checksums), then
        frames (page number, size of the database after a commit or 0, salts, checksums, page).
    """
    try:
        data = wal.read_bytes()
    except FileNotFoundError:
        return 0
    if len(data) < _WAL_HEADER:
        return 0
    page = struct.unpack(">I", data[8:12])[0]
    salts = data[16:24]
    torn, at = 0, _WAL_HEADER
    while at + _FRAME_HEADER <= len(data) and data[at + 8 : at + 16] == salts:
        torn = (
            0 if data[at + 4 : at + 8] != b"\0\0\0\0" and at + _FRAME_HEADER + page <= len(data) else torn + 1
        )
        at += _FRAME_HEADER + page
    return torn


def take(store: Path, folder: Path) -> Snapshot:
    """Copy the files of a store that nobody writes to and read the copy."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "copy.db"
    for suffix in ("", "-wal", "-shm"):
        target = Path(f"{copy}{suffix}")
        target.unlink(missing_ok=True)
        source = Path(f"{store}{suffix}")
        if suffix != "-shm" and source.exists():
            shutil.copyfile(source, target)
    torn = torn_frames(Path(f"{copy}-wal"))
    with closing(sqlite3.connect(copy)) as connection:
        connection.row_factory = sqlite3.Row
        outbox = {row["id"]: dict(row) for row in connection.execute("SELECT * FROM outbox")}
        receipts = {
            (row["principal"], row["command"]): str(row["answer"])
            for row in connection.execute("SELECT principal, command, answer FROM receipt")
        }
    return Snapshot(copy, torn, outbox, receipts)
