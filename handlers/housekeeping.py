"""What is swept away: finished outbox rows after a month, files that nothing refers to after a day.

Deliveries, log and receipts are never touched: they are the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine import files

if TYPE_CHECKING:
    from engine.store import Store

log = structlog.get_logger()

KEPT_DAYS = 30
ORPHAN_HOURS = 24
_AT_ONCE = 1000
_DAY = 86_400_000_000


def prune_outbox(store: Store, *, kept_days: int = KEPT_DAYS, at_once: int = _AT_ONCE) -> int:
    """Delete finished outbox rows older than `kept_days`, some at a time; return how many.

    A notice row promises one delivery for ever (unique by notice and channel), and its delivery row proves
    it: so nothing can be sent twice because its promise was pruned.
    """
    pruned = 0
    while True:
        with store.begin() as tx:
            old = tx.run(
                "SELECT id FROM outbox WHERE id < :oldest AND state = 'done' AND created_at < :before "
                "ORDER BY id LIMIT :most",
                {
                    "oldest": _id_at(tx.now - kept_days * _DAY),
                    "before": tx.now - kept_days * _DAY,
                    "most": at_once,
                },
            )
            for (row,) in old:
                tx.run("DELETE FROM outbox WHERE id = :id AND state = 'done'", {"id": row})
        pruned += len(old)
        if len(old) < at_once:
            return pruned


def _id_at(micros: int) -> str:
    """Return the first id of an instant: ids begin with milliseconds, so the key itself is ordered by time."""
    return f"{max(micros, 0) // 1000:012x}" + "0" * 20


def keep_house(store: Store) -> None:
    """Do all of it once."""
    pruned = prune_outbox(store)
    orphans = files.sweep_orphans(store, older_than_hours=ORPHAN_HOURS)
    if pruned or orphans:
        log.info("house_kept", outbox_rows=pruned, files=orphans)
