"""Values of fields as they come in: each is checked against its type, and its canonical form is returned.

Money is whole đồng from 0 to 10^15, percent whole hundredths of a percent from 0 to 100 000, dates ISO text of days that
exist, references ids of register rows.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from engine import canonical
from engine.errors import LANGUAGES, Refused, Words, did_you_mean, meant, perhaps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.definition import Definition, Field

LARGEST_MONEY = 10**15
LARGEST_PERCENT = 100_000
LONGEST_TEXT = 4000
REFERENCES = frozenset({"establishment", "organisation", "person"})
_ID = re.compile(r"[0-9a-f]{32}")


class FieldUnknown(Refused):
    """A field was named that the definition does not have."""

    code = "field_unknown"
    words = Words(
        "“{field}” không phải là trường của {definition}.{hint}Xem các trường bằng lệnh `tiendo definitions {definition}`.",
        "“{field}” is no field of {definition}.{hint}See its fields with `tiendo definitions {definition}`.",
    )


class FieldValueWrong(Refused):
    """A value is not of the type of its field."""

    code = "field_value_wrong"
    words = Words(
        "Giá trị của “{field}” không hợp lệ ({given}): cần {wanted}. Chưa có gì thay đổi; hãy sửa rồi gửi lại.",
        "The value of “{field}” is not valid ({given}): {wanted} is wanted. Nothing changed; correct it and send again.",
    )


_WANTED = {
    "text": Words("chữ, tối đa 4.000 ký tự", "text of at most 4,000 characters"),
    "integer": Words("số nguyên", "a whole number"),
    "money": Words("số đồng nguyên từ 0 đến 1.000.000 tỷ đồng", "whole đồng from 0 to 10^15"),
    "percent": Words("một tỷ lệ từ 0% đến 1000%, lẻ đến 0,01%", "a rate from 0% to 1000%, to 0.01%"),
    "date": Words("một ngày có thật dạng yyyy-mm-dd", "an existing day as yyyy-mm-dd"),
    "yes_no": Words("có hoặc không", "yes or no"),
    "choice": Words("một trong: {choices}", "one of: {choices}"),
    "establishment": Words("mã của một cơ sở", "the id of an establishment"),
    "organisation": Words("mã của một cơ quan", "the id of an organisation"),
    "person": Words("mã của một người", "the id of a person"),
    "document": Words("giấy tờ được đính kèm bằng lệnh attach", "a document, which is attached with attach"),
}


def field_of(definition: Definition, name: str) -> Field:
    """Return the declared field.

    Errors:
        FieldUnknown: with the nearest name.
    """
    field = definition.fields.get(name)
    if field is None:
        raise FieldUnknown(field=name, definition=definition.name, hint=perhaps(name, definition.fields))
    return field


def typed(definition: Definition, name: str, value: Any) -> Any:
    """Return `value` in the form in which the case keeps it; None clears a field.

    Errors:
        FieldUnknown, FieldValueWrong: nothing was changed.
    """
    field = field_of(definition, name)
    if field.formula is not None:
        raise FieldValueWrong(
            field=name,
            given=_short(value),
            wanted=Words("để trống, vì trường này được tự tính", "nothing, because it is computed"),
        )
    if value is None:
        return None
    if not _fits(field, value):
        wanted = _WANTED[field.type]
        choices = Words(*(", ".join(field.choices) + _or(value, field, language) for language in LANGUAGES))
        raise FieldValueWrong(
            field=name,
            given=_short(value),
            wanted=Words(*(wanted.fill(language, choices=choices) for language in LANGUAGES)),
        )
    return canonical.clean_text(value.strip(), name) if field.type == "text" else value


def _or(value: Any, field: Field, language: str) -> str:
    """Return the question whether the nearest choice is meant, in brackets, or nothing."""
    near = did_you_mean(value, field.choices) if isinstance(value, str) else ""
    return f"; {meant(near).text(language).strip()}" if near else ""


def _fits(field: Field, value: Any) -> bool:
    if field.type == "choice":
        return isinstance(value, str) and value in field.choices
    if field.type in REFERENCES:
        return isinstance(value, str) and _ID.fullmatch(value) is not None
    check = _CHECKS.get(field.type)
    return check is not None and check(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT,
    "integer": lambda value: _whole(value) and abs(value) <= canonical.LARGEST_INTEGER,
    "money": lambda value: _whole(value) and 0 <= value <= LARGEST_MONEY,
    "percent": lambda value: _whole(value) and 0 <= value <= LARGEST_PERCENT,
    "date": lambda value: isinstance(value, str) and _is_day(value),
    "yes_no": lambda value: isinstance(value, bool),
}


def _short(value: Any) -> str:
    return f"“{value[:60]}”" if isinstance(value, str) else repr(value)[:60]


def check_day(name: str, text: str) -> None:
    """Refuse a day that does not exist.

    Errors:
        FieldValueWrong: naming the paper or field.
    """
    if not _is_day(text):
        raise FieldValueWrong(field=name, given=_short(text), wanted=_WANTED["date"])


def checked_text(name: str, text: str) -> str:
    """Return a free text without blanks around it.

    Errors:
        FieldValueWrong: empty or too long. NotCanonical: it holds control characters.
    """
    text = canonical.clean_text(text.strip(), name)
    if not 0 < len(text) <= LONGEST_TEXT:
        raise FieldValueWrong(field=name, given=_short(text), wanted=_WANTED["text"])
    return text
