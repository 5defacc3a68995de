"""Approvals a second on PostgreSQL: floor, engine, floor in pairs, by one client and by two processes with four threads."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.bench import pg_floor
from tests.bench.pg_figures import Run, run_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.pg_floor import Floor
    from tests.bench.pg_ground import Ground
    from tests.servers.postgres import Database

PAIRS = 3
#: Transactions of each client before the clock runs.
WARM = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What the pairs gave at one number of clients.

    Shapes:
        engines: a run for each pair. floors: the runs before and after each.
    """

    engines: tuple[Run, ...]
    floors: tuple[tuple[Run, Run], ...]

    @property
    def ratios(self) -> list[float]:
        """Rate of the engine to the mean of the two floors around it, smallest first."""
        pairs = zip(self.engines, self.floors, strict=True)
        return sorted(engine.rate / ((a.rate + b.rate) / 2) for engine, (a, b) in pairs)

    @property
    def tails(self) -> list[float]:
        """99th percentile of the engine to the mean of those of the two floors around it, smallest first."""
        pairs = zip(self.engines, self.floors, strict=True)
        return sorted(engine.p99 / ((a.p99 + b.p99) / 2) for engine, (a, b) in pairs)

    @property
    def engine(self) -> Run:
        """The run of the engine with the median rate."""
        return sorted(self.engines, key=lambda run: run.rate)[len(self.engines) // 2]

    @property
    def floor(self) -> Run:
        """A run of the floor with the median rate."""
        runs = sorted((run for pair in self.floors for run in pair), key=lambda run: run.rate)
        return runs[len(runs) // 2]

    def middle(self, name: str) -> tuple[float, float]:
        """Return the medians of one figure of all runs, of the engine and of the floor."""
        return (
            median(getattr(run, name) for run in self.engines),
            median(getattr(run, name) for pair in self.floors for run in pair),
        )


def floor_of(ground: Ground) -> Floor:
    """Return the floor of the prepared database, recorded from one run of the engine at first use."""
    found = ground.kept.get("floor")
    if isinstance(found, pg_floor.Floor):
        return found
    with ground.fresh() as database:
        with ground.server.superuser(database.name) as connection:
            since = pg_floor.mark(connection)
        _clients(ground, database, shares=[ground.numbered(1)], way="engine")
        commands = ((number, f"approve-{number:08}", case) for number, case in enumerate(ground.cases))
        floor = pg_floor.stage(ground, database, since, commands)
    ground.kept["floor"] = floor
    return floor


def measure(ground: Ground, processes: int, threads: int, *, together: int = 1) -> Figures:
    """Run floor, engine, floor in pairs; each run approves every project of a fresh copy.

    Shapes:
        together: commands of the engine that share a transaction; the floor always does one in each.
    """
    floor = floor_of(ground)
    clients = processes * threads
    commands = len(ground.cases) // (clients * together) * clients * together
    engines, floors = [], []
    for _ in range(PAIRS):
        first = pg_floor.run(ground, floor, clients, commands, warm=WARM)
        engines.append(engine_run(ground, processes, threads, commands=commands, together=together))
        second = pg_floor.run(ground, floor, clients, commands, warm=WARM)
        floors.append((first, second))
        _same(engines[-1], second)
    return Figures(tuple(engines), tuple(floors))


def engine_run(
    ground: Ground, processes: int, threads: int, *, commands: int = 0, together: int = 1, way: str = "engine"
) -> Run:
    """Approve projects of a fresh copy by processes of their own and return what they and the database saw."""
    shares = ground.numbered(processes * threads, commands)
    # The naive way is handed the recorded rows, which lie beside the tables of the floor.
    with ground.fresh(floor_of(ground).template if way == "naive" else "") as database:
        with ground.server.superuser(database.name) as connection:
            since = pg_floor.mark(connection)
        server, told = _clients(
            ground,
            database,
            shares=[shares[place::processes] for place in range(processes)],
            way=way,
            together=together,
        )
        with ground.server.superuser(database.name) as connection:
            wrote = pg_floor.volumes(connection, since)
    counted = sum(len(took) * together for one in told for took, _ in one["threads"])
    return run_of(
        [thread for one in told for thread in one["threads"]], wrote, server_seconds=server, commands=counted,
        client=sum(one["busy"] for one in told) * 1e6 / counted, rss=max(one["rss"] for one in told), together=together,
    )  # fmt: skip


def _clients(
    ground: Ground,
    database: Database,
    *,
    shares: Sequence[Sequence[list[tuple[int, str]]]],
    way: str,
    together: int = 1,
) -> tuple[float, list[dict[str, Any]]]:
    """Start a process for each group of shares, let all begin together, and return what server and processes spent."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.pg_client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in shares
    ]
    try:
        for process, threads in zip(running, shares, strict=True):
            asked = {
                "url": database.app_url, "minister": ground.minister, "way": way, "warm": WARM if together == 1 else 2,
                "together": together, "threads": threads,
            }  # fmt: skip
            _say(process, json.dumps(asked))
        for process in running:
            if _heard(process) != "READY":
                raise RuntimeError(f"a client of the way {way!r} did not start")
        before = ground.busy_seconds()
        for process in running:
            _say(process, "go")
        told = [json.loads(_heard(process)) for process in running]
        server = ground.busy_seconds() - before
        if failed := " ".join(one["failed"] for one in told if one["failed"]):
            raise RuntimeError(f"the way {way!r}: {failed}")
        return server, told
    finally:
        for process in running:
            process.kill()
            process.wait()


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _same(engine: Run, floor: Run) -> None:
    if engine.wrote != floor.wrote:
        raise RuntimeError(f"engine and floor did not write the same: {engine.wrote} and {floor.wrote}")
