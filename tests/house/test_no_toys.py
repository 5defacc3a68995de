"""A test says something, of the real thing, without waiting: no empty test, no mock, no xfail, no sleep."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.house.sources import HERE, imports, parse, plant, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A helper whose name starts so is a check of its own.
CHECKS = ("assert", "check", "expect", "raises", "warns", "fail")
BANNED_MARKS = {"pytest.mark.xfail", "pytest.mark.skip", "pytest.xfail"}


def each_test(root: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    for file in python_files(root, ("tests",)):
        for node in ast.walk(parse(root, file)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield file, node


def checks_something(test: ast.FunctionDef) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name.lstrip("_").startswith(CHECKS):
                return True
    return False


def empty_tests(root: Path) -> list[str]:
    return [f"{file}: {test.name}" for file, test in each_test(root) if not checks_something(test)]


def toys(root: Path) -> list[str]:
    found = []
    for file in python_files(root, ("tests",)):
        found += [
            str(each) for each in imports(root, file) if each.module.split(".")[:2] == ["unittest", "mock"]
        ]
        for node in ast.walk(parse(root, file)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in BANNED_MARKS:
                found.append(f"{file}:{node.lineno} {ast.unparse(node)}")
    return found


def sleepers(root: Path) -> list[str]:
    """Return the tests that sleep. Helpers that wait for a real process may; they poll for a condition."""
    return [
        f"{file}: {test.name}"
        for file, test in each_test(root)
        for node in ast.walk(test)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}
    ]


def test_each_test_checks_something() -> None:
    assert not (found := empty_tests(HERE)), "\n".join(found)


def test_no_test_mocks_skips_or_expects_to_fail() -> None:
    assert not (found := toys(HERE)), "\n".join(found)


def test_no_test_sleeps() -> None:
    assert not (found := sleepers(HERE)), "\n".join(found)


@pytest.mark.parametrize("body", ["pass", "x = 1", "assert True", "print('ok')"])
def test_a_planted_empty_test_is_found(tmp_path: Path, body: str) -> None:
    plant(
        tmp_path, tests__test_a=f"def test_a():\n    {body}", tests__test_b="def test_b():\n    assert 1 == 1"
    )
    assert empty_tests(tmp_path) == ["tests/test_a.py: test_a"]


@pytest.mark.parametrize(
    "text",
    [
        "from unittest.mock import Mock",
        "import unittest.mock",
        "import pytest\n@pytest.mark.xfail\ndef test_a(): ...",
        "import pytest\n@pytest.mark.skip(reason='x')\ndef test_a(): ...",
    ],
)
def test_a_planted_toy_is_found(tmp_path: Path, text: str) -> None:
    assert len(toys(plant(tmp_path, tests__test_a=text))) == 1


def test_a_planted_sleeper_is_found(tmp_path: Path) -> None:
    plant(tmp_path, tests__test_a="import time\ndef test_a():\n    time.sleep(1)\n    assert 1")
    assert sleepers(tmp_path) == ["tests/test_a.py: test_a"]
