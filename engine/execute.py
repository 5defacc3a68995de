"""Walk 4 of 7 · THE transaction. Everything that changes anything that matters passes through here.

In one database transaction: claim (lock, then read), answer a repeat, check who asks and everything that is required,
decide, record the case with its log entries, notices, outbox rows and timers. Only after the commit does anything leave
the process. A refusal leaves no trace but itself.

Next: engine/relay.py sees to it that every outbox row is done.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from engine import carrying, command_shapes, locking, machine, personal, refusals, tally
from engine.commands import CaseCommand, Command, Erase, Principal, Receipt, Start
from engine.desk import Desk
from engine.errors import Refused, TiendoError
from engine.refusals import CaseUnknown, CommandIdReused, VersionConflict
from engine.seats import seats_of
from engine.store import HELD, Contended, RowRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.commands import Unmet
    from engine.definition import Trigger
    from engine.engine import Engine
    from engine.store import Transaction


_T = TypeVar("_T")
#: So often a transaction is begun anew before its sender is told that too many want the same.
_ATTEMPTS = 6
_LONGEST_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Step:
    """A trigger of the present state, as one person would find it now.

    Shapes:
        unmet: everything that is still missing; empty when it may be fired.
    """

    trigger: Trigger
    unmet: tuple[Unmet, ...]

    @property
    def allowed(self) -> bool:
        """Whether it may be fired now."""
        return not self.unmet


def execute(engine: Engine, command: Command) -> Receipt:
    """Carry one command out, once.

    Errors:
        Refused: nothing changed; the refusal is recorded. Sending the same command again decides anew.
        Unavailable: nothing changed, or it did and the answer was lost: send the same command again.
        Broken: nothing changed; a developer must look.
    """
    answer = execute_all(engine, (command,))[0]
    if isinstance(answer, TiendoError):
        raise answer
    return answer


def execute_all(
    engine: Engine, commands: Iterable[Command], *, wait: bool = True
) -> list[Receipt | TiendoError]:
    """Carry commands out in one transaction, in the order given; each is its own command, entry and refusal.

    Shapes:
        wait: False leaves a command out whose case somebody else holds just now; its answer is `Contended`.
        returns: for each command its receipt, or the refusal it met; the others are not touched by it.
    Errors:
        Unavailable, Broken: none of them happened.
    """
    commands = tuple(commands)
    rings: list[tuple[str, str]] = []
    answers = _again_if_contended(lambda: _together(engine, commands, rings, wait=wait))
    if any(isinstance(command, Erase) for command in commands):
        engine.store.scrub()
    if rings:
        _ring(engine, rings)
    return answers


def _again_if_contended(attempt: Callable[[], _T]) -> _T:
    """Begin anew when others changed what a transaction rests on, or waited for it while it waited for them."""
    for left in range(_ATTEMPTS, 0, -1):
        try:
            return attempt()
        except Contended as why:
            if left == 1:
                raise
            tally.add("contended")
            structlog.get_logger().info("contended", said=why.sentence("en"), left=left - 1)
            # Not all at once again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
    raise AssertionError


def _together(
    engine: Engine, commands: tuple[Command, ...], rings: list[tuple[str, str]], *, wait: bool
) -> list[Receipt | TiendoError]:
    rings.clear()
    if len(commands) == 1 and wait:
        try:
            with engine.store.begin() as tx:
                return [_one(engine, tx, commands[0], rings, last=True)]
        except Refused as why:
            # Rolled back, whatever was done on the way: a refusal leaves no trace but itself.
            with engine.store.begin() as tx:
                refusals.record(tx, commands[0], why)
            return [why]
    answers: list[Receipt | TiendoError] = []
    with engine.store.begin() as tx:
        held_by_others = frozenset() if tx.serial else locking.hold_all(engine, tx, commands, wait=wait)
        for command in commands:
            if command.id in held_by_others:
                answers.append(Contended(why=HELD))
                continue
            tx.run("SAVEPOINT command")
            try:
                answers.append(_one(engine, tx, command, rings))
            except Refused as why:
                tx.run("ROLLBACK TO command")
                refusals.record(tx, command, why)
                answers.append(why)
            tx.run("RELEASE command")
    return answers


def _ring(engine: Engine, rings: list[tuple[str, str]]) -> None:
    """Ring for what was promised. All of it is committed: a bell that breaks costs time, the sweep rings again."""
    try:
        engine.ring(rings)
    except Exception:  # noqa: BLE001 - the sender must not read a failed bell as a failed command
        structlog.get_logger().warning("bell_failed", rows=len(rings), exc_info=True)


def _one(
    engine: Engine, tx: Transaction, command: Command, rings: list[tuple[str, str]], *, last: bool = False
) -> Receipt:
    command_shapes.check(command)
    body = command.body_hash()
    if isinstance(command, Start):
        engine.definitions.keep_in_step(tx)
    asked = locking.asked(engine, tx, command)
    claimed = tx.claim(asked)
    if claimed.answered is not None:
        known, answer = claimed.answered
        if not personal.is_same(tx, known, body):
            raise CommandIdReused(command=command.id)
        return Receipt(**{**answer, "repeated": True})
    desk = Desk(engine, tx, command, claimed, date.fromisoformat(asked.day))
    if isinstance(command, CaseCommand):
        _check_case(command, desk)
    receipt = carrying.carry_out(desk)
    if desk.writing.openings:
        body = desk.commit(personal.RECEIPT, receipt.subject, body)
    desk.writing.receipts.append((command.principal.key, command.id, body, carrying.stored(receipt)))
    try:
        tx.record(desk.writing, last=last)
    except RowRefused as why:
        raise refusals.from_constraint(str(why), command) from why
    rings.extend(desk.rings)
    return receipt


def _check_case(command: CaseCommand, desk: Desk) -> None:
    case = desk.claimed.cases.get(command.case)
    if case is None:
        raise CaseUnknown(case=command.case)
    asks = command.principal
    if asks.kind == "person" and not seats_of(asks.person, case, desk.claimed, asks.on_behalf_of):
        raise CaseUnknown(case=command.case)
    if command.expected_version is not None and command.expected_version != case.version:
        raise VersionConflict(
            code=case.code,
            expected=command.expected_version,
            found=case.version,
            state=desk.definition(case).states[case.state].title,
        )


def preview(engine: Engine, case: str, person: str) -> tuple[Step, ...]:
    """Return every trigger that people may fire in the present state, each with everything it still lacks.

    Nothing is written. The same checks run again, on locked rows, when one of them is fired.

    Errors:
        CaseUnknown: there is no such case.
    """
    question = Command(principal=Principal("person", person))
    with engine.store.look() as tx:
        asked = locking.asked(
            engine, tx, CaseCommand(principal=question.principal, case=case, id=question.id)
        )
        desk = Desk(engine, tx, question, tx.claim(asked), date.fromisoformat(asked.day))
        found = desk.claimed.cases[case]
        return tuple(_steps(desk, found))


def _steps(desk: Desk, case: Any) -> Iterable[Step]:
    for trigger in desk.definition(case).states[case.state].triggers.values():
        if trigger.when is None:
            facts = desk.facts(case)
            decision = machine.decide(facts.definition, trigger.name, facts)
            yield Step(trigger, decision.unmet)
