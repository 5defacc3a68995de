"""What was typed and is no command line of ours, said in our words: the library that reads it speaks English only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.errors import Refused, Words, perhaps

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUOTED = re.compile(r"'([^']*)'")
_EXTRA = re.compile(r"unexpected extra argument\S* \((.*)\)")
_WHOLE = Words("cần một số nguyên", "a whole number is wanted")
_UNREADABLE = Words("tài khoản đang chạy không có quyền đọc tệp đó", "this account may not read that file")
_OTHER = Words("giá trị này không dùng được", "this value can't be used")


class UsageWrong(Refused):
    """A command, option or argument that there is not, is missing, or can't be read."""

    code = "usage_wrong"
    words = Words("{what}Xem `tiendo {command}--help`.", "{what}See `tiendo {command}--help`.")


class LanguageUnknown(Refused):
    """A language that nothing is written in."""

    code = "language_unknown"
    words = Words(
        "Không có ngôn ngữ “{given}”. Viết --lang vi hoặc --lang en.",
        "There is no language “{given}”. Write --lang vi or --lang en.",
    )


def usage(wrong: Any, arguments: list[str], commands: Iterable[str]) -> UsageWrong:
    """Return the refusal of what the library that reads the command line could not read.

    Shapes:
        wrong: its exception; told apart by the name of its class, because the classes are private to it.
        commands: the words that may come first.
    """
    known = tuple(commands)
    first = arguments[0] if arguments and arguments[0] in known else ""
    return UsageWrong(what=_what(wrong, known), command=f"{first} " if first else "")


def _what(wrong: Any, commands: tuple[str, ...]) -> Words:
    said = wrong.format_message()
    quoted = _QUOTED.findall(said)
    named = quoted[0] if quoted else ""
    extra = _EXTRA.search(said)
    known = {
        "NoSuchOption": lambda: _unknown("tuỳ chọn", "option", wrong.option_name, wrong.possibilities or ()),
        "MissingParameter": lambda: _missing(wrong, named),
        "BadOptionUsage": lambda: Words(
            f"Sau {wrong.option_name} cần một giá trị. ", f"{wrong.option_name} wants a value. "
        ),
        "BadParameter": lambda: _unread(named, said),
    }.get(type(wrong).__name__)
    if known is not None:
        return known()
    if "No such command" in said:
        return _unknown("lệnh", "command", named, commands)
    if extra:
        return Words(f"Thừa “{extra[1]}”. ", f"“{extra[1]}” is too much. ")
    return Words(f"Lệnh gõ chưa đúng ({said}). ", f"This can't be read ({said}). ")


def _missing(wrong: Any, named: str) -> Words:
    about = getattr(wrong.param, "help", "") or ""
    more = f" ({about.rstrip('.')})" if about else ""
    return Words(f"Thiếu “{named}”{more}. ", f"“{named}” is missing. ")


def _unread(named: str, said: str) -> Words:
    why = _WHOLE if "integer" in said else _UNREADABLE if "not readable" in said else _OTHER
    return Words(
        f"Giá trị của “{named}” không đúng: {why.vi}. ", f"The value of “{named}” is wrong: {why.en}. "
    )


def _unknown(vi: str, en: str, given: str, known: Iterable[str]) -> Words:
    hint = perhaps(given, known)
    return Words(f"Không có {vi} “{given}”.{hint.vi}", f"There is no {en} “{given}”.{hint.en}")
