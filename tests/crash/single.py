"""A warmed process that forks one process per command: it opens the store, carries the command out, answers and closes.

Started by tests/crash/each_call.py only. Before the command it spends calls of one kind on nothing, so that strace, which
counts per process, hits the wanted call of the command while its own order stays the same for all of them.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine import schema
from engine.commands import Receipt
from engine.errors import TiendoError
from engine.execute import execute_all
from tests.crash.victim import answer_to, attempt, clock, command_of, make_engine, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.engine import Engine

_PR_SET_PTRACER, _ANYBODY = 0x59616D61, -1
_NOTHING = os.open("/dev/null", os.O_RDWR)


def _quiet(call: Callable[..., Any], *given: Any) -> Callable[[], None]:
    def once() -> None:
        with suppress(OSError):
            call(*given)

    return once


#: One call of each kind that touches nothing.
SPEND: dict[str, Callable[[], None]] = {
    "openat": lambda: os.close(os.open("/dev/null", os.O_RDONLY)),
    "close": _quiet(os.close, 1_000_000),
    "newfstatat": _quiet(os.stat, "/dev/null"),
    "lseek": _quiet(os.lseek, _NOTHING, 0, os.SEEK_SET),
    "pread64": _quiet(os.pread, _NOTHING, 1, 0),
    "pwrite64": _quiet(os.pwrite, _NOTHING, b"", 0),
    "fdatasync": _quiet(os.fdatasync, _NOTHING),
    "fsync": _quiet(os.fsync, _NOTHING),
    "ftruncate": _quiet(os.ftruncate, _NOTHING, 0),
    "fcntl": _quiet(fcntl.fcntl, _NOTHING, fcntl.F_GETFL),
    "unlink": _quiet(os.unlink, "/nowhere/at/all"),
}


def carry_out(store: str, commands: list[dict[str, Any]], ahead: int, say: int) -> None:
    """Open, carry out, answer, close: what a command of the command line does; several are one bulk."""
    try:
        opened = schema.open_store(store, clock=clock(ahead))
        os.write(say, json.dumps(answer_of(make_engine(opened), commands)).encode() + b"\n")
        opened.close()
    except Exception as why:  # noqa: BLE001 - it is the answer
        os.write(say, json.dumps(problem(commands[0]["id"], why)).encode() + b"\n")


def answer_of(engine: Engine, commands: list[dict[str, Any]]) -> dict[str, Any]:
    """Carry one command out, or several as a bulk; a bulk is answered by its first error, or the receipt of its last."""
    if len(commands) == 1:
        return answer_to(engine, commands[0])
    done = execute_all(engine, [command_of(one) for one in commands])
    failed = next((one for one in done if isinstance(one, TiendoError)), None)
    if failed is not None:
        return problem(commands[0]["id"], failed)
    last = done[-1]
    return {"head": last.head, "repeated": last.repeated} if isinstance(last, Receipt) else {}


def _forked(words: dict[str, Any]) -> dict[str, Any]:
    """Carry one command out in a process of its own; return what it said line by line, and how it ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            spend = SPEND.get(words["call"])
            for _ in range(words["spend"] if spend else 0):
                spend()  # type: ignore[misc]  # the range is empty without it
            carry_out(words["store"], words["commands"], words["ahead"], writing)
        finally:
            os._exit(0)
    os.close(writing)
    said = b""
    while more := os.read(reading, 65_536):
        said += more
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return {
        "answers": [json.loads(line) for line in said.splitlines()],
        "status": os.waitstatus_to_exitcode(status),
    }


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANYBODY), 0, 0, 0)
    warm = json.loads(sys.argv[1])
    # What is imported or looked up only once is there before the first fork, so that only the store's files are called.
    attempt(**warm)
    left = b""
    while more := os.read(0, 65_536):
        left += more
        while b"\n" in left:
            line, _, left = left.partition(b"\n")
            os.write(1, json.dumps(_forked(json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()
