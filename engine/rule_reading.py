"""One YAML page of a rule pack and everything that is wrong with it, each with its place and a suggestion."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from engine import yaml_text
from engine.errors import Refused, Words, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from engine.yaml_text import Node

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: line and column are 1-based."""

    line: int
    column: int
    vi: str
    en: str


class PackRefused(Refused):
    """A rule pack or vocabulary says something that can't be. Nothing was taken from the file.

    Shapes:
        facts: file; line, column of the first problem; problems_vi, problems_en: one line each; found: the
            problems as (line, column, vi, en).
    """

    code = "rule_pack_refused"
    words = Words(
        "Gói quy định {file} chưa dùng được:\n{problems_vi}", "Rule pack {file} can't be used:\n{problems_en}"
    )


@dataclass(slots=True)
class Page:
    """The text of one file as nodes; problems are collected and raised together by `close`."""

    name: str
    root: Node
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, text: str | bytes, name: str) -> Page:
        """Return the page of `text`.

        Errors:
            YamlRefused: the text is not one of our files.
        """
        page = cls(name, yaml_text.read(text, name=name))
        if page.root.kind != "map":
            page.problem(page.root, "cần “từ: giá trị”", "`word: value` is wanted")
        return page

    def is_map_with(self, key: str) -> bool:
        """Return whether the file has `key` at its top."""
        return key in self.root.entries

    def content(self) -> Any:
        """Return the whole file as plain values."""
        return yaml_text.plain(self.root)

    def problem(self, node: Node | None, vi: str, en: str) -> None:
        """Note a problem at `node`."""
        place = node or self.root
        self.problem_at(place.line, place.column, vi, en)

    def problem_at(self, line: int, column: int, vi: str, en: str) -> None:
        """Note a problem at a place."""
        self.problems.append(Problem(line, column, vi, en))

    def close(self) -> None:
        """Raise what was noted.

        Errors:
            PackRefused: at least one problem was noted.
        """
        if not self.problems:
            return
        found = sorted(set(self.problems), key=lambda one: (one.line, one.column, one.en))
        shown = found[:_SHOWN_PROBLEMS]
        raise PackRefused(
            file=self.name,
            line=found[0].line,
            column=found[0].column,
            problems_vi="\n".join(
                f"{self.name}, dòng {one.line}, cột {one.column}: {one.vi}." for one in shown
            ),
            problems_en="\n".join(
                f"{self.name}, line {one.line}, column {one.column}: {one.en}." for one in shown
            ),
            found=[(one.line, one.column, one.vi, one.en) for one in found],
        )

    def get(self, node: Node, key: str) -> Node | None:
        """Return the node of `key`, or None when `node` does not have it."""
        entry = node.entries.get(key)
        return entry.node if entry else None

    def keys(self, node: Node, known: Iterable[str], needed: Iterable[str] = ()) -> None:
        """Note keys that are not known, with the nearest known one, and keys that are needed and absent."""
        if node.kind != "map":
            self.problem(node, "cần “từ: giá trị”", "`word: value` is wanted")
            return
        known = tuple(known)
        for entry in node.entries.values():
            if entry.key not in known:
                vi, en = _suggestion(entry.key, known)
                self.problem_at(
                    entry.line, entry.column, f"khoá lạ “{entry.key}”{vi}", f'unknown key "{entry.key}"{en}'
                )
        for key in needed:
            if key not in node.entries:
                self.problem(node, f"thiếu khoá “{key}”", f'the key "{key}" is missing')

    def entries(self, node: Node | None) -> list[tuple[str, Node]]:
        """Return the (key, node) pairs of a map; absent is empty, another kind is a problem."""
        if node is None:
            return []
        if node.kind != "map":
            self.problem(node, "cần “từ: giá trị”", "`word: value` is wanted")
        return [(entry.key, entry.node) for entry in node.entries.values()]

    def items(self, node: Node | None, place: Node) -> tuple[Node, ...]:
        """Return the maps of a list."""
        if node is None or node.kind != "list":
            self.problem(node or place, "cần một danh sách (- …)", "a list (- …) is wanted")
            return ()
        for item in node.items:
            if item.kind != "map":
                self.problem(item, "cần “từ: giá trị”", "`word: value` is wanted")
        return tuple(item for item in node.items if item.kind == "map")

    def text(self, node: Node | None) -> str:
        """Return a text; absent is empty, another type is a problem."""
        if node is None:
            return ""
        if node.kind != "scalar" or not isinstance(node.value, str) or not node.value:
            self.problem(node, "cần một dòng chữ", "a text is wanted")
            return ""
        return node.value

    def integer(self, node: Node | None, *, needed_at: Node, key: str) -> int | None:
        """Return a whole number; absent or another type is a problem."""
        value = node.value if node else None
        if not isinstance(value, int) or isinstance(value, bool):
            self.problem(node or needed_at, f"`{key}` cần một số nguyên", f"`{key}` wants a whole number")
            return None
        return value

    def title(self, node: Node) -> Words:
        """Return the title in both languages."""
        found = self.get(node, "title")
        if found is None:
            return Words("–", "–")
        self.keys(found, ("vi", "en"), needed=("vi", "en"))
        return Words(self.text(self.get(found, "vi")), self.text(self.get(found, "en")))

    def words(self, node: Node) -> tuple[str, ...]:
        """Return one word or a list of words."""
        nodes = node.items if node.kind == "list" else (node,)
        return tuple(dict.fromkeys(word for item in nodes if (word := self.text(item))))

    def choice(self, node: Node | None, known: tuple[str, ...], vi: str, en: str) -> str:
        """Return one of the `known` words, or an empty text after noting a problem."""
        if node is None:
            return ""
        word = self.text(node)
        return word if word and self.known(node, word, known, vi, en) else ""

    def known(self, node: Node, word: str, known: Iterable[str], vi: str, en: str) -> bool:
        """Return whether `word` is known; if not, note it with the nearest known one."""
        words = tuple(known)
        if word in words:
            return True
        near_vi, near_en = _suggestion(word, words)
        self.problem(node, f"{vi} lạ “{word}”{near_vi}", f'unknown {en} "{word}"{near_en}')
        return False

    def once(self, word: str, taken: Container[str], node: Node) -> None:
        """Note a word that another file declared before."""
        if word in taken:
            self.problem(node, f"“{word}” đã khai báo ở tệp khác", f'"{word}" is declared in another file')

    def identifier(self, word: str, node: Node) -> None:
        """Note a word that can't be a name in an expression."""
        if word and not _IDENTIFIER.fullmatch(word):
            self.problem(
                node,
                f"“{word}” phải gồm chữ thường a–z, số và _",
                f'"{word}" must be made of a-z, digits and _',
            )

    def day(self, node: Node | None) -> date | None:
        """Return a date written YYYY-MM-DD that exists."""
        if node is None:
            return None
        text = str(node.value)
        try:
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            self.problem(
                node,
                f"“{text}” không phải ngày có thật dạng YYYY-MM-DD (2018-05-11)",
                f'"{text}" is no date that exists, as YYYY-MM-DD (2018-05-11)',
            )
            return None


def _suggestion(word: str, known: Iterable[str]) -> tuple[str, str]:
    near = did_you_mean(word, known)
    return (f"; có phải “{near}”?", f'; did you mean "{near}"?') if near else ("", "")
