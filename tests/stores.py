"""Which store a test runs on: the same test runs on a SQLite file and on a PostgreSQL database, as the working role.

A test asks for a place, makes a store there or copies a prepared one. What it opened and made is closed and removed at
its end; prepared stores stay until the last test.
"""

from __future__ import annotations

import atexit
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from engine import postgres_schema, schema
from tests.servers.postgres import Database, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from engine.store import Store

KINDS = ("sqlite", "postgresql")
Place: TypeAlias = Path | Database


@dataclass
class _Now:
    """The test that runs: its kind of store, and what it opened and made."""

    kind: str = "sqlite"
    opened: list[Store] = field(default_factory=list)
    made: list[Database] = field(default_factory=list)


_NOW = _Now()


def kind() -> str:
    """Return the kind of store of the test that runs."""
    return _NOW.kind


@contextmanager
def running_on(kind: str) -> Iterator[None]:
    """Run a test on a kind of store; close and remove all of it afterwards."""
    global _NOW
    before, _NOW = _NOW, _Now(kind)
    try:
        yield
    finally:
        ended, _NOW = _NOW, before
        for store in ended.opened:
            if ended.kind == "postgresql":
                store.close()
        for database in ended.made:
            server().drop(database)


@cache
def server() -> PostgresServer:
    """Return the server of this process, started by the first test that needs it."""
    started = PostgresServer.start()
    atexit.register(started.stop)
    return started


@cache
def _migrated() -> Database:
    """Return a database with an empty schema of ours, to be copied: a migration costs ten times as much."""
    made = server().create()
    postgres_schema.upgrade(made.owner_url, made.app_url)
    return made


def place(folder: Path, name: str = "tiendo.db", *, lasting: bool = False) -> Place:
    """Return where a new store may be made.

    Shapes:
        lasting: it is a prepared one, which outlives the test.
    """
    if _NOW.kind == "sqlite":
        return folder / name
    return _kept(server().create(_migrated().name), lasting=lasting)


def _kept(database: Database, *, lasting: bool) -> Database:
    if not lasting:
        _NOW.made.append(database)
    return database


def create(where: Place, *, kind: str = "sample", clock: Callable[[], int] | None = None) -> Store:
    """Make a store at a place and open it."""
    if isinstance(where, Path):
        made: Store = schema.create(where, kind=kind, **({"clock": clock} if clock else {}))
    else:
        made = postgres_schema.open_store(where.app_url, clock=clock)
        schema.give_birth(made, kind)
    _NOW.opened.append(made)
    return made


def administrator() -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection of the server's own administrator to the newest database of this test."""
    return server().superuser(_NOW.made[-1].name)


def reopen(where: Place, *, clock: Callable[[], int] | None = None) -> Store:
    """Open the store at a place."""
    if isinstance(where, Path):
        opened: Store = schema.open_store(where, **({"clock": clock} if clock else {}))
    else:
        opened = postgres_schema.open_store(where.app_url, clock=clock)
    _NOW.opened.append(opened)
    return opened


def copied(prepared: Place, folder: Path, name: str = "tiendo.db") -> Place:
    """Return a copy of a prepared store, which nobody has open."""
    if isinstance(prepared, Path):
        shutil.copyfile(prepared, folder / name)
        return folder / name
    return _kept(server().create(prepared.name), lasting=False)
