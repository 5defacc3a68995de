"""The published JSON Schema says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.findings import DefinitionRefused
from engine.language_schema import schema
from engine.library import definition_files
from engine.loader import load
from engine.yaml_text import plain, read
from workflows import FOLDER

PUBLISHED = json.loads((FOLDER / "definition.schema.json").read_text())
VALIDATOR = Draft202012Validator(PUBLISHED)
SHIPPED = definition_files(FOLDER)
FINDINGS = Path(__file__).parents[1] / "unit" / "findings"
#: All but those that are no YAML of ours, which no schema can see.
READABLE = [path for path in sorted(FINDINGS.glob("*.yaml")) if not path.stem.startswith("yaml_")]
#: What the grammar alone finds; all other findings need more than the shape of the file.
BY_SHAPE = {
    "unknown_key", "missing_key", "wrong_type", "unknown_word", "too_many_keys", "missing_words", "bad_name",
    "fixed_date_without_year",
}  # fmt: skip


def test_the_published_file_is_the_grammar() -> None:
    # given the file beside the definitions / when it is compared with the grammar / then they are the same
    assert schema() == PUBLISHED, "run scripts/write_schema.py"
    Draft202012Validator.check_schema(PUBLISHED)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_definitions_fit_the_schema(path: Path) -> None:
    # given a shipped file / when it is held against the schema / then nothing is found
    assert list(VALIDATOR.iter_errors(plain(read(path.read_text(), name=path.name)))) == []


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_schema_and_loader_refuse_the_same_shapes(path: Path) -> None:
    # given a file with one fault
    content = plain(read(path.read_text(), name=path.name))

    # when it is held against the schema / then it is refused exactly when the grammar refuses it
    assert bool(list(VALIDATOR.iter_errors(content))) is (path.stem in BY_SHAPE)


def _keys(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all maps of a plain definition."""
    if isinstance(part, dict):
        return [path, *(one for key, value in part.items() for one in _keys(value, (*path, key)))]
    if isinstance(part, list):
        return [one for index, value in enumerate(part) for one in _keys(value, (*path, index))]
    return []


def test_a_foreign_key_anywhere_is_refused_by_both() -> None:
    # given the teaching example, and a key that the language does not have in each of its maps in turn
    path = FOLDER / "leave_request.yaml"
    content = plain(read(path.read_text(), name=path.name))
    places = [place for place in _keys(content) if "given" not in place and "guards" not in place]
    assert len(places) > 60

    for place in places:
        changed = json.loads(json.dumps(content))
        part = changed
        for step in place:
            part = part[step]
        part["Foreign-Key"] = 1

        # when the changed file is held against the schema and loaded / then both refuse it
        assert list(VALIDATOR.iter_errors(changed)), place
        with pytest.raises(DefinitionRefused):
            load(json.dumps(changed), name="changed.yaml")
