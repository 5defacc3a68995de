"""One transaction on PostgreSQL: what `claim` locks and reads, what `record` writes, in as few round trips as can be.

Others write at the same time. So a decision rests only on rows that are locked first and read in a later statement: a
statement that waits for a lock returns the locked row as it is now and everything else as it was before the wait.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from engine import postgres_errors, postgres_writing
from engine import postgres_questions as questions
from engine.case_columns import case_of, place_of
from engine.errors import Broken, Words
from engine.locking import REGISTERS
from engine.postgres_errors import CommitUnknown, StatementRefused
from engine.postgres_wire import Failure, Unsendable, array
from engine.store import (
    Claimed,
    Contended,
    LockMissing,
    Place,
    Seat,
    Whereabouts,
    establishment_lock,
    plan_lock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.cases import Case
    from engine.postgres_wire import Wire
    from engine.postgres_writing import Statement
    from engine.store import Asked, Writing

_GRANT = ("code", "category", "decided_on", "amount_vnd")
#: What needs no answer of its own waits for the next question.
_SILENT = ("SAVEPOINT ", "RELEASE ", "ROLLBACK TO ")
_MOVED = Words("hồ sơ vừa đổi chỗ", "the case moved to another place meanwhile")


class PostgresTransaction:
    """One transaction of a PostgreSQL store; see `engine.store.Transaction`.

    Shapes:
        clock: µs UTC, of tests; None: the clock of the database.
        renew: gives another connection for one that broke while it lay idle.
        looks: whether it only looks: it then locks nothing and stands on one snapshot.
        has_published: whether it published something.
    """

    serial = False

    def __init__(
        self, wire: Wire, path: str, clock: Callable[[], int] | None, renew: Callable[[Wire], Wire], *, looks: bool = False
    ) -> None:  # fmt: skip
        self.wire = wire
        self._path = path
        self._clock = clock
        self._renew = renew
        self._looks = looks
        self._waiting: list[Statement] = [*questions.BEGIN_LOOKING] if looks else [("BEGIN", ())]
        self._began = self._failed = self._committed = False
        self._now: int | None = None
        self._last: int | None = None
        self._held: set[str] = set()
        self._kept: frozenset[str] = frozenset()
        self._reads_registers = False
        self._places: dict[str, Place] = {}
        self._whereabouts: dict[str, Whereabouts] = {}
        self._looked_below: set[str] = set()
        self._members: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._grants: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        self.has_published = False

    # The round trip.

    def ask(self, *asked: Statement) -> list[list[tuple[Any, ...]]]:
        """Send statements, and those that waited, in one round trip; return the rows of each."""
        waited, self._waiting = self._waiting, []
        try:
            answers = self._sent([*waited, *asked])
        except Unsendable as why:
            self._waiting = waited
            raise postgres_errors.ours(why, self._path) from why
        except Failure as why:
            self._failed = True
            raise postgres_errors.ours(why, self._path) from why
        if self._looks and not self._began:
            self._read_clock(answers[1])
        self._began = True
        if any(text.startswith("ROLLBACK TO") for text, _ in waited):
            self._failed = False
        return answers[len(waited) :]

    def _sent(self, asked: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        was_idle = self.wire.used and not self._began
        try:
            return self.wire.ask(asked)
        except Failure:
            if not (was_idle and self.wire.broken):
                raise
        # It broke while nobody used it: nothing of this transaction reached a server that still knows of it.
        self.wire = self._renew(self.wire)
        return self.wire.ask(asked)

    def commit(self) -> None:
        """Commit what was done; nothing is sent for a transaction that asked nothing.

        Errors:
            CommitUnknown: it may have happened.
        """
        if self._committed or not self._began:
            return
        if self._failed:
            raise StatementRefused(path=self._path, why="a statement failed and was passed over")
        self._finish(())

    def _finish(self, asked: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        try:
            answers = self.ask(*asked, ("COMMIT", ()))
        except Exception as why:
            if self.wire.broken:
                raise CommitUnknown(path=self._path) from why
            raise
        self._committed = True
        return answers[:-1]

    def rollback(self) -> None:
        """Undo everything; a connection that can't even do that is given up."""
        if self._began and not self._committed and not self.wire.broken:
            try:
                self.wire.ask([("ROLLBACK", ())])
            except Failure:
                self.wire.broken = True

    # Time.

    @property
    def now(self) -> int:
        """The clock of the database, µs UTC; after `claim` a time when all locks were held."""
        if self._now is None:
            self._read_clock(*self.ask((questions.CLOCK, ())))
        return self._now or 0

    def _read_clock(self, rows: list[tuple[Any, ...]]) -> None:
        now, last = rows[0]
        self._now = self._clock() if self._clock else now
        self._last = max(self._last or 0, last or 0)

    def stamp(self) -> int:
        """Return the time of the next entry: now, and later than every entry that was there when locks were held."""
        now = self.now
        self._last = max(now, (self._last or 0) + 1)
        return self._last

    # Before any lock.

    def where(self, case: str) -> Whereabouts | None:
        """Return where a case stands; None when there is no such case.

        A bulk asks once to know its locks and once more for each command: `claim` looks again at what was told first.
        """
        if case in self._whereabouts:
            return self._whereabouts[case]
        clock = [(questions.CLOCK, ())] if self._now is None else []
        *times, rows = self.ask(*clock, (questions.PLACES, (case.replace("\0", ""),)))
        for time in times:
            self._read_clock(time)
        if not rows:
            return None
        places = {row[1]: place_of(*row[2:]) for row in rows}
        self._places.update(places)
        self._whereabouts[case] = Whereabouts(rows[-1][0], tuple(places.values()))
        return self._whereabouts[case]

    def below(self, path: str) -> list[Place]:
        """Return the places of all children of the cases on a path."""
        (rows,) = self.ask((questions.BELOW, (path,)))
        places = {row[1]: place_of(*row[2:]) for row in rows}
        self._places.update(places)
        self._looked_below.update(path.split("/"))
        return list(places.values())

    # Locks, and what is read under them.

    def hold(self, locks: tuple[str, ...], cases: tuple[str, ...], *, wait: bool = True) -> frozenset[str]:
        """Take the locks of several commands at once: named ones by number, then cases from the root down."""
        if wait:
            if taking := self._taking(locks, cases):
                self.ask(*taking)
        else:
            numbers = {_number(name): name for name in sorted(locks)}
            *_, named, found = self.ask(
                *self._taking_registers(exclusive=False),
                (questions.TRY_LOCKS, (array(sorted(numbers)),)),
                (questions.TRY_HOLD, (array(cases),)),
            )
            self._held.update(numbers[row[0]] for row in named)
            self._held.update(row[0] for row in found)
        return frozenset(self._held)

    def _taking(self, locks: Sequence[str], cases: Sequence[str]) -> list[Statement]:
        taking: list[Statement] = []
        if not self._looks:
            taking.extend(self._taking_registers(exclusive=REGISTERS in locks))
            numbers = sorted({_number(name) for name in set(locks) - self._held - {REGISTERS}})
            if numbers:
                taking.append((questions.LOCKS, (array(numbers),)))
            if not self._held.issuperset(cases):
                taking.append((questions.HOLD, (array(cases),)))
        self._held.update(locks, cases)
        return taking

    def _taking_registers(self, *, exclusive: bool) -> list[Statement]:
        """Return what locks the registers: before all else, so that nobody waits for them with a case in hand.

        Every command reads seats. Were one taken away meanwhile, the log would show a move by somebody who had none.
        """
        if REGISTERS in self._held or (self._reads_registers and not exclusive):
            return []
        self._reads_registers = True
        number = _number(REGISTERS)
        return [(questions.LOCKS, (array([number]),)) if exclusive else (questions.BESIDE, (number,))]

    def claim(self, asked: Asked) -> Claimed:
        """Lock, and read in later statements the time, the receipt, cases, families, seats, and who may be told.

        Errors:
            Contended: what decided on the locks is not as it was when they were chosen.
        """
        taking = self._taking(asked.locks, asked.cases)
        cases, families = array(asked.cases), array(asked.families)
        self._forget()
        answers = self.ask(
            *taking,
            (questions.CLOCK, ()),
            (questions.RECEIPT, (asked.principal, asked.command)),
            (questions.CASES, (cases,)),
            (questions.FAMILY, (families,)),
            (questions.SEATS, (asked.person, asked.day)),
            (questions.MEMBERS_OF_CASES, (cases, asked.day)),
        )
        clock, receipt, found, children, seats, members = answers[len(taking) :]
        self._read_clock(clock)
        claimed = Claimed()
        if receipt:
            claimed.answered = (receipt[0][0], orjson.loads(receipt[0][1]))
        claimed.cases = {row[0]: self._seen_again(row) for row in found}
        claimed.children = {family: [] for family in asked.families}
        for row in children:
            claimed.children[row[3]].append(claimed.cases.get(row[0]) or self._seen_again(row))
        claimed.seats = [Seat(*row) for row in seats if row[1] is not None]
        claimed.absent = frozenset(row[0] for row in seats if row[1] is None)
        bound = {one for case in claimed.cases.values() for one in case.parties.values()}
        self._keep_members(bound, asked.day, members)
        return claimed

    def _seen_again(self, row: tuple[Any, ...]) -> Case:
        """Return the case of a row, after making sure that its locks were chosen for what it is now."""
        case = case_of(row)
        was, now = (
            self._places.get(case.id),
            Place(case.definition, case.plan_year, row[-1] or "", case.parties),
        )
        has_moved = was != now if was else case.parent in self._looked_below
        if has_moved and not self._looks:
            raise Contended(why=_MOVED)
        return case

    def _keep_members(self, bound: set[str], day: str, rows: list[tuple[Any, ...]]) -> None:
        for one in bound:
            self._members[one, day] = {}
        for one, role, person in rows:
            self._members.setdefault((one, day), {}).setdefault(role, []).append(person)

    def _forget(self) -> None:
        """Forget what was read under the locks: something was written, or the next command begins."""
        self._members.clear()
        self._grants.clear()

    def case(self, case: str) -> Case | None:
        """Return one case as it stands, or None."""
        return self.cases([case.replace("\0", "")]).get(case)

    def cases(self, cases: Sequence[str]) -> dict[str, Case]:
        """Return id -> case of those that are there, as they stand."""
        (rows,) = self.ask((questions.CASES, (array(cases),)))
        return {row[0]: case_of(row) for row in rows}

    def family(self, parent: str) -> list[Case]:
        """Return the children of one case as they stand, oldest first."""
        (rows,) = self.ask((questions.FAMILY, (array([parent]),)))
        return [case_of(row) for row in rows]

    def members(self, bound: str, role: str, day: str) -> list[str]:
        """Return the persons who hold `role` in `bound` on `day`, in order of id."""
        if (bound, day) not in self._members:
            (rows,) = self.ask((questions.MEMBERS, (array([bound]), day)))
            self._keep_members({bound}, day, rows)
        return self._members[bound, day].get(role, [])

    def next_number(self, series: str) -> int:
        """Return the next number of a series, from 1; a rolled-back transaction gives it back."""
        (rows,) = self.ask((questions.NUMBER, (series,)))
        return int(rows[0][0])

    def plan_line(self, line: str, name: str, case: Case) -> dict[str, Any]:
        """Return what a budget line holds beside this case: {budget_vnd: int or None, committed_vnd: int}.

        The guard beside it usually asks what the case's establishments were granted: that comes in the same round trip.
        """
        scope = line.rpartition("/")[2]
        self._must_hold(plan_lock(name, case.plan_year or 0, scope))
        held = [one for one in set(case.parties.values()) if establishment_lock(one) in self._held]
        root = case.root or case.id
        budget, committed, *grants = self.ask(
            (questions.BUDGET, (line,)),
            (questions.COMMITTED, (name, case.plan_year, scope, case.id)),
            *((questions.SUPPORTED, (one, root)) for one in held),
        )
        self._grants.update({(one, root): rows for one, rows in zip(held, grants, strict=True)})
        return {"budget_vnd": budget[0][0] if budget else None, "committed_vnd": committed[0][0]}

    def supported(self, establishment: str, except_root: str) -> list[dict[str, Any]]:
        """Return other families of cases that were decided for an establishment, oldest first."""
        self._must_hold(establishment_lock(establishment))
        key = (establishment, except_root)
        if key not in self._grants:
            (self._grants[key],) = self.ask((questions.SUPPORTED, key))
        return [dict(zip(_GRANT, row, strict=True)) for row in self._grants[key]]

    def _must_hold(self, *any_of: str) -> None:
        """Refuse to look at, or write, what `claim` was not asked to lock; a parent's lock covers its children."""
        if not self._held.intersection(any_of):
            raise LockMissing(wanted=" / ".join(any_of))

    # Writing, and all other questions.

    def record(self, writing: Writing, *, last: bool = False) -> None:
        """Write all rows in one round trip.

        Shapes:
            last: nothing follows in this transaction: it is committed in the same round trip.
        Errors:
            RowRefused: a constraint said no; the caller rolls back.
            Contended: another transaction wrote the same at once. CommitUnknown: see there.
            Broken: a case moved since it was claimed, which can't happen under the lock.
        """
        for case, _, is_new in writing.cases.values():
            if not is_new:
                self._must_hold(*case.path.split("/"))
        self.has_published = self.has_published or bool(writing.published)
        asked = list(postgres_writing.statements(writing, self.now))
        self._forget()
        written = writing.cases.keys()
        for one in [one for one, at in self._whereabouts.items() if written & at.path.split("/")]:
            del self._whereabouts[one]
        answers = self._finish(asked) if last else self.ask(*asked)
        for (text, values), rows in zip(asked, answers, strict=True):
            if text == postgres_writing.UPDATE_CASE and not rows:
                raise Broken(case=values[-2], why="the row moved under the lock")

    def run(
        self, sql: str, values: Mapping[str, Any] | None = None, *, last: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run one statement with `:named` values and return its rows."""
        if sql.startswith(_SILENT):
            self._waiting.append((sql, ()))
            self._forget()
            if sql.startswith("SAVEPOINT"):
                self._kept = frozenset(self._held)
            elif sql.startswith("ROLLBACK"):
                # What was locked since then is not any more.
                self._held = set(self._kept)
                self._whereabouts.clear()
            return []
        (rows,) = self.run_all((sql, values or {}), last=last)
        return rows

    def run_all(
        self, *asked: tuple[str, Mapping[str, Any]], last: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        """Run several statements in one round trip; the first that fails ends it."""
        statements = [self._statement(sql, values) for sql, values in asked]
        return self._finish(statements) if last else self.ask(*statements)

    def _statement(self, sql: str, values: Mapping[str, Any]) -> Statement:
        text, names = questions.numbered(sql, has_now=self._clock is not None or "now" in values)
        given = values if self._clock is None else {"now": self.now, **values}
        return text, [given[name] for name in names]


def _number(name: str) -> int:
    """Return the number under which PostgreSQL knows a named lock; two names that share one only wait more."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
