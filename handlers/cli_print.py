"""What the command line prints: tables for people, ISO and integers with --json, refusals with the way out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.errors import Refused, Words
from handlers.case_words import source_words
from handlers.faults import exit_code
from handlers.plain_print import as_json as as_json  # noqa: PLC0414 - commands print with this file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.commands import Unmet
    from engine.errors import TiendoError
    from handlers.cli_session import Session

_NARROWEST = 110
_SUPPLY = Words("bổ sung: ", "supply it: ")


def screen(*, error: bool = False) -> Console:
    """Return a console that never breaks a line that is read by a program or copied by a person."""
    found = Console(stderr=error, highlight=False, soft_wrap=True, emoji=False, markup=False)
    if not found.is_terminal:
        found.width = max(found.width, _NARROWEST)
    return found


def line(text: str = "", style: str = "") -> None:
    """Print one line."""
    screen().print(Text(text, style=style))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """Print a table; the columns numbered in `right` are set flush right."""
    made = Table(box=None, header_style="bold", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for number, word in enumerate(head):
        made.add_column(Text(word), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = screen()
    console.soft_wrap = False
    console.print(made)


def show(
    session: Session, value: Any, head: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = ""
) -> None:
    """Print a list: as JSON from `value`, else as a table, or one sentence when there is nothing."""
    if session.as_json:
        as_json(value)
        return
    listed = list(rows)
    if listed:
        table(head, listed)
    else:
        line(empty or session.say("Không có gì.", "Nothing."))


def problem(error: TiendoError, *, language: str, json: bool, case: str = "") -> int:
    """Print an error the same way everywhere and return the exit code of its family."""
    unmet: tuple[Unmet, ...] = tuple(error.facts.get("unmet", ())) if isinstance(error, Refused) else ()
    if json:
        as_json(
            {
                "error": {
                    "code": error.code,
                    "sentence": error.sentence(language),
                    "unmet": unmet_json(unmet, language),
                }
            }
        )
    else:
        console = screen(error=True)
        console.print(Text(error.sentence(language), style="bold"))
        code = error.facts.get("code", "")
        # Where no case is named by its code there is none yet: what is missing is added to the command itself.
        about = case or (code if isinstance(code, str) else None)
        for text in unmet_lines(unmet, language, about, error.facts.get("trigger_name", "")):
            console.print(Text(text))
    return exit_code(error)


def unmet_json(unmet: Iterable[Unmet], language: str) -> list[dict[str, str]]:
    """Return unmet requirements as plain data."""
    return [
        {
            "code": one.code,
            "words": one.words.text(language),
            "citation": one.citation,
            "grade": one.grade,
            "place": one.place,
        }
        for one in unmet
    ]


def unmet_lines(
    unmet: Iterable[Unmet],
    language: str,
    case: str | None,
    trigger: str = "",
    people: Sequence[str] = (),
    me: str = "",
) -> list[str]:
    """Return, for each unmet requirement, what is missing with its source, and the very command that supplies it.

    Shapes:
        case: its code; None: the case is only being opened.
    """
    lines: list[str] = []
    for one in unmet:
        source = source_words(one.citation, one.grade, language)
        lines.append(f"  ✗ {one.words.text(language)}" + (f"  [{source}]" if source else ""))
        way = _added(one, language) if case is None else supply(one, language, case, trigger, people, me)
        if way:
            lines.append(f"      {_SUPPLY.text(language)}{way}")
    return lines


def _added(one: Unmet, language: str) -> str:
    """Return the option of `tiendo start` by which a requirement is met."""
    kind, _, word = one.place.partition(":")
    paper = "NUMBER,DAY,SIGNER" if language == "en" else "SỐ,NGÀY,NGƯỜI KÝ"
    ways = {"field": f"--set {word}=…", "document": f'--document "{word}:{paper}"', "reason": '--reason "…"'}
    return ways.get(kind, "")


def supply(
    one: Unmet, language: str, case: str, trigger: str = "", people: Sequence[str] = (), me: str = ""
) -> str:
    """Return the command line, or the sentence, by which a requirement is met."""
    kind, _, word = one.place.partition(":")
    code = shlex.quote(case) if case else "CODE"
    said = language == "en"
    first, others = (shlex.quote(people[0]) if people else "…"), ", ".join(people[1:])
    # What stands after # is no part of the command: the line can be copied as it is.
    who = first + (f"  # {'or' if said else 'hoặc'} {others}" if others else "")
    ways = {
        "field": f"tiendo edit {code} --set {word}=…{me}",
        "document": f'tiendo attach {code} {word} --number … --signed-on dd/mm/yyyy --signer "…"{me}',
        "rule": f'tiendo edit {code} --rule {word}=… --source "…"{me}',
        "reason": f'tiendo fire {code} {trigger or "…"} --reason "…"{me}',
        "votes": f"tiendo vote {code} {trigger or '…'} yes --as {who}",
        "person": f"tiendo fire {code} {trigger or '…'} --as {who}",
        "children": f"tiendo list --root {code}{me}",
        "plan": "tiendo budget set CODE programme=… scope=… plan_year=… amount_vnd=… --operator",
        "establishment": "tiendo establishment list",
        "parent": "the parent case" if said else "ở hồ sơ mẹ",
    }
    return ways.get(kind, "")
