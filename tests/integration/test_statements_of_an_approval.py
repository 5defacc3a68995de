"""How many statements one approval costs is pinned, table by table: nobody adds ten without seeing it here."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from engine.execute import execute
from tests.bench import world

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = re.compile(
    r"^\s*(SELECT|UPDATE|INSERT)\b.*?\b(?:FROM|INTO|UPDATE)\s+(\w+)|^\s*UPDATE\s+(\w+)", re.DOTALL
)

#: Statement -> how often it is run for one approval that tells four people by one channel and plans five timers.
PINNED = {
    "BEGIN": 1,
    # Claim: where the case is, the receipt, case and children, whose seats.
    "SELECT workflow_case": 3 + 1,  # and what is committed beside it on its budget line
    "SELECT receipt": 1,
    "SELECT membership": 1 + 4,  # and who is told
    "SELECT substitution": 1,
    "SELECT register_row": 1,  # the budget line
    "SELECT case_party": 1,  # what else supports the establishment
    "SELECT transition_log": 1,  # the time of the entry before
    # Record.
    "UPDATE workflow_case": 1,
    "INSERT transition_log": 1,
    "INSERT unfolded": 1,
    "INSERT receipt": 1,
    "INSERT personal_value": 2,  # the signer, and what a repeat is compared with
    "UPDATE timer": 1,
    "INSERT timer": 5,
    "INSERT notice": 4,
    "INSERT outbox": 5,  # four notices, one look at the deadlines
    "COMMIT": 1,
}


def _name(statement: str) -> str:
    found = _TABLE.match(statement)
    if found is None:
        return statement.split(maxsplit=1)[0]
    return f"{found[1] or 'UPDATE'} {found[2] or found[3]}"


def test_an_approval_costs_as_many_statements_as_are_written_down_here(tmp_path: Path) -> None:
    # given
    prepared = world.prepare(tmp_path, cases=2)
    engine = world.open_engine(prepared.path)
    first, second = prepared.approvals()
    execute(engine, first)
    ran: list[str] = []
    engine.store._writer.set_trace_callback(ran.append)  # type: ignore[attr-defined]
    # when
    execute(engine, second)
    engine.store._writer.set_trace_callback(None)  # type: ignore[attr-defined]
    engine.store.close()
    # then
    assert dict(Counter(_name(one) for one in ran if not one.startswith("--"))) == PINNED
