"""What a long run came to, written into docs/reliability.md between its marks."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def machine(*more: str) -> str:
    """Return the machine in one line: cores, memory, versions of what was used."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = [
        f"{os.cpu_count()} cores", f"{memory:.0f} GiB", f"Linux {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}", *more,
    ]  # fmt: skip
    return ", ".join(told)


def checkout() -> str:
    """Return the commit that was run, with a word where the product was changed since."""
    changed = _git(
        "status", "--porcelain", "--untracked-files=no", "engine", "handlers", "config", "workflows"
    )
    return _git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PAGE.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def write(part: str, seed: int, machine: str, text: str) -> None:
    """Put a result in the place of the one before.

    Shapes:
        part: name of the marks, `<!-- soak:NAME -->` and `<!-- end of soak:NAME -->`.
    """
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- soak:{part} -->", f"<!-- end of soak:{part} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    assert rest, f"{PAGE.name} has no mark {begin}"
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    told = f"{when}, commit {checkout()}, seed {seed}; {machine}.\n\n```text\n{text}\n```\n"
    PAGE.write_text(f"{before}{begin}\n{told}{end}{after}", encoding="utf-8")
