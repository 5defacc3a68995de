"""The engine with one technique of its PostgreSQL path taken away, to see what each is worth.

Each way changes the module of the wire in this process before the store is opened; nothing of it is in the product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.string import TextLoader

from engine import postgres_wire
from engine.postgres_wire import Failure, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Asked = Sequence[tuple[str, Sequence[Any]]]


def one_by_one() -> None:
    """Each statement is a round trip of its own, as without a pipeline."""
    together = Wire.ask

    def ask(self: Wire, asked: Asked) -> list[list[tuple[Any, ...]]]:
        return [rows for one in asked for rows in together(self, [one])]

    Wire.ask = ask  # type: ignore[method-assign]


def unprepared() -> None:
    """Each statement is parsed and planned anew."""
    postgres_wire.MOST_PREPARED = 0


def cursors() -> None:
    """psycopg's cursors in its pipeline, in the place of its binding of libpq; statements are still prepared."""

    class Cursors:
        """A wire made of cursors."""

        def __init__(self, given: str) -> None:
            self._connection = psycopg.connect(given, autocommit=True, prepare_threshold=1)
            self._connection.adapters.register_loader("json", TextLoader)
            self.broken = self.used = False

        def ask(self, asked: Asked) -> list[list[tuple[Any, ...]]]:
            self.used = True
            found = []
            with self._connection.pipeline():
                for text, values in asked:
                    cursor = psycopg.RawCursor(self._connection)
                    cursor.execute(text.encode(), list(values))
                    found.append(cursor)
            try:
                return [cursor.fetchall() if cursor.description else [] for cursor in found]
            except psycopg.Error as why:
                raise Failure(why.sqlstate or "", str(why)) from why

        def close(self) -> None:
            self._connection.close()

    from engine import postgres_store  # noqa: PLC0415 - only here is it changed

    vars(postgres_store)["Wire"] = Cursors


WAYS: dict[str, Callable[[], None]] = {
    "one statement a trip": one_by_one, "not prepared": unprepared, "cursors": cursors,
}  # fmt: skip
