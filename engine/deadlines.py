"""The deadlines of a case: planned on entering a state, paused, resumed, extended, met; and the timers that wait for them.

A running deadline lives in the case's book under `deadline.<name>`:
{state, set_by, start, due, pauses: [[from, to]], extended_to, generation, period, paused}. So the log proves it, and
`explain` counts it again from the same values. Timers are rows beside it that only wait.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine import civil_time, legal_clock
from engine.commands import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.cases import Case, Draft
    from engine.definition import Deadline, Definition, State
    from engine.store import Writing
    from engine.working_calendar import WorkingCalendar

#: A rung of a ladder is numbered place * 100 + repetition.
REPEATS = 100
#: Name under which timers that open periodic children wait.
STARTS = "$starts"


def find(definition: Definition, state: str, name: str) -> Deadline | None:
    """Return the deadline `name` of `state`."""
    known = definition.states.get(state)
    return next((one for one in known.deadlines if one.name == name), None) if known else None


def start_of(deadline: Deadline, case: Case, day: date) -> date | None:
    """Return the day from which a deadline counts, or None while that is not known."""
    if not deadline.since:
        return day
    done = case.get(f"done.{deadline.since}")
    value = done["on"] if done else case.data.get(deadline.since)
    return date.fromisoformat(value) if isinstance(value, str) else None


def due_of(
    deadline: Deadline, book: dict[str, Any], case: Case, calendar: WorkingCalendar
) -> legal_clock.Due:
    """Return when a running deadline ends; its day is None while its date field is not set."""
    return legal_clock.due(**counting(deadline, book, case, calendar))


def counting(
    deadline: Deadline, book: dict[str, Any], case: Case, calendar: WorkingCalendar
) -> dict[str, Any]:
    """Return what the legal clock counts from; `explain` takes the same."""
    field = getattr(deadline.rule, "field", "")
    value = case.data.get(field) if field else None
    return {
        "rule": deadline.rule,
        "start": date.fromisoformat(book["start"]),
        "plan_year": case.plan_year,
        "calendar": calendar,
        "pauses": tuple(
            legal_clock.Pause(date.fromisoformat(one), date.fromisoformat(other) if other else None)
            for one, other in book["pauses"]
        ),
        "extended_to": date.fromisoformat(book["extended_to"]) if book["extended_to"] else None,
        "field_value": date.fromisoformat(value) if value else None,
    }


def plan(
    draft: Draft, definition: Definition, day: date, calendar: WorkingCalendar, writing: Writing
) -> None:
    """Plan every deadline of the state that the case has just entered."""
    for deadline in definition.states[draft.case.state].deadlines:
        _begin(draft, deadline, day, calendar, writing, period_from=day)
    _earliest(draft)


def replan(
    draft: Draft, definition: Definition, day: date, calendar: WorkingCalendar, writing: Writing,
    *, not_before: date | None = None,
) -> None:  # fmt: skip
    """Count the running deadlines again after a value, a pause or the calendar changed.

    A due day that stays leaves every timer as it is; one that moved opens a new generation of rungs. Deadlines that were
    due before `not_before` are left as they were: what is past is not made undone by a new calendar.
    """
    for deadline in definition.states[draft.case.state].deadlines:
        book = draft.case.get(f"deadline.{deadline.name}")
        if book is None:
            _begin(draft, deadline, day, calendar, writing, period_from=day)
        elif not book["paused"] and (not_before is None or book["due"] >= not_before.isoformat()):
            _move(draft, deadline, dict(book), day, calendar, writing)
    _earliest(draft)


def clear(draft: Draft, writing: Writing, *, keep_paused: bool = False) -> None:
    """Take the deadlines of the state that is being left off the case and cancel what waits for them."""
    for name, book in draft.case.below("deadline").items():
        if not (keep_paused and book["paused"]):
            draft.put(f"deadline.{name}", None)
            writing.cancel(draft.case.id, name, "cancelled")


def pause(draft: Draft, day: date, writing: Writing) -> None:
    """Stop all running deadlines; fixed dates stand still in the book and are not moved by it."""
    for name, book in draft.case.below("deadline").items():
        if not book["paused"]:
            pauses = [*book["pauses"], [day.isoformat(), None]]
            draft.put(f"deadline.{name}", {**book, "paused": True, "pauses": pauses})
            writing.cancel(draft.case.id, name, "paused")


def resume(
    draft: Draft, definition: Definition, day: date, calendar: WorkingCalendar, writing: Writing
) -> None:
    """Let the paused deadlines run on with what was left."""
    for name, book in draft.case.below("deadline").items():
        deadline = find(definition, book["state"], name)
        if not book["paused"] or deadline is None:
            continue
        began = book["pauses"][-1][0]
        # A clock that was set back meanwhile must not lock the case up: the pause then took no time.
        pauses = [*book["pauses"][:-1], [began, max(began, day.isoformat())]]
        _move(
            draft, deadline, {**book, "paused": False, "pauses": pauses}, day, calendar, writing, resumed=True
        )
    _earliest(draft)


def carry_over(
    draft: Draft, old: Definition, new: Definition, day: date, calendar: WorkingCalendar, writing: Writing
) -> None:
    """Let the running deadlines go on under another version: a day that does not move keeps its timers and their past.

    Shapes:
        draft: its state is already that of the new version.
    """
    state = new.states[draft.case.state]
    for name in draft.case.below("deadline").keys() - {one.name for one in state.deadlines}:
        clear_one(draft, name, writing)
    entered = date.fromisoformat(draft.case.entered_on) if draft.case.entered_on else day
    for deadline in state.deadlines:
        book = draft.case.get(f"deadline.{deadline.name}")
        if book is None:
            _begin(draft, deadline, entered, calendar, writing, period_from=day)
            continue
        before = find(old, book["state"], deadline.name)
        same = before is not None and (before.ladder, before.fires) == (deadline.ladder, deadline.fires)
        _move(draft, deadline, {**book, "state": state.name}, day, calendar, writing, renew=not same)
    if not any(one.every for one in state.starts):
        writing.cancel(draft.case.id, STARTS, "cancelled")
    _earliest(draft)


def extend(
    draft: Draft,
    definition: Definition,
    name: str,
    until: date,
    day: date,
    calendar: WorkingCalendar,
    writing: Writing,
) -> None:
    """Move one running deadline to a day that was decided."""
    book, deadline = draft.case.get(f"deadline.{name}"), find(definition, draft.case.state, name)
    if book is not None and deadline is not None:
        _move(draft, deadline, {**book, "extended_to": until.isoformat()}, day, calendar, writing)
        _earliest(draft)


def next_period(
    draft: Draft, definition: Definition, name: str, day: date, calendar: WorkingCalendar, writing: Writing
) -> None:
    """Go on to the next period of a repeating deadline: it was met, or it is over; missed periods are skipped."""
    book, deadline = draft.case.get(f"deadline.{name}"), find(definition, draft.case.state, name)
    if book is None or deadline is None:
        return
    writing.cancel(draft.case.id, name, "cancelled")
    if not isinstance(deadline.rule, legal_clock.Monthly) or deadline.rule.once:
        draft.put(f"deadline.{name}", None)
    else:
        after = max(date.fromisoformat(book["due"]), day - timedelta(days=1)) + timedelta(days=1)
        _begin(draft, deadline, after, calendar, writing, period_from=day, generation=book["generation"])
    _earliest(draft)


def _begin(
    draft: Draft, deadline: Deadline, day: date, calendar: WorkingCalendar, writing: Writing,
    *, period_from: date, generation: int = 1,
) -> None:  # fmt: skip
    case = draft.case
    start = start_of(deadline, case, day)
    if start is None:
        return
    book: dict[str, Any] = {
        "state": case.state, "set_by": case.seq + 1, "start": start.isoformat(), "due": "", "pauses": [],
        "extended_to": None, "generation": generation, "period": "", "paused": False,
    }  # fmt: skip
    due = due_of(deadline, book, case, calendar)
    if due.due_on is None:
        return
    book["due"] = due.due_on.isoformat()
    if isinstance(deadline.rule, legal_clock.Monthly):
        book["period"] = legal_clock.month_of(deadline.rule, due.due_on)
    draft.put(f"deadline.{deadline.name}", book)
    writing.timers.extend(timers(case, deadline, book, period_from, calendar))


def _move(
    draft: Draft, deadline: Deadline, book: dict[str, Any], day: date, calendar: WorkingCalendar, writing: Writing,
    *, resumed: bool = False, renew: bool = False,
) -> None:  # fmt: skip
    """Write a changed deadline; where its day moved a new generation of timers waits.

    Shapes:
        resumed: its timers stand still; where the day did not move, the same ones wait again, so that no rung goes twice.
        renew: its ladder is another one, so that the old timers mean nothing any more.
    """
    name = f"deadline.{deadline.name}"
    due = due_of(deadline, book, draft.case, calendar)
    if due.due_on is None:
        clear_one(draft, deadline.name, writing)
        return
    moved = book["due"] != due.due_on.isoformat()
    book["due"] = due.due_on.isoformat()
    if moved or renew:
        book["generation"] += 1
        writing.cancel(draft.case.id, deadline.name, "cancelled")
        writing.timers.extend(timers(draft.case, deadline, book, day, calendar))
    elif resumed:
        writing.cancel(draft.case.id, deadline.name, "waiting")
    draft.put(name, book)


def clear_one(draft: Draft, name: str, writing: Writing) -> None:
    """Take one deadline off the case."""
    draft.put(f"deadline.{name}", None)
    writing.cancel(draft.case.id, name, "cancelled")


def _earliest(draft: Draft) -> None:
    running = [book["due"] for book in draft.case.below("deadline").values() if not book["paused"]]
    draft.put("due_on", min(running, default=None))


def touched(draft: Draft, definition: Definition) -> bool:
    """Return whether the changes so far touch a date that a deadline of the present state counts from."""
    for deadline in definition.states[draft.case.state].deadlines:
        for name in (deadline.since, getattr(deadline.rule, "field", "")):
            if name and f"data.{name}" in draft.changes:
                return True
    return False


def timers(
    case: Case, deadline: Deadline, book: dict[str, Any], day: date, calendar: WorkingCalendar
) -> Iterable[tuple[Any, ...]]:
    """Return the rows of `timer` for one running deadline, seen from `day`.

    Rungs whose day is gone are left out, but the latest of them is kept when the deadline itself has passed: somebody
    must be told.
    """
    due = date.fromisoformat(book["due"])
    key = (deadline.name, book["set_by"], book["generation"], book["period"])
    begin = civil_time.micros_of(civil_time.instant_of(day))
    gone: list[tuple[int, int]] = []
    for place, rung in enumerate(deadline.ladder):
        for repetition in range(rung.times):
            at = civil_time.rung_at(rung.at + repetition * rung.every, rung.unit, due, calendar)
            number = place * REPEATS + repetition
            if at >= begin:
                yield (new_id(), case.id, "rung", *key, number, at)
            else:
                gone.append((at, number))
    if gone and due < day:
        at, number = max(gone)
        yield (new_id(), case.id, "rung", *key, number, at)
    if isinstance(deadline.rule, legal_clock.Monthly) and not deadline.rule.once:
        yield (new_id(), case.id, "month", *key, -1, civil_time.micros_of(legal_clock.late_from(due)))
    elif deadline.fires:
        yield (new_id(), case.id, "end", *key, -1, civil_time.micros_of(legal_clock.late_from(due)))


def monthly_starts(case: Case, state: State, day: date) -> Iterable[tuple[Any, ...]]:
    """Return the timers that open the first periodic child of each kind: at once, for the present month."""
    for place, start in enumerate(state.starts):
        if start.every == "month":
            yield month_timer(case, place, case.seq + 1, day)


def month_timer(case: Case, place: int, set_by: int, day: date) -> tuple[Any, ...]:
    """Return the timer that opens the periodic child of the month of `day`, on that day."""
    at = civil_time.micros_of(legal_clock.late_from(day - timedelta(days=1)))
    return (new_id(), case.id, "month", STARTS, set_by, 1, day.isoformat()[:7], place, at)


def next_month(day: date) -> date:
    """Return the first day of the month after that of `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
