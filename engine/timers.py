"""Due timers become commands. A tick reads them without a lock; each is closed by the transaction of its command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from engine import civil_time, deadlines
from engine.commands import Fire, Principal, Remind
from engine.errors import Broken, Refused, TiendoError, Unavailable, Words
from engine.execute import execute_all
from engine.refusals import TimerClosed
from engine.seats import bound_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from engine.cases import Case
    from engine.commands import CaseCommand, Receipt
    from engine.engine import Engine

_DUE = (
    "SELECT t.id, t.case_id, t.kind, t.deadline, t.due_at, c.definition, c.state FROM timer t"
    " JOIN workflow_case c ON c.id = t.case_id WHERE t.state = 'waiting' AND t.due_at <= :until"
)
#: Timers before their cases: a server that plans once for all values would else look at every case there is.
_FIRST_DUE = (
    "SELECT t.id, t.case_id, t.kind, t.deadline, t.due_at, c.definition, c.state FROM (SELECT id, case_id, kind, deadline,"
    " due_at FROM timer WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at, id LIMIT {limit:d}) t"
    " JOIN workflow_case c ON c.id = t.case_id ORDER BY t.due_at, t.id"
)
_DUE_ON_CASE = f"{_DUE.replace(':until', ':now')} AND t.case_id = :case ORDER BY t.due_at, t.id"
#: How many timers share one transaction.
TOGETHER = 64


class TimerBroke(Broken):
    """What a due timer asked for broke; the timer is closed as refused, so that the others go on."""

    code = "timer_broke"
    words = Words(
        "Hẹn giờ {timer} gặp lỗi {broke} và được gác lại. Hãy báo người bảo trì; các hẹn giờ khác vẫn chạy.",
        "Timer {timer} broke with {broke} and was put aside. Tell the maintainer; all others go on.",
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """What a waiting timer will do.

    Shapes:
        on: civil day. what: word of a notice, or trigger that fires. to: ids of the persons told, in order.
    """

    on: date
    case: str
    code: str
    kind: str
    deadline: str
    what: str
    to: tuple[str, ...]


def fire_due(engine: Engine, *, limit: int = 500) -> int:
    """Fire what is due now and return how many timers were fired.

    A trigger that is refused closes its timer as `refused`, with the codes of what was missing: a person must look.

    Shapes:
        limit: 1 to 1,000 timers in this call.
    Errors:
        Unavailable: timers already fired stay fired.
    """
    with engine.store.look() as tx:
        rows = tx.run(_FIRST_DUE.format(limit=limit))
    return _fire(engine, rows, via="timer")


def fire_of_case(engine: Engine, case: str) -> int:
    """Fire what is due now on one case; a transition that planned deadlines asks for it."""
    with engine.store.look() as tx:
        rows = tx.run(_DUE_ON_CASE, {"case": case})
    return _fire(engine, rows, via="timer")


def fire_past(engine: Engine, case_ids: Sequence[str], until: date) -> int:
    """Fire, in order, the timers of imported cases that lie before the end of the day `until`.

    Each counts as of its own day; what it would tell is written as suppressed, because nobody is to be told now.

    Shapes:
        case_ids: the imported cases; empty means every case.
    """
    fired = 0
    wanted = frozenset(case_ids)
    limit = civil_time.micros_of(civil_time.late_from(until)) - 1
    while True:
        with engine.store.look() as tx:
            first = f"ORDER BY t.due_at, t.id LIMIT {TOGETHER * 4}"
            found = (
                [
                    tx.run(f"{_DUE} AND t.case_id = :case {first}", {"until": limit, "case": one})
                    for one in wanted
                ]
                if wanted
                else [tx.run(f"{_DUE} {first}", {"until": limit})]
            )
        rows = sorted((row for some in found for row in some), key=lambda row: (row[4], row[0]))
        if not rows:
            return fired
        # A timer may set another that is due as well: those of one instant go together, then we look again.
        fired += _fire(engine, [row for row in rows if row[4] == rows[0][4]], via="import")


def _fire(engine: Engine, rows: Sequence[tuple[Any, ...]], *, via: str) -> int:
    fired = 0
    for start in range(0, len(rows), TOGETHER):
        commands = [_command(engine, row, via) for row in rows[start : start + TOGETHER]]
        answers = _answers(engine, commands, via)
        # A repeat is one that another sweep fired in the meantime.
        fired += sum(not isinstance(answer, TiendoError) and not answer.repeated for answer in answers)
        _refuse(engine, zip(commands, answers, strict=True))
    return fired


def _answers(engine: Engine, commands: list[CaseCommand], via: str) -> list[Receipt | TiendoError]:
    """Carry the commands of due timers out; one that breaks is put aside, so that it does not hold up all others.

    What somebody holds just now is left to the next tick, so that two tickers share the work and wait for nobody.
    """
    try:
        return execute_all(engine, commands, wait=via == "import")
    except Unavailable:
        raise
    except Exception as why:  # noqa: BLE001 - whatever it is, it would come again with every tick
        if len(commands) > 1:
            return [answer for command in commands for answer in _answers(engine, [command], via)]
        structlog.get_logger().exception("timer_broke", timer=commands[0].id, case=commands[0].case)
        return [
            TimerBroke(
                timer=commands[0].id, broke=why.code if isinstance(why, TiendoError) else type(why).__name__
            )
        ]


def _command(engine: Engine, row: tuple[Any, ...], via: str) -> CaseCommand:
    timer, case, kind, name, due_at, definition, state = row
    happened_on = civil_time.day_at(due_at).isoformat() if via == "import" else ""
    principal = Principal("timer", "timer", via)
    deadline = deadlines.find(engine.definitions.by_hash(definition), state, name)
    if kind == "end" and deadline is not None and deadline.fires:
        return Fire(principal=principal, id=timer, case=case, trigger=deadline.fires, happened_on=happened_on)
    return Remind(principal=principal, id=timer, case=case, timer=timer, happened_on=happened_on)


def _refuse(engine: Engine, answered: Iterable[tuple[CaseCommand, Any]]) -> None:
    """Close timers whose command was refused; one that was closed meanwhile is nobody's business."""
    refused = [(command, why) for command, why in answered if isinstance(why, (Refused, TimerBroke))]
    if not refused:
        return
    with engine.store.begin() as tx:
        for command, why in refused:
            state = "cancelled" if isinstance(why, TimerClosed) else "refused"
            codes = ", ".join(one.code for one in getattr(why, "unmet", ())) or why.facts.get(
                "broke", why.code
            )
            tx.run(
                "UPDATE timer SET state = :state, closed_at = :now, why = :why WHERE id = :id AND state = 'waiting'",
                {"id": command.id, "state": state, "now": tx.now, "why": codes},
            )


def agenda(engine: Engine, *, days: int) -> list[Planned]:
    """Return what will be sent or fired in the coming days, in order of time, as things stand now."""
    planned: list[Planned] = []
    with engine.store.look() as tx:
        until = tx.now + days * 86_400_000_000
        rows = tx.run(f"{_DUE} ORDER BY t.due_at, t.id", {"until": until})
        for row in rows:
            case = tx.case(row[1])
            if case is not None:
                planned.append(_planned(engine, tx, case, row))
    return planned


def _planned(engine: Engine, tx: Any, case: Case, row: tuple[Any, ...]) -> Planned:
    timer, _, kind, name, due_at, _, state = row
    definition = engine.definitions.by_hash(case.definition)
    day = civil_time.day_at(due_at)
    deadline = deadlines.find(definition, state, name)
    what = ""
    to: list[str] = []
    if deadline is not None and kind == "rung":
        number = tx.run("SELECT rung FROM timer WHERE id = :id", {"id": timer})[0][0]
        rung = deadline.ladder[number // deadlines.REPEATS]
        what = rung.notice
        for who in rung.to:
            bound = bound_to(case, who)
            if bound is not None:
                to += tx.members(*bound, day.isoformat()) if bound[1] else [bound[0]]
    elif deadline is not None and deadline.fires:
        what = deadline.fires
    return Planned(day, case.id, case.code, kind, name, what, tuple(dict.fromkeys(to)))
