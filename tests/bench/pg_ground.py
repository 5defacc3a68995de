"""The PostgreSQL that is measured: safe settings, and for every run a fresh copy of one prepared database.

The server is started for this run alone, in a folder of its own. It keeps every promise that an installation asks for
(`fsync`, `synchronous_commit`, `full_page_writes`); only memory and the distance of checkpoints are raised.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from engine import postgres_schema
from handlers import build
from tests.bench import world
from tests.servers.postgres import SAFE, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.engine import Engine
    from tests.servers.postgres import Database

SETTINGS = {
    **SAFE, "shared_buffers": "2GB", "max_wal_size": "8GB", "min_wal_size": "1GB", "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9", "autovacuum_naptime": "1min",
}  # fmt: skip
#: Enough for a run of one client of some seconds and for eight clients of one or two.
CASES = 1200
_HOUR = 3_600_000_000
_PREWARM = (
    "SELECT sum(bench.pg_prewarm(oid)) FROM pg_class WHERE relkind IN ('r', 'i', 't') AND relnamespace <> 11"
    " AND relpersistence <> 't'"
)


@dataclass
class Ground:
    """A running server with a prepared database in which national projects wait for the minister.

    Shapes:
        template: name of the prepared database; nobody is connected to it. cases: ids, in the order approved; they come
            from the provinces in turn. people: seat -> id of the person. folder: for logs of runs.
        kept: what one part made and another uses.
    """

    server: PostgresServer
    template: str
    cases: tuple[str, ...]
    people: dict[str, str]
    folder: Path
    kept: dict[str, object] = field(default_factory=dict)

    @property
    def minister(self) -> str:
        """The person who approves."""
        return self.people["ministry.minister"]

    @property
    def version(self) -> str:
        """The version of the server."""
        with self.server.superuser() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "?"

    @contextmanager
    def fresh(self, template: str = "") -> Iterator[Database]:
        """Make a copy of a prepared database, bring it into memory and flush everything before a run begins."""
        database = self.copy(template or self.template)
        try:
            yield database
        finally:
            self.server.drop(database)

    def copy(self, template: str) -> Database:
        """Return a copy that stays until it is dropped."""
        name = f"run_{time.monotonic_ns()}"
        with self.server.superuser() as connection:
            made = "CREATE DATABASE {} OWNER tiendo_owner TEMPLATE {} STRATEGY FILE_COPY"
            connection.execute(sql.SQL(made).format(sql.Identifier(name), sql.Identifier(template)))
            with self.server.superuser(name) as inside:
                inside.execute(_PREWARM)
            connection.execute("CHECKPOINT")
        return self.server.database(name)

    def numbered(self, clients: int, commands: int = 0) -> list[list[tuple[int, str]]]:
        """Return for each client the approvals it sends, by number: those of its turn, so that neighbours differ."""
        all_of_them = list(enumerate(self.cases))[: commands or None]
        return [all_of_them[client::clients] for client in range(clients)]

    def busy_seconds(self) -> float:
        """Return the processor time that the server with all its children has used so far."""
        assert self.server._process is not None
        parent = self.server._process.pid
        spent = sum(_times(parent)[:4])
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and _parent(folder) == parent:
                spent += sum(_times(int(folder.name))[:2])
        return spent / os.sysconf("SC_CLK_TCK")


def open_engine(url: str, clock: world.Clock | None = None) -> Engine:
    """Return an engine on a database, as a serving process makes it; its clock goes on after that of the preparation."""
    if clock is None:
        clock = world.Clock()
        clock.move_to(clock() + _HOUR)
    return build.make_engine(world.settings(url), postgres_schema.open_store(url, clock=clock))


@contextmanager
def prepared(folder: Path, cases: int) -> Iterator[Ground]:
    """Start the server, prepare a database with `cases` projects before the minister; the server ends with the block."""
    server = PostgresServer.start(SETTINGS)
    try:
        database = server.create()
        ids, people = _furnished(server, database, cases)
        with server.superuser(database.name) as connection:
            connection.execute("CREATE SCHEMA bench")
            connection.execute("CREATE EXTENSION pg_prewarm SCHEMA bench")
            connection.execute("VACUUM ANALYZE")
        yield Ground(server, database.name, tuple(ids), people, folder)
    finally:
        server.stop()


def _furnished(server: PostgresServer, database: Database, cases: int) -> tuple[list[str], dict[str, str]]:
    given = world.settings(database.app_url)
    store = postgres_schema.create(database.owner_url, database.app_url, kind="sample", clock=world.Clock())
    with server.superuser(database.name) as connection:
        # Preparing is not measured, so it need not wait for the disk.
        connection.execute("ALTER ROLE tiendo_app SET synchronous_commit = off")
    try:
        return world.furnish(build.make_engine(given, store), given, cases, world.ALL_PROVINCES)
    finally:
        store.close()
        with server.superuser(database.name) as connection:
            connection.execute("ALTER ROLE tiendo_app RESET synchronous_commit")


def _times(pid: int) -> list[int]:
    """Return user and system time of a process, and of its children that have ended, in ticks."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return [0, 0, 0, 0]
    return [int(word) for word in words[11:15]]


def _parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 0
