"""The few shapes that a file is made of, and how a file is held against them.

A grammar (engine/grammar.py) is a value made of these shapes. The loader's checks and the JSON Schema for
editors both come from that value, so they can't drift apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import Words, did_you_mean
from engine.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.yaml_text import Node

LONGEST_TEXT = 2_000
MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Text:
    """A text. Shapes: pattern: what the whole of it must match, or "". wanted: that, in words."""

    pattern: str = ""
    wanted: Words = field(default=Words("văn bản", "text"))
    code: str = "wrong_type"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two bounds, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class YesNo:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words or numbers."""

    words: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same text in Vietnamese and in English: `{vi: …, en: …}`."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Plain data of any shape."""


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names of one's own choice, each with a value of one shape."""

    of: Shape
    names: Text
    least: int = 0


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. Shapes: alone: a single value may stand for a list of one."""

    of: Shape
    alone: bool = False
    least: int = 0


@dataclass(frozen=True, slots=True)
class Either:
    """One of several shapes, told apart by whether the value is a map, list, text, number or yes/no."""

    options: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record.

    Shapes:
        says: what it is for, one sentence. missing: code of the finding when a required key is absent.
    """

    shape: Shape
    says: str
    required: bool = False
    missing: str = "missing_key"


@dataclass(frozen=True, slots=True)
class Record:
    """A map with known keys. Shapes: exactly_one: of these keys exactly one must be there."""

    name: str
    keys: Mapping[str, Key]
    exactly_one: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A shape that is used in several places, or in itself; `grammar` says which."""

    name: str


Shape = Text | Whole | YesNo | OneOf | Pair | Anything | MapOf | ListOf | Either | Record | Named


class Held:
    """One file held against a grammar; `findings` are what does not fit."""

    def __init__(self, file: str, named: Mapping[str, Shape]) -> None:
        self.file = file
        self.named = named
        self.findings: list[Finding] = []

    def add(self, code: str, node: Node, words: Words, suggestion: str = "") -> None:
        """Note one finding at a node."""
        self.findings.append(Finding(self.file, node.line, node.column, code, words, suggestion))

    def hold(self, node: Node, shape: Shape, what: str) -> None:
        """Hold `node` against `shape`; `what` is the key people read."""
        match shape:
            case Named():
                self.hold(node, self.named[shape.name], what)
            case Record():
                self._record(node, shape, what)
            case MapOf():
                self._map(node, shape, what)
            case ListOf():
                self._list(node, shape, what)
            case Either():
                self._either(node, shape, what)
            case Pair():
                self._pair(node, what)
            case Anything():
                pass
            case _:
                self._scalar(node, shape, what)

    def _wrong(self, node: Node, what: str, wanted: Words) -> None:
        words = Words(f"“{what}” phải là {wanted.vi}.", f"“{what}” must be {wanted.en}.")
        self.add("wrong_type", node, words)

    def _scalar(self, node: Node, shape: Text | Whole | YesNo | OneOf, what: str) -> None:
        value = node.value
        match shape:
            case Text():
                if node.kind != "scalar" or not isinstance(value, str):
                    self._wrong(node, what, shape.wanted)
                elif len(value) > LONGEST_TEXT or (shape.pattern and not re.fullmatch(shape.pattern, value)):
                    shown = value if len(value) <= 40 else value[:39] + "…"  # noqa: PLR2004  (part of one line)
                    words = Words(
                        f"“{shown}” không đúng cách viết của “{what}”: cần {shape.wanted.vi}.",
                        f"“{shown}” is not how “{what}” is written: {shape.wanted.en} is needed.",
                    )
                    self.add(shape.code, node, words)
            case Whole():
                is_number = isinstance(value, int) and not isinstance(value, bool)
                if not is_number or not shape.least <= int(value or 0) <= shape.most:
                    bounds = f"{shape.least}–{shape.most}"
                    self._wrong(node, what, Words(f"số nguyên {bounds}", f"a whole number {bounds}"))
            case YesNo():
                if not isinstance(value, bool):
                    self._wrong(node, what, Words("true hoặc false", "true or false"))
            case OneOf():
                self._one_of(node, shape, what)

    def _one_of(self, node: Node, shape: OneOf, what: str) -> None:
        if node.kind == "scalar" and any(
            node.value == word and type(node.value) is type(word) for word in shape.words
        ):
            return
        known = [str(word) for word in shape.words]
        words = Words(
            f"“{what}” phải là một trong: {', '.join(known)}.",
            f"“{what}” must be one of: {', '.join(known)}.",
        )
        near = did_you_mean(node.value, known) if isinstance(node.value, str) else ""
        self.add("unknown_word" if isinstance(node.value, str) else "wrong_type", node, words, near)

    def _pair(self, node: Node, what: str) -> None:
        if node.kind != "map":
            self._wrong(node, what, Words("{vi: …, en: …}", "{vi: …, en: …}"))
            return
        for key, entry in node.entries.items():
            if key not in {"vi", "en"}:
                self._unknown_key(entry.key, entry.line, entry.column, ["vi", "en"], what)
        for language in ("vi", "en"):
            found = node.entries.get(language)
            if found is None or not isinstance(found.node.value, str) or not found.node.value.strip():
                words = Words(
                    f"“{what}” thiếu chữ bằng tiếng {'Việt' if language == 'vi' else 'Anh'} ({language}).",
                    f"“{what}” has no {'Vietnamese' if language == 'vi' else 'English'} words ({language}).",
                )
                self.add("missing_words", found.node if found else node, words)

    def _record(self, node: Node, shape: Record, what: str) -> None:
        if node.kind != "map":
            self._wrong(node, what, Words("các khóa: giá trị", "keys with values"))
            return
        for key, entry in node.entries.items():
            if key in shape.keys:
                self.hold(entry.node, shape.keys[key].shape, key)
            else:
                self._unknown_key(key, entry.line, entry.column, list(shape.keys), what)
        for key, known in shape.keys.items():
            if known.required and key not in node.entries:
                words = Words(f"“{what}” thiếu khóa “{key}”.", f"“{what}” lacks the key “{key}”.")
                self.add(known.missing, node, words)
        if shape.exactly_one:
            self._exactly_one(node, shape.exactly_one, what)

    def _exactly_one(self, node: Node, keys: tuple[str, ...], what: str) -> None:
        found = [key for key in keys if key in node.entries]
        if len(found) != 1:
            names = ", ".join(keys)
            words = Words(
                f"“{what}” cần đúng một trong: {names}.", f"“{what}” needs exactly one of: {names}."
            )
            self.add("missing_key" if not found else "too_many_keys", node, words)

    def _unknown_key(self, key: str, line: int, column: int, known: list[str], what: str) -> None:
        words = Words(f"“{what}” không có khóa “{key}”.", f"“{what}” has no key “{key}”.")
        near = did_you_mean(key, known)
        self.findings.append(Finding(self.file, line, column, "unknown_key", words, near))

    def _map(self, node: Node, shape: MapOf, what: str) -> None:
        if node.kind != "map" or not shape.least <= len(node.entries) <= MOST_ENTRIES:
            self._wrong(node, what, Words("các tên: giá trị", "names with values"))
            return
        for key, entry in node.entries.items():
            if not re.fullmatch(shape.names.pattern, key):
                words = Words(
                    f"“{key[:40]}” không đúng cách đặt tên: cần {shape.names.wanted.vi}.",
                    f"“{key[:40]}” can't be a name here: {shape.names.wanted.en} is needed.",
                )
                self.findings.append(Finding(self.file, entry.line, entry.column, "bad_name", words))
            self.hold(entry.node, shape.of, key)

    def _list(self, node: Node, shape: ListOf, what: str) -> None:
        if node.kind != "list":
            if shape.alone:
                self.hold(node, shape.of, what)
            else:
                self._wrong(node, what, Words("một danh sách", "a list"))
            return
        if not shape.least <= len(node.items) <= MOST_ENTRIES:
            self._wrong(node, what, Words("một danh sách không trống", "a list that is not empty"))
        for item in node.items:
            self.hold(item, shape.of, what)

    def _either(self, node: Node, shape: Either, what: str) -> None:
        for option in shape.options:
            if self._may_be(node, option):
                self.hold(node, option, what)
                return
        wanted = [words for option in shape.options for words in self._wanted(option)]
        joined = Words(" hoặc ".join(one.vi for one in wanted), " or ".join(one.en for one in wanted))
        self._wrong(node, what, joined)

    def _may_be(self, node: Node, shape: Shape) -> bool:  # noqa: PLR0911  (one line for each shape)
        match shape:
            case Named():
                return self._may_be(node, self.named[shape.name])
            case Record() | MapOf() | Pair():
                return node.kind == "map"
            case ListOf():
                return node.kind == "list"
            case Whole():
                return isinstance(node.value, int) and not isinstance(node.value, bool)
            case YesNo():
                return isinstance(node.value, bool)
            case OneOf():
                return node.value in shape.words and node.kind == "scalar"
            case _:
                return node.kind == "scalar" and isinstance(node.value, str)

    def _wanted(self, shape: Shape) -> Iterator[Words]:
        match shape:
            case Text():
                yield shape.wanted
            case OneOf():
                yield Words(", ".join(map(str, shape.words)), ", ".join(map(str, shape.words)))
            case Whole():
                yield Words("số nguyên", "a whole number")
            case YesNo():
                yield Words("true, false", "true, false")
            case ListOf():
                yield Words("danh sách", "a list")
            case _:
                yield Words("các khóa: giá trị", "keys with values")
