"""Reports on the command line: `report seeds`, each published figure beside ours."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

import workflows
from handlers import cli_print, words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from pathlib import Path

DIFFERS = 2


reporting = Commands()


@reporting.add("seeds")
def seeds(session: Session) -> None:
    """Số liệu đã công bố và số của kho này, chênh lệch từng dòng / published figures beside ours."""
    from engine import reports  # noqa: PLC0415 - until it is there

    file: Path = workflows.FOLDER / "khuyen_cong" / "samples" / "figures.yaml"
    rows: list[Any] = list(reports.seeds(reports.read_figures(file), session.store))
    if session.as_json:
        cli_print.as_json([asdict(row) for row in rows])
    else:
        heads = session.say(
            "Tỉnh|Số liệu|Công bố|Của kho|Chênh|", "Province|Figure|Published|Ours|Difference|"
        ).split("|")
        cli_print.table(heads, [_cells(session, row) for row in rows], right=(2, 3, 4))
    if not all(row.within for row in rows):
        raise typer.Exit(DIFFERS)


def add_to(group: typer.Typer) -> None:
    """Put the reports on the command line."""
    one = typer.Typer(help="Báo cáo / reports", callback=_reporting)
    reporting.add_to(one)
    group.add_typer(one, name="report")


def _reporting() -> None:
    """Make `report` a group although it has one command so far."""


def _cells(session: Session, row: Any) -> tuple[str, ...]:
    def said(value: int) -> str:
        return (
            words.money(value, session.language)
            if row.unit == "vnd"
            else words.number(value, session.language)
        )

    what = row.what.text(session.language) if hasattr(row.what, "text") else str(row.what)
    return (
        row.province,
        what,
        f"{row.qualifier} {said(row.published)}",
        said(row.ours),
        said(row.difference),
        "✓" if row.within else "✗",
    )
