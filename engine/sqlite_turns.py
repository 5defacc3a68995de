"""Whose turn it is to write, and the commit that turns which follow each other share.

One connection writes; the threads of a process take turns on it. Who ends a turn while another thread waits leaves its
work in the open transaction and hands the connection on. The last one commits for all, and no turn is over before that
commit: nobody is told of anything that may still be lost. So eight threads pay for one flush of the disk and not for
eight; and one thread alone does what it always did: `BEGIN IMMEDIATE`, its statements, `COMMIT`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine import tally
from engine.store import StoreBusy

if TYPE_CHECKING:
    from collections.abc import Iterator

#: An older round takes no further turn, however many wait: other processes want to write, too.
LONGEST_ROUND_SECONDS = 0.02


class Round:
    """Turns that share one commit.

    Shapes:
        turns: how many joined. committed: whether they happened; problem: what was in the way.
        over: held until it is known which.
    """

    __slots__ = ("_until", "committed", "over", "problem", "turns")

    def __init__(self) -> None:
        self._until = time.monotonic() + LONGEST_ROUND_SECONDS
        self.turns = 1
        self.committed = False
        self.problem: sqlite3.Error | None = None
        self.over = threading.Lock()
        self.over.acquire()

    def close(self) -> None:
        """Let nobody join any more."""
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether another turn may join."""
        return self.problem is None and time.monotonic() < self._until


class Turns:
    """The writing connection of a process, one thread at a time, in order of arrival.

    Shapes:
        path: of the store, for messages.
    Units:
        seconds: how long a thread waits for its turn.
    """

    def __init__(self, connection: sqlite3.Connection, path: str, seconds: float) -> None:
        self._run = connection.execute
        self._connection = connection
        self._path = path
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._round: Round | None = None

    @contextmanager
    def turn(self) -> Iterator[Round]:
        """Run a block in a transaction; the block is over when what it did is committed.

        A block that raises leaves nothing behind. Its error, too, waits for the commit of the turns before: it may rest
        on what they wrote.

        Errors:
            StoreBusy: the turn did not come in time; nothing was written.
            sqlite3.Error: the block's own, or that of the commit: then no turn of the round happened.
        """
        self._take()
        mine = self._join()
        try:
            yield mine
        except BaseException as why:
            self._undo(mine, why)
            raise
        finally:
            self._leave(mine)

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """Have the connection outside of any transaction.

        Errors:
            StoreBusy: the turn did not come in time.
        """
        self._take()
        try:
            self._commit()
            yield self._connection
        finally:
            self._end()

    def _take(self) -> None:
        """Wait until the connection is this thread's."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        since = time.monotonic()
        try:
            came = mine.acquire(timeout=self._seconds)
        except BaseException:
            if not self._step_out(mine):
                self._end()
            raise
        tally.add("lock_waits")
        tally.add("lock_wait_seconds", by=time.monotonic() - since)
        if not came and self._step_out(mine):
            raise StoreBusy(path=self._path, seconds=f"{self._seconds:g}")

    def _step_out(self, mine: threading.Lock) -> bool:
        """Wait no more; False when the turn came at the last moment."""
        with self._mutex:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True

    def _join(self) -> Round:
        try:
            if self._round is not None and not self._connection.in_transaction:
                self._commit()  # SQLite gave it up by itself: its turns must hear of it
            if self._round is None:
                self._run("BEGIN IMMEDIATE")
                self._round = Round()
            else:
                # Each lies inside the one before, and the commit ends them all.
                self._run("SAVEPOINT turn")
                self._round.turns += 1
        except BaseException:
            self._end()
            raise
        return self._round

    def _undo(self, mine: Round, why: BaseException) -> None:
        """Take back what this turn did; where SQLite has given everything up already, the whole round is lost."""
        try:
            if mine.turns > 1:
                self._run("ROLLBACK TO turn")
            else:
                self._round = None
                self._run("ROLLBACK")
        except sqlite3.Error as problem:
            mine.problem = why if isinstance(why, sqlite3.OperationalError) else problem

    def _leave(self, mine: Round) -> None:
        """Hand the connection on and wait for the commit; where nobody waits, commit for all."""
        if mine is not self._round:
            self._end()  # it was the first and left nothing behind
            return
        if not (mine.is_open and self._hand_on()):
            self._end()
        with mine.over:
            pass
        if not mine.committed:
            raise mine.problem or sqlite3.OperationalError("the commit was interrupted")

    def _commit(self) -> None:
        """End the round, if there is one: all its turns happened, or none."""
        ending, self._round = self._round, None
        if ending is None:
            return
        try:
            if ending.problem is None:
                self._run("COMMIT")
                ending.committed = True
        except sqlite3.Error as problem:
            ending.problem = problem
        finally:
            try:
                if self._connection.in_transaction:
                    self._run("ROLLBACK")
            finally:
                ending.over.release()

    def _end(self) -> None:
        """Commit what is kept, and let the next in line begin anew."""
        try:
            self._commit()
        finally:
            with self._mutex:
                self._taken = bool(self._waiting)
                if self._waiting:
                    self._waiting.popleft().release()

    def _hand_on(self) -> bool:
        """Give the connection to the next in line, the round left open; False when nobody waits."""
        with self._mutex:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True
