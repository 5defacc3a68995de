"""Reports on the command line: `report seeds`, each published figure beside ours."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

import workflows
from engine import reports
from handlers import cli_print, code_words, words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from engine.reports import Compared

DIFFERS = 2
#: So much of a source fits two lines of the table; `--json` has all of it.
_SOURCE = 44

reporting = Commands()


@reporting.add("seeds")
def seeds(session: Session) -> None:
    """Số liệu đã công bố và số của kho này, chênh lệch từng dòng / published figures beside ours."""
    figures = reports.read_figures(workflows.FOLDER / "khuyen_cong" / "samples" / "figures.yaml")
    rows = reports.seeds(figures, session.store)
    if session.as_json:
        cli_print.as_json([{**asdict(row), "what": row.what.text(session.language)} for row in rows])
    else:
        heads = session.say(
            "Tỉnh|Số liệu|Công bố|Của kho|Chênh||Nguồn", "Province|Figure|Published|Ours|Difference||Source"
        )
        cli_print.table(heads.split("|"), [_cells(session, row) for row in rows], right=(2, 3, 4))
    if not all(row.within for row in rows):
        raise typer.Exit(DIFFERS)


def _cells(session: Session, row: Compared) -> tuple[str, ...]:
    def said(value: int | None) -> str:
        if value is None:
            return "—"
        return (
            words.money(value, session.language)
            if row.unit == "vnd"
            else words.number(value, session.language)
        )

    qualifier = code_words.said(code_words.QUALIFIERS, row.qualifier, session.language)
    published = f"{qualifier} {said(row.published)}".strip()
    what = row.what.text(session.language)
    kept = "✓" if row.within else "✗"
    source = row.source if len(row.source) <= _SOURCE else row.source[: _SOURCE - 1].rstrip() + "…"
    province = code_words.province(row.province)
    return (province, what, published, said(row.ours), said(row.difference), kept, source)


def add_to(group: typer.Typer) -> None:
    """Put the reports on the command line."""
    one = typer.Typer(help="Báo cáo / reports", callback=_reporting)
    reporting.add_to(one)
    group.add_typer(one, name="report")


def _reporting() -> None:
    """Make `report` a group although it has one command so far."""
