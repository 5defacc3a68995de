"""What a run against PostgreSQL is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows of one table that were inserted or changed, and the bytes of their values as text."""

    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Shapes:
        n: commands counted, without those that warmed up. wrote: table -> volume, of all commands.
    Units:
        rate: commands a second, of all clients together. p50, p99: ms, as the sender sees one transaction.
        server, client: µs of processor time for each command, of the server and of the clients' processes.
        rss: MB, the largest process.
    """

    n: int
    rate: float
    p50: float
    p99: float
    wrote: dict[str, Volume]
    server: float
    client: float = 0.0
    rss: float = 0.0


def run_of(
    clients: Sequence[tuple[Sequence[float], float]], wrote: dict[str, Volume], *, server_seconds: float, commands: int,
    client: float = 0.0, rss: float = 0.0, together: int = 1,
) -> Run:  # fmt: skip
    """Put what the clients measured together.

    Shapes:
        clients: for each what its transactions took, in µs, and how long it was at them, in s.
        commands: all that the server carried out. together: commands in one transaction.
    """
    took = sorted(micros for one, _ in clients for micros in one)
    rate = sum(len(one) * together / seconds for one, seconds in clients)
    return Run(
        n=len(took) * together, rate=rate, p50=quantile(took, 0.5) / 1000, p99=quantile(took, 0.99) / 1000,
        wrote={table: volume for table, volume in wrote.items() if volume.rows},
        server=server_seconds * 1e6 / commands, client=client, rss=rss,
    )  # fmt: skip


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which a part of the ordered values lies."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
