"""`python -m tests.bench`: measure against floors made on the same machine in the same minute, and print both.

Every line gives its N, its ratio or its limit, and whether it holds. A limit that is missed is printed as missed and
ends the run with 1: a benchmark is no test, but it must not be read as passed. Names of parts run only those; the names that
begin with `pg` are the parts on PostgreSQL, which starts a server of its own.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import bell, pg_ground, pg_parts, sqlite_parts, world
from tests.servers.postgres import SAFE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CASES = 300


def main() -> int:
    """Run all parts, or those named on the command line; return 0 when every limit holds."""
    known = [*sqlite_parts.PARTS, *pg_parts.PARTS]
    wanted = sys.argv[1:] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no part {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2
    bell.quiet()
    print(f"python -m tests.bench {' '.join(sys.argv[1:])}".strip())
    print(
        f"{time.strftime('%Y-%m-%d %H:%M')} · {os.cpu_count()} cores · load {os.getloadavg()[0]:.2f} · Python"
        f" {platform.python_version()}"
    )
    began = time.perf_counter()
    held: list[bool] = []
    _on_sqlite([name for name in wanted if name in sqlite_parts.PARTS], held)
    _on_postgresql([name for name in wanted if name in pg_parts.PARTS], held)
    print(f"\n{sum(held)} of {len(held)} limits hold ({time.perf_counter() - began:.0f} s)")
    return 0 if all(held) else 1


def _on_sqlite(wanted: Sequence[str], held: list[bool]) -> None:
    if not wanted:
        return
    print(f"\nSQLite {sqlite3.sqlite_version} · WAL, synchronous=FULL")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        prepared = world.prepare(Path(folder), CASES)
        print(f"{CASES} national projects carried to the minister in {time.perf_counter() - began:.1f} s")
        _run({name: partial(sqlite_parts.PARTS[name], prepared) for name in wanted}, held)


def _on_postgresql(wanted: Sequence[str], held: list[bool]) -> None:
    if not wanted:
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        began = time.perf_counter()
        ground = stack.enter_context(pg_ground.prepared(folder, pg_ground.CASES))
        print(
            f"\nPostgreSQL {ground.version} · " + ", ".join(f"{name}={value}" for name, value in SAFE.items())
        )
        print(
            f"{pg_ground.CASES} national projects carried to the minister in {time.perf_counter() - began:.1f} s"
        )
        _run({name: partial(pg_parts.PARTS[name], ground) for name in wanted}, held)


def _run(parts: dict[str, Callable[[Callable[[str, bool, str], bool]], object]], held: list[bool]) -> None:
    def say(said: str, holds: bool, limit: str) -> bool:
        print(f"   {said}\n   limit {limit}: {'holds' if holds else 'MISSED'}")
        held.append(holds)
        return holds

    for name, part in parts.items():
        began = time.perf_counter()
        print(f"\n── {name}")
        part(say)
        print(f"   ({time.perf_counter() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
