"""What is wrong with a definition: one finding each, with its place in the file and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Refused, Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.yaml_text import Node


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to correct.

    Shapes:
        file: name as people know it. line, column: 1-based.
        code: stable word. words: what is wrong and what to do. suggestion: the word probably meant, or "".
    """

    file: str
    line: int
    column: int
    code: str
    words: Words = field(compare=False)
    suggestion: str = ""

    def sentence(self, language: str = "vi") -> str:
        """Return `file:line:column: what is wrong [code]`."""
        asked = {"vi": "Có phải là", "en": "Did you mean"}["en" if language == "en" else "vi"]
        hint = f" {asked} “{self.suggestion}”?" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.words.text(language)}{hint} [{self.code}]"


class DefinitionRefused(Refused):
    """A file is no definition that could run. Nothing was made of it.

    Shapes:
        findings: all that was found, in the order of the file; never empty.
    """

    code = "definition_refused"
    words = Words(
        "Quy trình {file} có {count} chỗ phải sửa:\n{list_vi}",
        "The definition {file} has {count} places to correct:\n{list_en}",
    )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found."""
        found: tuple[Finding, ...] = self.facts["findings"]
        return found


def refusal(file: str, findings: Iterable[Finding]) -> DefinitionRefused:
    """Return the refusal that carries `findings`, each once, in the order of the file."""
    found = tuple(sorted(dict.fromkeys(findings)))
    return DefinitionRefused(
        file=file,
        count=len(found),
        findings=found,
        list_vi="\n".join(one.sentence("vi") for one in found),
        list_en="\n".join(one.sentence("en") for one in found),
    )


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each part of a file stands, asked by the keys that lead to it.

    Shapes:
        file: name as people know it. root: the whole file as nodes.
    """

    file: str
    root: Node

    def place(self, *path: str | int) -> tuple[int, int]:
        """Return line and column of the part `path` leads to, or of the nearest part above when it is absent.

        For a key of a map this is the key; for an item of a list, the item.
        """
        node, place = self.root, (self.root.line, self.root.column)
        for step in path:
            if isinstance(step, int):
                if step >= len(node.items):
                    return place
                node = node.items[step]
                place = (node.line, node.column)
            else:
                entry = node.entries.get(step)
                if entry is None:
                    return place
                node, place = entry.node, (entry.line, entry.column)
        return place

    def value_place(self, *path: str | int) -> tuple[int, int]:
        """Return line and column of the value that `path` leads to, or of the nearest part above."""
        node: Node | None = self.root
        for step in path:
            node = _below(node, step)
            if node is None:
                return self.place(*path)
        return (node.line, node.column) if node else self.place(*path)

    def place_inside(self, path: tuple[str | int, ...], column: int, text: str) -> tuple[int, int]:
        """Return the place of one character of a value that stands on one line; else the place of the value.

        Shapes:
            column: 1-based, in the value. text: the whole file.
        """
        line, start = self.value_place(*path)
        lines = text.splitlines()
        opening = lines[line - 1][start - 1 : start] if line <= len(lines) else ""
        if opening in {"|", ">"}:
            return line, start
        return line, start + column - 1 + (opening in {'"', "'"})


def _below(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    if isinstance(step, int):
        return node.items[step] if step < len(node.items) else None
    entry = node.entries.get(step)
    return entry.node if entry else None
