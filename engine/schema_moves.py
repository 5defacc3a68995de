"""Moves the schema of a store by the numbered migrations; the only file that runs Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event

from engine import append_only
from engine.store import StoreForeign

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

#: How long a move waits for another process that writes.
BUSY_SECONDS = 5.0
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(path: str | Path, to: str = "head") -> None:
    """Bring the schema of an embedded store to a revision; the guards are created anew at the end.

    Errors:
        What the database says: the migration that failed has changed nothing.
    """
    _move_file(path, to, down=False)


def downgrade(path: str | Path, to: str) -> None:
    """Take the schema of an embedded store back; log tables are left as they are."""
    _move_file(path, to, down=True)


def config() -> Config:
    """Return what Alembic needs to find the migrations."""
    found = Config()
    found.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return found


def _move_file(path: str | Path, to: str, *, down: bool) -> None:
    engine = create_engine(f"sqlite:///{Path(path).resolve()}", connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        # Before any transaction: a file that was copied or restored is not in WAL mode yet.
        connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        move(engine, to, path=str(path), down=down, install=append_only.install)
    finally:
        engine.dispose()


def move(
    engine: Engine,
    to: str,
    *,
    path: str,
    down: bool,
    install: Callable[[Connection], None],
    prepare: Callable[[Connection], None] | None = None,
) -> None:
    """Run migrations in one transaction, what comes before them (`prepare`) and the guards after them (`install`) included.

    Errors:
        StoreForeign: the database holds something else. What the database says. Nothing was changed.
    """
    with engine.connect() as connection, connection.begin():
        if prepare is not None:
            prepare(connection)
        there = append_only.tables(connection.exec_driver_sql, connection.dialect.name)
        if there and not append_only.is_ours(there):
            raise StoreForeign(path=path)
        asked = config()
        asked.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(asked, to)
        if MigrationContext.configure(connection).get_current_revision() is not None:
            install(connection)
