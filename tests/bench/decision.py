"""The engine's own time for one approval: everything but what is spent inside the store.

Taken twice. Subtracted: on the real store, with a clock at each of its doors; between two approvals the processor's
caches hold SQLite's work. Played back: a store that answers from memory what the real one answered, so that nothing but
the engine runs.
"""

from __future__ import annotations

import gc
import pickle
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from engine.execute import execute
from tests.bench import world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.commands import Command
    from engine.engine import Engine
    from engine.store import Store
    from tests.bench.world import World

#: Approvals before the first that counts: the machine and the answers of the rule book are made at first use.
_WARM = 20
_PLAYS = 5
_DOORS = (
    "stamp", "where", "claim", "record", "case", "members", "next_number", "plan_line", "supported", "run",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """Own time of one approval.

    Units:
        subtracted, played, played_p90, whole: µs, medians but for the p90; whole includes the store.
    """

    n: int
    subtracted: float
    played: float
    played_p90: float
    whole: float
    calls: int


@dataclass(slots=True)
class Watched:
    """A store with a clock at each door; it remembers what went out of it.

    Shapes:
        tape: the answers of the last transaction, in order.
    """

    inner: Store
    inside: int = 0
    tape: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def begin(self) -> Iterator[_Transaction]:
        opened = self.inner.begin()
        inner = self._timed("begin", opened.__enter__)()
        self.tape = [("now", inner.now)]
        yield _Transaction(inner.now, {name: self._timed(name, getattr(inner, name)) for name in _DOORS})
        self._timed("end", opened.__exit__)(None, None, None)

    def _timed(self, name: str, door: Callable[..., Any]) -> Callable[..., Any]:
        def through(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter_ns()
            answer = door(*given, **named)
            self.inside += time.perf_counter_ns() - begun
            if name in _DOORS:
                begun = time.perf_counter_ns()
                self.tape.append((name, pickle.dumps(answer)))
                self.inside += time.perf_counter_ns() - begun
            return answer

        return through


@dataclass(slots=True)
class Player:
    """A store that plays a tape back, and counts the time that takes as its own."""

    tape: list[tuple[str, Any]]
    inside: int = 0

    @contextmanager
    def begin(self) -> Iterator[_Transaction]:
        answers = iter(self.tape[1:])

        def door(wanted: str) -> Callable[..., Any]:
            def through(*_: Any, **__: Any) -> Any:
                begun = time.perf_counter_ns()
                name, answer = next(answers)
                if name != wanted:
                    raise RuntimeError(f"{wanted} was asked, {name} is on the tape")
                value = pickle.loads(answer)  # noqa: S301 - made above, in this process
                self.inside += time.perf_counter_ns() - begun
                return value

            return through

        yield _Transaction(self.tape[0][1], {name: door(name) for name in _DOORS})


class _Transaction:
    """Doors by name, as `engine.store.Transaction` has them."""

    def __init__(self, now: int, doors: dict[str, Callable[..., Any]]) -> None:
        self.now = now
        self.__dict__.update(doors)


def measure(prepared: World) -> Figures:
    """Approve every case on a watched store, then play each approval back `_PLAYS` times."""
    engine = world.open_engine(prepared.copy("decision"))
    store = engine.store
    subtracted, whole = [], []
    tapes = []
    for command in prepared.approvals():
        watched = Watched(store)
        spent = _once(engine, watched, command)
        subtracted.append((spent - watched.inside) / 1000)
        whole.append(spent / 1000)
        tapes.append((command, watched.tape))
    gc.collect()
    played = []
    for _ in range(_PLAYS):
        for command, tape in tapes:
            player = Player(tape)
            played.append((_once(engine, player, command) - player.inside) / 1000)
    store.close()
    played = sorted(played[_WARM:])
    return Figures(
        len(tapes), median(subtracted[_WARM:]), median(played), played[len(played) * 9 // 10],
        median(whole[_WARM:]), len(tapes[-1][1]) - 1,
    )  # fmt: skip


def _once(engine: Engine, store: Watched | Player, command: Command) -> int:
    """Carry a command out on this store and return what it took, in ns."""
    engine.store = store  # type: ignore[assignment]  # it has all that `execute` asks of a store
    begun = time.perf_counter_ns()
    execute(engine, command)
    return time.perf_counter_ns() - begun
