"""The canonical form of what is hashed, and the hashes.

RFC 8785 restricted to ASCII snake_case keys, NFC strings, integers within ±(2^53-1), booleans, null, arrays
and objects; no floats. Written by orjson with sorted keys; `rfc8785` is the oracle in a property test.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from functools import lru_cache
from typing import Any

import orjson

from engine.errors import Refused, Words

LARGEST_INTEGER = 2**53 - 1
#: Keys are ASCII words; a dot or slash joins the parts of a path such as `data.amount_vnd`.
_KEY = re.compile(r"[a-z][a-z0-9_./-]*")
_TEXT_NOT_ALLOWED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff\ud800-\udfff]"
)


_HIDDEN = Words(
    "có ký tự không nhìn thấy (ký tự điều khiển, ký tự đảo chiều chữ, khoảng trắng rộng bằng không); hãy gõ lại thay vì dán",
    "it holds invisible characters (control or direction marks, spaces of no width); type it instead of pasting",
)
_KEY_WRONG = Words("tên không phải là một từ ASCII", "the name is no ASCII word")
_TOO_LARGE = Words("số nguyên quá lớn (hơn 2^53)", "the whole number is beyond 2^53")
_KIND_WRONG = Words(
    "chỉ nhận chữ, số nguyên, có/không, danh sách", "only text, whole numbers, yes/no and lists fit"
)


class NotCanonical(Refused):
    """A value cannot be written into the log."""

    code = "not_canonical"
    words = Words(
        "Giá trị của “{path}” không ghi được vào nhật ký: {why}. Chưa có gì thay đổi.",
        "The value of “{path}” can't be written into the log: {why}. Nothing changed.",
    )


def _named(path: str) -> str:
    """Return the word that people typed, of a path into the body of a command."""
    return path.removeprefix("$.").removeprefix("values.")


def clean_text(text: str, path: str) -> str:
    """Return `text` in NFC.

    Errors:
        NotCanonical: it holds control characters or marks that turn the direction of reading.
    """
    try:
        return _text(text)
    except _Misfit as found:
        raise NotCanonical(path=_named(path), why=found.why) from None


def check(value: Any, path: str = "$") -> Any:
    """Return `value` with its strings in NFC, or refuse what the canonical form has no place for.

    Shapes:
        value: None, bool, int, str, list / tuple, or dict with ASCII snake_case keys.
    Errors:
        NotCanonical: naming the path of the first offender.
    """
    try:
        return _clean(value)
    except _Misfit as found:
        raise NotCanonical(path=_named(path + found.path), why=found.why) from None


class _Misfit(Exception):
    """What has no place; its path is put together on the way out, so that what fits costs nothing."""

    def __init__(self, why: Words, path: str = "") -> None:
        self.why = why
        self.path = path

    def below(self, step: str) -> _Misfit:
        return _Misfit(self.why, step + self.path)


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case None | bool():
            return value
        case int():
            if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
                return value
            raise _Misfit(_TOO_LARGE)
        case dict():
            return _clean_dict(value)
        case list() | tuple():
            return [_clean_below(item, index) for index, item in enumerate(value)]
        case _:
            raise _Misfit(_KIND_WRONG)


def _clean_dict(value: dict[Any, Any]) -> dict[str, Any]:
    wrong = _first_wrong_key(tuple(value))
    if wrong is not None:
        raise _Misfit(_KEY_WRONG, f".{wrong}")
    cleaned = {}
    for key, item in value.items():
        try:
            # Most values are plain words.
            is_plain = item.__class__ is str and item.isascii() and item.isprintable()
            cleaned[key] = item if is_plain else _clean(item)
        except _Misfit as found:
            raise found.below(f".{key}") from None
    return cleaned


def _clean_below(item: Any, index: int) -> Any:
    try:
        return _clean(item)
    except _Misfit as found:
        raise found.below(f"[{index}]") from None


@lru_cache(maxsize=256)
def _first_wrong_key(keys: tuple[Any, ...]) -> str | None:
    """Return the first key that is no word; kept, because what is written has the same few shapes again and again."""
    return next((str(key) for key in keys if not isinstance(key, str) or not _KEY.fullmatch(key)), None)


def _text(text: str) -> str:
    # What can be printed holds no control characters and no marks of direction; line ends can't, and are allowed.
    if not text.isprintable() and _TEXT_NOT_ALLOWED.search(text):
        raise _Misfit(_HIDDEN)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def write(value: Any) -> bytes:
    """Return the canonical bytes of a value that went through `check`."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(payload: bytes) -> str:
    """Return SHA-256 of `payload` as 64 hexadecimal digits."""
    return hashlib.sha256(payload).hexdigest()


def leaf(payload: bytes) -> str:
    """Return the RFC 6962 leaf hash of a log entry, SHA-256(0x00 ‖ bytes), as 64 hexadecimal digits."""
    return hashlib.sha256(b"\x00" + payload).hexdigest()


def commit(context: str, value: Any, salt: bytes | None = None) -> tuple[str, bytes]:
    """Return a commitment to a personal value and the salt that opens it.

    Shapes:
        context: which field of which kind, so that a value can't be moved to another field.
        returns: ("sha256:" and 64 hexadecimal digits, 16 bytes).
    Source:
        ours: SHA-256("tiendo/1" ‖ 0 ‖ context ‖ 0 ‖ salt ‖ canonical value).
    """
    salt = os.urandom(16) if salt is None else salt
    payload = b"tiendo/1\x00" + context.encode() + b"\x00" + salt + write(value)
    return "sha256:" + digest(payload), salt
