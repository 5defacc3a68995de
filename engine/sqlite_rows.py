"""One write transaction of the embedded store: what `claim` reads and `record` writes, in SQLite's words."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import orjson

from engine import case_columns
from engine.errors import Broken
from engine.store import (
    Claimed,
    LockMissing,
    RowRefused,
    Seat,
    Whereabouts,
    establishment_lock,
    plan_lock,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.cases import Case
    from engine.store import Asked, Place, Writing

_INSERT_CASE = f"INSERT INTO workflow_case ({case_columns.WRITTEN}) VALUES ({', '.join('?' * len(case_columns.COLUMNS))})"  # noqa: S608
_UPDATE_CASE = (
    "UPDATE workflow_case SET "  # noqa: S608 - our own words
    + ", ".join(f"{case_columns.COLUMNS[place]} = ?" for place in case_columns.CHANGING)
    + " WHERE id = ? AND seq < ?"
)
_PLACE_OF = f"SELECT {case_columns.PLACE} FROM workflow_case WHERE id = ?"  # noqa: S608
_CASE_OF = f"SELECT {case_columns.READ} FROM workflow_case WHERE id = ?"  # noqa: S608
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


class SqliteTransaction:
    """One write transaction of an SQLite store; see `engine.store.Transaction`.

    Shapes:
        has_published: whether it published something.
    """

    __slots__ = ("_connection", "_held", "_stamp", "has_published", "now")

    serial = True

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._connection = connection
        self._stamp = -1
        self._held: set[str] = set()
        self.has_published = False
        self.now = now

    def stamp(self) -> int:
        """Return the time of the next entry: now, and later than every entry before it, whatever the clock did."""
        if self._stamp < 0:
            last = self._connection.execute("SELECT max(recorded_at) FROM transition_log").fetchone()[0]
            self._stamp = last or 0
        self._stamp = max(self.now, self._stamp + 1)
        return self._stamp

    def where(self, case: str) -> Whereabouts | None:
        """Return where a case stands; None when there is no such case."""
        run = self._connection.execute
        row = run(f"SELECT path, {case_columns.PLACE} FROM workflow_case WHERE id = ?", (case,)).fetchone()  # noqa: S608
        if row is None:
            return None
        above = row[0].split("/")[:-1]
        rows = [run(_PLACE_OF, (one,)).fetchone() for one in above]
        return Whereabouts(row[0], tuple(case_columns.place_of(*found) for found in (*rows, row[1:])))

    def below(self, path: str) -> list[Place]:
        """Return the places of all children of the cases on a path."""
        run = self._connection.execute
        asked = f"SELECT {case_columns.PLACE} FROM workflow_case WHERE parent = ? ORDER BY id"  # noqa: S608 - our own words
        return [
            case_columns.place_of(*row) for one in path.split("/") for row in run(asked, (one,)).fetchall()
        ]

    def hold(self, locks: tuple[str, ...], cases: tuple[str, ...], *, wait: bool = True) -> frozenset[str]:  # noqa: ARG002 - nobody else can hold anything
        """Remember what is held: SQLite lets one write at a time, so all of it is."""
        self._held.update(locks, cases)
        return frozenset(self._held)

    def claim(self, asked: Asked) -> Claimed:
        """Read the receipt, the cases and families asked for, and the seats of the person."""
        run = self._connection.execute
        claimed = Claimed()
        self.hold(asked.locks, asked.cases)
        row = run(
            "SELECT body, answer FROM receipt WHERE principal = ? AND command = ?",
            (asked.principal, asked.command),
        ).fetchone()
        if row:
            claimed.answered = (row[0], orjson.loads(row[1]))
        for case in asked.cases:
            found = self.case(case)
            if found is not None:
                claimed.cases[case] = found
        for family in asked.families:
            claimed.children[family] = self.family(family)
        who = {"person": asked.person, "day": asked.day}
        claimed.seats = [Seat(*row) for row in run(_SEATS, who).fetchall()]
        claimed.absent = frozenset(row[0] for row in run(_ABSENT, who).fetchall())
        return claimed

    def record(self, writing: Writing, *, last: bool = False) -> None:  # noqa: ARG002 - the end of the block commits
        """Write all rows.

        Errors:
            RowRefused: a constraint said no; the caller rolls back.
            Broken: a case moved since it was claimed, which can't happen under the lock.
        """
        try:
            self._record(writing)
        except sqlite3.IntegrityError as why:
            raise RowRefused(str(why)) from why

    def _record(self, writing: Writing) -> None:
        many = self._connection.executemany
        if writing.published:
            self.has_published = True
            many("INSERT INTO published (hash, kind, name, version, text, published_at) VALUES (?, ?, ?, ?, ?, ?)",
                 writing.published)  # fmt: skip
        self._record_cases(writing)
        if writing.parties:
            many(
                "INSERT OR REPLACE INTO case_party (case_id, party, bound) VALUES (?, ?, ?)", writing.parties
            )
        many(
            "INSERT INTO transition_log (subject_kind, subject, seq, hash, recorded_at, principal, command, kind,"
            " trigger, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            writing.entries,
        )
        many(
            "INSERT INTO unfolded (subject_kind, subject, seq) VALUES (?, ?, ?)",
            [row[:3] for row in writing.entries],
        )
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

    def _record_cases(self, writing: Writing) -> None:
        run = self._connection.execute
        for case, derived, is_new in writing.cases.values():
            values = case_columns.written(case, derived)
            if is_new:
                run(_INSERT_CASE, values)
                continue
            self._must_hold(*case.path.split("/"))
            if (
                run(
                    _UPDATE_CASE, (*(values[place] for place in case_columns.CHANGING), case.id, case.seq)
                ).rowcount
                != 1
            ):
                raise Broken(case=case.id, why="the row moved under the lock")

    def _record_timers(self, writing: Writing) -> None:
        written = 0
        for case_id, deadline, state, before in writing.cancels:
            self._insert_timers(writing.timers[written:before])
            written = before
            self._connection.execute(
                "UPDATE timer SET state = ?, closed_at = ? WHERE case_id = ? AND state IN ('waiting', 'paused')"
                " AND deadline = ?",
                (state, None if state == "waiting" else self.now, case_id, deadline),
            )
        for timer, state, why in writing.closes:
            self._connection.execute(
                "UPDATE timer SET state = ?, closed_at = ?, why = ? WHERE id = ?",
                (state, self.now, why, timer),
            )
        self._insert_timers(writing.timers[written:])

    def _insert_timers(self, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._connection.executemany(
                "INSERT INTO timer (id, case_id, kind, deadline, set_by, generation, period, rung, due_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                rows,
            )

    def _record_registers(self, writing: Writing) -> None:
        run = self._connection.execute
        for row, is_new in writing.registers:
            values = (
                row.code,
                row.sort_text,
                orjson.dumps(row.data).decode(),
                row.version,
                row.seq,
                row.head,
            )
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
            for table, column in (
                ("membership", "person"),
                ("substitution", "absent"),
                ("match_key", "subject"),
            ):
                run(f"DELETE FROM {table} WHERE {column} = ?", (row.id,))  # noqa: S608 - closed list
        for table, values in writing.projections:
            marks = ", ".join("?" * len(values))
            run(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - closed list

    def case(self, case: str) -> Case | None:
        """Return one case as it stands, or None."""
        row = self._connection.execute(_CASE_OF, (case,)).fetchone()
        return case_columns.case_of(row) if row else None

    def cases(self, cases: Sequence[str]) -> dict[str, Case]:
        """Return id -> case of those that are there, as they stand."""
        return {one: found for one in cases if (found := self.case(one)) is not None}

    def family(self, parent: str) -> list[Case]:
        """Return the children of one case as they stand, oldest first."""
        rows = self._connection.execute(
            f"SELECT {case_columns.READ} FROM workflow_case WHERE parent = ? ORDER BY id",  # noqa: S608
            (parent,),
        )
        return [case_columns.case_of(row) for row in rows.fetchall()]

    def _must_hold(self, *any_of: str) -> None:
        """Refuse to look at, or write, what `claim` was not asked to lock; a parent's lock covers its children."""
        if not self._held.intersection(any_of):
            raise LockMissing(wanted=" / ".join(any_of))

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

    def plan_line(self, line: str, name: str, case: Case) -> dict[str, Any]:
        """Return what a budget line holds beside this case: {budget_vnd: int or None, committed_vnd: int}.

        Shapes:
            line: code of the budget line ("national/2023/soc_trang"). name: definition whose cases are counted.
        """
        self._must_hold(plan_lock(name, case.plan_year or 0, line.rpartition("/")[2]))
        budget = self._connection.execute(
            "SELECT json_extract(data, '$.amount_vnd') FROM register_row WHERE kind = 'budget_line' AND code = ?",
            (line,),
        ).fetchone()
        committed = self._connection.execute(
            "SELECT coalesce(sum(amount_vnd), 0) FROM workflow_case WHERE name = ? AND plan_year = ? AND scope = ?"
            " AND decided_on IS NOT NULL AND (final IS NULL OR final = 'accepted') AND id <> ?",
            (name, case.plan_year, line.rpartition("/")[2], case.id),
        ).fetchone()
        return {"budget_vnd": budget[0] if budget else None, "committed_vnd": committed[0]}

    def supported(self, establishment: str, except_root: str) -> list[dict[str, Any]]:
        """Return other families of cases that were decided for an establishment, oldest first."""
        self._must_hold(establishment_lock(establishment))
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

    def run(
        self, sql: str, values: Mapping[str, Any] | None = None, *, last: bool = False  # noqa: ARG002 - as in `record`
    ) -> list[tuple[Any, ...]]:  # fmt: skip
        """Run one statement with `:named` values and return its rows; `:now` is the clock."""
        return self._connection.execute(sql, {"now": self.now, **(values or {})}).fetchall()

    def run_all(
        self, *asked: tuple[str, Mapping[str, Any]], last: bool = False  # noqa: ARG002 - as in `record`
    ) -> list[list[tuple[Any, ...]]]:  # fmt: skip
        """Run several statements, one after the other, and return the rows of each."""
        return [self.run(sql, values) for sql, values in asked]
