"""How each kind of command is carried out on the desk: check the right to it, change the draft, write the entry."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from engine import (
    approvals,
    civil_time,
    deadlines,
    family,
    field_values,
    machine,
    requirements,
    starting,
    supplying,
    timer_commands,
)
from engine import register_commands as registers
from engine.commands import (
    Assign,
    Attach,
    CaseCommand,
    Comment,
    Detach,
    Edit,
    Erase,
    Fire,
    Migrate,
    Receipt,
    Register,
    Remind,
    Start,
    Unmet,
    Vote,
)
from engine.errors import Broken, Words
from engine.migrating import migrate
from engine.refusals import (
    AlreadyEnded,
    AssignWrong,
    CaseUnknown,
    DocumentWrong,
    HappenedOnWrong,
    NotPermitted,
    VoteRefused,
)
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.cases import Case, Draft
    from engine.commands import Command
    from engine.definition import Trigger
    from engine.desk import Desk
    from engine.guards import Facts

_OPERATOR = Words("người vận hành (thêm --operator)", "an operator (add --operator)")


def day_of(command: Command, now: int) -> date:
    """Return the civil day that counts for a command: today, or what an import claims.

    Errors:
        HappenedOnWrong: claimed by anybody else, no such day, or a day to come.
    """
    today = civil_time.day_at(now)
    claimed = command.happened_on
    if not claimed:
        return today
    if command.principal.via != "import":
        raise HappenedOnWrong(
            day=claimed, why=Words("chỉ nhập liệu mới được khai ngày", "only an import may claim a day")
        )
    try:
        day = date.fromisoformat(claimed)
    except ValueError as why:
        raise HappenedOnWrong(day=claimed, why=Words("không có ngày này", "there is no such day")) from why
    if day > today:
        raise HappenedOnWrong(day=claimed, why=Words("ngày chưa tới", "it is still to come"))
    return day


def carry_out(desk: Desk) -> Receipt:
    """Carry the command of a desk out and return its receipt.

    Errors:
        Refused: nothing was changed.
    """
    handle = _BY_KIND.get(type(desk.command))
    if handle is None:
        raise Broken(command=desk.command.kind)
    return handle(desk, desk.command)


def stored(receipt: Receipt) -> str:
    """Return a receipt as it is kept for repeats."""
    return orjson.dumps(receipt).decode()


def _facts(desk: Desk, command: CaseCommand) -> tuple[Draft, Facts]:
    """Return draft and facts of the case; whoever has no seat on it learns nothing about it."""
    case = desk.claimed.cases[command.case]
    facts = desk.facts(case)
    if not facts.seats and command.principal.kind not in {"timer", "system", "operator"}:
        raise CaseUnknown(case=command.case)
    return desk.draft(case), facts


def _any_seat(facts: Facts) -> str:
    own = [seat for seat, behalf in facts.seats.items() if not behalf]
    return (own or list(facts.seats) or [""])[0]


def _fire(desk: Desk, command: Fire) -> Receipt:
    draft, facts = _facts(desk, command)
    timer = timer_commands.closing(desk, command, facts)
    definition, case = facts.definition, draft.case
    trigger = definition.trigger(case.state, command.trigger)
    if trigger is not None and trigger.when is None:
        supplying.supply(desk, draft, facts, command, trigger)
        if command.values:
            facts.opened = desk.opened(case, definition)
    elif trigger is not None and command.principal.kind != "timer":
        raise NotPermitted(
            kind=command.trigger,
            code=case.code,
            needed=Words(
                "bước này hệ thống tự làm khi đủ điều kiện", "it happens by itself when its time has come"
            ),
        )
    decision = machine.decide(definition, command.trigger, facts)
    if decision.unmet:
        raise machine.refusal(decision, case.code)
    seat = seat_for(decision.trigger.by, case, facts.seats) or ""
    entry = supplying.entry_in(facts, seat)
    seq = family.carry(desk, draft, decision, facts, entry, supplying.doers(desk, entry))
    timer_commands.closed(desk, timer)
    family.automatic(desk, draft, seq)
    return desk.receipt(case)


def _edit(desk: Desk, command: Edit) -> Receipt:
    draft, facts = _facts(desk, command)
    definition, case = facts.definition, draft.case
    _check_open(desk, case)
    if command.recount:
        return _recount(desk, command, draft, facts)
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    seat = supplying.check_editable(facts, list(values)) if values else _holds(facts, command.kind)
    supplying.references(desk, definition, values)
    desk.put_values(draft, values)
    registers.put_rules(desk, draft, facts, command.rules)
    return _written(desk, draft, facts, seat, automatic=True)


def _recount(desk: Desk, command: Edit, draft: Draft, facts: Facts) -> Receipt:
    """Count the deadlines to come again by the calendar as it now is; for an operator only, and nothing else with it."""
    if command.principal.kind not in {"operator", "import"}:
        raise NotPermitted(kind="recount", code=draft.case.code, needed=_OPERATOR)
    to_come = desk.day if not desk.suppressed else None
    deadlines.replan(
        draft, facts.definition, desk.day, desk.engine.calendar, desk.writing, not_before=to_come
    )
    return _written(desk, draft, facts, "")


def _written(
    desk: Desk, draft: Draft, facts: Facts, seat: str, *, automatic: bool = False, comment: str = ""
) -> Receipt:
    """Write the entry of a command that is no move; a command that changes nothing still leaves its entry."""
    entry = supplying.entry_in(facts, seat)
    timer_commands.replan(desk, draft, facts)
    desk.log_parties(draft)
    entry.changes = draft.take_changes()
    if comment:
        entry.comment = desk.commit("comment", draft.case.id, comment)
    seq = desk.log(draft, entry)
    if automatic:
        family.automatic(desk, draft, seq)
    return desk.receipt(draft.case)


def _check_open(desk: Desk, case: Case) -> None:
    if case.final is not None:
        title = desk.definition(case).states[case.state].title
        raise AlreadyEnded(code=case.code, state=title, kind=desk.command.kind)


def _holds(facts: Facts, kind: str) -> str:
    """Return a seat of the party that holds the case."""
    party = (facts.case.holder or "").partition(".")[0]
    for seat in facts.seats:
        if seat.partition(".")[0] == party:
            return seat
    raise NotPermitted(kind=kind, code=facts.case.code, needed=_held_by(facts))


def _held_by(facts: Facts) -> Words | str:
    return approvals.seat_title(facts.case.holder, facts) if facts.case.holder else "—"


def _attach(desk: Desk, command: Attach) -> Receipt:
    draft, facts = _facts(desk, command)
    _check_open(desk, draft.case)
    if not command.documents:
        raise DocumentWrong(
            document="—", code=draft.case.code, why=Words("chưa nêu giấy tờ nào", "none was named")
        )
    desk.put_documents(
        draft, supplying.checked_documents(desk, facts.definition, command.documents, draft.case.code)
    )
    return _written(desk, draft, facts, _any_seat(facts), automatic=True)


def _detach(desk: Desk, command: Detach) -> Receipt:
    draft, facts = _facts(desk, command)
    _check_open(desk, draft.case)
    word = f"document.{command.type}.{command.number}"
    if draft.case.get(word) is None:
        raise DocumentWrong(
            document=command.type,
            code=draft.case.code,
            why=Words(f"không có bản số {command.number}", f"there is no copy {command.number}"),
        )
    seat = _holds(facts, command.kind)
    draft.put(word, None)
    return _written(desk, draft, facts, seat)


def _comment(desk: Desk, command: Comment) -> Receipt:
    draft, facts = _facts(desk, command)
    text = field_values.checked_text("comment", command.text)
    return _written(desk, draft, facts, _any_seat(facts), comment=text)


def _assign(desk: Desk, command: Assign) -> Receipt:
    draft, facts = _facts(desk, command)
    case = draft.case
    _check_open(desk, case)
    if command.parties:
        seat = _may_bind(facts, command)
        for name, bound in starting.checked_parties(desk, facts.definition, command.parties, case).items():
            draft.put(f"party.{name}", bound)
            if (case.holder or "").partition(".")[0] == name:
                draft.put("holder_organisation", bound)
                draft.put("holder_person", None)
        if command.person:
            _hand_to(desk, draft, command.person)
        return _written(desk, draft, facts, seat or "", automatic=True)
    seat = _holds(facts, command.kind)
    _hand_to(desk, draft, command.person)
    return _written(desk, draft, facts, seat)


def _may_bind(facts: Facts, command: Assign) -> str:
    """Return the seat in which parties may be bound: who could open the case names a party that is still open.

    Binding somebody else in the place of a party would be choosing one's own judge: only an operator does that.
    """
    if command.principal.kind == "operator":
        return ""
    case = facts.case
    seat = seat_for(facts.definition.start.by, case, facts.seats)
    taken = [name for name, bound in command.parties.items() if case.parties.get(name, bound) != bound]
    if seat is None or taken:
        needed = _OPERATOR if taken else approvals.seat_title(str(facts.definition.start.by[0]), facts)
        raise NotPermitted(kind="assign", code=case.code, needed=needed)
    return seat


def _hand_to(desk: Desk, draft: Draft, person: str) -> None:
    """Name the person who holds the case; an empty id frees it again."""
    case = draft.case
    role = (case.holder or "").partition(".")[2]
    if person and person not in desk.tx.members(case.holder_organisation or "", role, desk.day.isoformat()):
        raise AssignWrong(code=case.code, holder=_held_by(desk.facts(case)))
    draft.put("holder_person", person or None)


def _vote(desk: Desk, command: Vote) -> Receipt:
    draft, facts = _facts(desk, command)
    case = draft.case
    trigger = facts.definition.trigger(case.state, command.trigger)
    if command.verdict not in {"yes", "no", ""}:
        raise VoteRefused(
            code=case.code,
            why=Words(
                "ý kiến là yes, no, hoặc để trống để rút lại", "a vote is yes, no, or empty to take it back"
            ),
        )
    if trigger is None or trigger.approvals is None:
        raise VoteRefused(
            code=case.code,
            why=Words(
                f"“{command.trigger}” không lấy ý kiến ở trạng thái này",
                f"“{command.trigger}” takes no votes in this state",
            ),
        )
    seat = approvals.seat_to_vote(trigger, facts)
    if isinstance(seat, Unmet):
        raise VoteRefused(code=case.code, why=seat.words, unmet=(seat,))
    forbidden = requirements.forbids(trigger, facts, seat) if command.verdict == "yes" else ()
    if forbidden or (forbidden := _taken(desk, trigger, facts, seat)):
        raise VoteRefused(code=case.code, why=forbidden[0].words, unmet=forbidden)
    vote = {
        "person": command.principal.person, "on_behalf_of": facts.seats.get(seat, ""), "verdict": command.verdict,
        "on": desk.day.isoformat(),
    }  # fmt: skip
    draft.put(f"vote.{trigger.name}.{seat}", vote if command.verdict else None)
    return _written(desk, draft, facts, seat, automatic=True)


def _taken(desk: Desk, trigger: Trigger, facts: Facts, seat: str) -> tuple[Unmet, ...]:
    """A seat that somebody else of the same role has voted in is theirs, as long as they hold it."""
    vote = approvals.votes_on(facts.case, trigger.name).get(seat)
    if vote is None:
        return ()
    theirs = {vote["person"], vote["on_behalf_of"]} - {""}
    if theirs & {facts.person, facts.seats[seat]}:
        return ()
    party, _, role = (facts.case.holder or "" if seat == "holder" else seat).partition(".")
    members = desk.tx.members(facts.case.parties.get(party, ""), role, desk.day.isoformat())
    return (approvals.seat_taken(seat, facts),) if theirs & set(members) else ()


_BY_KIND: Mapping[type[Command], Callable[[Desk, Any], Receipt]] = {
    Start: starting.start,
    Fire: _fire,
    Edit: _edit,
    Attach: _attach,
    Detach: _detach,
    Comment: _comment,
    Assign: _assign,
    Vote: _vote,
    Remind: timer_commands.remind,
    Migrate: migrate,
    Register: registers.write,
    Erase: registers.erase,
}
