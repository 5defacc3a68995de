"""Approvals a second on the embedded store, each in a transaction of its own, beside the raw floor."""

from __future__ import annotations

import gc
import sqlite3
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from engine.execute import execute
from tests.bench import floor, world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.floor import Volume
    from tests.bench.world import World

PAIRS = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """What the pairs gave.

    Shapes:
        ratios: engine to the mean of the two floors around it, one for each pair.
        engine, floor: approvals a second, the median run. p50, p99: of all engine runs.
    Units:
        p50, p99: µs.
    """

    n: int
    ratios: tuple[float, ...]
    engine: float
    floor: float
    p50: float
    p99: float
    wrote: dict[str, Volume]
    floor_wrote: dict[str, Volume]


def measure(prepared: World) -> Figures:
    """Run floor, engine, floor in pairs on fresh copies; each run approves every case of the world."""
    commands = [(command.id, command.case) for command in prepared.approvals()]
    reference, _ = _engine(prepared, "reference")
    plan = floor.plan_of(prepared.path, reference, commands)
    ratios, engine_rates, floor_rates, took = [], [], [], []
    wrote = floor_wrote = {}
    for _ in range(PAIRS):
        first = _rate(_floor(prepared, plan)[1])
        path, times = _engine(prepared, "engine")
        wrote = floor.volumes(prepared.path, path)
        path, second_times = _floor(prepared, plan)
        floor_wrote = floor.volumes(prepared.path, path)
        second = _rate(second_times)
        ratios.append(_rate(times) / ((first + second) / 2))
        engine_rates.append(_rate(times))
        floor_rates += [first, second]
        took += times
    took.sort()
    return Figures(
        len(commands), tuple(ratios), median(engine_rates), median(floor_rates), median(took),
        took[len(took) * 99 // 100], wrote, floor_wrote,
    )  # fmt: skip


def _rate(times: list[float]) -> float:
    return 1e6 * len(times) / sum(times)


def _floor(prepared: World, plan: list[floor.Written]) -> tuple[Path, list[float]]:
    path = prepared.copy("floor")
    gc.collect()
    return path, floor.run(path, plan)


def _engine(prepared: World, name: str) -> tuple[Path, list[float]]:
    path = prepared.copy(name)
    engine = world.open_engine(path)
    commands = prepared.approvals()
    gc.collect()
    took = []
    for command in commands:
        begun = time.perf_counter_ns()
        execute(engine, command)
        took.append((time.perf_counter_ns() - begun) / 1000)
    engine.store.close()
    with sqlite3.connect(path) as connection:
        done = connection.execute("SELECT count(*) FROM workflow_case WHERE state = 'approved'").fetchone()[0]
    if done != len(commands):
        raise RuntimeError(f"{done} of {len(commands)} approved")
    return path, took
