"""docs/definitions.md: its examples load without a finding, and it speaks of every key of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import grammar
from engine.grammar_shapes import Either, ListOf, MapOf, Record, Shape
from engine.linter import validate
from engine.loader import Known, outline

TEXT = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
OUTLINES = [outline(example, name="docs") for example in EXAMPLES]
NOTICES = frozenset({"deadline_near", "deadline_today", "deadline_passed"})


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.name for one in OUTLINES])
def test_an_example_of_the_documentation_is_clean_and_its_tests_pass(example: str) -> None:
    # given an example of the page / when it is validated beside the others
    known = Known(definitions={one.name: one for one in OUTLINES}, rules={}, notices=NOTICES)
    definition, findings = validate(example, name="definitions.md", known=known)

    # then nothing is found, and it has tests of its own that were run
    assert [one.sentence("en") for one in findings] == []
    assert definition is not None
    assert definition.examples


def _keys(shape: Shape) -> set[str]:
    match shape:
        case Record():
            return set(shape.keys) | {word for key in shape.keys.values() for word in _keys(key.shape)}
        case MapOf() | ListOf():
            return _keys(shape.of)
        case Either():
            return {word for option in shape.options for word in _keys(option)}
        case _:
            return set()


def test_every_key_of_the_language_is_explained() -> None:
    # given all keys of the grammar / when they are looked for on the page, in code letters
    keys = _keys(grammar.DEFINITION)
    code = " ".join(re.findall(r"`([^`]*)`", TEXT.replace("```", "")))

    # then each is there
    assert len(keys) > 80
    assert {key for key in keys if not re.search(rf"\b{key}\b", code)} == set()
