"""Trying an expression on typed sample values, so that what must fail fails before the first case."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.expressions import ExpressionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.expressions import Expression

_TODAY = date(2026, 5, 20)
_ANY: tuple[Any, ...] = (7_000, "sample", ["sample"], True)
_MOST_GUESSES = 64


def failure(expression: Expression) -> str:
    """Return why the expression can't be computed on samples with every value set, or "".

    Values whose type is not known are guessed; one guess that works is enough.
    """
    said = ""
    for yes in (True, False):
        worked = False
        for values in _samples(expression, yes=yes):
            try:
                expression.evaluate(values, _days)
            except ExpressionFailed as why:
                said = said or str(why.facts["why"])
            else:
                worked = True
                break
        if not worked:
            return said
    return ""


def demands(expression: Expression, path: str) -> bool:
    """Say whether the expression has no answer while the value at `path` is not set."""
    for values in _samples(expression, yes=True):
        values[path] = None
        try:
            if path in expression.evaluate(values, _days).missing:
                return True
        except ExpressionFailed:
            continue
    return False


def _days(one: date, two: date) -> int:
    return (two - one).days


def _samples(expression: Expression, *, yes: bool) -> Iterator[dict[str, Any]]:
    """Yield value maps; several when the type of a value is not known."""
    unknown = [path for path, kind in expression.kinds.items() if kind == "any"]
    for number, guesses in enumerate(product(_ANY, repeat=len(unknown))):
        if number == _MOST_GUESSES:
            return
        yield _values(expression.kinds, dict(zip(unknown, guesses, strict=True)), yes=yes)


def _values(kinds: Mapping[str, str], guesses: Mapping[str, Any], *, yes: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        "today": _TODAY,
        "parent": {},
        "children": {},
        "rules": {},
        "case": {},
        "documents": {},
    }
    for index, (path, kind) in enumerate(kinds.items()):
        root, _, rest = path.partition(".")
        value = guesses[path] if path in guesses else _value(kind, index, yes=yes)
        if not rest:
            values[path] = _TODAY if path == "today" else value
        elif root != "children":
            values[root][rest] = value
        else:
            name, _, word = rest.partition(".")
            rows = values["children"].setdefault(name, [{}, {}])
            for row in rows if word else ():
                row[word] = value
    return values


def _value(kind: str, index: int, *, yes: bool) -> Any:
    """Return a value of one type; different ones for different paths, so that no difference is 0."""
    match kind:
        case "integer":
            return 1_000_000 * (index + 2) + 7 * index * index if yes else 3 + index * index
        case "date":
            return (_TODAY - timedelta(days=3 + 5 * index)).isoformat()
        case "yes_no":
            return yes
        case "list":
            return ["sample", "other"] if yes else []
        case _:
            return f"sample {index}" if yes else ""
