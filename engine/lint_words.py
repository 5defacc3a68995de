"""Words that expressions compare with: each must be a state, an ending or a choice of what it is held against.

`activity == "machinry"` is no for every case, for ever, and nobody would notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from engine.definition import Ending
from engine.errors import Words, did_you_mean
from engine.findings import Finding
from engine.lint_paths import expressions_of, started_of, triggers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.definition import Definition
    from engine.expression_words import Word
    from engine.expressions import Expression
    from engine.findings import Marks
    from engine.lint_paths import Path
    from engine.loading import Known, Outline

_COLUMNS = frozenset({"state", "came_from", "final"})


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a word may be. Shapes: code of the finding when it is none of `words`; kind: what these are."""

    code: str
    kind: Words
    words: tuple[str, ...]


_STATE = Words("trạng thái", "state")
_ENDING = Words("kết thúc", "ending")
_CHOICE = Words("lựa chọn", "choice")


def check(definition: Definition, marks: Marks, known: Known) -> Iterator[Finding]:
    """Yield each word in an expression that can never be what it is compared with, or never be put there."""
    others = known.definitions or {}
    noted: list[tuple[Path, Word, _Meant | None, str]] = []
    for path, expression in expressions_of(definition):
        noted += [(path, one, _meant(definition, one.path, others), one.path) for one in expression.compared]
    for path, expression, field, meant in _filled(definition, others):
        noted += [(path, one, meant, field) for one in expression.answers or ()]
    for path, one, meant, of in noted:
        if meant is not None and one.word not in meant.words:
            place = marks.place_inside(path, one.at + 1, definition.text)
            yield _finding(marks.file, place, meant, one.word, of)


def _finding(file: str, place: tuple[int, int], meant: _Meant, word: str, path: str) -> Finding:
    near = did_you_mean(word, meant.words)
    listed = ", ".join(meant.words[:12])
    words = Words(
        f"“{word}” không phải là {meant.kind.vi} nào của “{path}”, nên không bao giờ đúng."
        + ("" if near else f" Có: {listed}."),
        f"“{word}” is no {meant.kind.en} of “{path}”, so this can never hold."
        + ("" if near else f" Known: {listed}."),
    )
    return Finding(file, *place, meant.code, words, near)


def _meant(definition: Definition, path: str, others: Mapping[str, Outline]) -> _Meant | None:
    """Return what a word compared with `path` may be; None when that is anybody's choice, or not known."""
    root, _, rest = path.partition(".")
    if not rest:
        field = definition.fields.get(root)
        return _choice(tuple(field.choices)) if field is not None and field.choices else None
    if root == "case":
        return _column(rest, tuple(definition.states))
    if root == "parent":
        return _of(rest, [others.get(name) for name in definition.parents])
    if root == "children":
        name, _, word = rest.partition(".")
        return _of(word, [others.get(name)])
    return None


def _of(word: str, outlines: Iterable[Outline | None]) -> _Meant | None:
    """Return what a word of one of several cases may be; all of them must be known."""
    found = list(outlines)
    known = [one for one in found if one is not None and one.states]
    if len(known) < len(found):
        return None
    if word in _COLUMNS:
        return _column(word, tuple(sorted({state for one in known for state in one.states})))
    if known and all(word in one.choices for one in known):
        return _choice(tuple(dict.fromkeys(choice for one in known for choice in one.choices[word])))
    return None


def _column(word: str, states: tuple[str, ...]) -> _Meant | None:
    match word:  # an ending, or where it came from, is "" as long as there is none
        case "state":
            return _Meant("no_such_state", _STATE, states)
        case "came_from":
            return _Meant("no_such_state", _STATE, (*states, ""))
        case "final":
            return _Meant("no_such_ending", _ENDING, (*get_args(Ending), ""))
        case _:
            return None


def _choice(words: tuple[str, ...]) -> _Meant:
    return _Meant("no_such_choice", _CHOICE, words)


def _filled(
    definition: Definition, others: Mapping[str, Outline]
) -> Iterator[tuple[Path, Expression, str, _Meant | None]]:
    """Yield each expression that fills a field, with the field and what it may hold."""
    for name, field in definition.fields.items():
        if field.formula is not None:
            yield ("fields", name, "formula"), field.formula, name, _meant(definition, name, others)
    for path, trigger in triggers_of(definition).items():
        for name, expression in trigger.sets.items():
            yield (*path, "sets", name), expression, name, _meant(definition, name, others)
    for path, child in started_of(definition):
        outline = others.get(child.definition)
        choices = outline.choices if outline is not None else {}
        for name, expression in child.values.items():
            meant = _choice(choices[name]) if name in choices else None
            yield (*path, "values", name), expression, name, meant
