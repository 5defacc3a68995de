"""The schema of a PostgreSQL store: made and moved by the owner, checked by whoever works in it.

The numbered migrations are those of the embedded store. What only PostgreSQL has (roles, row security, the order of
sorting) is created anew at the end of each (engine/postgres_guards.py).
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from engine import append_only, postgres_guards, postgres_roles, postgres_wire, schema_numbers
from engine.errors import Refused, Words
from engine.postgres_errors import shown, told
from engine.postgres_store import PostgresStore
from engine.store import StoreForeign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from engine.append_only import Ask

OWNER_SETTING = "TIENDO_OWNER_URL"
_KIND = "postgresql"
#: One move at a time, whoever begins it: a number of our own for the server's advisory locks.
_MOVING = 7_302_118_211


class OwnerElsewhere(Refused):
    """Owner and working role look at two databases."""

    code = "owner_elsewhere"
    words = Words(
        "TIENDO_OWNER_URL và TIENDO_DATABASE_URL trỏ tới hai cơ sở dữ liệu khác nhau ({owner}, {app}). Chưa làm gì.",
        "TIENDO_OWNER_URL and TIENDO_DATABASE_URL name two databases ({owner}, {app}). Nothing was done.",
    )


def create(
    owner_url: str, app_url: str, *, kind: str, clock: Callable[[], int] | None = None
) -> PostgresStore:
    """Make a store in an empty database and open it.

    Shapes:
        kind: "sample" or "production"; unchangeable.
    Errors:
        StoreExists: there is one already; it was not touched. StoreForeign: the database holds something else.
        RolesMissing, LoginRefused, Unavailable: nothing half-made is left; it can be tried again.
    """
    _same_database(owner_url, app_url)
    with _owner(owner_url) as connection:
        if _is_born(connection):
            raise schema_numbers.StoreExists(path=shown(app_url))
        there = append_only.tables(connection.exec_driver_sql, _KIND)
        if there and not append_only.is_ours(there):
            raise StoreForeign(path=shown(app_url))
    upgrade(owner_url, app_url)
    store = open_store(app_url, clock=clock)
    try:
        schema_numbers.give_birth(store, kind)
    except BaseException:
        store.close()
        raise
    return store


def open_store(app_url: str, *, clock: Callable[[], int] | None = None) -> PostgresStore:
    """Open an existing store after checking role, schema and guards.

    Errors:
        StoreUnreachable, LoginRefused, RoleTooStrong, RoleTooWeak, EncodingWrong, StoreForeign, SchemaOld, SchemaNew,
        GuardsMissing: it was not opened.
    """
    store = PostgresStore(app_url, clock=clock)
    try:
        with told(store.path), _asking(app_url) as ask:
            schema_numbers.check_version(ask, _KIND, store.path)
            postgres_roles.check(ask, store.path)
            postgres_guards.check(ask, store.path)
    except BaseException:
        store.close()
        raise
    return store


def upgrade(owner_url: str, app_url: str, to: str = "head") -> None:
    """Bring the schema to a revision, and guards and rights to what this version wants.

    Errors:
        RolesMissing, LoginRefused, Unavailable, StoreForeign: the migration that failed has changed nothing.
    """
    _move(owner_url, app_url, to, down=False)


def downgrade(owner_url: str, app_url: str, to: str) -> None:
    """Take the schema back; log tables are left as they are."""
    _move(owner_url, app_url, to, down=True)


def _move(owner_url: str, app_url: str, to: str, *, down: bool) -> None:
    from engine import schema_moves  # noqa: PLC0415 - Alembic costs every command 60 ms; few move a schema

    _same_database(owner_url, app_url)
    with told(shown(owner_url), OWNER_SETTING), _owner_engine(owner_url) as engine:

        def prepare(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MOVING})")
            postgres_roles.make(connection, app_url)
            postgres_guards.lift(connection)

        schema_moves.move(
            engine, to, path=shown(owner_url), down=down, prepare=prepare, install=postgres_guards.install
        )


def number_in(url: str, setting: str = "TIENDO_DATABASE_URL") -> str:
    """Return the number of the last migration; "" where none ever ran.

    Errors:
        StoreForeign, Unavailable, LoginRefused: it can't be told.
    """
    with told(shown(url), setting), _owner_engine(url) as engine, engine.connect() as connection:
        return schema_numbers.number_of(connection.exec_driver_sql, _KIND, shown(url))


def check_move(owner_url: str) -> None:
    """Refuse to move a database that is none of ours, or that a newer version has moved on already.

    Errors:
        StoreForeign, SchemaNew: nothing was done.
    """
    found = number_in(owner_url, OWNER_SETTING)
    if found and found not in schema_numbers.numbers():
        raise schema_numbers.SchemaNew(path=shown(owner_url), found=found, wanted=schema_numbers.head())


def exists(app_url: str) -> bool:
    """Return whether there is a store of ours behind a URL.

    Errors:
        Unavailable, LoginRefused: it can't be told.
    """
    with told(shown(app_url)), _owner_engine(app_url) as engine, engine.connect() as connection:
        return append_only.is_ours(append_only.tables(connection.exec_driver_sql, _KIND))


@contextmanager
def _asking(url: str) -> Iterator[Ask]:
    """Ask a database of which nobody knows yet whether it has a single table of ours."""
    with closing(postgres_wire.connect(postgres_wire.address(url))) as connection:
        yield lambda sql: connection.execute(sql.encode()).fetchall()


@contextmanager
def _owner_engine(url: str) -> Iterator[Engine]:
    from sqlalchemy import create_engine  # noqa: PLC0415 - 16 MB that workers and tickers do without

    given = postgres_wire.address(url, statement_timeout="0", lock_timeout="30s")
    engine = create_engine("postgresql+psycopg://", creator=lambda: postgres_wire.connect(given))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _owner(url: str) -> Iterator[Connection]:
    with told(shown(url), OWNER_SETTING), _owner_engine(url) as engine, engine.connect() as connection:
        yield connection


def _is_born(connection: Connection) -> bool:
    there = connection.exec_driver_sql("SELECT to_regclass('public.store') IS NOT NULL").scalar()
    return bool(there) and connection.exec_driver_sql("SELECT 1 FROM store").scalar() is not None


def _same_database(owner_url: str, app_url: str) -> None:
    owner, app = (shown(url).rpartition("@")[2].removeprefix("postgresql://") for url in (owner_url, app_url))
    if owner != app:
        raise OwnerElsewhere(owner=shown(owner_url), app=shown(app_url))
