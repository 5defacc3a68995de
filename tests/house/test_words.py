"""One word per thing: names that the product gives never use the words that mean something else elsewhere."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pytest

from tests.house.sources import HERE, parse, plant, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Forbidden word, and what we say instead.
INSTEAD = {
    "template": "definition",
    "flow": "definition",
    "process": "definition",
    "instance": "case",
    "job": "case or outbox row",
    "status": "state",
    "stage": "phase",
    "event": "trigger or log entry",
    "action": "trigger",
    "signal": "trigger",
    "actor": "principal",
    "user": "principal",
    "tenant": "party",
    "task": "handler",
    "consumer": "handler",
    "assignee": "holder",
    "revision": "version",
}
#: (file, name, reason): where the word is another's, or belongs to another thing.
REASONED = (
    ("config/settings.py", "smtp_user", "the mail server's own word"),
    ("config/handed_settings.py", "smtp_user", "the same"),
    ("config/logs.py", "*event*", "structlog's own word"),
    ("engine/machine.py", "*event*", "the machine library's own word for one firing"),
    ("engine/yaml_text.py", "*event*", "the YAML reader's own word for a piece of the file"),
    ("engine/working_calendar.py", "*status*", "a calendar day is law, announced or proposed: not a state"),
    ("engine/legal_clock.py", "*status*", "the same, shown line by line"),
    ("engine/*calendar*.py", "*status*", "the same, in other files of the calendar"),
    ("engine/*deliver*.py", "*status*", "deliveries have a status, cases have a state"),
    ("handlers/mail.py", "*user*", "the mail server's own word"),
    ("handlers/notices.py", "*status*", "deliveries have a status, cases have a state"),
    ("handlers/*", "*template*", "Jinja's own word for the text of a notice or page"),
    ("handlers/*", "*actor*", "Dramatiq's own word for a function on its broker"),
    ("handlers/*", "*signal*", "the operating system's own word"),
    ("handlers/*", "*process*", "a running program: the worker, the ticker"),
    ("handlers/*", "*status*", "HTTP's own word"),
    ("engine/migrations/*", "*revision*", "Alembic's own word"),
)


def words_of(name: str) -> set[str]:
    """Return the words of a snake_case or CamelCase name, lower, also without a plural s."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    lowered = {part.lower() for part in parts}
    return lowered | {part.removesuffix("s") for part in lowered if part not in {"status", "process"}}


def given_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the names that a file itself gives: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def wrong_words(root: Path) -> list[str]:
    wrong = []
    for file in python_files(root):
        for line, name in sorted(set(given_names(parse(root, file)))):
            hit = sorted(words_of(name) & INSTEAD.keys())
            if hit and not any(
                fnmatch(file, where) and fnmatch(name.lower(), what) for where, what, _ in REASONED
            ):
                wrong.append(f"{file}:{line} {name}: we say {INSTEAD[hit[0]]}")
    return wrong


def test_the_product_gives_no_name_with_a_word_that_means_something_else() -> None:
    assert not (found := wrong_words(HERE)), "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "class FlowTemplate: ...",
        "def fire(user): ...",
        "job_count = 1",
        "self.actors = 2",
        "for event in x: ...",
        "caseStatus = 1",
    ],
)
def test_a_planted_wrong_word_is_found(tmp_path: Path, text: str) -> None:
    assert len(wrong_words(plant(tmp_path, engine__a=text))) == 1


def test_a_word_inside_another_word_or_borrowed_by_import_is_no_offence(tmp_path: Path) -> None:
    plant(
        tmp_path,
        engine__a="from sqlalchemy import event\nisinstance(event, object)\nworkflow_case = processed = 1",
    )
    assert wrong_words(tmp_path) == []


def test_each_exception_has_a_reason() -> None:
    assert all(len(reason.split()) >= 2 for _, _, reason in REASONED)
