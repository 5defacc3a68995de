"""The engine's own time for one approval: everything but what is spent inside the store."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from engine.execute import execute
from tests.bench import world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.sqlite_store import SqliteStore
    from tests.bench.world import World

#: Approvals before the first that counts: the answers of the rule book and the machine are made at first use.
_WARM = 20


class TimedStore:
    """A store whose doors keep the time: whatever is behind them is not the engine's."""

    def __init__(self, inner: SqliteStore) -> None:
        self._inner = inner
        self.path = inner.path
        self.now = inner.now
        self.changed = inner.changed
        self.read = inner.read
        self.close = inner.close
        self.inside = 0
        self.calls = 0

    def timed(self, door: Callable[..., Any]) -> Callable[..., Any]:
        """Return `door`, with its time added to `inside`."""
        clock = time.perf_counter_ns

        def through(*given: Any, **named: Any) -> Any:
            begun = clock()
            try:
                return door(*given, **named)
            finally:
                self.inside += clock() - begun
                self.calls += 1

        return through

    @contextmanager
    def begin(self) -> Iterator[TimedTransaction]:
        opened = self._inner.begin()
        inner = self.timed(opened.__enter__)()
        try:
            yield TimedTransaction(self, inner)
        finally:
            self.timed(opened.__exit__)(None, None, None)


class TimedTransaction:
    """A transaction of a `TimedStore`."""

    def __init__(self, store: TimedStore, inner: Any) -> None:
        self.now = inner.now
        for name in (
            "stamp", "where", "claim", "record", "case", "members", "next_number", "plan_line", "supported", "run",
        ):  # fmt: skip
            setattr(self, name, store.timed(getattr(inner, name)))


def measure(prepared: World) -> dict[str, float]:
    """Return what one approval takes, in µs: the engine alone (median, mean, p90), the whole, calls of the store."""
    engine = world.open_engine(prepared.copy("decision"))
    store = TimedStore(engine.store)  # type: ignore[arg-type] - the embedded one
    engine.store = store  # type: ignore[assignment] - the same doors, with a clock at each
    own: list[float] = []
    whole: list[float] = []
    for place, command in enumerate(prepared.approvals()):
        if place == _WARM:
            gc.collect()
            gc.freeze()
        store.inside = store.calls = 0
        begun = time.perf_counter_ns()
        execute(engine, command)
        spent = time.perf_counter_ns() - begun
        own.append((spent - store.inside) / 1000)
        whole.append(spent / 1000)
    calls = store.calls
    gc.unfreeze()
    store.close()
    own, whole = sorted(own[_WARM:]), sorted(whole[_WARM:])
    return {
        "n": len(own), "median": median(own), "mean": fmean(own), "p90": own[len(own) * 9 // 10],
        "whole": median(whole), "calls": calls,
    }  # fmt: skip
