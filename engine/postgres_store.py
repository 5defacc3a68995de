"""The store of many processes: a PostgreSQL database.

Transactions go over connections of their own, several statements in one round trip (engine/postgres_wire.py); reading for
pages and reports goes through SQLAlchemy. The clock is the database's, so that hosts need not agree on the time.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING

import orjson

from engine import postgres_wire
from engine.postgres_errors import shown, told
from engine.postgres_rows import PostgresTransaction
from engine.postgres_wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

#: Connections kept open while nobody uses them.
_IDLE = 8


class PostgresStore:
    """An open PostgreSQL store.

    Shapes:
        url: of a role that neither owns the tables nor passes over row security (engine/postgres_schema.py checks it).
        path: the address as people may see it, without its password.
        clock: µs UTC; only tests hand in one; None: the clock of the database.
    Errors:
        StoreUnreachable, LoginRefused (from the first use): nothing was written.
    """

    def __init__(self, url: str, *, clock: Callable[[], int] | None = None) -> None:
        self.path = shown(url)
        self._clock = clock
        with told(self.path):
            self._address = postgres_wire.address(url)
        self._idle: deque[Wire] = deque()
        self._pid = os.getpid()
        self._reading = Lock()
        self._readers: Engine | None = None

    @contextmanager
    def begin(self) -> Iterator[PostgresTransaction]:
        """Open a write transaction: commits on leaving, rolls back on an error.

        Errors:
            Contended: others changed what it rests on, or waited for it while it waited for them; begin anew.
            StoreUnreachable, StoreLost, StoreFull, StoreStandby: nothing was written.
            CommitUnknown: it was written or not; the same command tells.
        """
        with self._transaction() as tx:
            yield tx
            tx.commit()

    @contextmanager
    def look(self) -> Iterator[PostgresTransaction]:
        """Open a snapshot that answers like a write transaction, and holds and writes nothing.

        Errors:
            StoreUnreachable, StoreLost: nothing could be read.
        """
        with self._transaction(looks=True) as tx:
            yield tx

    @contextmanager
    def _transaction(self, *, looks: bool = False) -> Iterator[PostgresTransaction]:
        tx = PostgresTransaction(self._take(), self.path, self._clock, self._renew, looks=looks)
        try:
            yield tx
        finally:
            tx.rollback()
            self._give_back(tx.wire)

    def _take(self) -> Wire:
        if self._pid != os.getpid():
            # A forked process must not speak over connections that its parent speaks over.
            self._pid = os.getpid()
            self._idle = deque()
            if self._readers is not None:
                self._readers.dispose(close=False)
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> Wire:
        with told(self.path):
            return Wire(self._address)

    def _renew(self, broken: Wire) -> Wire:
        """Give a new connection for one that broke while it lay idle."""
        self._give_back(broken)
        return self._connect()

    def _give_back(self, wire: Wire) -> None:
        if wire.broken:
            # What broke one broke those that lie idle, too: the server went, or the tables are not what they were.
            wire.close()
            self._close_idle()
        elif len(self._idle) >= _IDLE:
            wire.close()
        else:
            self._idle.append(wire)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot for the questions of pages and reports.

        Errors:
            StoreUnreachable, StoreLost: nothing could be read.
        """
        with told(self.path), self._reader().connect() as connection, connection.begin():
            yield connection

    def _reader(self) -> Engine:
        with self._reading:
            if self._readers is None:
                self._readers = _reading_from(self._address)
            return self._readers

    def now(self) -> int:
        """Return the clock of the database, µs UTC."""
        if self._clock is not None:
            return self._clock()
        with self.look() as tx:
            return tx.now

    def changed(self) -> bool:
        """Say yes: an empty sweep looks at three small indexes, which costs no more than asking whether to look."""
        return True

    def scrub(self) -> None:
        """Do nothing: the server writes over erased bytes by itself, and only the owner can hurry it.

        What was erased stays in dead rows until the server's own vacuum, in its log of writes until that is recycled,
        and in backups; docs/operations.md says how long and how to hurry it.
        """

    def close(self) -> None:
        """Close all connections."""
        if self._readers is not None:
            self._readers.dispose()
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


def _reading_from(address: str) -> Engine:
    from sqlalchemy import create_engine  # noqa: PLC0415 - 16 MB that workers and tickers do without

    return create_engine(
        "postgresql+psycopg://", creator=lambda: postgres_wire.connect(address), pool_pre_ping=True,
        isolation_level="REPEATABLE READ", json_deserializer=orjson.loads, pool_size=_IDLE, max_overflow=-1,
        execution_options={"postgresql_readonly": True},
    )  # fmt: skip
