"""The command line: all commands in one, errors told the same way, an exit code for each family of errors.

Exit codes: 0 done, 2 refused (you can act), 70 broken (an operator must look), 75 unavailable (try again
later).
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import typer
from typer.exceptions import Exit, TyperException

from config.logs import quieten, set_up
from config.setting_wrong import SettingWrong
from config.settings import read_settings
from engine.errors import LANGUAGES
from handlers import cli_print, cli_usage, serving_process
from handlers.faults import as_ours

if TYPE_CHECKING:
    from types import ModuleType

REFUSED, BROKEN, INTERRUPTED = 2, 70, 130
#: Which file declares which commands. A command loads its own file only; help, and a word that is none, load all.
PLACES = {
    "cli_copy": ("copy-store",),
    "cli_store": ("init", "up", "worker", "ticker", "schema"),
    "cli_definitions": ("validate", "publish", "definitions", "diagram", "calendar", "rules"),
    "cli_cases": ("start", "fire", "edit", "attach", "detach", "comment", "assign", "vote", "cases"),
    "cli_looking": ("show", "history", "list", "board", "inbox", "due", "agenda"),
    "cli_report": ("report",),
    "cli_registers": ("person", "organisation", "establishment", "budget"),
    "cli_doctor": ("doctor", "metrics"),
    "cli_audit": ("stuck", "retry", "audit"),
}


def make(word: str = "") -> typer.Typer:
    """Return the command line with the command `word`; with all of them where there is no such command."""
    group = typer.Typer(
        name="tiendo",
        help="Tiến độ: theo dõi và duyệt hồ sơ khuyến công / workflow and approval engine.",
        callback=_commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for module in _declaring(word):
        module.add_to(group)
    return group


def _declaring(word: str) -> list[ModuleType]:
    files = [file for file, declared in PLACES.items() if word in declared] or list(PLACES)
    return [import_module(f"handlers.{file}") for file in files]


def _commands() -> None:
    """Keep the command line a group when one command alone is declared."""


def main() -> NoReturn:
    """Run one command and leave with its exit code; a worker or ticker goes on as a process without all this."""
    serving_process.MAY_BECOME.set(True)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; nothing but a bug of ours leaves as a traceback in the log."""
    asked = _asked_language(arguments)
    language = asked or "vi"
    try:
        settings = read_settings()
        set_up(settings.log_format, settings.log_level)
        language = asked or settings.language
        quieten()
        code = make(arguments[0] if arguments else "")(
            args=arguments, prog_name="tiendo", standalone_mode=False
        )
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - each has its answer, and what is left is a fault of ours
        return _answered(problem, arguments, language)
    return code if isinstance(code, int) else 0


def _answered(problem: Exception, arguments: list[str], language: str) -> int:
    """Say what was in the way, and return the exit code; of a fault of ours the log gets the traceback."""
    if isinstance(problem, SettingWrong):
        if "--json" in arguments:
            cli_print.as_json(
                {"error": {"code": problem.code, "sentence": problem.sentence(language), "unmet": []}}
            )
        else:
            cli_print.screen(error=True).print(problem.sentence(language))
        return REFUSED
    if isinstance(problem, Exit):
        return int(problem.exit_code)
    if isinstance(problem, TyperException):
        return _misread(problem, arguments, language)
    return cli_print.problem(as_ours(problem), language=language, json="--json" in arguments)


def _misread(wrong: TyperException, arguments: list[str], language: str) -> int:
    """Say what can't be read as a command; nothing typed at all is answered with the list of commands."""
    if type(wrong).__name__ == "NoArgsIsHelpError":
        cli_print.screen(error=True).print(wrong.format_message())
        return REFUSED
    words = [word for declared in PLACES.values() for word in declared]
    refused = cli_usage.usage(wrong, arguments, words)
    return cli_print.problem(refused, language=language, json="--json" in arguments)


def _asked_language(arguments: list[str]) -> str:
    """Return the language that --lang names; "" where it names none that we have."""
    said = [one.removeprefix("--lang=") for one in arguments if one.startswith("--lang=")]
    said += [after for before, after in pairwise(arguments) if before == "--lang"]
    return next((one for one in reversed(said) if one in LANGUAGES), "")


if __name__ == "__main__":
    main()
