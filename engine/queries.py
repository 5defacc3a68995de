"""What lists, inbox and boards show: reading only, each through the one filter of visibility."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from engine import records
from engine.case_rows import BoardCell, CaseRow, Filter, Inbox, NoticeRow, Page, SortWord
from engine.errors import Words, did_you_mean
from engine.names import names_of
from engine.refusals import CaseUnknown
from engine.sort_text import like_pattern
from engine.visibility import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from engine.visibility import Viewer

__all__ = [
    "BoardCell", "CaseNotFound", "CaseRow", "Filter", "Inbox", "NoticeRow", "Page", "SortWord", "board",
    "children", "counts", "due", "find_case", "inbox", "listing", "notices",
]  # fmt: skip

_CASE = records.workflow_case
_ID = re.compile(r"[0-9a-f]{32}")
_ID_BEGINNING = re.compile(r"[0-9a-f]{8,31}")
#: Codes looked at for a suggestion.
_NEAR = 500

_ALL = Filter()
_NAMES = tuple(item.name for item in fields(CaseRow) if item.name != "holder_name")
_COLUMNS = tuple(_CASE.c[name] for name in _NAMES)
_MAY_BE_NONE = {"amount_vnd"}
_EQUAL = (
    "plan_year", "name", "phase", "state", "scope", "category", "root", "parent", "holder_organisation",
    "holder_person", "depth",
)  # fmt: skip


class CaseNotFound(CaseUnknown):
    """No case with this code that this person may see; the nearest code that they may see is named."""

    code = "case_not_found"
    words = Words(
        "Không tìm thấy hồ sơ “{case}”.{suggestion_vi} Xem các hồ sơ của bạn bằng `tiendo list`.",
        'There is no case "{case}".{suggestion_en} `tiendo list` shows your cases.',
    )


def find_case(connection: Connection, viewer: Viewer, key: str) -> CaseRow:
    """Return a case by code, id, or an unmistakable beginning of an id (8 digits or more).

    Errors:
        CaseNotFound: none that this viewer may see; names the nearest visible code.
    """
    key = key.strip()
    by_id = _CASE.c.id == key if _ID.fullmatch(key) else _CASE.c.id.startswith(key, autoescape=True)
    is_id = bool(_ID.fullmatch(key) or _ID_BEGINNING.fullmatch(key))
    where = or_(_CASE.c.code == key, by_id) if is_id else _CASE.c.code == key
    found = connection.execute(select(*_COLUMNS).where(visible(viewer), where).limit(2)).all()
    if len(found) == 1:
        return _rows(connection, found)[0]
    near = _near_code(connection, viewer, key)
    raise CaseNotFound(
        case=key[:64],
        suggestion_vi=f" Ý bạn là “{near}”?" if near else "",
        suggestion_en=f' Did you mean "{near}"?' if near else "",
    )


def _near_code(connection: Connection, viewer: Viewer, key: str) -> str:
    codes = select(_CASE.c.code).where(visible(viewer)).limit(_NEAR)
    beginning = codes.where(_CASE.c.code.startswith(key[:2].upper(), autoescape=True))
    known = connection.execute(beginning).scalars().all() or connection.execute(codes).scalars().all()
    upper: dict[str, str] = {code.upper(): code for code in known}
    return upper.get(did_you_mean(key.upper(), upper), "")


def listing(
    connection: Connection,
    viewer: Viewer,
    narrowed: Filter = _ALL,
    *,
    sort: SortWord = "code",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> Page:
    """Return one page of the visible cases; rows without a value of the sort column come last."""
    where = and_(visible(viewer), *_conditions(narrowed, viewer.today))
    column = _CASE.c.sort_text if sort == "title" else _CASE.c[sort]
    order = (column.is_(None), column.desc() if descending else column, _CASE.c.id)
    found = connection.execute(
        select(*_COLUMNS).where(where).order_by(*order).limit(limit).offset(offset)
    ).all()
    total = connection.execute(select(func.count()).select_from(_CASE).where(where)).scalar_one()
    return Page(_rows(connection, found), total)


def _conditions(narrowed: Filter, today: str) -> list[ColumnElement[bool]]:
    found = [
        _CASE.c[name] == getattr(narrowed, name) for name in _EQUAL if getattr(narrowed, name) is not None
    ]
    if narrowed.amount_from is not None:
        found.append(_CASE.c.amount_vnd >= narrowed.amount_from)
    if narrowed.amount_to is not None:
        found.append(_CASE.c.amount_vnd <= narrowed.amount_to)
    if narrowed.late:
        found.append(_late(today))
    if narrowed.open is not None:
        found.append(_CASE.c.final.is_(None) if narrowed.open else _CASE.c.final.is_not(None))
    if narrowed.bound is not None:
        party = records.case_party
        found.append(_CASE.c.root.in_(select(party.c.case_id).where(party.c.bound == narrowed.bound)))
    for word in narrowed.words.split():
        pattern = like_pattern(word)
        found.append(
            or_(
                _CASE.c.sort_text.like(pattern, escape="\\"),
                func.lower(_CASE.c.code).like(pattern, escape="\\"),
            )
        )
    return found


def _late(today: str) -> ColumnElement[bool]:
    return and_(_CASE.c.final.is_(None), _CASE.c.due_on < today)


def inbox(connection: Connection, viewer: Viewer, *, limit: int = 200) -> Inbox:
    """Return what waits for a person today, and what they wait for."""
    open_here = and_(visible(viewer), _CASE.c.final.is_(None))
    mine = _mine(viewer)
    order = (_CASE.c.due_on.is_(None), _CASE.c.due_on, _CASE.c.held_since, _CASE.c.id)
    held = connection.execute(select(*_COLUMNS).where(open_here, mine).order_by(*order).limit(limit)).all()
    party = records.case_party
    ours = _CASE.c.root.in_(
        select(party.c.case_id).where(party.c.bound.in_(sorted(viewer.own | viewer.persons)))
    )
    # Not `NOT mine`: that is unknown, not true, where nobody is named.
    others = and_(open_here, ours, case((mine, 1), else_=0) == 0)
    waiting = connection.execute(select(*_COLUMNS).where(others).order_by(*order).limit(limit)).all()
    total = connection.execute(select(func.count()).select_from(_CASE).where(others)).scalar_one()
    day = date.fromisoformat(viewer.today)
    sunday = (day + timedelta(days=6 - day.weekday())).isoformat()
    parts: dict[str, list[CaseRow]] = {"overdue": [], "today": [], "this_week": [], "later": []}
    for row in _rows(connection, held):
        parts[_part(row.due_on, viewer.today, sunday)].append(row)
    sorted_in = {name: tuple(rows) for name, rows in parts.items()}
    return Inbox(**sorted_in, waiting=_rows(connection, waiting), waiting_total=total)


def _part(due_on: str, today: str, sunday: str) -> str:
    if not due_on or due_on > sunday:
        return "later"
    if due_on > today:
        return "this_week"
    return "today" if due_on == today else "overdue"


def _mine(viewer: Viewer) -> ColumnElement[bool]:
    """Return whether the viewer holds a case: in person, or by a seat while nobody is named."""
    seats = sorted({(seat.bound, seat.role) for seat in viewer.seats})
    by_seat = [
        and_(_CASE.c.holder_organisation == bound, _CASE.c.holder.like(f"%.{_literal(role)}", escape="\\"))
        for bound, role in seats
    ]
    persons = sorted(viewer.persons)
    # A party that is a person holds under the own id.
    in_person = or_(_CASE.c.holder_person.in_(persons), _CASE.c.holder_organisation.in_(persons))
    return or_(in_person, and_(_CASE.c.holder_person.is_(None), or_(*by_seat))) if by_seat else in_person


def _literal(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)


def board(
    connection: Connection, viewer: Viewer, plan_year: int | None = None, name: str | None = None
) -> list[BoardCell]:
    """Return, for each definition and phase, how many visible cases, how much money, how many late."""
    where = [visible(viewer), *_conditions(Filter(plan_year=plan_year, name=name), viewer.today)]
    rows = connection.execute(
        select(
            _CASE.c.name,
            _CASE.c.phase,
            func.count(),
            func.coalesce(func.sum(_CASE.c.amount_vnd), 0),
            func.coalesce(func.sum(case((_late(viewer.today), 1), else_=0)), 0),
        )
        .where(*where)
        .group_by(_CASE.c.name, _CASE.c.phase)
        .order_by(_CASE.c.name, _CASE.c.phase)
    )
    return [
        BoardCell(cell_name, phase, count, int(amount), int(late))
        for cell_name, phase, count, amount, late in rows
    ]


def counts(connection: Connection, viewer: Viewer, plan_year: int | None = None) -> dict[str, int]:
    """Return how many visible cases there are: open, late, accepted, refused, stopped."""
    where = [visible(viewer), *_conditions(Filter(plan_year=plan_year), viewer.today)]
    late = func.coalesce(func.sum(case((_late(viewer.today), 1), else_=0)), 0)
    found = dict.fromkeys(("open", "late", "accepted", "refused", "stopped"), 0)
    query = select(_CASE.c.final, func.count(), late).where(*where).group_by(_CASE.c.final)
    for final, count, overdue in connection.execute(query):
        found[final or "open"] = count
        found["late"] += int(overdue)
    return found


def due(connection: Connection, viewer: Viewer, until: str, *, limit: int = 500) -> tuple[CaseRow, ...]:
    """Return open visible cases that are due on `until` (ISO) or before, earliest first."""
    where = (visible(viewer), _CASE.c.final.is_(None), _CASE.c.due_on <= until)
    query = select(*_COLUMNS).where(*where).order_by(_CASE.c.due_on, _CASE.c.code).limit(limit)
    return _rows(connection, connection.execute(query).all())


def notices(
    connection: Connection, viewer: Viewer, *, unread_only: bool = False, limit: int = 100
) -> list[NoticeRow]:
    """Return the notices to a person, newest first, of cases that they may still see."""
    table = records.notice
    where = [table.c.person == viewer.person, visible(viewer)]
    if unread_only:
        # What an import suppressed was never sent to anybody: it is no news.
        where += [table.c.read_at.is_(None), table.c.suppressed.is_(None)]
    rows = connection.execute(
        select(
            table.c.id, table.c.case_id, _CASE.c.code, _CASE.c.title, table.c.word, table.c.facts,
            table.c.created_at, table.c.read_at, table.c.suppressed,
        )
        .join(_CASE, _CASE.c.id == table.c.case_id)
        .where(*where)
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [NoticeRow(*row[:-1], row[-1] or "") for row in rows]


def children(connection: Connection, viewer: Viewer, parent: str) -> tuple[CaseRow, ...]:
    """Return the visible children of a case, oldest first."""
    query = select(*_COLUMNS).where(visible(viewer), _CASE.c.parent == parent).order_by(_CASE.c.id)
    return _rows(connection, connection.execute(query).all())


def _rows(connection: Connection, found: Sequence[Row[Any]]) -> tuple[CaseRow, ...]:
    ids: Iterable[str | None] = (one for row in found for one in (row.holder_person, row.holder_organisation))
    names = names_of(connection, ids)
    rows = []
    for row in found:
        values: dict[str, Any] = {
            name: ("" if value is None and name not in _MAY_BE_NONE else value)
            for name, value in zip(_NAMES, row, strict=True)
        }
        holder = row.holder_person or row.holder_organisation
        rows.append(CaseRow(**values, holder_name=names.get(holder, "") if holder else ""))
    return tuple(rows)
