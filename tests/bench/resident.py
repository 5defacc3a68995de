"""The memory of a process that is resident, in MB, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path


def rss(pid: int | str = "self") -> float:
    """Return the resident memory of a process: its own pages and those it shares with others."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
