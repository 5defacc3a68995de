"""Whether a command is made of what it must be made of, before anything looks into it.

The doors read JSON, forms and files; a number where a text belongs is a fault of the sender and is told in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from engine import canonical, field_values
from engine.commands import PAPER_PARTS, Document
from engine.errors import Refused, Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.commands import Command

_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
LONGEST_REQUEST = 128
LONGEST_PRINCIPAL = 64
_parts_of = attrgetter(*PAPER_PARTS)


class CommandIdWrong(Refused):
    """The id of a command is no short plain word."""

    code = "command_id_wrong"
    words = Words(
        "Mã lệnh phải có từ 1 đến 64 chữ cái không dấu, chữ số hoặc dấu - _ . : / ; mã đã gửi dài {length} ký tự.",
        "A command id has 1 to 64 ASCII letters, digits or - _ . : / ; the one sent has {length} characters.",
    )


class CommandWrong(Refused):
    """A part of a command is not of the kind it must be."""

    code = "command_wrong"
    words = Words(
        "Lệnh “{kind}”: phần “{part}” phải là {wanted}. Chưa có gì thay đổi; hãy sửa rồi gửi lại.",
        "Command “{kind}”: its “{part}” must be {wanted}. Nothing changed; correct it and send again.",
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_free_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_map_of_texts(value: Any) -> bool:
    return _is_map(value) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _is_papers(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(one, Document) and all(map(_is_free_text, _parts_of(one))) for one in value
    )


_TEXT = (_is_text, Words("chữ", "text"))
_CHECKS: Mapping[str, tuple[Callable[[Any], bool], Words]] = {
    "str": _TEXT,
    "int": (_is_number, Words("số nguyên", "a whole number")),
    "int | None": (lambda value: value is None or _is_number(value), Words("số nguyên", "a whole number")),
    "Mapping[str, Any]": (_is_map, Words("tên và giá trị", "names with values")),
    "Mapping[str, str]": (_is_map_of_texts, Words("tên và mã", "names with ids")),
    "Mapping[str, Mapping[str, Any]]": (
        lambda value: _is_map(value) and all(map(_is_map, value.values())),
        Words("khoá với giá trị và nguồn", "keys with value and source"),
    ),
    "tuple[Document, ...]": (_is_papers, Words("danh sách giấy tờ", "a list of papers")),
}
#: Longer texts of people are checked for their signs where they are put into words of the log.
_FREE = frozenset({"reason", "text"})


_shapes: dict[type[Command], tuple[tuple[str, Callable[[Any], bool], Words], ...]] = {}


def _shape(kind: type[Command]) -> tuple[tuple[str, Callable[[Any], bool], Words], ...]:
    known = _shapes.get(kind)
    if known is not None:
        return known
    found: list[tuple[str, Callable[[Any], bool], Words]] = []
    for part in fields(kind):
        if part.name in _FREE:
            found.append((part.name, _is_free_text, _TEXT[1]))
        elif str(part.type) in _CHECKS:
            found.append((part.name, *_CHECKS[str(part.type)]))
    _shapes[kind] = tuple(found)
    return _shapes[kind]


def check(command: Command) -> None:
    """Refuse a command whose parts are of another kind, or whose words the log has no place for.

    Errors:
        CommandWrong, CommandIdWrong, NotCanonical, FieldValueWrong: nothing was done.
    """
    if not _ID.fullmatch(str(command.id)):
        raise CommandIdWrong(length=len(str(command.id)))
    if len(command.principal.key) > LONGEST_PRINCIPAL or "\0" in command.principal.key:
        raise CommandWrong(
            kind=command.kind, part="principal", wanted=Words("mã của một người", "the id of a person")
        )
    for name, fits, wanted in _shape(type(command)):
        if not fits(getattr(command, name)):
            raise CommandWrong(kind=command.kind, part=name, wanted=wanted)
    if len(command.request) > LONGEST_REQUEST:
        raise CommandWrong(kind=command.kind, part="request", wanted=Words("chữ ngắn", "a short text"))
    if command.reason.strip():
        field_values.checked_text("reason", command.reason)
    else:
        canonical.clean_text(command.reason, "reason")
