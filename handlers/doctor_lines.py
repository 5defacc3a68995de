"""One line of the doctor: a verdict, what was seen, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import Words

Verdict = Literal["ok", "warn", "bad"]
MARKS: dict[Verdict, str] = {"ok": "✓", "warn": "!", "bad": "✗"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one look found.

    Shapes:
        todo: one sentence; None where there is nothing to do, or where `seen` says it already.
    """

    verdict: Verdict
    seen: Words
    todo: Words | None = None


def ok(seen: Words) -> Line:
    """Return a line that is in order."""
    return Line("ok", seen)


def warn(seen: Words, todo: Words | None = None) -> Line:
    """Return a line that somebody should look at when there is time."""
    return Line("warn", seen, todo)


def bad(seen: Words, todo: Words | None = None) -> Line:
    """Return a line that somebody must see to."""
    return Line("bad", seen, todo)


def same(text: str) -> Words:
    """Return a text that reads alike in both languages."""
    return Words(text, text)
