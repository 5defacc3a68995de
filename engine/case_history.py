"""The history of a case or register row as people read it: every entry, names and personal values opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from engine import records
from engine.names import names_of, opened
from engine.shown_values import commitments_in, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

#: Words of a case whose value is the id of a register row.
_IDS = ("holder_organisation", "holder_person")


@dataclass(frozen=True, slots=True)
class Change:
    """One word, before and after; None where there was or is nothing."""

    word: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One log entry, readable.

    Shapes:
        who: name of the person who did it; on_behalf_of, organisation: names, or "".
        seat: role in which it was done. via: the door.
        reason, comment: opened; told to be erased; or "".
        happened_on: the date an import claims, ISO, or "".
        guards, rules: as written in the entry. hash: of the entry, for whoever compares.
    Units:
        recorded_at: µs since 1970 UTC.
    """

    seq: int
    recorded_at: int
    kind: str
    trigger: str
    from_state: str
    to_state: str
    who: str
    who_id: str
    on_behalf_of: str
    organisation: str
    seat: str
    via: str
    reason: str
    comment: str
    happened_on: str
    changes: tuple[Change, ...]
    guards: tuple[Mapping[str, Any], ...]
    rules: tuple[Mapping[str, Any], ...]
    hash: str


def entries_of(connection: Connection, kind: str, subject: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (hash, parsed entry) of one subject, oldest first.

    Shapes:
        kind: "case", "person" …
    """
    log = records.transition_log
    rows = connection.execute(
        select(log.c.hash, log.c.entry)
        .where(log.c.subject_kind == kind, log.c.subject == subject)
        .order_by(log.c.seq)
    )
    return [(head, orjson.loads(entry)) for head, entry in rows]


def history(
    connection: Connection,
    subject: str,
    *,
    kind: str = "case",
    hidden: Collection[str] = (),
    language: str = "vi",
) -> list[HistoryEntry]:
    """Return every entry of a subject, oldest first, with names and personal values opened.

    The caller has found the subject through the filter of visibility first.

    Shapes:
        hidden: words whose values this viewer may not see (`visibility.hidden_words`); they are left out.
    """
    entries = entries_of(connection, kind, subject)
    committed: set[str] = set()
    ids: set[str] = set()
    for _, entry in entries:
        committed |= commitments_in([entry.get("reason"), entry.get("comment"), entry["changes"]])
        ids |= _ids_in(entry)
    values = opened(connection, committed)
    names = names_of(connection, ids, language)
    return [
        _readable(head, entry, values, names, hidden=hidden, language=language) for head, entry in entries
    ]


def _ids_in(entry: Mapping[str, Any]) -> set[str]:
    principal = entry["principal"]
    found = {principal["person"], principal.get("on_behalf_of") or "", principal.get("organisation") or ""}
    for word, pair in entry["changes"].items():
        if _names_a_row(word):
            found.update(value for value in pair if isinstance(value, str))
    return found - {""}


def _names_a_row(word: str) -> bool:
    return word in _IDS or word.startswith("party.")


def _readable(
    head: str,
    entry: Mapping[str, Any],
    values: Mapping[str, Any],
    names: Mapping[str, str],
    *,
    hidden: Collection[str],
    language: str,
) -> HistoryEntry:
    principal = entry["principal"]

    def change(word: str, value: Any) -> Any:
        return names.get(value, value) if _names_a_row(word) and value else shown(value, values, language)

    return HistoryEntry(
        seq=entry["seq"],
        recorded_at=entry["recorded_at"],
        kind=entry["command"]["kind"],
        trigger=entry.get("trigger") or "",
        from_state=entry.get("from") or "",
        to_state=entry.get("to") or "",
        who=names.get(principal["person"], principal["person"]),
        who_id=principal["person"],
        on_behalf_of=names.get(principal.get("on_behalf_of") or "", ""),
        organisation=names.get(principal.get("organisation") or "", ""),
        seat=principal.get("seat") or "",
        via=principal.get("via") or "",
        reason=shown(entry.get("reason"), values, language) or "",
        comment=shown(entry.get("comment"), values, language) or "",
        happened_on=entry.get("happened_on") or "",
        changes=tuple(
            Change(word, change(word, before), change(word, after))
            for word, (before, after) in entry["changes"].items()
            if word not in hidden
        ),
        guards=tuple(entry.get("guards") or ()),
        rules=tuple(entry.get("rules") or ()),
        hash=head,
    )
