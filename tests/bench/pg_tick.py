"""A tick with 100 due timers on PostgreSQL, beside ten thousand waiting ones and beside a million, by turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.commands import new_id
from tests.bench import tick, world
from tests.bench.pg_ground import open_engine
from tests.bench.tick import DUE, FEW, MANY, ROUNDS, WARM, Figures, due_rows

if TYPE_CHECKING:
    from tests.bench.pg_ground import Ground
    from tests.servers.postgres import Database

_DAY = 86_400_000_000
_EACH = 5
#: The due timers stand on cases of their own; the filler on filler cases, copied from a real one with nothing in it.
_CASES = """
INSERT INTO workflow_case ({columns}) SELECT {shown} FROM workflow_case c, generate_series(1, {cases}) AS n
 WHERE c.id = '{like}'"""
_TIMERS = """
INSERT INTO timer (id, case_id, kind, deadline, set_by, generation, period, rung, due_at, state)
SELECT 'f1' || lpad(to_hex(n), 30, '0'), 'f0' || lpad(to_hex(n % {cases} + 1), 30, '0'), 'rung', 'due', 1, n / {cases}, '', 0,
       {begin} + n * {step}::bigint, 'waiting' FROM generate_series(0, {size} - 1) AS n"""


def measure(ground: Ground) -> Figures:
    """Let 100 rungs fall due in each database by turns, and fire them as the ticker does."""
    clock = world.Clock()
    begin = clock() + _DAY
    databases = [ground.copy(ground.template) for _ in (FEW, MANY)]
    try:
        waiting = [_fill(ground, one, begin, size) for one, size in zip(databases, (FEW, MANY), strict=True)]
        engines = [open_engine(one.app_url, clock) for one in databases]
        found = tick.by_turns(engines, clock, begin, (waiting[0], waiting[1]))
        for engine in engines:
            engine.store.close()
    finally:
        for database in databases:
            ground.server.drop(database)
    return found


def _fill(ground: Ground, database: Database, begin: int, size: int) -> int:
    """Put the rows in: rungs that will fall due on real cases, and filler that waits; return how many wait."""
    cases = size // _EACH
    made = {
        "id": "'f0' || lpad(to_hex(n), 30, '0')", "root": "'f0' || lpad(to_hex(n), 30, '0')",
        "path": "'f0' || lpad(to_hex(n), 30, '0')", "code": "'F-' || n", "data": "'{}'", "book": "'{}'", "state": "'filler'",
    }  # fmt: skip
    with ground.server.superuser(database.name) as connection:
        # The rows refer to each other as they must; checking each of a million would take longer than all ticks.
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE timer SET state = 'cancelled'")
        rows = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'workflow_case'::regclass AND attnum > 0 AND NOT attisdropped"
        ).fetchall()
        columns = [str(row[0]) for row in rows]
        shown = ", ".join(made.get(name, f"c.{name}") for name in columns)
        named = ", ".join(columns)
        connection.execute(
            _CASES.format(columns=named, shown=shown, cases=cases, like=ground.cases[0]).encode()
        )
        step = 365 * _DAY // size
        connection.execute(
            _TIMERS.format(cases=cases, begin=begin + 30 * _DAY, step=step, size=size).encode()
        )
        columns_of_due = "id, case_id, kind, deadline, set_by, generation, period, rung, due_at, state"
        with connection.cursor().copy(f"COPY timer ({columns_of_due}) FROM STDIN".encode()) as copied:
            for case, generation, at in due_rows(ground.cases, begin):
                copied.write_row((new_id(), case, "rung", "due", 1, generation, "", 0, at, "waiting"))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        found = connection.execute("SELECT count(*) FROM timer WHERE state = 'waiting'").fetchone()
        assert found is not None
        return int(str(found[0])) - DUE * (WARM + ROUNDS)
