"""What may not stand in the technical log: secrets, personal values, and texts of errors that quote what was typed.

Three nets, because no single one holds: names of fields, the look of a value, and for tracebacks the kind of error.
Whoever must know what was typed looks into the transition log, where it is kept for those who may see it.
"""

from __future__ import annotations

import errno
import os
import re
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from config.setting_wrong import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

HIDDEN = "***"
_SECRET = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|credential|api_?key|private_?key", re.IGNORECASE
)
_PERSONAL = frozenset(
    {
        "reason", "comment", "full_name", "person_name", "signer", "phone", "telephone", "mobile", "mail", "email", "e_mail",
        "address", "citizen_id", "id_card", "tax_code", "birthday", "bank_account", "values", "changes", "facts",
    }
)  # fmt: skip
_ADDRESS = re.compile(r"[\w.+'-]+@((?:[\w-]+\.)+[\w-]{2,})")
#: Ten digits from 0 or +84, with or without gaps; never inside a longer word, where ids and hashes have digits too.
_PHONE = re.compile(r"(?<![\w.])(?:\+?84|0)(?:[ .-]?\d){9}(?![\w])")
_CITIZEN_ID = re.compile(r"(?<![\w.])\d{12}(?![\w])")
#: Errors whose texts come from the machine and name hosts, columns and types, never what a person typed.
_PLAIN_SPOKEN = (
    ImportError, AttributeError, NameError, TypeError, IndexError, MemoryError, RecursionError,
)  # fmt: skip
#: The same of errors of these modules, which not every process loads.
_MACHINES = frozenset({"redis", "sqlite3"})
_LONGEST = 300


def hide_private(_logger: object, _method: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line with secrets and personal values as ***: by the name of the field, or by the look of the value."""
    return {key: HIDDEN if _is_private(key) else _hidden(value) for key, value in entry.items()}


def _is_private(key: object) -> bool:
    return isinstance(key, str) and (key.lower() in _PERSONAL or _SECRET.search(key) is not None)


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: HIDDEN if _is_private(key) else _hidden(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return harmless(value)
    return masked(str(value))


def masked(text: str) -> str:
    """Return a text without passwords in addresses, local parts of mail addresses, phone and citizen numbers."""
    text = without_password(text)
    if "@" in text:
        text = _ADDRESS.sub(rf"{HIDDEN}@\1", text)
    return _CITIZEN_ID.sub(HIDDEN, _PHONE.sub(HIDDEN, text))


def harmless(problem: BaseException) -> str:
    """Return the kind of an error, and its own words where they can't quote a person.

    Shapes:
        returns: "ConnectionRefusedError: Connection refused" without any file's name, "StoreBusy: store_busy" for an error
        of ours (its sentence may hold what was typed, its code never), "ValueError" alone for all others.
    """
    kind = type(problem)
    code = getattr(kind, "code", None)
    if isinstance(code, str) and hasattr(problem, "facts"):
        return f"{kind.__name__}: {code}"
    state = getattr(problem, "sqlstate", None)
    if isinstance(state, str):
        return f"{kind.__name__}: SQLSTATE {state}"
    if isinstance(problem, OSError):
        number = problem.errno or 0
        return f"{kind.__name__}: {os.strerror(number)}" if number in errno.errorcode else kind.__name__
    is_plain = isinstance(problem, _PLAIN_SPOKEN) or kind.__module__.partition(".")[0] in _MACHINES
    told = masked(str(problem)[:_LONGEST]) if is_plain else ""
    return f"{kind.__name__}: {told}" if told else kind.__name__


def told_traceback(exc_info: ExcInfo) -> str:
    """Return a traceback of frames and kinds of errors: no local variables, and only texts that are `harmless`."""
    return "\n".join(_lines(exc_info[1], set()))


def _lines(problem: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(problem))
    before = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "… which led to:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(problem.__traceback__)).rstrip("\n")
    yield harmless(problem)
    if isinstance(problem, BaseExceptionGroup):
        for one in problem.exceptions:
            yield "… with:"
            yield from _lines(one, seen)
