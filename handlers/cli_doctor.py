"""Commands for whoever runs the machine: doctor and metrics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from handlers import cli_print, doctor
from handlers.cli_session import Commands, Session
from handlers.doctor_lines import MARKS

if TYPE_CHECKING:
    from handlers.doctor_lines import Line

commands = Commands()


@commands.add("doctor")
def examine(session: Session) -> None:
    """Kho, chuông, đồng hồ, lịch, thiết lập có ổn không, và phải làm gì / is everything in order, and what to do."""
    found = doctor.examine(session)
    if session.as_json:
        cli_print.as_json(
            [
                {
                    "look": look.code,
                    "verdict": line.verdict,
                    "seen": line.seen.text(session.language),
                    "todo": line.todo.text(session.language) if line.todo else "",
                }
                for look, line in found
            ]
        )
    else:
        before = ""
        for look, line in found:
            title = look.title.text(session.language)
            _print(session, "" if title == before else title, line)
            before = title
        count = {verdict: sum(line.verdict == verdict for _, line in found) for verdict in MARKS}
        cli_print.line(
            session.say(
                f"{count['ok']} ổn · {count['warn']} nên xem · {count['bad']} phải sửa",
                f"{count['ok']} in order · {count['warn']} to look at · {count['bad']} to see to",
            ),
            "bold",
        )
    if any(line.verdict == "bad" for _, line in found):
        raise typer.Exit(2)


def _print(session: Session, title: str, line: Line) -> None:
    seen = line.seen.text(session.language)
    cli_print.line(f"{MARKS[line.verdict]} {title:<13} {seen}", "bold red" if line.verdict == "bad" else "")
    if line.todo is not None:
        cli_print.line(f"{'':<16}→ {line.todo.text(session.language)}")


@commands.add("metrics")
def show_metrics(session: Session) -> None:
    """Số đo của kho theo dạng Prometheus / the figures of the store as Prometheus reads them."""
    from handlers import metrics  # noqa: PLC0415 - the doctor does without the library

    found = metrics.page(session.store)
    if session.as_json:
        cli_print.as_json([line for line in found.splitlines() if not line.startswith("#")])
    else:
        sys.stdout.write(found)


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    commands.add_to(group)
