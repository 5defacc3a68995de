"""Each finding has one file that has exactly it; the first line of the file says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.linter import validate
from engine.loader import Known, Outline
from engine.loading import KINDS, Papers

FINDINGS = Path(__file__).parent / "findings"
FILES = sorted(FINDINGS.glob("*.yaml"))
KNOWN = Known(
    definitions={
        "payment": Outline("payment", parents=("sample",)),
        "orphan": Outline("orphan"),
        "ring": Outline("ring", parents=("sample",), children=frozenset({"sample"})),
    },
    rules={"advance_rate": "integer", "minister_papers": "list"},
    papers={"minister_papers": (Papers({}, ("contract", "draft_decision"), "national"),)},
    notices=frozenset({"decided", "deadline_near", "deadline_today", "deadline_passed"}),
)
#: Codes that a file shows; a code that the engine knows and no file shows fails the test below.
ENGINE = Path(__file__).parents[2] / "engine"
CODE = re.compile(
    r'(?:add|add_key|yield|refuse\((?:self\.)?text,|missing=|code: str =|return|_Meant\()\(?\s*"([a-z]+_[a-z_]+)"'
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_with_one_fault_gives_exactly_that_finding(file: Path) -> None:
    # given a file whose first line says where its only fault is and what was probably meant
    text = file.read_text()
    expected = re.fullmatch(r"# expect: (\d+):(\d+)(?: -> (.*))?", text.splitlines()[0])
    assert expected is not None

    # when it is validated
    _, findings = validate(text, name=file.name, known=KNOWN)

    # then that is found, there, with that suggestion, and nothing else
    assert [(one.code, one.line, one.column, one.suggestion) for one in findings] == [
        (file.stem, int(expected[1]), int(expected[2]), expected[3] or "")
    ]
    for language in ("vi", "en"):
        assert findings[0].sentence(language).startswith(f"{file.name}:{expected[1]}:{expected[2]}: ")
        assert len(findings[0].words.text(language)) > 10


def test_every_code_that_the_engine_can_say_has_a_file() -> None:
    # given the codes written in the loader, the linter and the expressions
    said = {f"unknown_{kind}" for kind in KINDS}
    for path in ENGINE.glob("*.py"):
        if re.match(r"load|lint|expression|grammar|findings", path.name):
            said |= set(CODE.findall(path.read_text()))

    # when they are compared with the files
    shown = {file.stem for file in FILES}

    # then none is without a file
    assert len(said) > 30
    assert said <= shown, said - shown


def test_the_base_of_all_these_files_is_clean() -> None:
    # given a file of the folder whose fault is taken out
    text = (
        (FINDINGS / "missing_words.yaml")
        .read_text()
        .replace("{vi: Chờ duyệt}", "{vi: Chờ duyệt, en: Waiting}")
    )

    # when it is validated
    definition, findings = validate(text, name="sample.yaml", known=KNOWN)

    # then nothing is found
    assert findings == []
    assert definition is not None
    assert list(definition.states) == ["waiting", "approved"]


def test_all_findings_of_a_file_are_reported_at_once() -> None:
    # given a file with three names that do not exist
    text = (FINDINGS / "unknown_state.yaml").read_text()
    text = text.replace("by: office.head", "by: office.hed").replace("phase: approval", "phase: aproval")

    # when it is validated
    _, findings = validate(text, name="sample.yaml", known=KNOWN)

    # then all three are reported, in the order of the file
    assert [one.code for one in findings] == ["unknown_phase", "unknown_state", "unknown_role"]
