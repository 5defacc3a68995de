"""Bad input at the door: what is shown is what docs/errors.md says, the exit code is right, and nothing was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import audit, records, schema
from engine.registry import Definitions
from tests.acceptance import bad_input
from tests.acceptance.bad_input import PAGE, TRIED, Answer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands_of import Shell

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return bad_input.prepare(tmp_path_factory.mktemp("bad input"))


@pytest.fixture(scope="module")
def counted(shell: Shell) -> dict[str, int]:
    return counts(shell.folder / "sample.db")


@pytest.fixture(scope="module")
def found(shell: Shell, counted: dict[str, int]) -> list[Answer]:
    return bad_input.answers(shell)


def counts(path: Path) -> dict[str, int]:
    store = schema.open_store(path)
    with store.begin() as tx:
        found = {name: int(tx.run(f"SELECT count(*) FROM {name}")[0][0]) for name in records.metadata.tables}
    store.close()
    return found


def test_the_page_shows_what_is_shown(found: list[Answer]) -> None:
    # given the page, and at least thirty inputs
    shown = PAGE.read_text(encoding="utf-8").split(bad_input.BEGIN)[1].split(bad_input.END)[0].strip()
    assert len(TRIED) >= 30

    # then it is word for word what the commands say today
    assert shown == bad_input.page(found)


def test_each_ends_with_the_code_of_its_family_and_without_a_traceback(found: list[Answer]) -> None:
    broken = {"A store that is none", "A store whose guards were taken away"}
    for one in found:
        assert one.code == (70 if one.what in broken else 2), one.what
        assert "Traceback" not in one.text
        assert len(one.text) > 20
        # no fact was left unfilled, and none shows an object of the program
        assert not any(sign in one.text for sign in ("{", "None", "<engine", "Words(")), one.text


def test_none_of_them_wrote_anything_but_its_refusal(
    shell: Shell, counted: dict[str, int], found: list[Answer]
) -> None:
    after = counts(shell.folder / "sample.db")

    assert len(found) == len(TRIED)
    assert {name for name in after if after[name] != counted[name]} <= {"refusal"}
    store = schema.open_store(shell.folder / "sample.db")
    report = audit.fsck(store, Definitions(store))
    store.close()
    assert report.findings == []


def test_in_english_no_vietnamese_sentence_is_left(shell: Shell) -> None:
    line = "tiendo fire CB-2026-DP-01 registr --as cb-cv1 --lang en"
    answer = shell.run(line)
    assert answer.returncode == 2
    assert "can't be fired" in answer.stderr + answer.stdout
