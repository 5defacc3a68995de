"""A store that can't be used, met through the command line as a process: the right family, nothing lost."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

import workflows
from engine.civil_time import day_at
from engine.errors import all_errors
from tests.acceptance import bad_input, bad_stores, errors_page
from tests.acceptance.bad_stores import CASE, FAULTS, OUTSIDE, READ, WRITE, Told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.commands_of import Shell

pytestmark = pytest.mark.timeout(600)
_PAGE = 4096
_DAY = 86_400


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return bad_input.prepare(tmp_path_factory.mktemp("bad stores"))


@pytest.fixture(scope="module")
def told(prepared: Shell, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    return bad_stores.told_all(tmp_path_factory.mktemp("faults"), prepared.folder / "sample.db")


@pytest.fixture
def shell(prepared: Shell, tmp_path: Path) -> Shell:
    return bad_stores.shell_of(bad_stores.scene_of(tmp_path, prepared.folder / "sample.db", 0))


def test_the_page_shows_what_is_shown(told: list[Told]) -> None:
    assert errors_page.shown(errors_page.STORES) == errors_page.part(one.answers for one in told)


def is_sentence_of(word: str, language: str, text: str) -> bool:
    """Return whether a text is what an error says, whatever its facts."""
    said = all_errors()[word].words.text(language)
    pattern = ".*".join(re.escape(part) for part in re.split(r"\{[a-z_]+\}", said))
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def test_each_ends_with_the_code_and_the_sentence_of_its_family_in_both_languages(told: list[Told]) -> None:
    assert len(told) == len(FAULTS)
    for one in told:
        answers = {"vi": one.answers.vi, "en": one.answers.en}
        for language, answer in answers.items():
            assert answer.code == one.fault.code, (one.fault.what, answer)
            assert is_sentence_of(one.fault.word, language, answer.text), (one.fault.what, answer)
        assert errors_page.other_language(one.answers.vi.text, "vi") == [], one.answers.vi.text
        assert errors_page.other_language(one.answers.en.text, "en") == [], one.answers.en.text


def test_none_of_them_changed_a_byte_of_the_file(told: list[Told]) -> None:
    assert [one.fault.what for one in told if not one.untouched] == []


def test_what_was_only_in_the_way_is_gone_with_its_cause_and_the_same_command_succeeds(
    told: list[Told],
) -> None:
    for one in told:
        if one.fault.mended:
            one.scene.variables.pop("TIENDO_DATABASE_URL", None)
            one.scene.variables.pop("OUTSIDE_MOUNTED", None)
            shell = bad_stores.shell_of(one.scene)
            done, checked = shell.run(WRITE), shell.run("tiendo audit fsck")
            assert done.returncode == 0, (one.fault.what, done.stderr)
            assert checked.returncode == 0, (one.fault.what, checked.stdout)


def test_wherever_pages_are_overwritten_the_answer_is_broken_or_right(shell: Shell) -> None:
    # given a whole store, what it answers, and a seed
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    store = shell.folder / "tiendo.db"
    whole = store.read_bytes()
    asked = (READ, "tiendo list --as cb-cv1", "tiendo history CB-2016-DP-01 --as cb-cv1", "tiendo audit fsck")
    right = {line: shell.run(line).stdout for line in asked}
    codes: dict[int, int] = {}

    # when one to eight of its pages are noise, again and again
    for _ in range(12):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            at = dice.randrange(len(whole) // _PAGE) * _PAGE
            damaged[at : at + _PAGE] = dice.randbytes(_PAGE)
        store.write_bytes(damaged)
        for line in asked:
            answer = shell.run(line)
            codes[answer.returncode] = codes.get(answer.returncode, 0) + 1

            # then each command says the store is broken, or answers as it did
            assert answer.returncode in {0, 70}, (seed, line, answer)
            assert "Traceback" not in answer.stderr, (seed, line, answer.stderr)
            assert answer.returncode or answer.stdout == right[line], (seed, line, answer.stdout)
        for suffix in ("-wal", "-shm"):
            store.with_name(store.name + suffix).unlink(missing_ok=True)
    print(f"\nseed {seed}: exit codes {codes}")
    assert codes[70] > 8


def test_a_definition_whose_file_was_taken_away_goes_on_for_its_cases(shell: Shell) -> None:
    # given a definition of the province's own, published, with a case under it
    own = shell.folder / "own"
    own.mkdir()
    text = (workflows.FOLDER / "leave_request.yaml").read_text(encoding="utf-8")
    file = own / "absence.yaml"
    file.write_text(text.replace("definition: leave_request", "definition: absence"), encoding="utf-8")
    shell.export(f"export TIENDO_WORKFLOWS_DIR={own}")
    assert shell.run("tiendo publish absence --as cb-cv1 --operator").returncode == 0
    start = "tiendo start absence --party requester=cb-cv1 --party office=cb-ttkc --as cb-cv1"
    started = shell.run(f"{start} --json")
    assert started.returncode == 0, started.stderr + started.stdout
    case = json.loads(started.stdout)["subject"]

    # when its file is removed
    shutil.rmtree(own)
    shell.variables.pop("TIENDO_WORKFLOWS_DIR")

    # then the case is shown and goes on, another can be opened, and the store is whole
    assert shell.run(f"tiendo show {case} --as cb-cv1").returncode == 0
    commented = shell.run(f"tiendo comment {case} Xem --as cb-cv1")
    assert commented.returncode == 0, commented.stderr
    assert shell.run(start).returncode == 0
    assert shell.run("tiendo audit fsck").returncode == 0
    # and a folder that was named and is gone is told
    shell.export(f"export TIENDO_WORKFLOWS_DIR={own}")
    gone = shell.run("tiendo publish absence --as cb-cv1 --operator")
    assert gone.returncode == 2, gone.stdout + gone.stderr
    assert "Traceback" not in gone.stderr


@pytest.mark.parametrize("days", [1, -1, 400], ids=["a day forth", "a day back", "a year forth"])
def test_a_clock_that_was_set_neither_breaks_the_log_nor_turns_it_round(shell: Shell, days: int) -> None:
    # given a case, and a machine whose clock was set
    first = shell.run_apart(f"tiendo comment {CASE} một --as cb-cv1")
    shell.variables |= {"PYTHONPATH": str(OUTSIDE), "OUTSIDE_AHEAD": str(days * _DAY)}

    # when commands come meanwhile, and after it was set right again
    meanwhile = shell.run_apart(f"tiendo comment {CASE} hai --as cb-cv1")
    shown = shell.run_apart(READ)
    shell.variables.pop("OUTSIDE_AHEAD")
    after = shell.run_apart(f"tiendo comment {CASE} ba --as cb-cv1")

    # then each was taken, times never run backwards, and the store is whole
    assert [one.returncode for one in (first, meanwhile, shown, after)] == [0, 0, 0, 0], meanwhile.stderr
    with closing(sqlite3.connect(shell.folder / "tiendo.db")) as connection:
        log = connection.execute(
            "SELECT l.recorded_at FROM transition_log l JOIN workflow_case c ON c.id = l.subject"
            " WHERE c.code = ? ORDER BY l.seq",
            (CASE,),
        )
        times = [at for (at,) in log]
    assert times == sorted(set(times))
    told_day = day_at(times[-2])
    today = day_at(times[0])
    assert told_day - today >= timedelta(days=max(days, 0))
    assert isinstance(today, date)
    assert shell.run_apart("tiendo audit fsck").returncode == 0
