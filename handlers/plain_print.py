"""What is printed without colours and tables: JSON, and lines of processes that run for long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson

from handlers.faults import exit_code

if TYPE_CHECKING:
    from engine.errors import TiendoError


def as_json(value: Any) -> None:
    """Print JSON: dates ISO, money integers."""
    text = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    sys.stdout.write(text.decode() + "\n")


def line(text: str) -> None:
    """Print one line at once: whoever started this may read a pipe, and wait for the word."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def problem(error: TiendoError, *, language: str, json: bool) -> int:
    """Print why nothing is served and return the exit code of the error's family."""
    if json:
        as_json({"error": {"code": error.code, "sentence": error.sentence(language), "unmet": []}})
    else:
        sys.stderr.write(error.sentence(language) + "\n")
    return exit_code(error)
