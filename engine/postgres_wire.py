"""One connection to PostgreSQL: several statements in one round trip, each prepared once.

It speaks through libpq's pipeline, because a cursor for each statement costs more than everything that the engine
decides. Statements are asked together; the answer of each is a list of rows. What fails is told once, and the connection
is then ready for a ROLLBACK.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import conninfo, pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: So many different statements are kept prepared on one connection; what comes later is parsed each time.
MOST_PREPARED = 400
#: A server that does not answer within this is taken for lost, although its connection looks alive.
ANSWER_SECONDS = 90.0
_SETTINGS = {
    "search_path": "public",
    "default_transaction_isolation": r"read\ committed",
    # What a policy of the database lets through: these connections carry commands out (engine/postgres_guards.py).
    "tiendo.reads": "engine",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    # A process that was stopped with locks in its hands gives them back.
    "idle_in_transaction_session_timeout": "60s",
    "datestyle": "ISO",
    "bytea_output": "hex",
    "jit": "off",
}
_TOLD = {
    "client_encoding": "UTF8", "connect_timeout": "5", "keepalives_idle": "15", "keepalives_interval": "5",
    "keepalives_count": "3", "tcp_user_timeout": "20000", "application_name": "tiendo",
}  # fmt: skip


def _bytes(value: bytes) -> bytes:
    return bytes.fromhex(value[2:].decode())


#: Type of a column -> how its text is read; everything else is text.
_READ: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",
    17: _bytes,
    20: int,
    21: int,
    23: int,
    26: int,
    1700: lambda value: int(value) if b"." not in value else float(value),
}


#: Place of each column of an answer, and what its text is read by.
_Columns = list[tuple[int, "Callable[[bytes], Any]"]]


class Failure(Exception):
    """The server said no, or is gone.

    Shapes:
        sqlstate: five characters; "" when the connection broke before there was an answer.
        said: what the server said. constraint: "table.constraint", "" when none was broken.
    """

    def __init__(self, sqlstate: str, said: str, constraint: str = "") -> None:
        super().__init__(sqlstate, said, constraint)
        self.sqlstate, self.said, self.constraint = sqlstate, said, constraint


class Unsendable(Failure):
    """A value can't be sent at all; nothing was, and the transaction is as it was."""


def address(url: str, **settings: str) -> str:
    """Return the connection string of a URL with all that our connections ask for.

    Shapes:
        settings: of the session, beside our own.
    Errors:
        Failure: the URL can't be read.
    """
    options = " ".join(f"-c {name}={value}" for name, value in {**_SETTINGS, **settings}.items())
    try:
        return conninfo.make_conninfo(plain(url), **_TOLD, options=options)
    except psycopg.ProgrammingError as why:
        raise Failure("08001", str(why)) from why


def plain(url: str) -> str:
    """Return the URL without the name of a driver."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def connect(given: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Return a new connection.

    Errors:
        Failure: there is nobody, or we are not let in.
    """
    try:
        return psycopg.connect(given, autocommit=autocommit)
    except psycopg.OperationalError as why:
        raise Failure(why.sqlstate or "08001", str(why)) from why


class Wire:
    """One connection, for one thread at a time.

    Shapes:
        broken: the connection is lost, or nobody knows what its next answer would belong to.
        used: whether anything was ever asked over it.
    """

    __slots__ = ("_columns", "_connection", "_named", "_pg", "_poll", "_prepared", "broken", "used")

    def __init__(self, given: str) -> None:
        self._connection = connect(given, autocommit=True)
        # What commands ask looks rows up by their keys: planning it anew for its values costs ten times what it finds, and
        # a plan that was made while a table was small must not read all of it when it has grown.
        self._connection.execute("SET plan_cache_mode = force_generic_plan")
        self._connection.execute("SET enable_seqscan = off")
        self._pg = self._connection.pgconn
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)
        self._prepared: dict[str, bytes] = {}
        self._columns: dict[str, _Columns] = {}
        self._named = 0
        self.broken = self.used = False

    def ask(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """Send statements together and return the rows of each.

        Shapes:
            asked: (statement with $1, $2 …, values: text, int, bytes or None).
        Errors:
            Failure: of the first that failed; those after it did not run.
            Unsendable: none was sent.
        """
        given = [(text, _sendable(values)) for text, values in asked]
        self.used = True
        try:
            fresh = [self._send(text, values) for text, values in given]
            self._pg.pipeline_sync()
            self._flush()
            return self._answers(asked, fresh)
        except Failure as why:
            # The tables changed under what is prepared here: prepared anew on a new connection, it fits again.
            self.broken = self.broken or self._pg.status != pq.ConnStatus.OK or why.sqlstate == "0A000"
            raise
        except psycopg.OperationalError as why:
            self.broken = True
            raise Failure("", str(why).strip()) from why
        except BaseException:
            self.broken = True
            raise

    def close(self) -> None:
        """Close it; what was not committed is rolled back by the server."""
        self._connection.close()

    def _send(self, text: str, given: Sequence[bytes | None]) -> bytes | None:
        """Send one statement; return the name that it is prepared under now, None when it already was."""
        name = self._prepared.get(text)
        fresh = None
        if name is None:
            fresh = name = b"s%d" % self._named if self._named < MOST_PREPARED else b""
            self._pg.send_prepare(name, text.encode())
            if name:
                self._named += 1
                # Two of the same in one trip are prepared once; a failure takes the name back.
                self._prepared[text] = name
        self._pg.send_query_prepared(name, given or None)
        return fresh

    def _flush(self) -> None:
        """Send all of it, reading meanwhile, so that neither side waits for the other with full hands."""
        while self._pg.flush():
            self._poll.modify(self._pg.socket, select.POLLIN | select.POLLOUT)
            for _, readiness in self._wait():
                if readiness & select.POLLIN:
                    self._pg.consume_input()
            self._poll.modify(self._pg.socket, select.POLLIN)

    def _wait(self) -> list[tuple[int, int]]:
        ready = self._poll.poll(ANSWER_SECONDS * 1000)
        if not ready:
            self.broken = True
            raise Failure("", f"no answer within {ANSWER_SECONDS:g} s")
        return ready

    def _answers(
        self, asked: Sequence[tuple[str, Sequence[Any]]], fresh: Sequence[bytes | None]
    ) -> list[list[tuple[Any, ...]]]:
        failure: Failure | None = None
        answers = []
        try:
            for (text, _), name in zip(asked, fresh, strict=True):
                if name is not None:
                    prepared = self._next()
                    if prepared.status != pq.ExecStatus.COMMAND_OK:
                        self._prepared.pop(text, None)
                        failure = failure or _failure(prepared)
                found = self._next()
                if found.status == pq.ExecStatus.TUPLES_OK:
                    answers.append(self._read(text, found))
                elif found.status == pq.ExecStatus.COMMAND_OK:
                    answers.append([])
                else:
                    failure = failure or _failure(found)
            self._next()
        except (Failure, psycopg.OperationalError):
            if failure is None:
                raise
            # What the server said last tells more than that it then hung up.
            self.broken = True
        if failure is not None:
            raise failure
        return answers

    def _read(self, text: str, found: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        """Return the rows of a result; of what columns they are is asked once for each prepared statement."""
        if not found.ntuples:
            return []
        columns = self._columns.get(text)
        if columns is None:
            columns = _columns(found)
            if text in self._prepared:
                self._columns[text] = columns
        return _rows(found, columns)

    def _next(self) -> pq.abc.PGresult:
        """Return the next result; an empty one stands between those of two statements."""
        pg = self._pg
        for _ in range(2):
            while pg.is_busy():
                self._wait()
                pg.consume_input()
            found = pg.get_result()
            if found is not None:
                return found
        self.broken = True
        raise Failure("", pg.get_error_message() or "the connection broke")


def _sendable(values: Sequence[Any]) -> list[bytes | None]:
    """Return values as their texts; all of them before anything is sent.

    Errors:
        Unsendable: a text can't stand in any column.
    """
    try:
        # Nearly all are text: one test for all of them, and no call for each.
        given = [value.encode() if value.__class__ is str else _given(value) for value in values]
    except UnicodeEncodeError as why:
        raise Unsendable("22021", "a text holds half a letter") from why
    if b"\0" in b"".join(filter(None, given)):
        raise Unsendable("22021", "a text holds a zero byte")
    return given


def _given(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int):
        return b"%d" % value
    return b"\\x" + bytes(value).hex().encode()


def array(values: Iterable[str | int]) -> str:
    """Return the text of an array of ids, names or numbers."""
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def _columns(found: pq.abc.PGresult) -> _Columns:
    return [(place, _READ.get(found.ftype(place), bytes.decode)) for place in range(found.nfields)]


def _rows(found: pq.abc.PGresult, columns: _Columns) -> list[tuple[Any, ...]]:
    get = found.get_value
    return [
        tuple(None if (value := get(row, place)) is None else turn(value) for place, turn in columns)
        for row in range(found.ntuples)
    ]


def _failure(found: pq.abc.PGresult) -> Failure:
    def told(field: pq.DiagnosticField) -> str:
        return (found.error_field(field) or b"").decode(errors="replace")

    said = told(pq.DiagnosticField.MESSAGE_PRIMARY) or found.get_error_message()
    table, constraint = told(pq.DiagnosticField.TABLE_NAME), told(pq.DiagnosticField.CONSTRAINT_NAME)
    return Failure(told(pq.DiagnosticField.SQLSTATE), said, f"{table}.{constraint}" if constraint else "")
