"""A process of the engine under measurement: `python -m tests.bench.pg_client`, driven by its parent over pipes.

It reads one line of JSON (what to send, in how many threads, by which way), opens the store, warms every thread up, says
READY, waits for a line, sends the rest and prints what it measured as one line of JSON.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.errors import TiendoError
from engine.execute import execute, execute_all
from tests.bench import world
from tests.bench.pg_ground import open_engine
from tests.bench.resident import rss

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.commands import Fire


@dataclass(slots=True)
class Measured:
    """What one thread saw.

    Shapes:
        took: µs for each transaction.
    """

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0
    failed: str = ""


def main() -> int:
    """Carry out what the parent asks for; 1 when a command failed."""
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    opened = _naive(asked) if asked["way"] == "naive" else _engine(asked)
    shares = [
        [world.approval(case, number, asked["minister"]) for number, case in share]
        for share in asked["threads"]
    ]
    gate = threading.Barrier(len(shares) + 1)
    measured = [Measured() for _ in shares]
    threads = [
        threading.Thread(target=_send_all, args=(opened, share, asked, gate, one))
        for share, one in zip(shares, measured, strict=True)
    ]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):
        gate.wait()
    gc.collect()
    print("READY", flush=True)
    sys.stdin.readline()
    busy = time.process_time()
    with suppress(threading.BrokenBarrierError):
        gate.wait()
    for thread in threads:
        thread.join()
    busy = time.process_time() - busy
    failed = " ".join(one.failed for one in measured if one.failed)
    print(
        json.dumps(
            {
                "threads": [(one.took, one.seconds) for one in measured], "busy": busy, "rss": rss(),
                "failed": failed,
            }
        )
    )  # fmt: skip
    return 1 if failed else 0


def _send_all(
    send: Callable[[list[Fire]], None], share: list[Fire], asked: dict[str, Any], gate: threading.Barrier, measured: Measured
) -> None:  # fmt: skip
    together = asked["together"]
    groups = [share[start : start + together] for start in range(0, len(share), together)]
    try:
        for group in groups[: asked["warm"]]:
            send(group)
        gate.wait()
        gate.wait()
        began = time.perf_counter_ns()
        last = began
        for group in groups[asked["warm"] :]:
            send(group)
            now = time.perf_counter_ns()
            measured.took.append((now - last) / 1000)
            last = now
        measured.seconds = (last - began) / 1e9
    except threading.BrokenBarrierError:
        return
    except Exception as why:  # noqa: BLE001 - told to the parent, which ends the run
        measured.failed = f"{type(why).__name__}: {why}"
        gate.abort()


def _engine(asked: dict[str, Any]) -> Callable[[list[Fire]], None]:
    """Return the engine: each command in a transaction of its own, several only where that was asked for."""
    if asked["way"] != "engine":
        from tests.bench import pg_ways  # noqa: PLC0415 - what is not measured is not loaded

        pg_ways.WAYS[asked["way"]]()
    engine = open_engine(asked["url"])

    def send(group: list[Fire]) -> None:
        if len(group) == 1:
            execute(engine, group[0])
            return
        for answer in execute_all(engine, group):
            if isinstance(answer, TiendoError):
                raise answer

    return send


def _naive(asked: dict[str, Any]) -> Callable[[list[Fire]], None]:
    from tests.bench import naive  # noqa: PLC0415 - the engine's processes must not carry an ORM

    approve = naive.approver(asked["url"], (number for share in asked["threads"] for number, _ in share))

    def send(group: list[Fire]) -> None:
        for command in group:
            approve(command)

    return send


if __name__ == "__main__":
    sys.exit(main())
