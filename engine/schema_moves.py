"""Moves the schema of an embedded store by the numbered migrations; the only file that runs Alembic."""

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

    from sqlalchemy import Connection

#: How long a move waits for another process that writes.
BUSY_SECONDS = 5.0
_FOLDER = Path(__file__).parent / "migrations"


def upgrade(path: str | Path, to: str = "head") -> None:
    """Bring the schema of a store to a revision; the guards are created anew at the end.

    Errors:
        What the database says: the migration that failed has changed nothing.
    """
    _migrate(path, lambda config: command.upgrade(config, to))


def downgrade(path: str | Path, to: str) -> None:
    """Take the schema of a store back; log tables are left as they are."""
    _migrate(path, lambda config: command.downgrade(config, to))


def config() -> Config:
    """Return what Alembic needs to find the migrations."""
    found = Config()
    found.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return found


def _migrate(path: str | Path, run: Callable[[Config], None]) -> None:
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
        with engine.connect() as connection, connection.begin():
            if not append_only.is_empty(connection) and not append_only.is_ours(connection):
                raise StoreForeign(path=str(path))
            asked = config()
            asked.attributes["connection"] = connection
            run(asked)
            if MigrationContext.configure(connection).get_current_revision() is not None:
                append_only.install(connection)
    finally:
        engine.dispose()
