"""The commands that a document shows, run as they stand: each in a process of its own, in a folder of the test."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
_EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command as a document shows it, and the exit code that it should have."""

    line: str
    code: int


@dataclass
class Shell:
    """A folder and the variables that were set in it so far."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run `tiendo …` or `make run` as a process."""
        words = shlex.split(line)
        module = "handlers.first_run" if words[:2] == ["make", "run"] else "handlers.cli"
        arguments = [] if module == "handlers.first_run" else words[1:]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "ONCE": "1", **self.variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

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
