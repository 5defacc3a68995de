"""Folders of definitions: a province's own override the shipped ones by name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import workflows.guards  # noqa: F401  (its guards are named in the shipped files)
from engine.findings import DefinitionRefused
from engine.library import definition_files, read_library, rule_papers
from engine.loading import Known
from engine.rule_packs import read_folder
from engine.rules import RuleBook
from workflows import FOLDER

if TYPE_CHECKING:
    from pathlib import Path


def test_parents_and_children_that_know_each_other_are_loaded_together() -> None:
    # given the shipped folder, where projects and advances name each other / when it is read
    library = read_library([FOLDER]).demand()

    # then both are there, and files that are no definitions were left alone
    for name, definition in library.definitions.items():
        for child in definition.children:
            assert name in library.definitions[child].parents
    assert {path.stem for path in definition_files(FOLDER)} == set(library.definitions)


def test_a_local_folder_overrides_by_name(tmp_path: Path) -> None:
    # given a province's folder with its own leave request under another file name
    shutil.copy(FOLDER / "leave_request.yaml", tmp_path / "own.yaml")
    own = (tmp_path / "own.yaml").read_text().replace("Chờ duyệt", "Đang chờ")
    (tmp_path / "own.yaml").write_text(own)

    # when both folders are read
    library = read_library([FOLDER, tmp_path]).demand()

    # then the local one counts, and the shipped one is named as hidden
    assert library.definitions["leave_request"].states["waiting"].title.vi == "Đang chờ"
    assert library.files["leave_request"] == tmp_path / "own.yaml"
    assert library.hidden == (FOLDER / "leave_request.yaml",)


def test_one_bad_file_is_reported_and_the_others_are_loaded(tmp_path: Path) -> None:
    # given a folder with a good file, a bad one, one that can't be read, and a name used twice
    good = (FOLDER / "leave_request.yaml").read_text()
    (tmp_path / "good.yaml").write_text(good)
    (tmp_path / "bad.yaml").write_text(
        good.replace("leave_request", "other", 1).replace("to: waiting", "to: waitin", 1)
    )
    (tmp_path / "broken.yaml").write_text("definition: [")
    (tmp_path / "twice.yaml").write_text(good)

    # when it is read
    library = read_library([tmp_path])

    # then the good one is there, and each fault has its file
    assert list(library.definitions) == ["leave_request"]
    assert [(one.file, one.code) for one in library.findings] == [
        ("bad.yaml", "unknown_state"), ("broken.yaml", "yaml_grammar"), ("twice.yaml", "name_taken")
    ]  # fmt: skip
    with pytest.raises(DefinitionRefused):
        library.demand()


def test_the_shipped_files_declare_every_paper_that_the_rule_packs_ask_for(tmp_path: Path) -> None:
    # given the shipped rule packs and, in a copy of the folder, an advance that lost one kind of paper
    packs, vocabulary = read_folder(FOLDER / "khuyen_cong" / "rules")
    known = Known(papers=rule_papers(RuleBook.of(packs, vocabulary)))
    shutil.copytree(FOLDER, tmp_path / "own")
    file = tmp_path / "own" / "khuyen_cong" / "advance.yaml"
    text = file.read_text()
    lines = [line for line in text.splitlines() if not line.startswith("  progress_form: {type: document")]
    assert len(lines) == len(text.splitlines()) - 1
    file.write_text("\n".join(lines))

    # when both are read
    shipped, own = read_library([FOLDER], known), read_library([tmp_path / "own"], known)

    # then the shipped ones are clean, and the copy is told which paper of which pack is missing
    assert [one.sentence("en") for one in shipped.findings] == []
    found = [one for one in own.findings if one.code == "undeclared_papers"]
    assert [(one.file, one.words.en.split(". ")[0]) for one in found] == [
        (
            "advance.yaml",
            "rules.advance_documents (national) asks for papers that are not in fields: progress_form",
        )
    ]
