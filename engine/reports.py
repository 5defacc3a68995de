"""Numbers for people: what the store's cases add up to, beside what was printed elsewhere.

A figure says in its file how ours is computed; no figure stands in the code. The same function counts rows of a store
and rows made by a test. Printed figures are never corrected: the difference is shown, with how far it may go and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from engine import records
from engine.errors import Refused, Words
from engine.yaml_text import plain, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from engine.store import Store

Qualifier = Literal["exact", "about", "over", "nearly", ""]
#: A file of figures is as long as the sample it belongs to.
LIMIT_BYTES = 1_048_576
_COLUMNS = ("name", "code", "state", "phase", "final", "plan_year", "scope", "category", "amount_vnd")
_QUALIFIERS = ("exact", "about", "over", "nearly", "")


class FigureWrong(Refused):
    """A figure's row can't be computed; no report was made."""

    code = "figure_wrong"
    words = Words(
        "Dòng số liệu “{figure}” không dùng được: {why}. Hãy sửa tệp số liệu rồi chạy lại.",
        "The figure “{figure}” can't be used: {why}. Correct the file of figures and run again.",
    )


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What a report reads of one case. Shapes: the typed columns of workflow_case; data: field -> value."""

    name: str
    code: str
    state: str
    phase: str
    final: str | None
    plan_year: int
    scope: str | None
    category: str | None
    amount_vnd: int | None
    data: Mapping[str, Any] = field(default_factory=dict)

    def value(self, word: str) -> Any:
        """Return a field, or a typed column of that name."""
        return self.data.get(word, getattr(self, word, None) if word in _COLUMNS else None)


@dataclass(frozen=True, slots=True)
class Ours:
    """How our number is computed.

    Shapes:
        definitions: names. where: column or field -> words allowed, {from, to}, or {set: true | false}.
        sums: fields that are added; empty counts cases.
    """

    definitions: tuple[str, ...]
    where: Mapping[str, Any]
    sums: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the file.

    Shapes:
        published: as printed; None where nothing was. qualifier: how exactly it was printed; "" without one.
        tolerance: how far ours may lie from it, in its own direction for `over` and `nearly`; reason: why.
        kept: the sum of the sample as it was reviewed, or None.
    Units:
        published, tolerance, kept: đồng for unit "vnd", a number for "count".
    """

    id: str
    province: str
    what: Words
    unit: Literal["vnd", "count"]
    source: str
    ours: Ours
    published: int | None = None
    qualifier: Qualifier = ""
    tolerance: int = 0
    reason: Words | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of the report.

    Shapes:
        published, qualifier, source, tolerance, reason: of the figure. ours: what the cases add up to.
        difference: ours minus the printed one; None where nothing was printed.
        within: as the qualifier and the tolerance allow, and as the sample was reviewed.
    """

    id: str
    province: str
    what: Words
    unit: str
    qualifier: str
    published: int | None
    ours: int
    difference: int | None
    within: bool
    source: str
    tolerance: int = 0
    reason: Words | None = None


def read_figures(file: Path) -> tuple[Figure, ...]:
    """Return the figures of a file, in its order.

    Errors:
        YamlRefused: it is not our part of YAML. FigureWrong: a row is incomplete or says two things.
    """
    data = plain(read(file.read_bytes(), name=file.name, limit_bytes=LIMIT_BYTES))
    figures = tuple(_figure(row) for row in data["rows"])
    seen: set[str] = set()
    for figure in figures:
        if figure.id in seen:
            raise FigureWrong(figure=figure.id, why="hai dòng cùng mã / twice")
        seen.add(figure.id)
    return figures


def _figure(row: Mapping[str, Any]) -> Figure:
    name = str(row.get("id", "?"))
    missing = [word for word in ("id", "province", "what", "unit", "source", "ours") if word not in row]
    if missing or ("published" not in row and "kept" not in row):
        raise FigureWrong(figure=name, why=f"thiếu / missing: {', '.join(missing) or 'published, kept'}")
    qualifier = row.get("qualifier", "")
    if qualifier not in _QUALIFIERS or bool(qualifier) != ("published" in row):
        raise FigureWrong(figure=name, why=f"qualifier: {qualifier or '—'}")
    if row.get("tolerance") and "reason" not in row:
        raise FigureWrong(figure=name, why="tolerance: thiếu lý do / no reason")
    reason = row.get("reason")
    ours = row["ours"]
    return Figure(
        id=name,
        province=row["province"],
        what=Words(row["what"]["vi"], row["what"]["en"]),
        unit=row["unit"],
        source=row["source"],
        ours=Ours(_listed(ours["definition"]), ours.get("where") or {}, _listed(ours.get("sum"))),
        published=row.get("published"),
        qualifier=qualifier,
        tolerance=row.get("tolerance", 0),
        reason=Words(reason["vi"], reason["en"]) if reason else None,
        kept=row.get("kept"),
    )


def _listed(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def case_rows(store: Store, definitions: Iterable[str] = ()) -> list[CaseRow]:
    """Return the cases of a store; of these definitions only, when any are named."""
    table = records.workflow_case
    wanted = tuple(definitions)
    asked = select(*(table.c[name] for name in _COLUMNS), table.c.data).order_by(table.c.id)
    if wanted:
        asked = asked.where(table.c.name.in_(wanted))
    with store.read() as connection:
        return [CaseRow(**row) for row in connection.execute(asked).mappings()]


def open_children(store: Store, parent: str, definition: str, until: date) -> list[str]:
    """Return ids of the children of one definition that have not ended and were where they are by the day `until`."""
    table = records.workflow_case
    asked = select(table.c.id).where(
        table.c.parent == parent,
        table.c.name == definition,
        table.c.final.is_(None),
        table.c.entered_on <= until.isoformat(),
    )
    with store.read() as connection:
        return list(connection.execute(asked.order_by(table.c.id)).scalars())


def seeds(figures: Iterable[Figure], store: Store) -> list[Compared]:
    """Return each printed figure beside what the cases of a store add up to, in the order of the figures.

    Errors:
        FigureWrong: a condition that can't be judged, or a field that is no number.
    """
    printed = [figure for figure in figures if figure.published is not None]
    return compare(printed, case_rows(store, {name for one in printed for name in one.ours.definitions}))


def compare(figures: Iterable[Figure], rows: Iterable[CaseRow]) -> list[Compared]:
    """Return each figure beside ours, counted over rows from wherever.

    Errors:
        FigureWrong: a condition that can't be judged, or a field that is no number.
    """
    by_name: dict[tuple[str, str | None], list[CaseRow]] = {}
    for row in rows:
        by_name.setdefault((row.name, row.scope), []).append(row)
    return [_compared(figure, by_name) for figure in figures]


def _compared(figure: Figure, by_name: Mapping[tuple[str, str | None], list[CaseRow]]) -> Compared:
    found = (
        row
        for name in figure.ours.definitions
        for row in by_name.get((name, figure.province), ())
        if all(_fits(figure, row.value(word), wanted) for word, wanted in figure.ours.where.items())
    )
    ours = sum(_measured(figure, row) for row in found)
    difference = None if figure.published is None else ours - figure.published
    return Compared(
        id=figure.id,
        province=figure.province,
        what=figure.what,
        unit=figure.unit,
        qualifier=figure.qualifier,
        published=figure.published,
        ours=ours,
        difference=difference,
        within=_within(figure, ours, difference),
        source=figure.source,
        tolerance=figure.tolerance,
        reason=figure.reason,
    )


def _fits(figure: Figure, value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return value in wanted if isinstance(wanted, list) else value == wanted
    if "set" in wanted:
        return (value is not None) is wanted["set"]
    if not wanted.keys() <= {"from", "to"}:
        raise FigureWrong(figure=figure.id, why=", ".join(wanted))
    return value is not None and wanted.get("from", value) <= value <= wanted.get("to", value)


def _measured(figure: Figure, row: CaseRow) -> int:
    if not figure.ours.sums:
        return 1
    values = [row.value(word) for word in figure.ours.sums]
    if any(value is not None and type(value) is not int for value in values):
        raise FigureWrong(figure=figure.id, why=f"{row.code}: {', '.join(figure.ours.sums)}")
    return sum(value or 0 for value in values)


def _within(figure: Figure, ours: int, difference: int | None) -> bool:
    if figure.kept is not None and ours != figure.kept:
        return False
    match figure.qualifier:
        case "exact" | "about":
            return difference is not None and abs(difference) <= figure.tolerance
        case "over":
            return difference is not None and 0 < difference <= figure.tolerance
        case "nearly":
            return difference is not None and -figure.tolerance <= difference < 0
        case _:
            return True
