"""Whether each value can be on the case when it is asked for.

A field can be filled where it is editable, along with a trigger that speaks of it, by `sets`, or on opening
the case. A move that nobody supplies values with (an automatic one, a deadline's) must find them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition import PREVIOUS, SAME
from engine.errors import Words
from engine.expression_samples import demands
from engine.legal_clock import OnField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.definition import Definition, State, Trigger
    from engine.expressions import Expression
    from engine.loading import Known

Path = tuple[str | int, ...]
Noted = tuple[str, Path, Words]


def check(definition: Definition, known: Known) -> Iterator[Noted]:
    """Yield each place where a value is asked for that nobody can have filled."""
    parents = [(known.definitions or {}).get(name) for name in definition.parents]
    if None in parents:
        return
    opened = {word for one in parents if one for word in one.starts.get(definition.name, ())}
    filled = _filled(definition, opened)
    for state in definition.states.values():
        here = filled.get(state.name)
        if here is None:
            continue
        along = here | {word for trigger in state.triggers.values() for word in spoken_of(trigger)}
        for deadline in state.deadlines:
            asked = deadline.rule.field if isinstance(deadline.rule, OnField) else deadline.since
            if asked in definition.fields and asked not in along:
                yield _noted(asked, _deadline_path(state, deadline.name), f"“{state.name}”")
        for trigger in state.triggers.values():
            path = (
                ("overlays", trigger.name)
                if trigger.overlay
                else ("states", state.name, "triggers", trigger.name)
            )
            for word in _asked(definition, trigger) - here:
                yield _noted(word, path, f"“{trigger.name}”")


def spoken_of(trigger: Trigger) -> set[str]:
    """Return the fields whose values may come along when the trigger is fired by a person."""
    found = {*trigger.needs.fields, trigger.decides, trigger.extends_to}
    for requirement in trigger.require:
        found.update(requirement.that.paths)
    for call in trigger.guards:
        found.update(value for value in call.arguments.values() if isinstance(value, str))
    return found


def _noted(word: str, path: Path, where: str) -> Noted:
    return (
        "field_required_before_settable",
        path,
        Words(
            f"{where} cần “{word}” nhưng trước đó không ai điền được. Hãy thêm vào editable hoặc needs của "
            "bước trước.",
            f"{where} asks for “{word}”, which nobody can have filled before. Add it to `editable`, or to "
            "an earlier "
            "`needs`.",
        ),
    )


def _deadline_path(state: State, name: str) -> Path:
    return ("states", state.name, "deadline") if name == "due" else ("states", state.name, "deadlines", name)


def _asked(definition: Definition, trigger: Trigger) -> set[str]:
    """Return the fields that must be on the case before the trigger, beyond those that come along with it."""
    fields = definition.fields
    asked: set[str] = set()
    alone = not trigger.by and trigger.approvals is None
    if alone:
        asked.update(trigger.needs.fields)
    expressions: list[Expression] = [
        *trigger.sets.values(),
        *(one for child in trigger.starts for one in child.values.values()),
    ]
    if alone:
        expressions += [requirement.that for requirement in trigger.require]
    if trigger.when is not None:
        expressions.append(trigger.when)
    for expression in expressions:
        asked.update(word for word in expression.paths if word in fields and demands(expression, word))
    asked.update(name for name, one in fields.items() if one.required_when is not None)
    if not alone:
        asked -= spoken_of(trigger)
    return {word for word in asked if fields[word].formula is None}


def _filled(definition: Definition, opened: set[str]) -> Mapping[str, set[str]]:
    """Return state -> fields that may be filled by the time a case is in it (editing there included)."""
    start = definition.start
    filled: dict[str, set[str]] = {start.to: {*opened, *spoken_of(start), *start.sets}}
    waiting = [start.to]
    while waiting:
        name = waiting.pop()
        here = filled[name]
        here |= {word for one in definition.editable if name in one.states for word in one.fields}
        for trigger in definition.states[name].triggers.values():
            carried = {*here, *trigger.sets, *(spoken_of(trigger) if trigger.by or trigger.approvals else ())}
            targets = (
                [] if trigger.to == SAME
                else [one for one in filled if one != name] if trigger.to == PREVIOUS
                else [trigger.to]
            )  # fmt: skip
            if trigger.to == SAME and not carried <= here:
                filled[name] = here = here | carried
                waiting.append(name)
            for target in targets:
                before = filled.get(target)
                if before is None or not carried <= before:
                    filled[target] = (before or set()) | carried
                    waiting.append(target)
    return filled
