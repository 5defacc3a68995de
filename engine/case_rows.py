"""Rows of lists, inbox and board, as pages and the command line get them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

SortWord = Literal["code", "title", "due_on", "held_since", "amount_vnd", "plan_year"]


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list: its typed columns and the names behind its ids.

    Shapes:
        definition: hash; name: of the definition. holder: role ("department.appraiser") or "" when final.
        holder_name: name of the person who holds it, else of the organisation.
        due_on, held_since, entered_on, decided_on: ISO dates or "". final: "", accepted, refused, stopped.
        scope, category: "" when unset.
    Units:
        amount_vnd: đồng, or None.
    """

    id: str
    code: str
    definition: str
    name: str
    title: str
    parent: str
    root: str
    depth: int
    state: str
    phase: str
    final: str
    holder: str
    holder_organisation: str
    holder_person: str
    held_since: str
    due_on: str
    entered_on: str
    decided_on: str
    plan_year: int
    scope: str
    category: str
    amount_vnd: int | None
    version: int
    seq: int
    holder_name: str = ""

    def days_left(self, today: str) -> int | None:
        """Return the days until the due day; negative when late, None without a due day."""
        return (date.fromisoformat(self.due_on) - date.fromisoformat(today)).days if self.due_on else None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None leaves a column open.

    Shapes:
        words: found without regard to marks and case in title or code; every word must occur.
        late: due before today and not final. open: True without final ones, False only those.
        bound: id of an organisation, establishment or person that is a party of the root.
    """

    plan_year: int | None = None
    name: str | None = None
    phase: str | None = None
    state: str | None = None
    scope: str | None = None
    category: str | None = None
    root: str | None = None
    parent: str | None = None
    holder_organisation: str | None = None
    holder_person: str | None = None
    depth: int | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    late: bool = False
    open: bool | None = None
    bound: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. total: how many rows there are on all pages."""

    rows: tuple[CaseRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for a person.

    Shapes:
        overdue, today, this_week, later: cases that the person's seats hold, by their due day; this_week ends
            on Sunday; later holds those without a due day too. Earliest first.
        waiting: open cases of the person's own organisations whose move is others'; waiting_total counts all.
    """

    overdue: tuple[CaseRow, ...]
    today: tuple[CaseRow, ...]
    this_week: tuple[CaseRow, ...]
    later: tuple[CaseRow, ...]
    waiting: tuple[CaseRow, ...]
    waiting_total: int


@dataclass(frozen=True, slots=True)
class BoardCell:
    """One phase of one definition.

    Units:
        amount_vnd: đồng, sum of the amounts that are set.
    """

    name: str
    phase: str
    cases: int
    amount_vnd: int
    late: int


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice to one person.

    Units:
        created_at, read_at: µs since 1970 UTC; read_at None when unread.
    """

    id: str
    case_id: str
    code: str
    title: str
    word: str
    facts: dict[str, Any]
    created_at: int
    read_at: int | None
    suppressed: str
