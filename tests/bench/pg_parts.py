"""What the parts on PostgreSQL print, and the limits they are held to."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.bench import pg_memory, pg_tick, pg_transitions, pg_ways
from tests.bench.sqlite_parts import say_tick

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.pg_figures import Run
    from tests.bench.pg_ground import Ground

    Say = Callable[[str, bool, str], bool]

#: Commands of one transaction in a bulk.
TOGETHER = 16
#: Clients: processes, threads of each, least ratio to the floor.
_CLIENTS = ((1, 1, 0.35), (2, 4, 0.30))


def transitions(ground: Ground, say: Say) -> bool:
    """Approvals one by one, beside the floor at the same number of clients."""
    held = []
    for processes, threads, least in _CLIENTS:
        found = pg_transitions.measure(ground, processes, threads)
        if processes * threads == 1:
            _volumes(found)
        else:
            _spent(found)
        low, middle, high = found.ratios
        clients = "1 client" if processes * threads == 1 else f"{processes} processes × {threads} threads"
        print(f"   {clients}: {_both(found)}")
        held += [
            say(
                f"ratio to the floor: median {middle:.2f}, pairs {low:.2f}–{high:.2f}; N = {found.engine.n} approvals a run,"
                f" {pg_transitions.PAIRS} × floor–engine–floor",
                middle >= least, f"≥ {least:.2f}",
            ),
            say(
                f"p99 to the floor's: median {median(found.tails):.2f}, pairs {found.tails[0]:.2f}–{found.tails[-1]:.2f}",
                median(found.tails) <= 2, "≤ 2",
            ),
        ]  # fmt: skip
        if processes * threads == 1:
            _spent(found)
    return all(held)


def naive(ground: Ground, say: Say) -> bool:
    """The engine beside an ORM that writes the same rows, by turns."""
    held = []
    for processes, threads in ((1, 1), (2, 4)):
        ratios, rates = [], []
        for _ in range(pg_transitions.PAIRS):
            other = pg_transitions.engine_run(ground, processes, threads, commands=_SHORT, way="naive")
            ours = pg_transitions.engine_run(ground, processes, threads, commands=_SHORT)
            if ours.wrote != other.wrote:
                raise RuntimeError("engine and ORM did not write the same rows and bytes")
            ratios.append(ours.rate / other.rate)
            rates.append((ours, other))
        ratios.sort()
        ours, other = rates[0]
        print(f"   {processes} × {threads}: engine {ours.rate:.0f}/s, ORM {other.rate:.0f}/s ({other.client:.0f} µs of the"
              f" client for each, {other.rss:.0f} MB)")  # fmt: skip
        held.append(
            say(
                f"engine to ORM: median {ratios[1]:.2f}, pairs {ratios[0]:.2f}–{ratios[-1]:.2f}; N = {ours.n} approvals a run",
                ratios[1] >= 4, "≥ 4",
            )
        )  # fmt: skip
    return all(held)


def bulk(ground: Ground, say: Say) -> bool:
    """Sixteen approvals in one transaction beside the floor, which does one in each."""
    found = pg_transitions.measure(ground, 1, 1, together=TOGETHER)
    low, middle, high = found.ratios
    print(f"   {_both(found)}")
    _spent(found)
    return say(
        f"{TOGETHER} in a transaction, ratio to the floor: median {middle:.2f}, pairs {low:.2f}–{high:.2f};"
        f" N = {found.engine.n} approvals a run",
        middle >= 1.5, "≥ 1.5",
    )  # fmt: skip


def ticks(ground: Ground, say: Say) -> bool:
    """A tick with 100 due timers beside few and beside many waiting ones."""
    return say_tick(pg_tick.measure(ground), say)


def memory(ground: Ground, say: Say) -> bool:
    """Many commands, a worker and a ticker beside: how much memory each takes, and whether it grows."""
    found = pg_memory.measure(ground)
    print(
        f"   {found.n:,} commands by {pg_memory.THREADS} threads, {found.refused:,} of them refused as meant,"
        f" {found.delivered:,} notices delivered in {found.seconds:.0f} s"
    )
    held = []
    for process, (tenth, half, whole) in found.marks.items():
        print(f"   {process:<9}{tenth:6.1f} MB after 10 %, {half:.1f} after 50 %, {whole:.1f} after 100 %")
        most, grew = max(found.marks[process]), found.growth(process)
        held.append(say(f"{process}: {most:.1f} MB resident", most <= 60, "≤ 60 MB"))
        held.append(say(f"{process}: grew by {grew:.1f} MB between 10 % and 100 %", grew <= 3, "≤ 3 MB"))
    return all(held)


def techniques(ground: Ground, _say: Say) -> bool:
    """What is lost when one technique is taken away, beside the runs of the whole before and after it. No limit."""
    before = pg_transitions.engine_run(ground, 1, 1, commands=_SHORT)
    for way in pg_ways.WAYS:
        without = pg_transitions.engine_run(ground, 1, 1, commands=_SHORT, way=way)
        after = pg_transitions.engine_run(ground, 1, 1, commands=_SHORT)
        whole = (before.rate + after.rate) / 2
        print(
            f"   {way:<22} {without.rate:5.0f}/s beside {whole:5.0f}/s: {without.rate / whole:.2f}; client"
            f" {without.client:.0f} µs beside {after.client:.0f}, server {without.server:.0f} µs beside {after.server:.0f}"
        )
        before = after
    return True


def _volumes(found: pg_transitions.Figures) -> None:
    run = found.engine
    commands = run.wrote["transition_log"].rows
    print(f"   {'a transaction writes':<22}{'rows':>6}{'bytes as text':>16}   (equal in engine and floor)")
    for table, one in run.wrote.items():
        print(f"   {table:<22}{one.rows / commands:>6g}{one.size_bytes / commands:>16.1f}")


def _both(found: pg_transitions.Figures) -> str:
    return (
        f"engine {found.engine.rate:.0f}/s (p50 {found.engine.p50:.2f} ms, p99 {found.engine.p99:.2f} ms),"
        f" floor {found.floor.rate:.0f}/s (p50 {found.floor.p50:.2f} ms, p99 {found.floor.p99:.2f} ms)"
    )


def _spent(found: pg_transitions.Figures) -> None:
    run: Run = found.engine
    ours, floor = found.middle("server")
    print(f"   processor time for each: client {run.client:.0f} µs, server {ours:.0f} µs (floor {floor:.0f} µs);"
          f" {run.rss:.0f} MB a process")  # fmt: skip


_SHORT = 480

PARTS: dict[str, Callable[[Ground, Say], bool]] = {
    "pg": transitions, "pg_naive": naive, "pg_bulk": bulk, "pg_tick": ticks, "pg_memory": memory,
    "pg_techniques": techniques,
}  # fmt: skip
