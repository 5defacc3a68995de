"""All definitions of some folders: the shipped ones, and a province's own, which override by name.

Parents and children know each other, so every file is first read for its outline and then loaded with the
outlines of all. Files that are no definitions (rule packs, calendars, texts) are recognised by their first
keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.errors import Words
from engine.findings import DefinitionRefused, Finding, refusal
from engine.linter import validate
from engine.loader import outline
from engine.loading import Known, Papers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from engine.definition import Definition
    from engine.expression_types import Shape
    from engine.loading import Outline
    from engine.rules import RuleBook

_FIRST_KEY = re.compile(rb"^definition:", re.MULTILINE)
#: Unit of a rule -> type of its value in expressions.
_RULE_TYPES: Mapping[str, str] = {
    "money": "integer", "percent": "integer", "factor": "integer", "count": "integer", "days": "integer",
    "working_days": "integer", "text": "text", "month_day": "text", "words": "list", "documents": "list",
    "yes_no": "yes_no",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Library:
    """What the folders hold.

    Shapes:
        definitions: name -> definition, of every file that could be loaded, in the order of the files.
        files: name -> the file that counts. hidden: files overridden by a later folder.
        outlines: name -> what the others may know of it. findings: all that is to be corrected, by file.
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def demand(self) -> Library:
        """Return itself when nothing is to be corrected.

        Errors:
            DefinitionRefused: carries the findings of all files.
        """
        if self.findings:
            raise refusal(", ".join(dict.fromkeys(one.file for one in self.findings)), self.findings)
        return self


def definition_files(folder: Path) -> list[Path]:
    """Return the definition files of a folder and the folders below it, sorted by path."""
    return [
        path
        for path in sorted(folder.rglob("*.yaml"))
        if path.is_file() and _FIRST_KEY.search(path.read_bytes())
    ]


def read_library(folders: Iterable[Path], known: Known | None = None) -> Library:
    """Return the definitions of `folders`; in a later folder a name overrides the same name of an earlier one.

    Shapes:
        known: rule keys, guards and notices to check against; its definitions are those of the folders.
    Errors:
        OSError: a folder can't be read. What is wrong inside files stands in `findings`.
    """
    files: dict[str, Path] = {}
    outlines: dict[str, Outline] = {}
    hidden: list[Path] = []
    findings: list[Finding] = []
    for folder in folders:
        own: set[str] = set()
        for path in definition_files(folder):
            shown = _shown(path, folder)
            try:
                one = outline(path.read_bytes(), name=shown)
            except DefinitionRefused as why:
                findings.extend(why.findings)
                continue
            if one.name in own:
                findings.append(_twice(shown, one.name, files[one.name].name))
                continue
            if one.name in files:
                hidden.append(files[one.name])
            own.add(one.name)
            files[one.name], outlines[one.name] = path, one
    known = replace(known or Known(), definitions=outlines)
    definitions: dict[str, Definition] = {}
    for name, path in files.items():
        definition, found = validate(path.read_bytes(), name=path.name, known=known)
        findings.extend(found)
        if definition is not None:
            definitions[name] = definition
    return Library(definitions, files, tuple(hidden), outlines, tuple(sorted(findings)))


def rule_types(book: RuleBook) -> Shape:
    """Return key of a rule pack -> type of its value in expressions."""
    return {key: _RULE_TYPES[rule.unit] for pack in book.packs for key, rule in pack.rules.items()}


def rule_papers(book: RuleBook) -> Mapping[str, tuple[Papers, ...]]:
    """Return key of a rule pack that lists papers -> what each of its rows asks for, and of whom.

    Rows that are not verified ask for nothing yet. Rows of the past are among them: their cases still run.
    """
    return {
        key: tuple(
            Papers(dict(row.when), row.value, pack.pack)
            for pack, row in book.rows(key)
            if isinstance(row.value, tuple)
        )
        for key in book.keys
        if book.rule(key).unit == "documents"
    }


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _twice(file: str, name: str, other: str) -> Finding:
    words = Words(
        f"Quy trình “{name}” đã có trong {other}. Hãy đổi tên một trong hai.",
        f"The definition “{name}” stands in {other}, too. Rename one of the two.",
    )
    return Finding(file, 1, 1, "name_taken", words)
