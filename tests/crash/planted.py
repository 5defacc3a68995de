"""Nine known faults, each as a change of text in a copy of the product, and the name by which the checker must call it.

A checker that was never seen to fail counts as absent.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.processes import HERE

if TYPE_CHECKING:
    from pathlib import Path

PRODUCT = ("engine", "handlers", "config", "workflows")


@dataclass(frozen=True)
class Fault:
    """One planted fault.

    Shapes:
        changes: (file, text that must be there exactly once, what it becomes).
        named: how findings of it begin. means: how to kill so that it shows.
    """

    name: str
    changes: tuple[tuple[str, str, str], ...]
    named: tuple[str, ...]
    means: tuple[str, ...] = ("moment",)


def plant(fault: Fault, folder: Path) -> Path:
    """Copy the product and plant a fault in the copy.

    Errors:
        AssertionError: the text is gone or there twice; the fault must be written anew.
    """
    tree = folder / "tree"
    for part in PRODUCT:
        shutil.copytree(HERE / part, tree / part)
    for file, old, new in fault.changes:
        path = tree / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{fault.name}: this stands {text.count(old)} times in {file}:\n{old}"
        path.write_text(text.replace(old, new), encoding="utf-8")
    return tree


OUTBOX_AFTER_COMMIT = Fault(
    "outbox written after the commit",
    (
        (
            "engine/desk.py",
            (
                "        self.writing.outbox.append((row, topic, subject, channel, self.tx.now, self.tx.now))\n"
                "        self.rings.append((topic, row))\n"
            ),
            "        self.rings.append((topic, row, subject, channel, self.tx.now))\n",
        ),
        (
            "engine/execute.py",
            "    if rings:\n",
            (
                "    if rings:\n"
                "        with engine.store.begin() as tx:\n"
                "            for topic, row, subject, channel, now in rings:\n"
                "                tx.run(\n"
                "                    'INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, created_at)'\n"
                "                    \" VALUES (:row, :topic, :subject, :channel, 'pending', :now, 0, :now)\",\n"
                "                    {'row': row, 'topic': topic, 'subject': subject, 'channel': channel, 'now': now},\n"
                "                )\n"
                "        rings = [one[:2] for one in rings]\n"
            ),
        ),
    ),
    named=("promise",),
    means=("moment", "sync", "bell"),
)
ACKNOWLEDGED_BEFORE_COMMIT = Fault(
    "acknowledged before the commit",
    (
        (
            "engine/sqlite_turns.py",
            '                self._run("BEGIN IMMEDIATE")\n',
            (
                "                if not self._connection.in_transaction:\n"
                '                    self._run("BEGIN IMMEDIATE")\n'
            ),
        ),
        (
            "engine/sqlite_turns.py",
            '                self._run("COMMIT")\n',
            (
                "                if time.time_ns() // 1000 % 50_000 < 15_000:\n"
                '                    self._run("COMMIT")\n'
            ),
        ),
        (
            "engine/sqlite_turns.py",
            '                if self._connection.in_transaction:\n                    self._run("ROLLBACK")\n',
            (
                "                if self._connection.in_transaction and not ending.committed:\n"
                '                    self._run("ROLLBACK")\n'
            ),
        ),
        (
            "engine/sqlite_turns.py",
            "            self._commit()\n            yield self._connection\n",
            (
                "            self._commit()\n"
                "            if self._connection.in_transaction:\n"
                '                self._run("COMMIT")\n'
                "            yield self._connection\n"
            ),
        ),
    ),
    named=("acknowledged",),
    means=("moment", "ack"),
)
SHARED_COMMIT_NOT_AWAITED = Fault(
    "a turn that is over before the commit it shares",
    (
        (
            "engine/sqlite_turns.py",
            "        with mine.over:\n            pass\n        if not mine.committed:\n",
            "        if mine.problem:\n",
        ),
    ),
    named=("acknowledged",),
    means=("ack", "moment"),
)
NO_FENCING = Fault(
    "no fencing when a row is finished",
    (
        (
            "engine/relay.py",
            (
                "    \" WHERE id = :id AND token = :token AND state IN ('claimed', 'in_flight') RETURNING id\"\n"
                ")\n"
                "_DELIVERED = (\n"
            ),
            "    \" WHERE id = :id AND :token <> '' RETURNING id\"\n)\n_DELIVERED = (\n",
        ),
    ),
    named=("fence",),
)
LOCAL_CLOCK = Fault(
    "lease by a clock that is not the store's",
    (
        (
            "engine/relay.py",
            "from dataclasses import dataclass\n",
            "import time\nfrom dataclasses import dataclass\n",
        ),
        (
            "engine/relay.py",
            "token = :token, lease_until = :now + :lease, attempts",
            "token = :token, lease_until = :until, attempts",
        ),
        (
            "engine/relay.py",
            '"token": new_id(), "lease": lease_seconds * SECOND}',
            '"token": new_id(), "until": time.time_ns() // 1000 + lease_seconds * SECOND}',
        ),
    ),
    named=("lease", "copies"),
    means=("moment", "claim"),
)
TIMER_CLOSED_OUTSIDE = Fault(
    "timer closed outside the transaction",
    (
        (
            "engine/timer_commands.py",
            '        desk.writing.closes.append((timer.id, "fired", ""))\n',
            "        pass\n",
        ),
        (
            "engine/timer_commands.py",
            "    closed(desk, timer)\n    return desk.receipt(case)\n",
            "    return desk.receipt(case)\n",
        ),
        (
            "engine/timers.py",
            "        _refuse(engine, zip(commands, answers, strict=True))\n",
            (
                "        _refuse(engine, zip(commands, answers, strict=True))\n"
                "        with engine.store.begin() as tx:\n"
                "            for command, answer in zip(commands, answers, strict=True):\n"
                "                if not isinstance(answer, TiendoError):\n"
                "                    tx.run(\n"
                "                        \"UPDATE timer SET state = 'fired', closed_at = :now WHERE id = :id\",\n"
                "                        {'id': command.id, 'now': tx.now},\n"
                "                    )\n"
            ),
        ),
    ),
    named=("timer",),
    means=("slow",),
)
RECEIPT_NOT_CHECKED = Fault(
    "receipt neither checked nor unique",
    (
        (
            "engine/execute.py",
            "    if claimed.answered is not None:\n",
            "    if claimed.answered is not None and not command.id:\n",
        ),
        ("engine/sqlite_rows.py", '"INSERT INTO receipt (', '"INSERT OR IGNORE INTO receipt ('),
    ),
    named=("acknowledged",),
    means=("reply", "moment", "sync"),
)
HEAD_BEFORE_LOCK = Fault(
    "chain head read before the lock",
    (
        (
            "engine/execute.py",
            '_T = TypeVar("_T")\n',
            '_T = TypeVar("_T")\n_EARLY = __import__("threading").local()\n',
        ),
        (
            "engine/execute.py",
            "            with engine.store.begin() as tx:\n                return [_one(",
            (
                "            with engine.store.look() as tx:\n"
                "                known = [one.case for one in commands if isinstance(one, CaseCommand)]\n"
                "                _EARLY.cases = {one: tx.case(one) for one in known}\n"
                "            with engine.store.begin() as tx:\n"
                "                return [_one("
            ),
        ),
        (
            "engine/execute.py",
            "    desk = Desk(engine, tx, command, claimed, ",
            (
                "    early = getattr(_EARLY, 'cases', {})\n"
                "    claimed.cases.update({key: case for key, case in early.items() if key in claimed.cases and case})\n"
                "    desk = Desk(engine, tx, command, claimed, "
            ),
        ),
    ),
    named=("answered", "chain", "fold"),
)
DELIVERY_FIRST = Fault(
    "delivery recorded before it is made",
    (
        ("handlers/notices.py", "    channel.send(message)\n    delivery = {\n", "    delivery = {\n"),
        (
            "handlers/notices.py",
            "    if relay.finish(app.engine.store, row, delivery):\n",
            "    if relay.finish(app.engine.store, row, delivery):\n        channel.send(message)\n",
        ),
    ),
    named=("delivery",),
    means=("claim", "moment"),
)
BY_KILLS = (
    OUTBOX_AFTER_COMMIT, ACKNOWLEDGED_BEFORE_COMMIT, SHARED_COMMIT_NOT_AWAITED, LOCAL_CLOCK, TIMER_CLOSED_OUTSIDE,
    RECEIPT_NOT_CHECKED, HEAD_BEFORE_LOCK, DELIVERY_FIRST,
)  # fmt: skip
