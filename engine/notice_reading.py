"""All that a notice is made of, read in one look at the store: the notice, its case and entry, who gets it and who is named.

Few plain statements instead of one question for each thing: a worker sends hundreds of notices a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from engine.civil_time import day_at
from engine.personal import is_commitment
from engine.shown_values import ERASED, OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.cases import Case
    from engine.store import Transaction

#: Somebody who stands in may be away, too; further than this nobody is looked for.
_MOST_SUBSTITUTES = 5
_NOTICE = """
SELECT n.case_id, n.word, n.person, n.facts, n.created_at, l.entry, c.parent
  FROM notice n JOIN workflow_case c ON c.id = n.case_id
  LEFT JOIN transition_log l ON l.subject_kind = 'case' AND l.subject = n.case_id AND l.seq = n.seq
 WHERE n.id = :id"""
_STANDS_IN = """
SELECT substitute, from_on FROM substitution
 WHERE absent = :person AND from_on <= :today AND (to_on IS NULL OR to_on >= :today)
 ORDER BY from_on DESC, word LIMIT 1"""
_SEATS = """
SELECT bound, role FROM membership
 WHERE person = :person AND from_on <= :today AND (to_on IS NULL OR to_on >= :today)
UNION
SELECT m.bound, m.role FROM substitution s JOIN membership m ON m.person = s.absent
 WHERE s.substitute = :person AND s.from_on <= :today AND (s.to_on IS NULL OR s.to_on >= :today)
   AND m.from_on <= :today AND (m.to_on IS NULL OR m.to_on >= :today)"""


@dataclass(frozen=True, slots=True)
class Named:
    """A person, organisation or establishment. data: flat word -> value; personal ones are commitments."""

    code: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a notice may speak of, as it stood at one moment.

    Shapes:
        person: whom it was meant for. receiver: who gets it: that person, or who stands in for them since `since` ("" for
            the person themselves).
        told: what the transition noted for it. entry: the log entry, {} without one.
        seats: (bound, role) that the receiver holds today, also for others. rows: id -> register row.
        values: commitment -> value; an erased one is missing.
    Units:
        created_at: µs since 1970 UTC.
    """

    case: Case
    parent: Case | None
    word: str
    person: str
    receiver: str
    since: str
    told: dict[str, Any]
    entry: dict[str, Any]
    created_at: int
    seats: frozenset[tuple[str, str]]
    rows: dict[str, Named]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The register row of the receiver."""
        found = self.rows.get(self.receiver)
        return found.data if found else {}

    def names(self, language: str) -> dict[str, str]:
        """Return id -> name of everybody concerned; an erased name shows as such."""
        found = {one: said.text(language) for one, said in OURS.items()}
        for one, row in self.rows.items():
            name = self.opened(row.data.get("name"), language)
            found[one] = str(name or row.code)
        return found

    def opened(self, value: Any, language: str) -> Any:
        """Return a value, opened or told to be erased where it is a commitment."""
        return self.values.get(value, ERASED.text(language)) if is_commitment(value) else value


def look(tx: Transaction, notice: str, address_word: str) -> NoticeFacts | None:
    """Return the facts of a notice; None when there is no such notice, or its case is gone.

    Shapes:
        address_word: word of a person's row that holds the address, or "".
    """
    found = tx.run(_NOTICE, {"id": notice})
    if not found:
        return None
    case_id, word, person, told, created_at, entry_text, parent = found[0]
    today = day_at(tx.now).isoformat()
    entry = orjson.loads(entry_text) if entry_text else {}
    cases = tx.cases([case_id, parent] if parent else [case_id])
    case = cases[case_id]
    by = entry.get("principal", {})
    concerned = {
        person, case.holder_organisation, case.holder_person, by.get("person"), by.get("organisation"),
        *case.parties.values(),
    }  # fmt: skip
    who = {"person": person, "today": today}
    stands_in, seats, rows = tx.run_all((_STANDS_IN, who), (_SEATS, who), _rows(concerned))
    receiver, since = person, ""
    if stands_in:
        receiver, since = _stands_in(tx, person, today)
        seats, more = tx.run_all((_SEATS, {"person": receiver, "today": today}), _rows({receiver}))
        rows += more
    facts = NoticeFacts(
        case=case,
        parent=cases.get(parent),
        word=word,
        person=person,
        receiver=receiver,
        since=since,
        told=_parsed(told),
        entry=entry,
        created_at=created_at,
        seats=frozenset((row[0], row[1]) for row in seats),
        rows={one: Named(code, _parsed(data)) for one, code, data in rows},
    )
    shut = {
        facts.data.get(address_word),
        entry.get("reason"),
        *(row.data.get("name") for row in facts.rows.values()),
    }
    facts.values.update(_values(tx, sorted(str(one) for one in shut if is_commitment(one))))
    return facts


def _stands_in(tx: Transaction, person: str, today: str) -> tuple[str, str]:
    """Return (who gets what is meant for a person, since when), (themselves, "") when nobody stands in."""
    since, seen = "", {person}
    for _ in range(_MOST_SUBSTITUTES):
        found = tx.run(_STANDS_IN, {"person": person, "today": today})
        if not found or found[0][0] in seen:
            break
        person, since = found[0]
        seen.add(person)
    return person, since


def _rows(concerned: Iterable[str | None]) -> tuple[str, dict[str, str]]:
    """Return the question for the register rows of everybody concerned."""
    ids = sorted(one for one in concerned if one and one not in OURS)
    asked = "SELECT id, code, data FROM register_row WHERE kind IN ('establishment', 'organisation', 'person') AND id IN "
    return asked + _list(len(ids)), _numbered(ids)


def _values(tx: Transaction, commitments: list[str]) -> dict[str, Any]:
    if not commitments:
        return {}
    asked = "SELECT commitment, value FROM personal_value WHERE value IS NOT NULL AND commitment IN "
    return {
        one: orjson.loads(value)
        for one, value in tx.run(asked + _list(len(commitments)), _numbered(commitments))
    }


@cache
def _list(count: int) -> str:
    return f"({', '.join(f':v{number}' for number in range(count))})"


def _numbered(values: Iterable[str]) -> dict[str, str]:
    return {f"v{number}": value for number, value in enumerate(values)}


def _parsed(value: Any) -> dict[str, Any]:
    """Return a JSON column, which one store gives as text and the other as it is."""
    found: dict[str, Any] = orjson.loads(value) if isinstance(value, str) else value
    return found or {}
