"""The embedded store: one SQLite file in WAL mode with full synchronisation.

One connection writes, guarded by a lock of the process and by `BEGIN IMMEDIATE` against other processes; reading goes
through SQLAlchemy on read-only connections. SQLite serialises writers, so the locks that `claim` is asked for are held
by the transaction itself; what was asked for is still checked, so that a missing one shows here and not on the second
store.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError

from engine.cases import Case
from engine.errors import Broken, TiendoError
from engine.store import (
    Claimed,
    Seat,
    StoreBusy,
    StoreCorrupt,
    StoreFull,
    StoreOnNetwork,
    StoreReadOnly,
    StoreUnreachable,
    Whereabouts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from engine.store import Asked, Writing

_CASE = (
    "id, code, definition, parent, root, path, state, came_from, entered_on, final, holder, holder_organisation,"
    " holder_person, held_since, due_on, decided_on, plan_year, version, seq, head, data, parties, book"
)
_CASE_WRITTEN = (
    "id, code, definition, name, parent, root, path, depth, state, phase, came_from, entered_on, final, holder,"
    " holder_organisation, holder_person, held_since, due_on, decided_on, plan_year, scope, category, amount_vnd,"
    " title, sort_text, version, seq, head, data, parties, book"
)
_CASE_COLUMNS = [column.strip() for column in _CASE_WRITTEN.split(",")]
_INSERT_CASE = f"INSERT INTO workflow_case ({_CASE_WRITTEN}) VALUES ({', '.join('?' * len(_CASE_COLUMNS))})"  # noqa: S608
_UPDATE_CASE = (
    "UPDATE workflow_case SET "  # noqa: S608
    + ", ".join(f"{column} = ?" for column in _CASE_COLUMNS[1:])
    + " WHERE id = ? AND seq < ?"
)
_SEATS = """
SELECT person, bound, role FROM membership
 WHERE person = :person AND from_on <= :day AND (to_on IS NULL OR to_on >= :day)
UNION ALL
SELECT m.person, m.bound, m.role FROM substitution s JOIN membership m ON m.person = s.absent
 WHERE s.substitute = :person AND s.from_on <= :day AND (s.to_on IS NULL OR s.to_on >= :day)
   AND m.from_on <= :day AND (m.to_on IS NULL OR m.to_on >= :day)"""
_ABSENT = """
SELECT absent FROM substitution
 WHERE substitute = :person AND from_on <= :day AND (to_on IS NULL OR to_on >= :day)"""
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA trusted_schema = OFF",
)
_NETWORK_MOUNTS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"})


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
        inside = str(path).startswith(point.rstrip("/") + "/") or str(path) == point
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


class SqliteStore:
    """An open SQLite store.

    Shapes:
        path: file; it must exist (engine/schema.py makes it).
        clock: µs UTC; only tests hand in another.
    Errors:
        StoreUnreachable, StoreCorrupt, StoreOnNetwork: the file can't be used; nothing was written.
    """

    def __init__(
        self, path: str | Path, *, clock: Callable[[], int] = system_clock, busy_seconds: float = 10.0
    ) -> None:
        self.path = str(path)
        self.now = clock
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._version = -1
        kind = mount_kind(Path(path).resolve())
        if kind in _NETWORK_MOUNTS:
            raise StoreOnNetwork(path=self.path, kind=kind)
        if not Path(path).exists():
            raise StoreUnreachable(path=self.path, why="không có tệp / no such file")
        with self._told():
            self._writer = self._connect()
            self._watcher = self._connect(pragmas=False)
        address = f"sqlite:///file:{quote(str(Path(path).resolve()))}?mode=ro&uri=true"
        self._readers = create_engine(address, connect_args={"check_same_thread": False})
        event.listen(self._readers, "connect", _reader_connected)
        event.listen(self._readers, "begin", _reader_began)

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
        if not self._lock.acquire(timeout=self._busy_seconds):
            raise StoreBusy(path=self.path, seconds=self._busy_seconds)
        try:
            with self._told():
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield SqliteTransaction(self._writer, self.now())
                    self._writer.execute("COMMIT")
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
        finally:
            self._lock.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot.

        Errors:
            StoreUnreachable, StoreCorrupt, StoreBusy: nothing could be read.
        """
        with self._told(), self._readers.connect() as connection, connection.begin():
            yield connection

    def where(self, case: str) -> Whereabouts | None:
        """Return the path of a case and the definitions on it, read without a lock; None when there is no such case."""
        with self._told(), self._lock:
            row = self._writer.execute("SELECT path FROM workflow_case WHERE id = ?", (case,)).fetchone()
            if row is None:
                return None
            ids = row[0].split("/")
            found = dict(
                self._writer.execute(
                    f"SELECT id, definition FROM workflow_case WHERE id IN ({', '.join('?' * len(ids))})",  # noqa: S608
                    ids,
                ).fetchall()
            )
        return Whereabouts(row[0], tuple(found[one] for one in ids))

    def changed(self) -> bool:
        """Return whether anybody wrote to the file since the last call (a look at one page, no query)."""
        with self._told(), self._lock:
            version = self._watcher.execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        """Close all connections; the file is left checkpointed."""
        self._readers.dispose()
        with self._lock:
            self._watcher.close()
            self._writer.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite says into our errors."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as problem:
            raise self._error(problem) from problem
        except DBAPIError as problem:
            raise self._error(problem.orig or problem) from problem

    def _error(self, problem: BaseException) -> TiendoError:
        said = str(problem).lower()
        if "locked" in said or "busy" in said:
            return StoreBusy(path=self.path, seconds=self._busy_seconds)
        if "readonly" in said or "read-only" in said:
            return StoreReadOnly(path=self.path)
        if "full" in said:
            return StoreFull(path=self.path)
        if "malformed" in said or "not a database" in said or "no such table" in said or "corrupt" in said:
            return StoreCorrupt(path=self.path, why=said)
        return StoreUnreachable(path=self.path, why=said)


def _reader_connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def _reader_began(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


class SqliteTransaction:
    """One write transaction of an SQLite store; see `engine.store.Transaction`."""

    __slots__ = ("_connection", "_stamp", "now")

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._connection = connection
        self._stamp = -1
        self.now = now

    def stamp(self) -> int:
        """Return the time of the next entry: now, and later than every entry before it, whatever the clock did."""
        if self._stamp < 0:
            last = self._connection.execute("SELECT max(recorded_at) FROM transition_log").fetchone()[0]
            self._stamp = last or 0
        self._stamp = max(self.now, self._stamp + 1)
        return self._stamp

    def claim(self, asked: Asked) -> Claimed:
        """Read the receipt, the cases and families asked for, and the seats of the person."""
        run = self._connection.execute
        claimed = Claimed()
        row = run(
            "SELECT body, answer FROM receipt WHERE principal = ? AND command = ?", (asked.principal, asked.command)
        ).fetchone()
        if row:
            claimed.answered = (row[0], orjson.loads(row[1]))
        for case in asked.cases:
            row = run(f"SELECT {_CASE} FROM workflow_case WHERE id = ?", (case,)).fetchone()  # noqa: S608
            if row:
                claimed.cases[case] = _case(row)
        for family in asked.families:
            rows = run(f"SELECT {_CASE} FROM workflow_case WHERE parent = ? ORDER BY id", (family,))  # noqa: S608
            claimed.children[family] = [_case(row) for row in rows.fetchall()]
        who = {"person": asked.person, "day": asked.day}
        claimed.seats = [Seat(*row) for row in run(_SEATS, who).fetchall()]
        claimed.absent = frozenset(row[0] for row in run(_ABSENT, who).fetchall())
        return claimed

    def record(self, writing: Writing) -> None:
        """Write all rows. A case that moved since it was claimed can't happen here and would be `Broken`."""
        run, many = self._connection.execute, self._connection.executemany
        if writing.published:
            many("INSERT INTO published (hash, kind, name, version, text, published_at) VALUES (?, ?, ?, ?, ?, ?)",
                 writing.published)  # fmt: skip
        for case, derived, is_new in writing.cases.values():
            values = _written(case, derived)
            if is_new:
                run(_INSERT_CASE, values)
            elif run(_UPDATE_CASE, (*values[1:], case.id, case.seq)).rowcount != 1:
                raise Broken(case=case.id, why="the row moved under the lock")
        if writing.parties:
            many("INSERT OR REPLACE INTO case_party (case_id, party, bound) VALUES (?, ?, ?)", writing.parties)
        many(
            "INSERT INTO transition_log (subject_kind, subject, seq, hash, recorded_at, principal, command, kind,"
            " trigger, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            writing.entries,
        )
        many("INSERT INTO unfolded (subject_kind, subject, seq) VALUES (?, ?, ?)", [row[:3] for row in writing.entries])
        many("INSERT INTO receipt (principal, command, body, answer) VALUES (?, ?, ?, ?)", writing.receipts)
        if writing.openings:
            many(
                "INSERT OR IGNORE INTO personal_value (commitment, context, subject, salt, value) VALUES (?, ?, ?, ?, ?)",
                writing.openings,
            )
        self._record_timers(writing)
        if writing.notices:
            many(
                "INSERT INTO notice (id, case_id, seq, word, person, facts, created_at, suppressed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                writing.notices,
            )
        if writing.outbox:
            many(
                "INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, created_at)"
                " VALUES (?, ?, ?, ?, 'pending', ?, 0, ?)",
                writing.outbox,
            )
        if writing.registers:
            self._record_registers(writing)

    def _record_timers(self, writing: Writing) -> None:
        for case_id, deadline, state in writing.cancels:
            self._connection.execute(
                "UPDATE timer SET state = ?, closed_at = ? WHERE case_id = ? AND state IN ('waiting', 'paused')"
                " AND (? = '' OR deadline = ?)",
                (state, self.now, case_id, deadline, deadline),
            )
        for timer, state, why in writing.closes:
            self._connection.execute(
                "UPDATE timer SET state = ?, closed_at = ?, why = ? WHERE id = ?", (state, self.now, why, timer)
            )
        if writing.timers:
            self._connection.executemany(
                "INSERT INTO timer (id, case_id, kind, deadline, set_by, generation, period, rung, due_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                writing.timers,
            )

    def _record_registers(self, writing: Writing) -> None:
        run = self._connection.execute
        for row, is_new in writing.registers:
            values = (row.code, row.sort_text, orjson.dumps(row.data).decode(), row.version, row.seq, row.head)
            if is_new:
                run(
                    "INSERT INTO register_row (code, sort_text, data, version, seq, head, kind, id)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, row.kind, row.id),
                )
            else:
                run(
                    "UPDATE register_row SET code = ?, sort_text = ?, data = ?, version = ?, seq = ?, head = ?"
                    " WHERE kind = ? AND id = ?",
                    (*values, row.kind, row.id),
                )
        for statement, values in writing.projections:
            run(statement, values)

    def members(self, bound: str, role: str, day: str) -> list[str]:
        """Return the persons who hold `role` in `bound` on `day`, in order of id."""
        rows = self._connection.execute(
            "SELECT DISTINCT person FROM membership WHERE bound = ? AND role = ? AND from_on <= ?"
            " AND (to_on IS NULL OR to_on >= ?) ORDER BY person",
            (bound, role, day, day),
        )
        return [row[0] for row in rows.fetchall()]

    def next_number(self, series: str) -> int:
        """Return the next number of a series, from 1; a rolled-back transaction gives it back."""
        row = self._connection.execute(
            "INSERT INTO number_series (series, last) VALUES (?, 1)"
            " ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last",
            (series,),
        ).fetchone()
        return int(row[0])

    def plan_line(self, name: str, plan_year: int, scope: str, except_case: str) -> dict[str, Any]:
        """Return what the budget line of a plan holds: {budget_vnd: int or None, committed_vnd: int}."""
        budget = self._connection.execute(
            "SELECT json_extract(data, '$.amount_vnd') FROM register_row WHERE kind = 'budget_line' AND code = ?",
            (f"{name}/{plan_year}/{scope}",),
        ).fetchone()
        committed = self._connection.execute(
            "SELECT coalesce(sum(amount_vnd), 0) FROM workflow_case WHERE name = ? AND plan_year = ? AND scope = ?"
            " AND decided_on IS NOT NULL AND (final IS NULL OR final = 'accepted') AND id <> ?",
            (name, plan_year, scope, except_case),
        ).fetchone()
        return {"budget_vnd": budget[0] if budget else None, "committed_vnd": committed[0]}

    def supported(self, establishment: str, except_root: str) -> list[dict[str, Any]]:
        """Return other families of cases that were decided for an establishment, oldest first."""
        rows = self._connection.execute(
            "SELECT r.code, r.category, r.decided_on, c.amount_vnd FROM case_party p"
            " JOIN workflow_case c ON c.id = p.case_id JOIN workflow_case r ON r.id = c.root"
            " WHERE p.bound = ? AND c.root <> ? AND r.decided_on IS NOT NULL"
            " AND (c.final IS NULL OR c.final = 'accepted') AND (r.final IS NULL OR r.final = 'accepted')"
            " ORDER BY r.decided_on, r.code",
            (establishment, except_root),
        )
        names = ("code", "category", "decided_on", "amount_vnd")
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement with `:named` values and return its rows."""
        return self._connection.execute(sql, values or {}).fetchall()


def _case(row: tuple[Any, ...]) -> Case:
    return Case(
        id=row[0], code=row[1], definition=row[2], parent=row[3], root=row[4], path=row[5], state=row[6],
        came_from=row[7], entered_on=row[8], final=row[9], holder=row[10], holder_organisation=row[11],
        holder_person=row[12], held_since=row[13], due_on=row[14], decided_on=row[15], plan_year=row[16],
        version=row[17], seq=row[18], head=row[19], data=orjson.loads(row[20]), parties=orjson.loads(row[21]),
        book=orjson.loads(row[22]),
    )  # fmt: skip


def _written(case: Case, derived: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        case.id, case.code, case.definition, derived["name"], case.parent, case.root, case.path, case.depth,
        case.state, derived["phase"], case.came_from, case.entered_on, case.final, case.holder,
        case.holder_organisation, case.holder_person, case.held_since, case.due_on, case.decided_on, case.plan_year,
        derived["scope"], derived["category"], derived["amount_vnd"], derived["title"], derived["sort_text"],
        case.version, case.seq, case.head, orjson.dumps(case.data).decode(), orjson.dumps(case.parties).decode(),
        orjson.dumps(case.book).decode(),
    )  # fmt: skip
