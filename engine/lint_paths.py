"""Where the parts of a definition stand in its file, and where its triggers lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition import PREVIOUS, SAME
from engine.loading import DUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition import Deadline, Definition, StartChild, State, Trigger
    from engine.expressions import Expression

Path = tuple[str | int, ...]


def moves(definition: Definition, state: State) -> Iterator[tuple[Trigger, str]]:
    """Yield each trigger of a state with each state that it can lead to."""
    for trigger in state.triggers.values():
        if trigger.to == SAME:
            yield trigger, state.name
        elif trigger.to == PREVIOUS:
            for other in definition.states.values():
                if any(one.to == state.name for one in other.triggers.values()):
                    yield trigger, other.name
        else:
            yield trigger, trigger.to


def path_of(state: State, trigger: Trigger) -> Path:
    """Return the keys that lead to a trigger in the file."""
    return ("overlays", trigger.name) if trigger.overlay else ("states", state.name, "triggers", trigger.name)


def deadline_path(state: State, deadline: Deadline) -> Path:
    """Return the keys that lead to a deadline in the file."""
    if deadline.name == DUE:
        return ("states", state.name, "deadline")
    return ("states", state.name, "deadlines", deadline.name)


def triggers_of(definition: Definition) -> dict[Path, Trigger]:
    """Return every trigger of the file once, that of the start first, by the keys that lead to it."""
    triggers: list[tuple[Path, Trigger]] = [(("start",), definition.start)]
    for state in definition.states.values():
        triggers += [(path_of(state, trigger), trigger) for trigger in state.triggers.values()]
    return dict(triggers)


def started_of(definition: Definition) -> Iterator[tuple[Path, StartChild]]:
    """Yield every opening of child cases, with the keys that lead to it."""
    for path, starts in (
        *((("states", state.name), state.starts) for state in definition.states.values()),
        *((path, trigger.starts) for path, trigger in triggers_of(definition).items()),
    ):
        for number, child in enumerate(starts):
            yield (*path, "starts", number), child


def expressions_of(definition: Definition) -> Iterator[tuple[Path, Expression]]:
    """Yield every expression of the file once, with the keys that lead to it."""
    for name, field in definition.fields.items():
        for key, expression in (("formula", field.formula), ("required_when", field.required_when)):
            if expression is not None:
                yield ("fields", name, key), expression
    for path, trigger in triggers_of(definition).items():
        if trigger.when is not None:
            yield (*path, "when"), trigger.when
        for number, requirement in enumerate(trigger.require):
            yield (*path, "require", number, "that"), requirement.that
        for word, expression in trigger.sets.items():
            yield (*path, "sets", word), expression
    for path, child in started_of(definition):
        for word, expression in child.values.items():
            yield (*path, "values", word), expression
