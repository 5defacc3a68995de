"""The eight known faults, planted for a cluster: those of tests/crash/planted.py that lie in what both stores share, and
three that each store has its own way to.

Faults that PostgreSQL's constraints make harmless are none: a chain head read before the lock collides with the entry that
is there, and the command is begun anew. So here the case is read before the lock and only its head after it.
"""

from __future__ import annotations

from tests.crash.planted import (
    DELIVERY_FIRST,
    LOCAL_CLOCK,
    NO_FENCING,
    OUTBOX_AFTER_COMMIT,
    RECEIPT_NOT_CHECKED,
    TIMER_CLOSED_OUTSIDE,
    Fault,
)

__all__ = ["BY_KILLS", "MEANS", "NO_FENCING"]

ACKNOWLEDGED_BEFORE_COMMIT = Fault(
    "acknowledged before the commit",
    (
        (
            "engine/postgres_store.py",
            "            yield tx\n            tx.commit()\n",
            "            yield tx\n            tx.late = True\n",
        ),
        (
            "engine/postgres_store.py",
            "            tx.rollback()\n            self._give_back(tx.wire)\n",
            (
                "            if getattr(tx, 'late', False):\n"
                "                import threading\n"
                "                threading.Timer(0.03, lambda: (tx.commit(), self._give_back(tx.wire))).start()\n"
                "            else:\n"
                "                tx.rollback()\n"
                "                self._give_back(tx.wire)\n"
            ),
        ),
        (
            "engine/postgres_rows.py",
            "        answers = self._finish(asked) if last else self.ask(*asked)\n",
            "        answers = self.ask(*asked)\n",
        ),
    ),
    named=("acknowledged",),
)
RECEIPT_NEITHER_CHECKED_NOR_UNIQUE = Fault(
    RECEIPT_NOT_CHECKED.name,
    (
        RECEIPT_NOT_CHECKED.changes[0],
        (
            "engine/postgres_writing.py",
            '"principal, command, body, answer", writing.receipts)',
            '"principal, command, body, answer", writing.receipts, " ON CONFLICT DO NOTHING")',
        ),
    ),
    named=("acknowledged",),
)
CASE_BEFORE_LOCK = Fault(
    "case read before the lock, its head after it",
    (
        (
            "engine/postgres_rows.py",
            "        self._forget()\n        answers = self.ask(\n            *taking,\n",
            (
                "        self._forget()\n"
                "        early = {row[0]: row for row in self.ask((questions.CASES, (cases,)))[0]}\n"
                "        import time\n"
                "        time.sleep(0.1)\n"
                "        answers = self.ask(\n            *taking,\n"
            ),
        ),
        (
            "engine/postgres_rows.py",
            "        claimed.cases = {row[0]: self._seen_again(row) for row in found}\n",
            (
                "        found = [early.get(row[0], row)[:18] + row[18:20] + early.get(row[0], row)[20:] for row in found]\n"
                "        claimed.cases = {row[0]: self._seen_again(row) for row in found}\n"
            ),
        ),
    ),
    named=("fold", "seat"),
)
BY_KILLS = (
    OUTBOX_AFTER_COMMIT, ACKNOWLEDGED_BEFORE_COMMIT, LOCAL_CLOCK, TIMER_CLOSED_OUTSIDE, RECEIPT_NEITHER_CHECKED_NOR_UNIQUE,
    CASE_BEFORE_LOCK, DELIVERY_FIRST,
)  # fmt: skip
#: Name of a fault -> how the processes that show it are killed; all others at random moments.
MEANS: dict[str, dict[str, tuple[str, ...]]] = {
    OUTBOX_AFTER_COMMIT.name: {"client": ("answer", "sent", "commit")},
    ACKNOWLEDGED_BEFORE_COMMIT.name: {"client": ("moment",)},
    LOCAL_CLOCK.name: {"worker": ("rcpt",)},
    TIMER_CLOSED_OUTSIDE.name: {"ticker": ("fired",), "worker": ("fired",)},
    RECEIPT_NEITHER_CHECKED_NOR_UNIQUE.name: {"client": ("rung", "answer", "bell")},
    CASE_BEFORE_LOCK.name: {"client": ("long",), "worker": ("long",), "ticker": ("long",)},
    DELIVERY_FIRST.name: {"worker": ("recorded", "rcpt")},
}
