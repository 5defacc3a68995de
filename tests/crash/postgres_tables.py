"""All tables of a PostgreSQL store at one moment, copied row by row into an SQLite file, for the checker that reads both.

Read as the server's administrator, so that row security hides nothing, and without any code of the product.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from psycopg import IsolationLevel

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
#: What is still to be done, with the seconds until it is due (a row) or its lease ends.
LEFT = (
    f"SELECT topic, id, state, attempts, error, (coalesce(lease_until, due_at) - {_NOW}) / 1000000 FROM outbox"
    " WHERE state IN ('pending', 'claimed', 'in_flight')"
    f" UNION ALL SELECT 'timer ' || kind, id, state, 0, why, (due_at - {_NOW}) / 1000000 FROM timer"
    f" WHERE state = 'waiting' AND due_at <= {_NOW}"
)
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


def copy(connection: psycopg.Connection[Any], path: Path) -> int:
    """Copy everything into a new file; return the clock of the database, µs UTC.

    Shapes:
        connection: of the administrator, in no transaction.
    """
    path.unlink(missing_ok=True)
    connection.autocommit = False
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction(), closing(sqlite3.connect(path)) as copied:
        now = int(connection.execute(CLOCK).fetchone()[0])  # type: ignore[index]  # it always has a row
        for (table,) in connection.execute(_TABLES).fetchall():
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [column.name for column in rows.description or ()]
            copied.execute(
                f'CREATE TABLE "{table}" ({", ".join(chr(34) + name + chr(34) for name in names)})'
            )
            marks = ", ".join("?" * len(names))
            copied.executemany(
                f'INSERT INTO "{table}" VALUES ({marks})', ([_plain(value) for value in row] for row in rows)
            )
        # The checker joins these.
        copied.execute("CREATE INDEX by_command ON receipt (principal, command)")
        copied.execute("CREATE INDEX by_subject ON outbox (subject)")
        copied.commit()
    return now


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
