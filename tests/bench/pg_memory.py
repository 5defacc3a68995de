"""Memory of the processes of a cluster while they work: one that carries out commands, a worker, a ticker; does it grow?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from config.handed_settings import plain
from config.settings import Settings
from tests.bench.resident import rss
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.pg_ground import Ground
    from tests.servers.postgres import Database

THREADS = 4
#: `TIENDO_BENCH_COMMANDS=1000000` makes the long run of it.
COMMANDS = int(os.environ.get("TIENDO_BENCH_COMMANDS", "20000"))
PARTS = (0.1, 0.5, 1.0)
_CASES = 400
_HERE = Path(__file__).resolve().parent.parent.parent
_SECONDS_PER_COMMAND = 0.1


@dataclass(frozen=True, slots=True)
class Figures:
    """What the processes kept.

    Shapes:
        n: commands. delivered: notices. marks: process -> MB after 10, 50 and 100 % of the commands; of a worker that is
            behind by then, the last when it has delivered everything.
    Units:
        seconds: of the whole run.
    """

    n: int
    refused: int
    delivered: int
    marks: dict[str, tuple[float, ...]]
    seconds: float

    def growth(self, process: str) -> float:
        """MB between the first mark and the last."""
        return self.marks[process][-1] - self.marks[process][0]


def measure(ground: Ground) -> Figures:
    """Let a process walk in circles over some of the projects of a fresh copy, while a worker and a ticker serve it.

    Commits do not wait for the disk: memory is measured, not speed.
    """
    with ExitStack() as ends:
        database = ends.enter_context(ground.fresh())
        with ground.server.superuser(database.name) as connection:
            connection.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off".encode())
        redis = ends.enter_context(redis_server())
        serving = {
            word: ends.enter_context(_serving(word, database, redis.url)) for word in ("worker", "ticker")
        }
        marks: dict[str, list[float]] = {"commands": [], **{word: [] for word in serving}}
        began = time.perf_counter()
        told = _walk(ground, database, serving, marks)
        delivered = _until_delivered(ground, database, told["done"] * _SECONDS_PER_COMMAND)
        marks["worker"][-1] = max(marks["worker"][-1], rss(serving["worker"]))
        seconds = time.perf_counter() - began
    return Figures(
        told["done"], told["refused"], delivered, {word: tuple(each) for word, each in marks.items()}, seconds
    )


@contextmanager
def _serving(word: str, database: Database, redis_url: str) -> Iterator[int]:
    """Start `tiendo worker` or `tiendo ticker` as an operator does; its notices go nowhere."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
    given |= {
        "TIENDO_DATABASE_URL": database.app_url, "TIENDO_REDIS_URL": redis_url, "PYTHONPATH": str(_HERE),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "handlers.cli", word, "--json"], cwd=_HERE, env=given, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        _expected(process.stdout, "{")
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _walk(
    ground: Ground, database: Database, serving: dict[str, int], marks: dict[str, list[float]]
) -> dict[str, Any]:
    asked = {
        "settings": plain(Settings(database_url=database.app_url)), "people": ground.people,
        "cases": ground.cases[:_CASES], "threads": THREADS, "commands": COMMANDS, "parts": PARTS,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.pg_endless"], cwd=_HERE, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.close()
        for _ in PARTS:
            marks["commands"].append(float(json.loads(_expected(process.stdout, '{"mark"'))["mark"]))
            for word, pid in serving.items():
                marks[word].append(rss(pid))
        told: dict[str, Any] = json.loads(_expected(process.stdout, "{"))
    if told["failed"]:
        raise RuntimeError(f"the endless client: {told['failed']}")
    return told


def _expected(stream: IO[str], begins: str) -> str:
    line = stream.readline()
    if not line.startswith(begins):
        raise RuntimeError(f"a process ended, or said {line!r}")
    return line


def _until_delivered(ground: Ground, database: Database, seconds: float) -> int:
    """Wait until no notice is owed any more; return how many were delivered."""
    end = time.monotonic() + 60 + seconds
    with ground.server.superuser(database.name) as connection:
        while time.monotonic() < end:
            owed = connection.execute("SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')")
            if owed.fetchall() == [(0,)]:
                delivered: Any = connection.execute("SELECT count(*) FROM delivery").fetchall()[0][0]
                return int(delivered)
            time.sleep(0.2)
    raise RuntimeError("the worker did not deliver everything in time")
