"""Every file call of one command, one after the other, ended by a kill or answered with an error of the disk.

After each the store is opened again by a healthy process: what was acknowledged is there, what was not is there whole or
not at all, fsck is green, and the same command sent again is answered as if nothing had been.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine import audit, records, schema
from engine.execute import execute
from tests.crash.clients import OVERDUE, Office
from tests.crash.lane import AHEAD_SECONDS
from tests.crash.single import answer_of
from tests.crash.victim import clock, command_of, make_engine
from tests.processes import HERE, Launcher, Strace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: (system call, what is done to it). Space can be missing only where files grow; locks (fcntl) fail on no disk of this machine.
BLOWS = (
    *((call, "signal=KILL") for call in ("openat", "pread64", "pwrite64", "fdatasync", "ftruncate", "fcntl", "unlink")),
    *((call, "error=EIO") for call in ("openat", "pread64", "pwrite64", "fdatasync", "ftruncate", "unlink")),
    *((call, "error=ENOSPC") for call in ("openat", "pwrite64", "ftruncate")),
)  # fmt: skip
#: As many as one transaction carries.
BULK = 64
SUFFIXES = ("", "-wal", "-shm")


@dataclass(frozen=True)
class Struck:
    """One command of which one call was struck.

    Shapes:
        number: which call of its kind, from 1.
        answers: what was said before the end; the first is the acknowledgement or the error.
    """

    call: str
    blow: str
    number: int
    answers: list[dict[str, Any]]
    status: int

    @property
    def outcome(self) -> str:
        """What a client makes of it: done, refused, unavailable, broken, or no answer."""
        if not self.answers:
            return "no answer"
        families = ("refused", "unavailable", "broken")
        first = self.answers[0]
        return next((f"{word} {first[word]}" for word in families if word in first), "done")


class Range:
    """A prepared store, a warmed process, and what is done to it.

    Shapes:
        commands: what is struck, as clients send it: one command, or the bulk of 64.
        calls: how many file calls of each kind it makes when nothing strikes it.
        is_crashed: whether the process before it died, so that the command begins with a recovery.
    """

    def __init__(self, folder: Path, kind: str = "fire", *, is_crashed: bool = False) -> None:
        self.folder = folder
        self.prepared = folder / "prepared.db"
        with Launcher() as launcher:
            self.office = Office(launcher.prepare(self.prepared, AHEAD_SECONDS))
        self.commands = self._ready(kind)
        if is_crashed:
            self._leave_open()
        self.before = tables(self._copy("before.db"))
        self.after = self._undisturbed()
        warm = {
            "store": str(self._copy("warm.db")), "command": self.commands[0], "clock_ahead": AHEAD_SECONDS,
            "unprivileged": False,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.single", json.dumps(warm)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(HERE), "PYTHONUTF8": "1"},
        )  # fmt: skip
        # The first answer comes when all is loaded; from then on only the store's files are called.
        self._run()
        self.calls = self._calls()
        #: Calls of one kind that are spent or made before strace strikes; more than the command makes.
        self._budget = max(self.calls.values()) + 10

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait(60)
            self._process.stdout.close()

    def _ready(self, kind: str) -> list[dict[str, Any]]:
        """Bring the store to where the commands are the next, and return them."""
        made = self.office.made
        parties = {"requester": made["an"], "office": made["office"]}
        values = {"wish": "giấy", "amount": 3, "asked_on": OVERDUE}
        start = {"definition": "purchase", "parties": parties, "values": values}
        first = [self.office.command("an", "start", **start) for _ in range(BULK if kind == "bulk" else 1)]
        if kind == "start":
            return first
        opened = schema.open_store(self.prepared, clock=clock(AHEAD_SECONDS))
        engine = make_engine(opened)
        try:
            cases = [execute(engine, command_of(one)).subject for one in first]
            wanted = self._next(cases[0], kind) or [self._submit(case) for case in cases]
            for one in wanted[:-1] if kind == "vote" else ():
                execute(engine, command_of(one))
        finally:
            opened.close()
        return wanted[-1:] if kind == "vote" else wanted

    def _submit(self, case: str) -> dict[str, Any]:
        return self.office.command("an", "fire", case=case, trigger="submit")

    def _next(self, case: str, kind: str) -> list[dict[str, Any]]:
        """Return the commands of a kind after a start; of a vote those before it, too."""
        if kind == "edit":
            return [self.office.command("an", "edit", case=case, values={"wish": "mực", "amount": 7})]
        if kind == "vote":
            voted = {"case": case, "trigger": "settle", "verdict": "yes"}
            return [
                self._submit(case),
                self.office.command("manager", "fire", case=case, trigger="approve"),
                self.office.command("manager", "vote", **voted),
                self.office.command("director", "vote", **voted),
            ]
        return []

    def _copy(self, name: str) -> Path:
        found = self.folder / name
        for suffix in SUFFIXES:
            found.with_name(name + suffix).unlink(missing_ok=True)
            if (source := Path(f"{self.prepared}{suffix}")).exists():
                shutil.copyfile(source, f"{found}{suffix}")
        return found

    def _leave_open(self) -> None:
        """Leave the store as a process leaves it that dies after a commit: copied while it is open."""
        opened = schema.open_store(self.prepared, clock=clock(AHEAD_SECONDS))
        comment = self.office.command(
            "an", "comment", case=self.commands[0]["fields"]["case"], text="còn trong -wal"
        )
        execute(make_engine(opened), command_of(comment))
        for suffix in SUFFIXES:
            shutil.copyfile(f"{self.prepared}{suffix}", f"{self.folder}/open.db{suffix}")
        opened.close()
        for suffix in SUFFIXES:
            shutil.move(f"{self.folder}/open.db{suffix}", f"{self.prepared}{suffix}")

    def _undisturbed(self) -> dict[str, int]:
        copy = self._copy("undisturbed.db")
        said = again(copy, self.commands)
        if "head" not in said:
            raise RuntimeError(f"the command fails without a blow: {said}")
        return tables(copy)

    def _run(self, call: str = "", spend: int = 0) -> dict[str, Any]:
        """Carry the command out on a fresh copy in a process forked for it."""
        if not self._process.stdin or not self._process.stdout:
            raise RuntimeError("the warmed process has no pipes")
        store = str(self._copy("struck.db"))
        words = {
            "store": store,
            "commands": self.commands,
            "ahead": AHEAD_SECONDS,
            "call": call,
            "spend": spend,
        }
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def _calls(self) -> Counter[str]:
        """Return how many file calls of each kind the command makes when nothing strikes it."""
        log = self.folder / "calls.log"
        strace = Strace(self._process.pid, *dict.fromkeys(call for call, _ in BLOWS), log=log)
        self._run()
        strace.close()
        # A line is: process, call, arguments; the warmed process itself makes none of these while it waits.
        lines = (line.split(maxsplit=1)[1] for line in log.read_text(errors="replace").splitlines())
        return Counter(line.partition("(")[0] for line in lines if "(" in line and line[0].isalpha())

    def strike(self, call: str, blow: str, numbers: Iterable[int]) -> Iterator[Struck]:
        """Strike these calls of a kind, each in a process of its own."""
        strace = Strace(self._process.pid, f"{call}:{blow}:when={self._budget}")
        try:
            for number in numbers:
                said = self._run(call, self._budget - number)
                yield Struck(call, blow, number, said["answers"], said["status"])
        finally:
            strace.close()

    def faults(self, struck: Struck) -> list[str]:
        """Open the store as it was left and return what is wrong with it."""
        store = self.folder / "struck.db"
        where = f"{struck.call} {struck.number} {struck.blow} ({struck.outcome})"
        found = [f"{where}: {one.what} {one.where}: {one.why}" for one in fsck(store)]
        is_there = written(store, self.commands)
        if struck.outcome == "done" and not is_there:
            found.append(f"{where}: acknowledged, and not there")
        counted = tables(store)
        if counted not in (self.before, self.after):
            half = {name: number for name, number in counted.items() if number != self.before[name]}
            found.append(f"{where}: there by half: {half}")
        if (counted == self.after) != is_there:
            found.append(f"{where}: the log and the rows disagree")
        said = again(store, self.commands)
        if "head" not in said or said["repeated"] != is_there:
            found.append(f"{where}: sent again it is answered {said}")
        if tables(store) != self.after:
            found.append(f"{where}: sent again it is not as if nothing had been")
        return found


@dataclass
class Tally:
    """What was struck and what came of it."""

    blows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def note(self, struck: Struck) -> None:
        self.blows[f"{struck.call} {struck.blow}"] += 1
        self.outcomes[struck.outcome] += 1

    def __str__(self) -> str:
        rows = [f"   {count:>5}  {name}" for name, count in sorted(self.blows.items())]
        ends = [f"   {count:>5}  {name}" for name, count in self.outcomes.most_common()]
        return "\n".join(["struck:", *rows, "answered:", *ends])


def tables(store: Path) -> dict[str, int]:
    """Return how many rows each table holds, seen by a process that opens the store after the blow.

    Refusals are no part of a command: they are capped and counted by themselves.
    """
    with closing(sqlite3.connect(store)) as connection:
        names = sorted(set(records.metadata.tables) - {"refusal"})
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def written(store: Path, commands: list[dict[str, Any]]) -> bool:
    """Return whether the first command is in the log; that they are there together is seen by the tables."""
    with closing(sqlite3.connect(store)) as connection:
        asked = "SELECT count(*) FROM transition_log WHERE command = ?"
        return bool(connection.execute(asked, (commands[0]["id"],)).fetchone()[0])


def fsck(store: Path) -> list[audit.Finding]:
    opened = schema.open_store(store, clock=clock(AHEAD_SECONDS))
    try:
        return audit.fsck(opened, make_engine(opened).definitions).findings
    finally:
        opened.close()


def again(store: Path, commands: list[dict[str, Any]]) -> dict[str, Any]:
    """Send the commands in this process and return what is answered."""
    opened = schema.open_store(store, clock=clock(AHEAD_SECONDS))
    try:
        return answer_of(make_engine(opened), commands)
    finally:
        opened.close()
