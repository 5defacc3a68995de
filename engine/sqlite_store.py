"""The embedded store: one SQLite file in WAL mode with full synchronisation.

One connection writes: threads take turns on it (engine/sqlite_turns.py), other processes are kept out by
`BEGIN IMMEDIATE`; reading goes through SQLAlchemy on read-only connections. SQLite serialises writers, so the locks that
`claim` is asked for are held by the transaction itself; what was asked for is still checked, so that a missing one shows
here and not on the second store.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from engine.errors import Words
from engine.sqlite_errors import refused_by_the_system, told
from engine.sqlite_rows import SqliteTransaction
from engine.sqlite_turns import Turns
from engine.store import StoreForeign, StoreOnNetwork, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine


_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
    # What a savepoint may have to undo is kept in memory; beyond 64 KiB it would go through a temporary file.
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
)
_HEADER_BYTES = 100
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NETWORK_MOUNTS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"}
)


def system_clock() -> int:
    """Return the time of this machine in µs since 1970 UTC."""
    return time.time_ns() // 1000


def mount_kind(path: Path, mounts: str | None = None) -> str:
    """Return the kind of file system that holds `path` ("ext4", "nfs4"), or "" when it can't be told."""
    try:
        table = Path("/proc/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    except OSError:
        return ""
    best, kind = "", ""
    for line in table.splitlines():
        point, name = line.split(" ")[1:3]
        # The system writes a space in a path as \040.
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), point)
        inside = str(path).startswith(point.rstrip("/") + "/") or str(path) == point
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


def is_there(path: str | Path) -> bool:
    """Return whether there is a file of a store.

    Errors:
        StoreUnreachable: this account may not look.
    """
    try:
        return Path(path).exists()
    except OSError as why:
        raise refused_by_the_system(why, str(path)) from why


def _look_first(path: Path) -> None:
    """Refuse what is no store of ours before opening it for writing would turn it into a file in WAL mode.

    Errors:
        StoreForeign: the file was not touched.
    Source: the header of a database file, https://www.sqlite.org/fileformat.html 1.3.3: byte 18 is 2 in WAL mode.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError:
        return  # SQLite will find the same and say it
    if head[18:19] == b"\2":
        return
    with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as connection:
        ours = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name IN ('transition_log', 'alembic_version')"
        )
        if ours.fetchone() is None:
            raise StoreForeign(path=str(path))


class SqliteStore:
    """An open SQLite store.

    Shapes:
        path: file; it must exist (engine/schema.py makes it).
        clock: µs UTC; only tests hand in another.
        mounts: the table of mounted file systems; None: that of this machine.
    Errors:
        StoreUnreachable, StoreCorrupt, StoreForeign, StoreOnNetwork: the file can't be used; nothing was written.
    """

    def __init__(
        self, path: str | Path, *, clock: Callable[[], int] = system_clock, busy_seconds: float = 10.0,
        mounts: str | None = None,
    ) -> None:  # fmt: skip
        self.path = str(path)
        self.now = clock
        self._busy_seconds = busy_seconds
        self._watching = threading.Lock()
        self._version = -1
        kind = mount_kind(Path(path).resolve(), mounts)
        if kind in _NETWORK_MOUNTS:
            raise StoreOnNetwork(path=self.path, kind=kind)
        if not is_there(path):
            raise StoreUnreachable(path=self.path, why=Words("không có tệp", "no such file"))
        with self._told():
            _look_first(Path(path))
            self._writer = self._connect()
            self._watcher = self._connect(pragmas=False)
        self._turns = Turns(self._writer, self.path, busy_seconds)
        self._lookers: list[sqlite3.Connection] = []
        self._reading = threading.Lock()
        self._readers: Engine | None = None

    def _connect(self, *, pragmas: bool = True) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=self._busy_seconds,
            cached_statements=256,
        )  # fmt: skip
        if pragmas:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        return connection

    @contextmanager
    def begin(self) -> Iterator[SqliteTransaction]:
        """Open a write transaction: commits on leaving, rolls back on an error.

        Errors:
            StoreBusy, StoreFull, StoreReadOnly, StoreUnreachable: nothing was written.
            StoreCorrupt: the file is damaged.
        """
        with self._told(), self._turns.turn() as shared:
            tx = SqliteTransaction(self._writer, self.now())
            yield tx
            if tx.has_published:
                # What is published is read beside the transaction, too: whoever comes next must find it there.
                shared.close()

    @contextmanager
    def look(self) -> Iterator[SqliteTransaction]:
        """Open a snapshot that answers like a write transaction, beside whoever writes.

        Errors:
            StoreUnreachable, StoreCorrupt, StoreBusy: nothing could be read.
        """
        with self._told():
            try:
                connection = self._lookers.pop()
            except IndexError:
                connection = self._connect(pragmas=False)
                connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            try:
                yield SqliteTransaction(connection, self.now())
            finally:
                connection.execute("ROLLBACK")
                self._lookers.append(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot.

        Errors:
            StoreUnreachable, StoreCorrupt, StoreBusy: nothing could be read.
        """
        with self._told(), self._reader().connect() as connection, connection.begin():
            yield connection

    def _reader(self) -> Engine:
        with self._reading:
            if self._readers is None:
                self._readers = _reading_from(Path(self.path))
            return self._readers

    def changed(self) -> bool:
        """Return whether anybody wrote to the file since the last call (a look at one page, no query)."""
        with self._told(), self._watching:
            version = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        changed: bool = version != self._version
        self._version = version
        return changed

    def scrub(self) -> None:
        """Write the log of writes back and cut it to nothing: what was erased is then in no file.

        A reader that still looks at an older snapshot delays it; the next erasure or the closing does it then.
        """
        with self._told(), self._turns.alone() as writer:
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections; the file is left checkpointed."""
        if self._readers is not None:
            self._readers.dispose()
        with self._told(), self._turns.alone():
            for connection in (*self._lookers, self._watcher, self._writer):
                connection.close()

    def _told(self) -> AbstractContextManager[None]:
        """Turn what SQLite says into our errors."""
        return told(self.path, self._busy_seconds)


def _reading_from(path: Path) -> Engine:
    from sqlalchemy import create_engine, event  # noqa: PLC0415 - 16 MB that a serving process does without

    address = f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true"
    made = create_engine(address, connect_args={"check_same_thread": False}, json_deserializer=orjson.loads)
    event.listen(made, "connect", _reader_connected)
    event.listen(made, "begin", _reader_began)
    return made


def _reader_connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def _reader_began(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
