"""Bad input at the door: what is shown is what docs/errors.md says, the exit code is right, and nothing was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import audit, records, schema
from engine.registry import Definitions
from tests.acceptance import bad_input, errors_page
from tests.acceptance.bad_input import TRIED, Answers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands_of import Shell

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return bad_input.prepare(tmp_path_factory.mktemp("bad input"))


@pytest.fixture(scope="module")
def counted(shell: Shell) -> dict[str, int]:
    return counts(shell.folder / "sample.db")


@pytest.fixture(scope="module")
def found(shell: Shell, counted: dict[str, int]) -> list[Answers]:
    return bad_input.answers(shell)


def counts(path: Path) -> dict[str, int]:
    store = schema.open_store(path)
    with store.begin() as tx:
        found = {name: int(tx.run(f"SELECT count(*) FROM {name}")[0][0]) for name in records.metadata.tables}
    store.close()
    return found


def test_the_page_shows_what_is_shown(found: list[Answers]) -> None:
    # given the page, and at least forty inputs
    assert len(TRIED) >= 40

    # then it is word for word what the commands say today, in both languages
    assert errors_page.shown(errors_page.INPUT) == errors_page.part(found)


def test_each_ends_with_the_code_of_its_family_and_without_a_traceback(found: list[Answers]) -> None:
    codes = {
        "A store that is none": 70,
        "A store whose guards were taken away": 70,
        "A server that is not there": 75,
    }
    for one in found:
        for answer in (one.vi, one.en):
            assert answer.code == codes.get(one.what, 2), one.what
            assert "Traceback" not in answer.text
            assert len(answer.text) > 20
            # no fact was left unfilled, and none shows an object of the program
            assert not any(sign in answer.text for sign in ("{", "None", "<engine", "Words(")), answer.text


def test_each_is_told_in_the_language_that_was_asked_for_and_in_no_other(found: list[Answers]) -> None:
    for one in found:
        assert one.vi.text != one.en.text
        assert errors_page.other_language(one.vi.text, "vi") == [], one.vi.text
        assert errors_page.other_language(one.en.text, "en") == [], one.en.text


def test_none_of_them_wrote_anything_but_its_refusal(
    shell: Shell, counted: dict[str, int], found: list[Answers]
) -> None:
    after = counts(shell.folder / "sample.db")

    assert len(found) == len(TRIED)
    assert {name for name in after if after[name] != counted[name]} <= {"refusal"}
    store = schema.open_store(shell.folder / "sample.db")
    report = audit.fsck(store, Definitions(store))
    store.close()
    assert report.findings == []
