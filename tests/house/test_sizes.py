"""Files are small and their names say what they hold."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

import pytest

from tests.house.sources import HERE, plant, python_files, tracked

LINES_AT_MOST = 400
SAYS_NOTHING = {"utils", "util", "common", "helpers", "helper", "base", "manager", "service", "core", "misc"}
ALLOWED_AT_TOP = {
    *("engine", "workflows", "handlers", "tests", "config", "docs", "scripts"),
    *("pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile"),
}


def sizes(root: Path) -> dict[str, int]:
    return {file: len((root / file).read_text(encoding="utf-8").splitlines()) for file in python_files(root)}


def too_long(root: Path) -> list[str]:
    return [f"{file}: {count} lines" for file, count in sizes(root).items() if count > LINES_AT_MOST]


def bad_names(root: Path) -> list[str]:
    forbidden = SAYS_NOTHING | set(sys.stdlib_module_names) - {"__main__"}
    named = ((file, {Path(file).stem, *Path(file).parts[1:-1]}) for file in python_files(root))
    return [file for file, names in named if names & forbidden]


def strangers_at_top(root: Path) -> list[str]:
    tops = {path.split("/", 1)[0] for path in tracked(root)}
    return sorted(top for top in tops if top not in ALLOWED_AT_TOP and not top.startswith("."))


def test_no_product_file_is_longer_than_four_hundred_lines() -> None:
    counted = sizes(HERE)
    filled = [count for count in counted.values() if count > 1]
    print(f"{len(filled)} product files, median {median(filled):.0f} lines, longest {max(filled)}")
    assert not (found := too_long(HERE)), "\n".join(found)


def test_no_module_has_a_name_that_says_nothing_or_hides_the_standard_library() -> None:
    assert not (found := bad_names(HERE)), "\n".join(found)


def test_nothing_stands_at_the_top_but_what_belongs_there() -> None:
    assert not (found := strangers_at_top(HERE)), "\n".join(found)


def test_a_planted_long_file_is_found(tmp_path: Path) -> None:
    plant(tmp_path, engine__a="x = 1\n" * 401, engine__b="x = 1\n" * 400)
    assert too_long(tmp_path) == ["engine/a.py: 401 lines"]


@pytest.mark.parametrize(
    "name", ["engine__utils", "handlers__base", "engine__calendar", "engine__helpers__money"]
)
def test_a_planted_bad_name_is_found(tmp_path: Path, name: str) -> None:
    assert len(bad_names(plant(tmp_path, **{name: "", "engine__records": ""}))) == 1


def test_a_planted_stranger_at_the_top_is_found(tmp_path: Path) -> None:
    # given
    plant(tmp_path, engine__a="", lib__b="")
    (tmp_path / "NOTES.md").write_text("x", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("x", encoding="utf-8")
    # when / then
    assert strangers_at_top(tmp_path) == ["NOTES.md", "lib"]
