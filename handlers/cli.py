"""The command line: all commands in one, errors told the same way, an exit code for each family of errors.

Exit codes: 0 done, 2 refused (you can act), 70 broken (an operator must look), 75 unavailable (try again
later).
"""

from __future__ import annotations

import logging
import sys
from itertools import pairwise
from typing import NoReturn

import typer
from typer.exceptions import Exit, TyperException

from config.logs import set_up
from config.setting_wrong import SettingWrong
from config.settings import read_settings
from engine.errors import TiendoError
from handlers import (
    cli_audit,
    cli_cases,
    cli_definitions,
    cli_looking,
    cli_print,
    cli_registers,
    cli_report,
    cli_store,
)

REFUSED, BROKEN, INTERRUPTED = 2, 70, 130


def make() -> typer.Typer:
    """Return the whole command line."""
    group = typer.Typer(
        name="tiendo",
        help="Tiến độ: theo dõi và duyệt hồ sơ khuyến công / workflow and approval engine.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for commands in (cli_store.commands, cli_definitions.commands, cli_cases.commands, cli_looking.commands):
        commands.add_to(group)
    for module in (cli_report, cli_registers, cli_audit):
        module.add_to(group)
    many = typer.Typer(help="Chuyển phiên bản hàng loạt / many cases at once", callback=_many)
    cli_cases.moving.add_to(many)
    group.add_typer(many, name="cases")
    return group


def _many() -> None:
    """Make `cases` a group although it has one command so far."""


def main() -> NoReturn:
    """Run one command and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; nothing but a bug of ours leaves as a traceback in the log."""
    language = "en" if _wants_english(arguments) else "vi"
    try:
        settings = read_settings()
        set_up(settings.log_format, settings.log_level)
        if "--lang" not in " ".join(arguments):
            language = settings.language
        _quieten()
        code = make()(args=arguments, prog_name="tiendo", standalone_mode=False)
    except SettingWrong as wrong:
        cli_print.screen(error=True).print(wrong.sentence(language))
        return REFUSED
    except TiendoError as problem:
        return cli_print.problem(problem, language=language, json="--json" in arguments)
    except Exit as left:
        return int(left.exit_code)
    except TyperException as wrong:
        cli_print.screen(error=True).print(f"{wrong.format_message()}\n(tiendo --help)")
        return REFUSED
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _quieten() -> None:
    """Hear of libraries only what is wrong: their chatter would hide the answer of a command."""
    for name in ("alembic", "transitions", "dramatiq"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _wants_english(arguments: list[str]) -> bool:
    return "--lang=en" in arguments or ("--lang", "en") in pairwise(arguments)


if __name__ == "__main__":
    main()
