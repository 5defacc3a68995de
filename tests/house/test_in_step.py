"""What is written twice is compared: the error codes and their page, the settings and their example."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from config.setting_wrong import SettingWrong
from config.settings import Settings, example
from engine.errors import Broken, Refused, Unavailable, Words
from scripts import errors_doc
from tests.house.sources import HERE

LOCKS = HERE / "config" / "locks"


def pinned(lock: str) -> dict[str, str]:
    """Return name → version of a lock."""
    text = (LOCKS / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE))


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_the_page_of_errors_lists_exactly_the_codes_of_the_product() -> None:
    # given: a process of its own, because tests declare errors too
    asked = [sys.executable, "scripts/errors_doc.py", "--check"]
    # when
    answered = subprocess.run(asked, cwd=HERE, capture_output=True, text=True, check=False)
    # then
    assert answered.returncode == 0, answered.stderr


def test_a_missing_and_a_surplus_code_put_the_page_out_of_step() -> None:
    # given
    words = Words("Hết chỗ | hàng", "Full")
    one = type("Full", (Unavailable,), {"code": "full", "words": words})
    table = errors_doc.rows([Broken, Refused, one])
    page = errors_doc.written("# Errors\n", table)
    # when / then
    assert [row.split("`")[1] for row in table] == ["refused", "full", "broken"]
    assert "Hết chỗ \\| hàng" in page
    assert errors_doc.written(page, table) == page
    assert errors_doc.written(page, table[:-1]) != page
    assert errors_doc.written(page.replace("| `full` |", "| `fool` |"), table) == page


def test_the_row_of_the_settings_says_what_their_error_says() -> None:
    assert f"`{SettingWrong.code}`" in errors_doc.SETTING_ROW


def test_the_example_of_settings_is_the_settings() -> None:
    assert (HERE / "config" / "example.env").read_text(encoding="utf-8") == example()


def test_each_setting_has_its_meaning_in_both_languages_and_what_is_allowed() -> None:
    for name, field in Settings.model_fields.items():
        about = field.json_schema_extra
        assert isinstance(about, dict)
        assert about["vi"], name
        assert about["en"], name
        assert f"#TIENDO_{name.upper()}=" in example()


@pytest.mark.parametrize(("lock", "groups"), [("run.lock", ("build",)), ("test.lock", ("build", "test"))])
def test_each_lock_pins_and_hashes_all_that_the_project_asks_for(lock: str, groups: tuple[str, ...]) -> None:
    # given
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"]]
    for group in groups:
        asked += project["dependency-groups"][group]
    text = (LOCKS / lock).read_text(encoding="utf-8")
    # then
    assert {normal(each) for each in asked} <= pinned(lock).keys()
    for entry in re.split(r"\n(?=[a-z0-9])", text.split("\n", 2)[2]):
        assert "--hash=sha256:" in entry, entry[:60]


def test_the_tests_run_with_the_versions_that_users_run_with() -> None:
    run, test = pinned("run.lock"), pinned("test.lock")
    assert run
    assert {name: test.get(name) for name in run} == run
