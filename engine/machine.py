"""Walk 2 of 7 · what a command leads to: `decide(definition, trigger, facts)`.

Pure: no store, no clock, no queue. The `transitions` library computes the move, and only here: one machine for each
definition, without automatic transitions, with callables only, fired on a throw-away model that is never registered;
its answers are kept.
All requirements are asked before, none stops the others, and their common verdict is the single condition of the move.

Next: engine/records.py says where a decision is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from transitions import EventData, Machine, MachineError

from engine import requirements
from engine.definition import PREVIOUS, SAME
from engine.errors import Refused, Words, perhaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.commands import Unmet
    from engine.definition import Definition, Trigger
    from engine.guards import Facts

#: Where a case is before it exists: the start trigger leads from here to the first state.
BEFORE = "$before"


class TriggerNotAllowed(Refused):
    """The present state does not know this word."""

    code = "trigger_not_allowed"
    words = Words(
        "Hồ sơ {code} đang ở “{state}” nên không làm được “{trigger}”.{hint}Các bước làm được lúc này: {allowed}.",
        "Case {code} is in “{state}”, so “{trigger}” can't be fired.{hint}Allowed now: {allowed}.",
    )


class RequirementsUnmet(Refused):
    """The move is known but something is missing; `unmet` lists all of it.

    Shapes:
        unmet: tuple of `Unmet`, never empty.
    """

    code = "requirements_unmet"
    words = Words(
        "Chưa làm được “{trigger}” trên hồ sơ {code}: còn thiếu {count} điều kiện. Bổ sung rồi gửi lại.",
        "“{trigger}” can't be done on case {code} yet: {count} requirements are unmet ({codes}). Supply them, then send again.",
    )

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """Everything that is missing."""
        found: tuple[Unmet, ...] = self.facts.get("unmet", ())
        return found


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a case goes, or why not.

    Shapes:
        to: the next state; the present one when the trigger stays; None when something is unmet.
        unmet: everything that is missing; empty when `to` is set.
        guards: [{name, ok, inputs}] for the log.
    """

    trigger: Trigger
    to: str | None
    unmet: tuple[Unmet, ...]
    guards: list[dict[str, Any]] = field(default_factory=list)


class _Model:
    """What the machine moves: a state, whether the requirements are met, and where the case came from."""

    __slots__ = ("came_from", "met", "state")

    def __init__(self, state: str, came_from: str | None, *, met: bool) -> None:
        self.state = state
        self.came_from = came_from
        self.met = met


def _is_met(event: EventData) -> bool:
    return bool(getattr(event.model, "met", False))


class _CameFrom:
    """A condition of `$previous`: the case came from this one state."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state

    def __call__(self, event: EventData) -> bool:
        return getattr(event.model, "came_from", None) == self.state


def build(definition: Definition) -> Machine:
    """Return the machine of a definition; it is shared by all its cases and by all threads."""
    moves = [_move(definition.start, BEFORE, definition.start.to)]
    for state in definition.states.values():
        for trigger in state.triggers.values():
            moves.extend(_moves(definition, state.name, trigger))
    return Machine(
        model=None,
        states=[BEFORE, *definition.states],
        initial=BEFORE,
        transitions=moves,
        auto_transitions=False,
        send_event=True,
        queued=False,
    )


def _moves(definition: Definition, source: str, trigger: Trigger) -> Iterable[dict[str, Any]]:
    if trigger.to == SAME:
        yield _move(trigger, source, None)
    elif trigger.to == PREVIOUS:
        for state in definition.states.values():
            if state.final is None and state.name != source:
                yield _move(trigger, source, state.name, _CameFrom(state.name))
    else:
        yield _move(trigger, source, trigger.to)


def _move(trigger: Trigger, source: str, dest: str | None, *conditions: Any) -> dict[str, Any]:
    return {"trigger": trigger.name, "source": source, "dest": dest, "conditions": [_is_met, *conditions]}


_machines: dict[str, Machine] = {}


def machine_of(definition: Definition) -> Machine:
    """Return the shared machine of a definition, built at its first use."""
    found = _machines.get(definition.hash)
    if found is None:
        found = _machines[definition.hash] = build(definition)
    return found


def decide(
    definition: Definition,
    trigger_name: str,
    facts: Facts,
    *,
    ask: bool = True,
    machine: Machine | None = None,
) -> Decision:
    """Say where the case goes when `trigger_name` is fired on it.

    Shapes:
        facts.case: its state is "" for a case that is being started.
        ask: False when a parent's move pulls a child along: what its trigger asks of people is not asked.
        machine: the definition's own, unless a test brings another.
    Errors:
        TriggerNotAllowed: the state does not know the trigger; the sentence lists those it knows.
    """
    case = facts.case
    starting = not case.state
    trigger = definition.start if starting else definition.trigger(case.state, trigger_name)
    if trigger is None or trigger.name != trigger_name:
        raise _not_allowed(definition, trigger_name, facts)
    unmet, guards = requirements.check(trigger, facts) if ask else ((), [])
    state = BEFORE if starting else case.state
    try:
        to = _moved(machine or machine_of(definition), trigger_name, state, case.came_from, not unmet)
    except MachineError as why:
        raise _not_allowed(definition, trigger_name, facts) from why
    if to is None and not unmet:
        raise _not_allowed(definition, trigger_name, facts)
    return Decision(trigger, to, unmet, guards)


@lru_cache(maxsize=4096)
def _moved(machine: Machine, trigger: str, state: str, came_from: str | None, met: bool) -> str | None:
    """Return where the machine leads, or None: asked once, because a machine that has been made never changes."""
    model = _Model(state, came_from, met=met)
    moved = trigger in machine.events and machine.events[trigger].trigger(model)
    return model.state if moved else None


def _not_allowed(definition: Definition, trigger: str, facts: Facts) -> TriggerNotAllowed:
    state = definition.states.get(facts.case.state)
    known = (
        [name for name, one in state.triggers.items() if one.when is None]
        if state
        else [definition.start.name]
    )
    return TriggerNotAllowed(
        code=facts.case.code,
        state=state.title if state else "",
        trigger=trigger,
        allowed=", ".join(known) or "—",
        hint=perhaps(trigger, known),
    )


def refusal(decision: Decision, code: str | Words) -> RequirementsUnmet:
    """Return the refusal that lists everything a decision lacks."""
    return RequirementsUnmet(
        code=code,
        trigger=decision.trigger.title,
        count=len(decision.unmet),
        codes=", ".join(one.code for one in decision.unmet),
        unmet=decision.unmet,
    )
