"""`python -m tests.bench`: measure against floors made on the same machine in the same minute, and print both.

Every line gives its N, its ratio or its limit, and whether it holds. A limit that is missed is printed as missed and
ends the run with 1: a benchmark is no test, but it must not be read as passed.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import bell, decision, tick, transitions, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.world import World

CASES = 300


def main() -> int:
    """Run all parts, or those named on the command line; return 0 when every limit holds."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    bell.quiet()
    print(f"python -m tests.bench {' '.join(sys.argv[1:])}".strip())
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')} · {os.cpu_count()} cores · load {os.getloadavg()[0]:.2f} · Python"
        f" {platform.python_version()} · SQLite {sqlite3.sqlite_version} · WAL, synchronous=FULL"
    )
    held = []
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        prepared = world.prepare(Path(folder), CASES)
        print(f"{CASES} national projects carried to the minister in {time.perf_counter() - begun:.1f} s")
        for name in wanted:
            begun = time.perf_counter()
            print(f"\n── {name}")
            held.append(PARTS[name](prepared))
            print(f"   ({time.perf_counter() - begun:.1f} s)")
    print(f"\n{sum(held)} of {len(held)} limits hold")
    return 0 if all(held) else 1


def _transitions(prepared: World) -> bool:
    found = transitions.measure(prepared)
    print(f"   {'rows a transaction':<22}{'engine':>18}{'floor':>22}")
    for table, one in found.wrote.items():
        other = found.floor_wrote[table]
        print(
            f"   {table:<22}{one.rows / found.n:>6g} · {one.size_bytes / found.n:>7.1f} B"
            f"{other.rows / found.n:>10g} · {other.size_bytes / found.n:>7.1f} B"
        )
    if found.wrote != found.floor_wrote:
        raise RuntimeError("engine and floor did not write the same rows and bytes")
    low, middle, high = sorted(found.ratios)
    print(f"   engine {found.engine:.0f}/s, floor {found.floor:.0f}/s; engine p50 {found.p50 / 1000:.2f} ms,"
          f" p99 {found.p99 / 1000:.2f} ms")  # fmt: skip
    return _verdict(
        f"ratio to the floor: median {middle:.2f}, pairs {low:.2f}–{high:.2f}; N = {found.n} approvals a run,"
        f" {transitions.PAIRS} × floor–engine–floor",
        middle >= 0.4, "≥ 0.4",
    )  # fmt: skip


def _decision(prepared: World) -> bool:
    found = decision.measure(prepared)
    print(f"   whole command {found.whole:.0f} µs with {found.calls} calls of the store;"
          f" the store's time subtracted: {found.subtracted:.0f} µs")  # fmt: skip
    return _verdict(
        f"engine without the store, played back: median {found.played:.0f} µs, p90 {found.played_p90:.0f} µs;"
        f" N = {found.n} approvals",
        found.played <= 60, "≤ 60 µs",
    )  # fmt: skip


def _tick(prepared: World) -> bool:
    found = tick.measure(prepared)
    few, many = found.waiting
    print(
        f"   {tick.DUE} due: {found.few / 1000:.1f} ms beside {few:,} waiting, {found.many / 1000:.1f} ms beside {many:,}"
    )
    return _verdict(
        f"ratio of the medians {found.ratio:.2f}, quarters {found.low:.2f}–{found.high:.2f};"
        f" N = {found.rounds} ticks of each, by turns",
        found.ratio <= 1.5, "≤ 1.5",
    )  # fmt: skip


def _notices(prepared: World) -> bool:
    found = bell.throughput(prepared)
    print(f"   plain sqlite3, the two transactions of a notice alone: {found.floor:.0f}/s")
    return _verdict(
        f"{found.rate:.0f} notices/s from the row to the recorded delivery; N = {found.n} notices"
        f" ({found.rows} outbox rows)",
        found.rate >= 1000, "≥ 1,000/s",
    )  # fmt: skip


def _handler(prepared: World) -> bool:
    found = bell.latency(prepared)
    return _verdict(
        f"commit → channel p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms; N = {found.n} commands one by one",
        found.p50 <= 50, "p50 ≤ 50 ms",
    )  # fmt: skip


def _verdict(said: str, holds: bool, limit: str) -> bool:
    print(f"   {said}\n   limit {limit}: {'holds' if holds else 'MISSED'}")
    return holds


PARTS: dict[str, Callable[[World], bool]] = {
    "transitions": _transitions, "decision": _decision, "tick": _tick, "notices": _notices, "handler": _handler,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
