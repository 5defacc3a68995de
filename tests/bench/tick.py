"""A tick with 100 due timers: what it takes beside ten thousand waiting ones, and beside a million."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from engine import timers
from engine.commands import new_id
from tests.bench import world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.engine import Engine
    from tests.bench.world import World

DUE = 100
FEW, MANY = 10_000, 1_000_000
ROUNDS = 24
WARM = 2
_EACH = 5
_DAY = 86_400_000_000
_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Ticks of two stores, taken in turn.

    Shapes:
        waiting: how many timers waited in each, counted. ratio: of the medians. low, high: of the ratios of
            neighbouring ticks, the quarters.
    Units:
        few, many: µs, median of a tick.
    """

    rounds: int
    waiting: tuple[int, int]
    few: float
    many: float
    ratio: float
    low: float
    high: float


def measure(prepared: World) -> Figures:
    """Let 100 rungs fall due in each store by turns, `ROUNDS` times, and fire them as the ticker does."""
    clock = world.Clock()
    begin = clock() + _DAY
    paths = [prepared.copy(f"tick-{size}") for size in (FEW, MANY)]
    waiting = tuple(_fill(path, prepared, begin, size) for path, size in zip(paths, (FEW, MANY), strict=True))
    engines = [world.open_engine(path, clock) for path in paths]
    found = by_turns(engines, clock, begin, (waiting[0], waiting[1]))
    for engine in engines:
        engine.store.close()
    return found


def by_turns(engines: Sequence[Engine], clock: world.Clock, begin: int, waiting: tuple[int, int]) -> Figures:
    """Fire what falls due in each of two stores by turns, and return what a tick took beside few and beside many."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM + ROUNDS):
        clock.move_to(begin + number * _HOUR + _HOUR // 2)
        for side in (0, 1) if number % 2 else (1, 0):
            begun = time.perf_counter_ns()
            fired = timers.fire_due(engines[side], limit=DUE * 2)
            took[side].append((time.perf_counter_ns() - begun) / 1000)
            if fired != DUE:
                raise RuntimeError(f"{fired} timers fired, not {DUE}")
    few, many = (one[WARM:] for one in took)
    ratios = sorted(b / a for a, b in zip(few, many, strict=True))
    quarter = len(ratios) // 4
    return Figures(
        ROUNDS, waiting, median(few), median(many), median(many) / median(few), ratios[quarter], ratios[-1 - quarter]
    )  # fmt: skip


def _fill(path: Path, prepared: World, begin: int, size: int) -> int:
    """Put the rows into a copy: rungs that will fall due on real cases, and filler that waits; return how many wait."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE timer SET state = 'cancelled'")
    connection.executemany(_TIMER, _due(prepared, begin))
    cases = size // _EACH
    columns = [row[1] for row in connection.execute("PRAGMA table_info(workflow_case)")]
    taken = {
        "id": "?",
        "code": "?",
        "root": "?",
        "path": "?",
        "data": "'{}'",
        "book": "'{}'",
        "state": "'filler'",
    }
    shown = ", ".join(taken.get(name, name) for name in columns)
    copied = (
        f"INSERT INTO workflow_case ({', '.join(columns)}) SELECT {shown} FROM workflow_case WHERE id = ?"
    )
    ids = [new_id() for _ in range(cases)]
    connection.executemany(
        copied, (((one, f"F-{place}", one, one, prepared.cases[0])) for place, one in enumerate(ids))
    )
    connection.executemany(_TIMER, _filler(ids, begin))
    found: int = connection.execute("SELECT count(*) FROM timer WHERE state = 'waiting'").fetchone()[0]
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return found - DUE * (WARM + ROUNDS)


_TIMER = (
    "INSERT INTO timer (id, case_id, kind, deadline, set_by, generation, period, rung, due_at, state)"
    " VALUES (?, ?, 'rung', ?, 1, ?, '', 0, ?, 'waiting')"
)


def due_rows(cases: Sequence[str], begin: int) -> Iterator[tuple[str, int, int]]:
    """A hundred rungs an hour, each on a case of its own: (case, generation, due at)."""
    for number in range(WARM + ROUNDS):
        for place in range(DUE):
            yield (cases[place % len(cases)], 1000 + number * DUE + place, begin + number * _HOUR + place + 1)


def _due(prepared: World, begin: int) -> Iterator[tuple[str, str, str, int, int]]:
    """The rungs that fall due; the deadline is the one of the state they are in."""
    return (
        (new_id(), case, "due", generation, at) for case, generation, at in due_rows(prepared.cases, begin)
    )


def _filler(cases: list[str], begin: int) -> Iterator[tuple[str, str, str, int, int]]:
    """Five timers a case, spread over the year that begins in a month."""
    step = 365 * _DAY // (len(cases) * _EACH)
    for place, case in enumerate(cases):
        for generation in range(_EACH):
            at = begin + 30 * _DAY + (generation * len(cases) + place) * step
            yield (new_id(), case, "due", generation, at)
