"""The command line loads the file of a command only: the list of who declares what must be the truth."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
import typer

from handlers.cli import PLACES


def declared_by(file: str) -> set[str]:
    group = typer.Typer()
    import_module(f"handlers.{file}").add_to(group)
    named = {one.name for one in group.registered_commands} | {one.name for one in group.registered_groups}
    return {name for name in named if isinstance(name, str)}


@pytest.mark.parametrize("file", PLACES)
def test_each_file_declares_the_commands_that_are_looked_for_in_it(file: str) -> None:
    assert declared_by(file) == set(PLACES[file])


def test_a_command_that_only_looks_loads_neither_alembic_nor_dramatiq_nor_a_terminal_library() -> None:
    # given what must not be loaded
    heavy = ("alembic", "dramatiq", "jinja2", "prompt_toolkit", "smtplib")
    asked = (
        f"import sys, handlers.cli as c; c.make('show'); print([n for n in {heavy!r} if n in sys.modules])"
    )

    # when a process of its own makes ready for `show`
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    # then
    assert said.stdout.strip() == "[]"
