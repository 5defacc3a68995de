"""The commands that a document shows, run as they stand in a folder of the test.

`Shell.run` runs a command in this process, through the same function as the program `tiendo`: the words of the
command line, the environment and the working folder are those of the shell, and settings, store and engine are made
anew for each. `Shell.run_apart` makes a process of it, where a process proves something: `make run`, signals, exit codes.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shlex
import subprocess
import sys
import traceback
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from handlers import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
_EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command as a document shows it, and the exit code that it should have."""

    line: str
    code: int


@dataclass(frozen=True, slots=True)
class Started:
    """A command that runs as a process of its own."""

    words: list[str]
    process: subprocess.Popen[str]

    def finish(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end and return what it said."""
        try:
            said, complained = self.process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            self.process.kill()
        return subprocess.CompletedProcess(self.words, self.process.returncode, said, complained)


@dataclass
class Shell:
    """A folder and the variables that were set in it so far.

    Shapes:
        before: what a process of this shell does before it becomes the program, e.g. give rights away.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run `tiendo …` in this process."""
        words = shlex.split(line)
        said, complained = io.StringIO(), io.StringIO()
        with chdir(self.folder), self._environment(), redirect_stdout(said), redirect_stderr(complained):
            try:
                code = cli.run(words[1:])
            except Exception:  # noqa: BLE001 - as the interpreter ends a program that a fault ends
                traceback.print_exc()
                code = 1
        return subprocess.CompletedProcess(words, code, said.getvalue(), complained.getvalue())

    def run_apart(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run `tiendo …` or `make run` as a process."""
        return self.start(line).finish()

    def start(self, line: str) -> Started:
        """Start `tiendo …` or `make run` as a process: the installed program where there is one."""
        words = shlex.split(line)
        installed = Path(sys.executable).with_name("tiendo")
        program = [str(installed)] if installed.exists() else [sys.executable, "-m", "handlers.cli"]
        if words[:2] == ["make", "run"]:
            program, words = [sys.executable, "-m", "handlers.first_run"], []
        places = [self.variables[name] for name in ("PYTHONPATH",) if name in self.variables]
        process = subprocess.Popen(
            [*program, *words[1:]],
            cwd=self.folder,
            env={
                **self.environment(),
                "PYTHONPATH": os.pathsep.join([*places, str(ROOT)]),
                "PYTHONUTF8": "1",
                "ONCE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=self.before,  # noqa: PLW1509 - it only sets limits of the new process
        )
        return Started(words, process)

    def environment(self) -> dict[str, str]:
        """Return this process's variables without settings and with what was exported; compiled modules are kept."""
        left_out = ("TIENDO_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return {**kept, **self.variables}

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """Set the variables of this shell for a while; what a command does to the log of the process is undone."""
        root, before = logging.getLogger(), dict(os.environ)
        handlers, level = root.handlers[:], root.level
        os.environ.clear()
        os.environ.update(self.environment())
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            root.handlers[:] = handlers
            root.setLevel(level)

    def export(self, line: str) -> None:
        """Take over `export NAME=value`."""
        name, _, value = line.removeprefix("export ").partition("=")
        self.variables[name] = value


def shown_in(document: str) -> list[Shown]:
    """Return the commands of the ```console blocks of a document, in order; `# exit N` says what is expected."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith("$ "):
                expected = _EXIT.search(line)
                found.append(Shown(_EXIT.sub("", line[2:]), int(expected[1]) if expected else 0))
    return found
