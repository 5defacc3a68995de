"""Commands for whoever checks and mends: audit fsck, stuck, retry, report seeds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import audit, relay
from engine.errors import Words
from engine.relay import OutboxRowUnknown
from handlers import cli_print, words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

BROKEN = 70
#: Digits of an id that are enough to name a row.
BEGINNING = 8


commands, auditing = Commands(), Commands()


@auditing.add("fsck")
def fsck(session: Session) -> None:
    """Soát toàn kho: chuỗi, diễn lại, biên nhận, hàng chờ gửi / check the whole store."""
    report = audit.fsck(session.store, session.engine.definitions)
    if session.as_json:
        cli_print.as_json(
            {"findings": [_plain(one) for one in report.findings], "counts": dict(report.counts)}
        )
    else:
        for one in report.findings:
            cli_print.line(f"✗ {_said(one, session.language)}")
        counted = " · ".join(
            f"{name} {words.number(count, session.language)}" for name, count in report.counts.items()
        )
        verdict = (
            session.say(f"Có {len(report.findings)} chỗ sai", f"{len(report.findings)} findings")
            if report.findings
            else session.say("Nhật ký nguyên vẹn", "The log is whole")
        )
        cli_print.line(f"{verdict} · {counted}", "bold")
    if report.findings:
        raise typer.Exit(BROKEN)


@commands.add("stuck")
def stuck(session: Session) -> None:
    """Việc gửi chưa xong: vì sao, đã thử mấy lần / what failed and why."""
    rows: Sequence[Any] = relay.stuck(session.store)
    plain = [_plain(row) for row in rows]
    heads = session.say("Mã|Chủ đề|Kênh|Trạng thái|Lần|Vì sao", "Id|Topic|Channel|State|Tries|Why").split("|")
    cells = [
        (
            one.get("id"),
            one.get("topic"),
            one.get("channel"),
            one.get("state"),
            one.get("attempts"),
            one.get("error"),
        )
        for one in plain
    ]
    cli_print.show(
        session,
        plain,
        heads,
        cells,
        empty=session.say("Không có việc gửi nào bị kẹt.", "Nothing is stuck."),
    )


@commands.add("retry")
def retry(
    session: Session,
    row: Annotated[str, typer.Argument(help="Mã dòng (xem tiendo stuck), hoặc all.")],
) -> None:
    """Gửi lại việc đã dừng / try a parked row again."""
    parked = [
        str(_plain(one)["id"]) for one in relay.stuck(session.store) if _plain(one).get("state") == "parked"
    ]
    wanted = (
        parked
        if row == "all"
        else [one for one in parked if one == row or (len(row) >= BEGINNING and one.startswith(row))]
    )
    if not wanted and row != "all":
        raise OutboxRowUnknown(row=row)
    for one in wanted:
        relay.retry(session.store, one)
    if session.as_json:
        cli_print.as_json({"retried": wanted})
    else:
        cli_print.line(
            session.say(f"Sẽ thử lại {len(wanted)} việc.", f"{len(wanted)} rows will be tried again.")
        )


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    checking = typer.Typer(help="Kiểm tra nhật ký / check the log", callback=_checking)
    auditing.add_to(checking)
    group.add_typer(checking, name="audit")
    commands.add_to(group)


def _checking() -> None:
    """Make `audit` a group although it has one command so far."""


def _plain(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    return dict(row._mapping) if hasattr(row, "_mapping") else asdict(row)


def _said(found: Any, language: str) -> str:
    if isinstance(found, str):
        return found
    said = getattr(found, "words", None)
    return said.text(language) if isinstance(said, Words) else str(found)
