"""A log entry: what is written down of a change, in the canonical form `entry: 1`, chained to the one before.

The format is frozen: golden vectors of whole entries are part of the tests and never change. People and establishments
appear by id only; the reason and every personal value as commitments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import canonical

if TYPE_CHECKING:
    from engine.commands import Command
    from engine.definition import Definition

PRODUCT = "0.1.0"


@dataclass(slots=True)
class Entry:
    """What one change says of itself, beside the subject's place in the chain.

    Shapes:
        trigger, from_state, to_state: None where the command is no move.
        changes: word -> [before, after].
        seat, organisation, on_behalf_of: in which role the principal acted, "" where none is needed.
        reason, comment: commitments, or None.
        guards: [{name, ok, inputs}]. rules: [{key, value, row, pack}].
        caused_by: seq of the entry of the same command that led to this one, or None.
    """

    changes: dict[str, list[Any]]
    trigger: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    seat: str = ""
    organisation: str = ""
    on_behalf_of: str = ""
    reason: str | None = None
    comment: str | None = None
    guards: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    caused_by: int | None = None
    by_system: bool = False


def write(
    entry: Entry,
    command: Command,
    *,
    subject: tuple[str, str],
    seq: int,
    previous: str,
    recorded_at: int,
    definition: Definition | None = None,
) -> tuple[str, str, tuple[Any, ...]]:
    """Return the canonical text of an entry, its hash, and its row of `transition_log`.

    Shapes:
        subject: (kind, id). seq: from 1 without gaps. previous: hash of the entry before, "" for the first.
    Units:
        recorded_at: µs since 1970 UTC, by the store's clock.
    """
    principal = command.principal
    kind, person, via = (
        ("system", "system", "system")
        if entry.by_system
        else (principal.kind, principal.person, principal.via)
    )
    body = {
        "entry": 1,
        "subject": {"kind": subject[0], "id": subject[1]},
        "seq": seq,
        "previous": previous,
        "definition": None
        if definition is None
        else {"name": definition.name, "version": definition.version, "hash": definition.hash},
        "product": PRODUCT,
        "command": {"id": command.id, "kind": command.kind},
        "caused_by": entry.caused_by,
        "trigger": entry.trigger,
        "from": entry.from_state,
        "to": entry.to_state,
        "principal": {
            "kind": kind,
            "person": person,
            "seat": entry.seat,
            "organisation": entry.organisation,
            "on_behalf_of": entry.on_behalf_of,
            "via": via,
        },
        "reason": entry.reason,
        "comment": entry.comment,
        "changes": entry.changes,
        "guards": entry.guards,
        "rules": entry.rules,
        "request": command.request,
        "recorded_at": recorded_at,
        "happened_on": command.happened_on or None,
    }
    payload = canonical.write(body)
    text, head = payload.decode(), canonical.leaf(payload)
    key = "system:system" if entry.by_system else principal.key
    row = (*subject, seq, head, recorded_at, key, command.id, command.kind, entry.trigger, text)
    return text, head, row
