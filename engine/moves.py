"""What a move does to a case: state, holder, deadlines, votes, decision day, values that the trigger sets."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from engine import deadlines
from engine.definition import SAME
from engine.requirements import Values, ask

if TYPE_CHECKING:
    from engine.cases import Draft
    from engine.definition import Definition, Trigger
    from engine.desk import Desk
    from engine.guards import Facts
    from engine.store import Writing
    from engine.working_calendar import WorkingCalendar


def apply(desk: Desk, draft: Draft, trigger: Trigger, to: str, facts: Facts, doers: list[str]) -> None:
    """Carry a decided move out on the draft.

    Shapes:
        to: the state that the machine computed. doers: ids of the real person and the one represented.
    """
    case, day, definition = draft.case, facts.today, facts.definition
    calendar, writing = desk.engine.calendar, desk.writing
    values = Values(facts)
    set_values = {name: ask(expression, values).value for name, expression in trigger.sets.items()}
    if doers:
        draft.put(f"done.{trigger.name}", {"by": doers, "on": day.isoformat()})
    desk.fill(draft, set_values)
    if trigger.decides:
        decided = day.isoformat() if trigger.decides == "today" else case.data.get(trigger.decides)
        draft.put("decided_on", decided)
    if trigger.is_return:
        draft.put("returns", case.book.get("returns", 0) + 1)
    _void(draft, trigger)
    if trigger.to == SAME and case.state:
        _stay(draft, definition, trigger, day, calendar, writing)
    else:
        _enter(draft, definition, to, day, calendar, writing)


def _stay(
    draft: Draft,
    definition: Definition,
    trigger: Trigger,
    day: date,
    calendar: WorkingCalendar,
    writing: Writing,
) -> None:
    if trigger.extends:
        until = draft.case.data.get(trigger.extends_to)
        if until:
            deadlines.extend(
                draft, definition, trigger.extends, date.fromisoformat(until), day, calendar, writing
            )
    if deadlines.touched(draft, definition):
        deadlines.replan(draft, definition, day, calendar, writing)
    for name in trigger.meets:
        deadlines.next_period(draft, definition, name, day, calendar, writing)


def _enter(
    draft: Draft, definition: Definition, to: str, day: date, calendar: WorkingCalendar, writing: Writing
) -> None:
    case = draft.case
    old = definition.states.get(case.state)
    new = definition.states[to]
    resumed = bool(old and old.pauses_clock and to == case.came_from)
    if new.pauses_clock and old is not None:
        deadlines.pause(draft, day, writing)
    else:
        deadlines.clear(draft, writing, keep_paused=resumed)
    draft.put("came_from", case.state if new.pauses_clock and case.state else None)
    draft.put("state", to)
    draft.put("entered_on", day.isoformat())
    draft.put("final", new.final)
    hold(draft, str(new.holder) if new.holder else None, day)
    if resumed:
        deadlines.resume(draft, definition, day, calendar, writing)
    else:
        deadlines.plan(draft, definition, day, calendar, writing)


def hold(draft: Draft, seat: str | None, day: date) -> None:
    """Hand the case to a seat; an assigned person is kept only while the seat stays."""
    case = draft.case
    if seat == case.holder:
        return
    bound = case.parties.get(seat.partition(".")[0]) if seat else None
    draft.put("holder", seat)
    draft.put("holder_organisation", bound)
    draft.put("holder_person", None)
    draft.put("held_since", day.isoformat() if seat else None)


def _void(draft: Draft, trigger: Trigger) -> None:
    """A move uses up the votes on its own trigger, and voids those of the seats it lists."""
    seats = {str(who) for who in trigger.voids}
    for word in draft.case.below("vote"):
        voted, _, seat = word.partition(".")
        if voted == trigger.name or seat in seats:
            draft.put(f"vote.{word}", None)
