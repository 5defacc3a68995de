"""Memory of a process that carries out commands: how much, and whether it grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.pg_ground import Ground

THREADS = 4
#: `TIENDO_BENCH_COMMANDS=1000000` makes the long run of it.
COMMANDS = int(os.environ.get("TIENDO_BENCH_COMMANDS", "50000"))
_CASES = 400


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process kept.

    Shapes:
        marks: after 10, 50 and 100 % of the commands.
    Units:
        marks: MB. seconds: of the whole run.
    """

    n: int
    refused: int
    marks: tuple[float, float, float]
    seconds: float

    @property
    def growth(self) -> float:
        """MB between the first mark and the last."""
        return self.marks[-1] - self.marks[0]


def measure(ground: Ground) -> Figures:
    """Let a process walk in circles over some of the projects of a fresh copy.

    Its commits do not wait for the disk: memory is measured, not speed.
    """
    with ground.fresh() as database:
        with ground.server.superuser(database.name) as connection:
            connection.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off".encode())
        asked = {
            "url": database.app_url, "people": ground.people, "cases": ground.cases[:_CASES], "threads": THREADS,
            "commands": COMMANDS,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.pg_endless"],
            check=False, input=json.dumps(asked) + "\n", stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    if not done.stdout:
        raise RuntimeError(f"the endless client ended with {done.returncode}")
    told = json.loads(done.stdout)
    if told["failed"]:
        raise RuntimeError(f"the endless client: {told['failed']}")
    return Figures(told["done"], told["refused"], tuple(told["marks"]), told["seconds"])
