"""Commands that a due timer sends: a rung of a ladder, the end of a deadline, the next period.

A timer is closed in the transaction of its command, so two sweeps at once fire it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import civil_time, deadlines, family
from engine.definition import Tell
from engine.entries import Entry
from engine.refusals import CaseUnknown, TimerClosed

if TYPE_CHECKING:
    from engine.cases import Draft
    from engine.commands import CaseCommand, Receipt, Remind
    from engine.definition import Deadline, LadderRung
    from engine.desk import Desk
    from engine.guards import Facts


@dataclass(frozen=True, slots=True)
class Timer:
    """A waiting row of `timer`."""

    id: str
    case_id: str
    kind: str
    deadline: str
    period: str
    rung: int
    due_at: int


def waiting(desk: Desk, timer: str) -> Timer:
    """Return a timer that is still waiting.

    Errors:
        TimerClosed: it is not; somebody else fired it, or the case moved on.
    """
    rows = desk.tx.run(
        "SELECT id, case_id, kind, deadline, period, rung, due_at FROM timer WHERE id = :timer AND state = 'waiting'",
        {"timer": timer},
    )
    if not rows:
        raise TimerClosed(timer=timer)
    return Timer(*rows[0])


def closing(desk: Desk, command: CaseCommand, facts: Facts) -> Timer | None:
    """Return the timer behind a move that a timer asks for; None for everybody else."""
    if command.principal.kind != "timer":
        return None
    timer = waiting(desk, command.id)
    deadline = deadlines.find(facts.definition, facts.case.state, timer.deadline)
    if (
        timer.case_id != facts.case.id
        or deadline is None
        or deadline.fires != getattr(command, "trigger", "")
    ):
        raise TimerClosed(timer=timer.id)
    return timer


def closed(desk: Desk, timer: Timer | None) -> None:
    """Close a timer that did its duty."""
    if timer is not None:
        desk.writing.closes.append((timer.id, "fired", ""))


def remind(desk: Desk, command: Remind) -> Receipt:
    """Carry out what a due timer asks for that is no move of the case."""
    if command.principal.kind != "timer":
        raise CaseUnknown(case=command.case)
    timer = waiting(desk, command.timer)
    case = desk.claimed.cases[command.case]
    draft = desk.draft(case)
    if timer.case_id != case.id:
        raise TimerClosed(timer=timer.id)
    if timer.deadline == deadlines.STARTS:
        _open_period(desk, draft, timer)
    else:
        deadline = deadlines.find(desk.definition(case), case.state, timer.deadline)
        if deadline is None:
            raise TimerClosed(timer=timer.id)
        if timer.kind == "rung":
            _rung(desk, draft, deadline, timer)
        else:
            _next(desk, draft, timer)
    closed(desk, timer)
    return desk.receipt(case)


def _rung(desk: Desk, draft: Draft, deadline: Deadline, timer: Timer) -> None:
    rung: LadderRung = deadline.ladder[timer.rung // deadlines.REPEATS]
    book: dict[str, Any] = draft.case.get(f"deadline.{deadline.name}")
    seq = draft.case.seq
    if rung.log:
        seq = desk.log(draft, Entry(draft.take_changes()))
    late = civil_time.day_at(desk.tx.now) > civil_time.day_at(timer.due_at)
    desk.tell(
        draft, [Tell(who, rung.notice) for who in rung.to], seq,
        deadline=deadline.name, due_on=book["due"], rung=timer.rung, late=late and not desk.suppressed,
    )  # fmt: skip


def _next(desk: Desk, draft: Draft, timer: Timer) -> None:
    """A period of a repeating deadline is over: the next one waits, and the log says so."""
    definition = desk.definition(draft.case)
    deadlines.next_period(draft, definition, timer.deadline, desk.day, desk.engine.calendar, desk.writing)
    desk.log(draft, Entry(draft.take_changes()))


def _open_period(desk: Desk, draft: Draft, timer: Timer) -> None:
    """Open this month's child and let the next month wait; months that were slept through are not opened."""
    case = draft.case
    state = desk.definition(case).states[case.state]
    period = desk.day.isoformat()[:7]
    start = state.starts[timer.rung]
    # A project that was suspended and resumed, or partly accepted, enters a second such state in the same month.
    known = {child.data.get(start.period_field) for child in desk.children(case)
             if desk.definition(child).name == start.definition}  # fmt: skip
    if period not in known:
        family.start_child(desk, case, start, case.seq, period)
    first_of_next = deadlines.next_month(desk.day)
    desk.writing.timers.append(deadlines.month_timer(case, timer.rung, case.seq, first_of_next))


def replan(desk: Desk, draft: Draft, facts: Facts) -> None:
    """Count deadlines again when a date that they depend on was changed."""
    if deadlines.touched(draft, facts.definition):
        deadlines.replan(draft, facts.definition, desk.day, desk.engine.calendar, desk.writing)
