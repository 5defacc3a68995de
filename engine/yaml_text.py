"""YAML text -> nodes that know their place in the file. The only file that imports yaml.

Definitions, rule packs and calendars are written by people in provinces, and may come from anywhere. So this
reader takes a small, safe part of YAML: maps with text keys, lists, and the words of YAML 1.2 (`true`,
`false`, `null`, whole numbers to base ten; all else is text, so `no`, `12:30`, `2026-06-20` and `0x1F`
stay as written). What it does not take, it refuses with file, line, column and what to write instead.

It builds no objects, follows no references and works on the parser's events, so that no text can make it
recurse, expand or run anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import yaml

from engine.errors import Refused, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar = str | int | bool | None

LIMIT_BYTES = 262_144
LIMIT_DEPTH = 40
LIMIT_NODES = 60_000
LIMIT_DIGITS = 18

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)
# Control characters but tab and line ends; and those that are invisible or turn the direction of the text:
# with them a file can look different from what it says.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


class YamlRefused(Refused):
    """The text can't be read as one of our files. Nothing was taken from it.

    Shapes:
        facts: file; line and column (1-based); why (stable word, a key of the table below); detail.
    """

    code = "yaml_refused"
    words = Words(
        "{file}, dòng {line}, cột {column}: {problem_vi}",
        "{file}, line {line}, column {column}: {problem_en}",
    )


_PROBLEMS = {
    "too_big": Words(
        "tệp dài {detail}. Hãy chia nhỏ nội dung thành nhiều tệp.",
        "the file is {detail} long. Split it into several files.",
    ),
    "too_deep": Words(
        "lồng quá {detail} bậc. Hãy viết nội dung ít bậc hơn.",
        "nested deeper than {detail} levels. Write it with fewer levels.",
    ),
    "too_many": Words(
        "tệp có hơn {detail} giá trị. Hãy chia nhỏ nội dung thành nhiều tệp.",
        "the file holds more than {detail} values. Split it into several files.",
    ),
    "not_utf8": Words(
        "tệp không phải văn bản UTF-8. Hãy lưu lại với bảng mã UTF-8.",
        "the file is not UTF-8 text. Save it again with the encoding UTF-8.",
    ),
    "hidden_character": Words(
        "có ký tự điều khiển hoặc ký tự ẩn {detail}. Hãy xóa ký tự này.",
        "there is a control or invisible character {detail}. Delete it.",
    ),
    "duplicate_key": Words(
        "khóa “{detail}” đã có ở trên. Hãy xóa một trong hai.",
        "the key “{detail}” was written before. Delete one of the two.",
    ),
    "key_not_text": Words(
        "khóa phải là một từ. Hãy viết “từ: giá trị”.",
        "a key must be a word. Write “word: value”.",
    ),
    "reference": Words(
        "không dùng neo và tham chiếu ({detail}). Hãy viết lại nội dung đầy đủ, hoặc đặt trong dấu nháy.",
        "anchors and references ({detail}) are not taken. Write the content out, or put the text in quotes.",
    ),
    "tag": Words(
        "không dùng thẻ kiểu ({detail}). Hãy xóa thẻ, hoặc đặt văn bản trong dấu nháy.",
        "type tags ({detail}) are not taken. Delete the tag, or put the text in quotes.",
    ),
    "directive": Words(
        "không dùng chỉ thị % ở đầu tệp. Hãy xóa dòng đó.",
        "directives (%) are not taken. Delete that line.",
    ),
    "second_document": Words(
        "tệp có nhiều hơn một văn bản (---). Hãy tách thành nhiều tệp.",
        "the file holds more than one document (---). Split it into several files.",
    ),
    "float": Words(
        "“{detail}” là số có dấu chấm hoặc số mũ. Hãy viết số nguyên (tiền: đồng; tỷ lệ: phần vạn), "
        "hoặc đặt trong dấu nháy nếu đó là văn bản.",
        "“{detail}” is a number with a point or an exponent. Write a whole number (money: đồng; rate: "
        "hundredths of a percent), or put it in quotes if it is text.",
    ),
    "big_number": Words(
        "số “{detail}” quá dài. Hãy viết không quá 18 chữ số, hoặc đặt trong dấu nháy nếu đó là văn bản.",
        "the number “{detail}” is too long. Write at most 18 digits, or put it in quotes if it is text.",
    ),
    "grammar": Words(
        "không đọc được ở chỗ này ({detail}). Hãy xem thụt dòng, dấu hai chấm, dấu nháy và dấu ngoặc ở đây "
        "và dòng ngay trên.",
        "this can't be read ({detail}). Look at the indentation, colons, quotes and brackets here and "
        "on the line above.",
    ),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file and where it stands.

    Shapes:
        kind: which of the three values below counts; the other two are empty.
        value: the value of a scalar: str, int, bool or None.
        items: the nodes of a list, in order.
        entries: key -> entry of a map, in the order written. Keys are always text (`2026: …` is "2026").
        line, column: 1-based, of the first character.
    """

    kind: Literal["map", "list", "scalar"]
    line: int
    column: int
    value: Scalar = None
    items: tuple[Node, ...] = ()
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map; line and column are the key's."""

    key: str
    node: Node
    line: int
    column: int


@dataclass(slots=True)
class _Open:
    """A map or list that is still being read."""

    kind: Literal["map", "list"]
    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, int, int] | None = None

    def closed(self) -> Node:
        """Return the finished node."""
        return Node(self.kind, self.line, self.column, items=tuple(self.items), entries=self.entries)


def read(text: str | bytes, *, name: str, limit_bytes: int = LIMIT_BYTES) -> Node:
    """Return the one value that `text` holds; an empty text is the scalar None.

    Shapes:
        name: the file's name as people know it; it opens every message.

    Errors:
        YamlRefused: anything but the part of YAML described above. No other exception leaves here.
    """
    content = _checked(text, name, limit_bytes)
    root: Node | None = None
    waiting: list[_Open] = []
    count = 0
    for event in _events(content, name):
        count += 1
        if count > LIMIT_NODES:
            _refuse(name, "too_many", *_place(event), LIMIT_NODES)
        if isinstance(event, yaml.ScalarEvent):
            done = _scalar(event, waiting, name)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            waiting.append(_opened(event, waiting, name))
            continue
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = waiting.pop().closed()
        else:
            _document(event, root, name)
            continue
        if done is None:
            continue
        if waiting:
            _put(waiting[-1], done)
        else:
            root = done
    return root or Node("scalar", 1, 1)


def plain(node: Node) -> Any:
    """Return `node` as dict, list, str, int, bool or None."""
    if node.kind == "map":
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if node.kind == "list":
        return [plain(item) for item in node.items]
    return node.value


def _refuse(name: str, why: str, line: int, column: int, detail: object = "") -> NoReturn:
    shown = str(detail) if len(str(detail)) <= 60 else str(detail)[:57] + "…"  # noqa: PLR2004  (one line of a terminal)
    problem = _PROBLEMS[why]
    raise YamlRefused(
        file=name,
        line=line,
        column=column,
        why=why,
        detail=shown,
        problem_vi=problem.fill("vi", detail=shown),
        problem_en=problem.fill("en", detail=shown),
    )


def _checked(text: str | bytes, name: str, limit_bytes: int) -> str:
    """Return the text without its byte order mark, once its size and characters are in order."""
    size = len(text)
    if isinstance(text, str) and size <= limit_bytes:  # one with more characters than that is never encoded
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > limit_bytes:
        _refuse(name, "too_big", 1, 1, f"{size} > {limit_bytes} bytes")
    words = text if isinstance(text, str) else _decoded(text, name)
    words = words.removeprefix("\ufeff")
    if found := _HIDDEN.search(words):
        _refuse(name, "hidden_character", *_position(words, found.start()), f"U+{ord(found.group()):04X}")
    return words


def _decoded(text: bytes, name: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as bad:
        before = text[: bad.start].decode("utf-8")
        _refuse(name, "not_utf8", *_position(before, len(before)))


def _position(text: str, index: int) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", text[:index])
    return len(lines), len(lines[-1]) + 1


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _events(content: str, name: str) -> Iterator[Any]:
    """Yield the parser's events; what the parser can't read is refused in our words."""
    try:
        yield from yaml.parse(content, Loader=_LOADER)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _refuse(name, "grammar", line, column, bad.problem or bad.context or "")
    except (yaml.YAMLError, ValueError) as bad:
        # The Python loader raises ValueError for escapes outside Unicode, and the reader gives no mark.
        _refuse(name, "grammar", 1, 1, bad)


def _document(event: Any, root: Node | None, name: str) -> None:
    """Refuse what is neither a value nor the frame of one document."""
    if isinstance(event, yaml.AliasEvent):
        _refuse(name, "reference", *_place(event), f"*{event.anchor}")
    if isinstance(event, yaml.DocumentStartEvent):
        if event.version or event.tags:
            _refuse(name, "directive", *_place(event))
        if root is not None:
            _refuse(name, "second_document", *_place(event))


def _opened(event: Any, waiting: list[_Open], name: str) -> _Open:
    line, column = _place(event)
    _plain_only(event, name)
    if len(waiting) >= LIMIT_DEPTH:
        _refuse(name, "too_deep", line, column, LIMIT_DEPTH)
    if waiting and waiting[-1].kind == "map" and waiting[-1].key is None:
        _refuse(name, "key_not_text", line, column)
    return _Open("map" if isinstance(event, yaml.MappingStartEvent) else "list", line, column)


def _plain_only(event: Any, name: str) -> None:
    if event.anchor is not None:
        _refuse(name, "reference", *_place(event), f"&{event.anchor}")
    if event.tag is not None:
        _refuse(name, "tag", *_place(event), event.tag)


def _scalar(event: Any, waiting: list[_Open], name: str) -> Node | None:
    """Return the scalar's node, or None when it was taken as the key of the map that is open."""
    line, column = _place(event)
    _plain_only(event, name)
    text: str = event.value
    if found := _HIDDEN.search(text):  # written as an escape, else it would have been seen before
        _refuse(name, "hidden_character", line, column, f"U+{ord(found.group()):04X}")
    bare = event.style in (None, "")
    above = waiting[-1] if waiting else None
    if above is None or above.kind == "list" or above.key is not None:
        return Node("scalar", line, column, _value(text, name, line, column) if bare else text)
    if not text or "\n" in text:
        _refuse(name, "key_not_text", line, column)
    if text == "<<" and bare:
        _refuse(name, "reference", line, column, "<<")
    if text in above.entries:
        _refuse(name, "duplicate_key", line, column, text)
    above.key = (text, line, column)
    return None


def _put(above: _Open, node: Node) -> None:
    if above.key is None:
        above.items.append(node)
    else:
        key, line, column = above.key
        above.entries[key] = Entry(key, node, line, column)
        above.key = None


def _value(text: str, name: str, line: int, column: int) -> Scalar:
    """Return what a bare word means in YAML 1.2, of which only base ten is taken for numbers."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text.lstrip("+-0")) > LIMIT_DIGITS:
            _refuse(name, "big_number", line, column, text)
        return int(text)
    if _FLOAT.fullmatch(text):
        _refuse(name, "float", line, column, text)
    return text


_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
