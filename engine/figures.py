"""Figures of a store for whoever watches it: what is owed and late now, and how often each trigger was fired.

All are asked of the store, so they are the same whoever asks, right for all processes on all hosts together, and no
transaction pays for them. Each question goes by an index. Only the triggers fired are many: they are counted once from
the beginning, and from then on what came since.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.store import Store, Transaction

SECOND = 1_000_000
#: An entry has its time before it is committed: what is younger than this is counted anew each time. No transaction
#: lasts so long.
_SETTLING = 120 * SECOND

_OUTBOX = (
    "SELECT (SELECT count(*) FROM outbox WHERE state = 'pending'),"
    " (SELECT count(*) FROM outbox WHERE state IN ('claimed', 'in_flight')),"
    " (SELECT count(*) FROM outbox WHERE state = 'parked'),"
    " (SELECT min(due_at) FROM outbox WHERE state = 'pending' AND due_at <= :now),"
    " (SELECT min(lease_until) FROM outbox WHERE state IN ('claimed', 'in_flight') AND lease_until < :now)"
)
_TIMERS = (
    "SELECT (SELECT count(*) FROM timer WHERE state = 'waiting' AND due_at <= :now),"
    " (SELECT min(due_at) FROM timer WHERE state = 'waiting' AND due_at <= :now)"
)
#: By year first: so it is answered from the index of lists alone.
_CASES = (
    "SELECT name, phase, sum(cases) FROM (SELECT plan_year, name, phase, count(*) AS cases FROM workflow_case"
    " GROUP BY plan_year, name, phase) AS years GROUP BY name, phase"
)
_REFUSALS = "SELECT code, sum(times) FROM refusal GROUP BY code"
_DELIVERED = "SELECT channel, count(*) FROM delivery GROUP BY channel"
_FIRED = (
    "SELECT c.name, l.kind, coalesce(l.trigger, ''), count(*) FROM transition_log l JOIN workflow_case c"
    " ON c.id = l.subject WHERE l.recorded_at > :after AND l.recorded_at <= :until"
    " GROUP BY c.name, l.kind, coalesce(l.trigger, '')"
)
#: Of our own role, on PostgreSQL; an SQLite store has one writer, and who waits for it is counted in each process.
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
    " AND wait_event_type = 'Lock'"
)
_LAST = "SELECT max(recorded_at) FROM transition_log"


@dataclass(frozen=True, slots=True)
class Figures:
    """How a store stands at one moment.

    Shapes:
        outbox: {pending, claimed, parked} -> rows; claimed are those somebody is at work on.
        cases: (definition, phase) -> cases. refused: code -> times. delivered: channel -> deliveries.
        waiting: transactions that wait for a lock just now; 0 for an SQLite store.
        fired: (definition, kind of command, trigger or "") -> log entries of cases.
    Units:
        unsent_seconds, timer_lag_seconds: age of the oldest that is due and not done; 0.0 when nothing is.
    """

    outbox: Mapping[str, int]
    unsent_seconds: float
    timers_due: int
    timer_lag_seconds: float
    cases: Mapping[tuple[str, ...], int]
    waiting: int
    refused: Mapping[str, int]
    delivered: Mapping[str, int]
    fired: Mapping[tuple[str, ...], int]


class Watch:
    """Asks one store again and again; threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._settled: Counter[tuple[str, ...]] = Counter()
        self._until = 0

    def look(self) -> Figures:
        """Return the figures of now.

        Errors:
            Unavailable, Broken: the store can't be asked; the next look starts from the same place.
        """
        now = self._store.now()
        with self._store.look() as tx:
            (outbox,) = tx.run(_OUTBOX, {"now": now})
            (timers,) = tx.run(_TIMERS, {"now": now})
            cases: dict[tuple[str, ...], int] = {(row[0], row[1]): int(row[2]) for row in tx.run(_CASES)}
            waiting = 0 if tx.serial else int(tx.run(_WAITING)[0][0])
            refused = {row[0]: int(row[1]) for row in tx.run(_REFUSALS)}
            delivered = {row[0]: int(row[1]) for row in tx.run(_DELIVERED)}
            fired = self._fired(tx, now)
        return Figures(
            outbox={"pending": outbox[0], "claimed": outbox[1], "parked": outbox[2]},
            unsent_seconds=max(_age(outbox[3], now), _age(outbox[4], now)),
            timers_due=timers[0],
            timer_lag_seconds=_age(timers[1], now),
            cases=cases,
            waiting=waiting,
            refused=refused,
            delivered=delivered,
            fired=fired,
        )

    def _fired(self, tx: Transaction, now: int) -> Mapping[tuple[str, ...], int]:
        """Count what came since the last look; what is still settling is counted, but not kept."""
        with self._lock:
            until = now - _SETTLING
            if until > self._until:
                self._settled.update(_between(tx, self._until, until))
                self._until = until
            last = max(now, int(tx.run(_LAST)[0][0] or 0))
            return self._settled + _between(tx, self._until, last)


def _between(tx: Transaction, after: int, until: int) -> Counter[tuple[str, ...]]:
    rows = tx.run(_FIRED, {"after": after, "until": until})
    return Counter({(row[0], row[1], row[2]): int(row[3]) for row in rows})


def _age(since: int | None, now: int) -> float:
    return max(0.0, (now - since) / SECOND) if since is not None else 0.0
