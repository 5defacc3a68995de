"""Watches the SQL of the whole test run: what `execute` writes is written by nothing else of the product.

Every SQLite connection that this process opens is asked at the preparation of each statement which table it writes, so
a statement is looked at once for each connection, not at each run; on PostgreSQL's line each statement is looked at.
Tests may tamper with a store: what they write themselves is theirs.

Source: "nothing writes the tables that `execute` writes" is a decision about the whole product, so the whole run is asked.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ROOT = Path(__file__).parents[1]
#: Tables that only `execute` writes, and those of which it alone makes the rows.
OWNED = frozenset(
    {
        "workflow_case", "case_party", "transition_log", "unfolded", "receipt", "refusal", "published",
        "personal_value", "match_key", "register_row", "membership", "substitution", "number_series",
    }
)  # fmt: skip
MADE = frozenset({"notice", "outbox", "timer"})
#: Who may write them beside `execute`: function, file, and why it is no way round it.
ALLOWED = {
    ("give_birth", "engine/schema_numbers.py"): "the first entry of a store, before there is an engine",
    ("copy", "engine/copying.py"): "a whole store, every entry and receipt as it was, into an empty one",
    ("upgrade", "engine/schema_moves.py"): "migrations move what is there",
    ("downgrade", "engine/schema_moves.py"): "the same, back",
}
#: What stands between whoever asked for a statement and SQLite.
_BETWEEN = ("engine/sqlite_", "engine/postgres_", "engine/store.py")
_SAID = re.compile(r"\b(INSERT) INTO (\w+)|\b(UPDATE) (\w+) SET|\b(DELETE) FROM (\w+)")
_WRITES = {sqlite3.SQLITE_INSERT: "insert", sqlite3.SQLITE_UPDATE: "update", sqlite3.SQLITE_DELETE: "delete"}

SEEN: Counter[tuple[str, str]] = Counter()
OUTSIDE: list[str] = []
ORIGINAL: dict[str, Any] = {}


def _asked(action: int, table: str | None, *_more: Any) -> int:
    """Note one statement that is prepared; SQLite calls this for every table that it touches."""
    if action in _WRITES and (table in OWNED or (table in MADE and action == sqlite3.SQLITE_INSERT)):
        _note(_WRITES[action], str(table))
    return sqlite3.SQLITE_OK


def _sent(wire: Any, text: str, values: Any) -> Any:
    """Note one statement that goes to PostgreSQL, and send it."""
    for found in _SAID.finditer(text):
        action, table = (part for part in found.groups() if part)
        if table in OWNED or (table in MADE and action == "INSERT"):
            _note(action.lower(), table)
    return ORIGINAL["send"](wire, text, values)


def _watch_postgres() -> None:
    """Watch PostgreSQL's line as soon as somebody has loaded it; unit tests never do."""
    loaded = sys.modules.get("engine.postgres_wire")
    if loaded is not None and not ORIGINAL:
        ORIGINAL["send"] = loaded.Wire._send
        loaded.Wire._send = _sent


def _note(action: str, table: str) -> None:
    asking: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        place, function = _place(frame), frame.f_code.co_name
        # `_one` is what it does with each command; tests of two sessions hold a transaction open between two of them.
        if place == "engine/execute.py" and function in {"execute_all", "_one"}:
            SEEN[table, "execute"] += 1
            return
        if (function, place) in ALLOWED:
            SEEN[table, function] += 1
            return
        if place.startswith("tests/") and len(asking) <= 1:
            # A test tampers by itself, or tries one function of the product that writes inside `execute` only.
            return
        if place and not place.startswith((*_BETWEEN, "tests/")):
            asking.append(f"{place}:{frame.f_lineno} ({function})")
        frame = frame.f_back
    OUTSIDE.append(f"{asking[0] if asking else 'somebody'} prepares an {action} of {table} outside execute")


def _place(frame: FrameType) -> str:
    """Return the path of a file of this checkout, "" for the files of others."""
    file = frame.f_code.co_filename
    found = file.removeprefix(f"{ROOT}/")
    return found if found != file and not found.startswith(".venv/") else ""


def _watched(*where: Any, **how: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = _connect(*where, **how)
    connection.set_authorizer(_asked)
    return connection


# From the outside: whoever connects, the product, a library or a test, gets a connection that is watched.
_connect = sqlite3.connect
sqlite3.connect = sqlite3.dbapi2.connect = _watched  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _only_execute_writes_its_tables() -> Iterator[None]:
    """Fail the test during which something else wrote them."""
    _watch_postgres()
    OUTSIDE.clear()
    yield
    outside = list(OUTSIDE)
    OUTSIDE.clear()
    assert not outside, outside
