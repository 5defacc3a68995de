"""What a command must hold before it may look: named locks, then cases from the root down, known before the first lock.

A named lock stands for what is no case: the budget line and the history of an establishment, which guards read across
families, and the registers. Its name says which one, so that two provinces never wait for each other.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from engine import carrying, command_shapes
from engine.commands import Assign, CaseCommand, Edit, Erase, Fire, Register, Start
from engine.errors import Refused
from engine.refusals import CaseUnknown
from engine.store import Asked, establishment_lock, plan_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from typing import Any

    from engine.commands import Command
    from engine.definition import Definition
    from engine.engine import Engine
    from engine.store import Place, Transaction, Whereabouts

#: Registers are read across by their checks and seldom written: one lock for all of them.
REGISTERS = "register"
_FILLING = (Start, Fire, Edit)
_BINDING = (Start, Assign)


def asked(engine: Engine, tx: Transaction, command: Command) -> Asked:
    """Return what must be locked and read for a command.

    Errors:
        CaseUnknown: there is no such case. HappenedOnWrong: the claimed day can't be accepted.
    """
    principal, case = command.principal, _case_of(command)
    # Where it stands is asked first: the time then comes with the answer.
    where = tx.where(case) if case else None
    day = carrying.day_of(command, tx.now)
    key = (principal.key, command.id, principal.person, day.isoformat())
    if not case:
        return Asked(*key, locks=_without_case(engine, command, day))
    if where is None:
        raise CaseUnknown(case=case)
    definitions = [engine.definitions.by_hash(one.definition) for one in where.places]
    ids = where.path.split("/")
    own = definitions[-1]
    above = (
        isinstance(command, Start) or "parent" in own.reads or any(one.children for one in definitions[:-1])
    )
    families = [one for one, definition in zip(ids, definitions, strict=True) if definition.children]
    return Asked(
        *key,
        locks=_locks(engine, tx, command, where, definitions),
        cases=tuple(ids) if above else (ids[-1],),
        families=tuple(families) if above else tuple(one for one in families if one == ids[-1]),
    )


def hold_all(engine: Engine, tx: Transaction, commands: Iterable[Command], *, wait: bool) -> frozenset[str]:
    """Take the locks of several commands at once, so that two such runs meet in one order.

    A command that will be refused asks for nothing here.

    Shapes:
        wait: False: what others hold is not waited for.
        returns: ids of the commands that lack a lock; empty when waiting.
    """
    asks: list[Asked] = []
    for command in commands:
        with suppress(Refused):
            command_shapes.check(command)
            asks.append(asked(engine, tx, command))
    locks = {name for one in asks for name in one.locks}
    cases = dict.fromkeys(case for one in asks for case in one.cases)
    held = tx.hold(tuple(sorted(locks)), tuple(cases), wait=wait)
    return frozenset(one.command for one in asks if not held.issuperset((*one.locks, *one.cases)))


def _case_of(command: Command) -> str:
    if isinstance(command, CaseCommand):
        return command.case
    if isinstance(command, Start):
        return command.parent
    return command.subject if isinstance(command, Erase) and command.subject_kind == "case" else ""


def _without_case(engine: Engine, command: Command, day: date) -> tuple[str, ...]:
    if isinstance(command, (Register, Erase)):
        return (REGISTERS,)
    if not isinstance(command, Start):
        return ()
    definition = engine.definitions.newest(command.definition)
    return tuple(sorted(set(_of_start(definition, command, command.plan_year or day.year))))


def _locks(
    engine: Engine, tx: Transaction, command: Command, where: Whereabouts, definitions: Sequence[Definition]
) -> tuple[str, ...]:
    """Return the named locks of a command on a case: for each case that may be decided on, what its guards read."""
    places = list(zip(where.places, definitions, strict=True))
    if any(engine.definitions.watchers_read(one) for one in definitions):
        places += [(one, engine.definitions.by_hash(one.definition)) for one in tx.below(where.path)]
    wanted = {name for place, definition in places for name in _of_place(place, definition, command)}
    if isinstance(command, Start):
        own = engine.definitions.newest(command.definition)
        wanted.update(_of_start(own, command, where.places[-1].plan_year))
        wanted.update(_establishments(own, where.places[-1].parties))
    return tuple(sorted(wanted))


def _of_place(place: Place, definition: Definition, command: Command) -> Iterator[str]:
    if "plan" in definition.reads and place.plan_year:
        for scope in {place.scope, *_given_scopes(definition, command)}:
            yield plan_lock(definition.name, place.plan_year, scope)
    yield from _establishments(definition, place.parties)
    if isinstance(command, _BINDING):
        yield from _establishments(definition, command.parties)


def _of_start(definition: Definition, command: Start, plan_year: int | None) -> Iterator[str]:
    if "plan" in definition.reads and plan_year:
        for scope in {"", *_given_scopes(definition, command)}:
            yield plan_lock(definition.name, plan_year, scope)
    yield from _establishments(definition, command.parties)


def _given_scopes(definition: Definition, command: Command) -> Iterator[str]:
    """Return the scope that the command itself sets: the case then belongs to the other budget line."""
    field = definition.summary.get("scope", "")
    if isinstance(command, _FILLING) and field in command.values:
        yield str(command.values[field] or "")


def _establishments(definition: Definition, parties: Mapping[str, Any]) -> Iterator[str]:
    if "establishment" in definition.reads:
        for name, party in definition.parties.items():
            if party.kind == "establishment" and parties.get(name):
                yield establishment_lock(parties[name])
