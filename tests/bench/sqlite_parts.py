"""What the parts on the embedded store print, and the limits they are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import bell, bell_redis, decision, tick, transitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.world import World

    Say = Callable[[str, bool, str], bool]


def _transitions(prepared: World, say: Say) -> bool:
    found = transitions.measure(prepared)
    print(f"   {'rows a transaction':<22}{'engine':>18}{'floor':>22}")
    for table, one in found.wrote.items():
        other = found.floor_wrote[table]
        print(
            f"   {table:<22}{one.rows / found.n:>6g} · {one.size_bytes / found.n:>7.1f} B"
            f"{other.rows / found.n:>10g} · {other.size_bytes / found.n:>7.1f} B"
        )
    if found.wrote != found.floor_wrote:
        raise RuntimeError("engine and floor did not write the same rows and bytes")
    low, middle, high = sorted(found.ratios)
    print(f"   engine {found.engine:.0f}/s, floor {found.floor:.0f}/s; engine p50 {found.p50 / 1000:.2f} ms,"
          f" p99 {found.p99 / 1000:.2f} ms")  # fmt: skip
    return say(
        f"ratio to the floor: median {middle:.2f}, pairs {low:.2f}–{high:.2f}; N = {found.n} approvals a run,"
        f" {transitions.PAIRS} × floor–engine–floor",
        middle >= 0.4, "≥ 0.4",
    )  # fmt: skip


def _decision(prepared: World, say: Say) -> bool:
    found = decision.measure(prepared)
    print(f"   whole command {found.whole:.0f} µs with {found.calls} calls of the store;"
          f" the store's time subtracted: {found.subtracted:.0f} µs")  # fmt: skip
    print("   (the first wish, 60 µs, is given up: docs/decisions/0017-the-engines-own-time.md)")
    return say(
        f"engine without the store, played back: median {found.played:.0f} µs, p90 {found.played_p90:.0f} µs;"
        f" N = {found.n} approvals",
        found.played <= 300, "≤ 300 µs",
    )  # fmt: skip


def _tick(prepared: World, say: Say) -> bool:
    return say_tick(tick.measure(prepared), say)


def say_tick(found: tick.Figures, say: Say) -> bool:
    """Print what a tick took beside few and beside many waiting timers, and whether it is flat."""
    few, many = found.waiting
    print(
        f"   {tick.DUE} due: {found.few / 1000:.1f} ms beside {few:,} waiting, {found.many / 1000:.1f} ms beside {many:,}"
    )
    return say(
        f"ratio of the medians {found.ratio:.2f}, quarters {found.low:.2f}–{found.high:.2f};"
        f" N = {found.rounds} ticks of each, by turns",
        found.ratio <= 1.5, "≤ 1.5",
    )  # fmt: skip


def _notices(prepared: World, say: Say) -> bool:
    found = bell.throughput(prepared)
    print(f"   plain sqlite3, the two transactions of a notice alone: {found.floor:.0f}/s")
    return say(
        f"{found.rate:.0f} notices/s from the row to the recorded delivery; N = {found.n} notices"
        f" ({found.rows} outbox rows)",
        found.rate >= 1000, "≥ 1,000/s",
    )  # fmt: skip


def _handler(prepared: World, say: Say) -> bool:
    found = bell.latency(prepared)
    return say(
        f"commit → channel p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms; N = {found.n} commands one by one",
        found.p50 <= 50, "p50 ≤ 50 ms",
    )  # fmt: skip


def _bell_redis(prepared: World, say: Say) -> bool:
    found = bell_redis.measure(prepared)
    print(
        f"   put into the broker: in the process {found.memory:,.0f}/s, into Redis one by one {found.one_by_one:,.0f}/s,"
        f" together {found.together:,.0f}/s"
    )
    print(
        f"   consumed: by Dramatiq's own worker {found.theirs:,.0f}/s, through the guarded door {found.ours:,.0f}/s;"
        f" sent one by one and consumed at once {found.at_once:,.0f}/s"
    )
    relayed = say(
        f"relay: {found.relayed:,.0f} messages/s from the outbox into Redis; N = {found.n:,}",
        found.relayed >= 15_000,
        "≥ 15,000/s",
    )
    ends = say(
        f"end to end: {found.notices:,.0f} notices/s from the row to the recorded delivery, {found.ratio:.2f} of Dramatiq's own"
        f" rate; N = {found.of:,}",
        found.ratio >= 0.5,
        "≥ 0.5",
    )
    return relayed and ends


PARTS: dict[str, Callable[[World, Say], bool]] = {
    "transitions": _transitions, "decision": _decision, "tick": _tick, "notices": _notices, "handler": _handler,
    "bell_redis": _bell_redis,
}  # fmt: skip
