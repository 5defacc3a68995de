"""Commands for whoever checks and mends: audit fsck, stuck, retry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from engine import audit, relay
from engine.relay import OutboxRowUnknown
from handlers import cli_print, code_words, words
from handlers.cli_session import Commands, Session

BROKEN = 70
#: Digits of an id that are enough to name a row.
BEGINNING = 8

commands, auditing = Commands(), Commands()


@auditing.add("fsck")
def fsck(session: Session) -> None:
    """Soát toàn kho: chuỗi, diễn lại, biên nhận, hàng chờ gửi / check the whole store."""
    report = audit.fsck(session.store, session.engine.definitions)
    if session.as_json:
        findings = [asdict(one) for one in report.findings]
        cli_print.as_json({"findings": findings, "counts": dict(report.counts)})
    else:
        for one in report.findings:
            cli_print.line(f"✗ {one.what} · {one.where}: {one.why}")
        count = len(report.findings)
        verdict = (
            session.say("Nhật ký nguyên vẹn", "The log is whole")
            if report.is_clean
            else session.say(f"Có {count} chỗ sai", f"{count} findings")
        )
        counted = [
            f"{words.number(found, session.language)} {code_words.said(code_words.COUNTED, name, session.language)}"
            for name, found in report.counts.items()
        ]
        cli_print.line(" · ".join([verdict, *counted]), "bold")
    if not report.is_clean:
        raise typer.Exit(BROKEN)


@commands.add("stuck")
def stuck(session: Session) -> None:
    """Việc gửi chưa xong: vì sao, đã thử mấy lần / what failed and why."""
    rows = relay.stuck(session.store)
    names = ("id", "topic", "channel", "state", "attempts", "error")
    heads = session.say("Mã|Chủ đề|Kênh|Trạng thái|Lần|Vì sao", "Id|Topic|Channel|State|Tries|Why").split("|")
    tables = {"topic": code_words.TOPICS, "state": code_words.ROW_STATES}
    cells = [
        [code_words.said(tables.get(name, {}), str(row[name] or ""), session.language) for name in names]
        for row in rows
    ]
    empty = session.say("Không có việc gửi nào bị kẹt.", "Nothing is stuck.")
    cli_print.show(session, rows, heads, cells, empty=empty)


@commands.add("retry")
def retry(
    session: Session,
    *,
    row: Annotated[str, typer.Argument(help="Mã dòng (xem tiendo stuck), hoặc all.")],
) -> None:
    """Gửi lại việc đã dừng / try a parked row again."""
    parked = [str(one["id"]) for one in relay.stuck(session.store) if one["state"] == "parked"]
    named = [one for one in parked if one == row or (len(row) >= BEGINNING and one.startswith(row))]
    wanted = parked if row == "all" else named
    if not wanted and row != "all":
        raise OutboxRowUnknown(row=row)
    for one in wanted:
        relay.retry(session.store, one)
    if session.as_json:
        cli_print.as_json({"retried": wanted})
    else:
        count = len(wanted)
        cli_print.line(session.say(f"Sẽ thử lại {count} việc.", f"{count} rows will be tried again."))


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    checking = typer.Typer(help="Kiểm tra nhật ký / check the log", callback=_checking)
    auditing.add_to(checking)
    group.add_typer(checking, name="audit")
    commands.add_to(group)


def _checking() -> None:
    """Make `audit` a group although it has one command so far."""
