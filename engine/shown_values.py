"""How people see what the store keeps shut or nameless: commitments opened, erased values, principals that are no persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import Words
from engine.personal import is_commitment

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Shown in place of a personal value that is no longer there.
ERASED = Words("đã xoá theo yêu cầu", "erased on request")
#: Shown for the principals that are no persons.
OURS = {"timer": Words("hẹn giờ", "timer"), "system": Words("hệ thống", "system")}


def shown(value: Any, values: Mapping[str, Any], language: str = "vi") -> Any:
    """Return a value as people may see it: commitments inside it opened, or told to be erased."""
    if is_commitment(value):
        return values.get(value, ERASED.text(language))
    if isinstance(value, dict):
        return {word: shown(inner, values, language) for word, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner, values, language) for inner in value]
    return value


def commitments_in(value: Any) -> set[str]:
    """Return every commitment inside a value."""
    if is_commitment(value):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {found for item in inner for found in commitments_in(item)}
