"""How each kind of command is carried out on the desk: check the right to it, change the draft, write the entry."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from engine import approvals, civil_time, family, field_values, machine, timer_commands
from engine import register_commands as registers
from engine.commands import (
    Assign,
    Attach,
    CaseCommand,
    Comment,
    Detach,
    Document,
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
from engine.entries import Entry
from engine.errors import Broken, did_you_mean
from engine.migrating import migrate
from engine.refusals import (
    AlreadyEnded,
    AssignWrong,
    CaseUnknown,
    DocumentWrong,
    HappenedOnWrong,
    NotEditable,
    NotPermitted,
    ParentWrong,
    PartyWrong,
    VoteRefused,
)
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.cases import Case, Draft
    from engine.commands import Command
    from engine.definition import Definition, Trigger
    from engine.desk import Desk
    from engine.guards import Facts


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
            day=claimed, why="chỉ nhập liệu mới được khai ngày / only an import may claim a day"
        )
    try:
        day = date.fromisoformat(claimed)
    except ValueError as why:
        raise HappenedOnWrong(day=claimed, why="không có ngày này / no such day") from why
    if day > today:
        raise HappenedOnWrong(day=claimed, why="ngày chưa tới / it is to come")
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


def _entry(desk: Desk, facts: Facts, seat: str) -> Entry:
    return Entry(
        {}, seat=seat, organisation=facts.case.parties.get(seat.partition(".")[0], ""),
        on_behalf_of=facts.seats.get(seat, ""),
    )  # fmt: skip


def _any_seat(facts: Facts) -> str:
    own = [seat for seat, behalf in facts.seats.items() if not behalf]
    return (own or list(facts.seats) or [""])[0]


def _doers(desk: Desk, entry: Entry) -> list[str]:
    return [one for one in (desk.command.principal.person, entry.on_behalf_of) if one]


def _start(desk: Desk, command: Start) -> Receipt:
    definition = desk.engine.definitions.newest(command.definition)
    parent = _parent_for(desk, definition, command)
    case = family.new_case(desk, definition, parent, _parties(desk, definition, command.parties, parent))
    draft = desk.drafts[case.id]
    if command.plan_year is not None and parent is None:
        draft.put("plan_year", command.plan_year)
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    _references(desk, definition, values)
    desk.put_values(draft, values)
    desk.put_documents(draft, _documents(desk, definition, command.documents, "—"))
    facts = desk.facts(case)
    decision = machine.decide(definition, definition.start.name, facts)
    if decision.unmet:
        raise machine.refusal(decision, definition.title.vi)
    if parent is None:
        draft.put("code", _root_code(desk, definition, case))
    seat = seat_for(definition.start.by, case, facts.seats) or ""
    entry = _entry(desk, facts, seat)
    seq = family.carry(desk, draft, decision, facts, entry, _doers(desk, entry))
    family.automatic(desk, draft, seq)
    return desk.receipt(case)


def _parent_for(desk: Desk, definition: Definition, command: Start) -> Case | None:
    if definition.is_root:
        if command.parent:
            raise ParentWrong(
                definition=definition.name, parent=command.parent, why="không cần hồ sơ mẹ / it has no parent"
            )
        return None
    parent = desk.claimed.cases.get(command.parent)
    if parent is None:
        raise CaseUnknown(case=command.parent or "—")
    above = desk.definition(parent)
    rule = above.children.get(definition.name)
    if above.name not in definition.parents or rule is None:
        raise ParentWrong(
            definition=definition.name, parent=parent.code, why=f"{above.name} không có hồ sơ con loại này"
        )
    if parent.final is not None:
        raise ParentWrong(
            definition=definition.name, parent=parent.code, why="hồ sơ mẹ đã kết thúc / the parent has ended"
        )
    siblings = [one for one in desk.children(parent) if desk.definition(one).name == definition.name]
    if rule.at_most and len(siblings) >= rule.at_most:
        raise ParentWrong(
            definition=definition.name,
            parent=parent.code,
            why=f"đã đủ {rule.at_most} / at most {rule.at_most}",
        )
    return parent


def _parties(
    desk: Desk, definition: Definition, given: Mapping[str, str], parent: Case | None
) -> dict[str, str]:
    for name, bound in given.items():
        party = definition.parties.get(name)
        if party is None:
            near = did_you_mean(name, definition.parties)
            raise PartyWrong(
                party=name,
                definition=definition.name,
                why=f"không có bên này{f' (→ {near}?)' if near else ''}",
            )
        if not desk.tx.run(
            "SELECT 1 FROM register_row WHERE kind = :kind AND id = :id", {"kind": party.kind, "id": bound}
        ):
            raise PartyWrong(
                party=name, definition=definition.name, why=f"không có {party.kind} nào mang mã {bound[:40]}"
            )
    inherited = parent.parties if parent else {}
    for name, party in definition.parties.items():
        if party.required and name not in given and name not in inherited:
            raise PartyWrong(
                party=name, definition=definition.name, why=f"chưa nêu ({party.title.vi} / {party.title.en})"
            )
    return dict(given)


def _root_code(desk: Desk, definition: Definition, case: Case) -> str:
    """Return the next code of the number series of (province, plan year, programme): `ST-2023-QG-01`."""
    scope = str(case.data.get(definition.summary.get("scope", ""), "") or definition.name)
    letters = (
        "".join(part[0] for part in scope.split("_") if part).upper() if "_" in scope else scope.upper()[:6]
    )
    series = f"{letters}-{case.plan_year}" + (f"-{definition.series}" if definition.series else "")
    return f"{series}-{desk.tx.next_number(series):02d}"


def _references(desk: Desk, definition: Definition, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        kind = definition.fields[name].type
        if value is None or kind not in field_values.REFERENCES:
            continue
        if not desk.tx.run(
            "SELECT 1 FROM register_row WHERE kind = :kind AND id = :id", {"kind": kind, "id": value}
        ):
            raise field_values.FieldValueWrong(
                field=name,
                given=value[:40],
                wanted=f"mã của một {kind} đã đăng ký",
                wanted_en=f"a registered {kind}",
            )


def _documents(
    desk: Desk, definition: Definition, documents: tuple[Document, ...], code: str
) -> tuple[Document, ...]:
    known = [name for name, field in definition.fields.items() if field.type == "document"]
    for paper in documents:
        if paper.type not in known:
            near = did_you_mean(paper.type, known)
            raise DocumentWrong(
                document=paper.type,
                code=code,
                why=f"không có loại này / unknown{f' (→ {near}?)' if near else ''}",
            )
        if paper.signed_on:
            field_values.check_day(paper.type, paper.signed_on)
        if paper.file and not desk.tx.run("SELECT 1 FROM file WHERE sha256 = :file", {"file": paper.file}):
            raise DocumentWrong(
                document=paper.type, code=code, why="chưa có tệp này trong kho / the file is not stored"
            )
    return documents


def _fire(desk: Desk, command: Fire) -> Receipt:
    draft, facts = _facts(desk, command)
    timer = timer_commands.closing(desk, command, facts)
    definition, case = facts.definition, draft.case
    trigger = definition.trigger(case.state, command.trigger)
    if trigger is not None and trigger.when is None:
        _supply(desk, draft, facts, command, trigger)
    elif trigger is not None and command.principal.kind != "timer":
        raise NotPermitted(kind=command.trigger, code=case.code, needed="tự động / automatic")
    decision = machine.decide(definition, command.trigger, facts)
    if decision.unmet:
        raise machine.refusal(decision, case.code)
    seat = seat_for(decision.trigger.by, case, facts.seats) or ""
    entry = _entry(desk, facts, seat)
    seq = family.carry(desk, draft, decision, facts, entry, _doers(desk, entry))
    timer_commands.closed(desk, timer)
    family.automatic(desk, draft, seq)
    return desk.receipt(case)


def _supply(desk: Desk, draft: Draft, facts: Facts, command: Fire, trigger: Trigger) -> None:
    """Put the values and papers that came along with the trigger on the case, as far as the trigger speaks of them."""
    definition, case = facts.definition, draft.case
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    spoken_of = {*trigger.needs.fields, trigger.decides, trigger.extends_to}
    for requirement in trigger.require:
        spoken_of.update(requirement.that.paths)
    for call in trigger.guards:
        spoken_of.update(value for value in call.arguments.values() if isinstance(value, str))
    rest = [name for name in values if name not in spoken_of]
    if rest:
        _check_editable(facts, rest)
    _references(desk, definition, values)
    desk.put_values(draft, values)
    desk.put_documents(draft, _documents(desk, definition, command.documents, case.code))


def _check_editable(facts: Facts, names: list[str]) -> str:
    """Return the seat in which these fields may be changed now."""
    case, definition = facts.case, facts.definition
    seat = ""
    for name in names:
        rules = [one for one in definition.editable if name in one.fields and case.state in one.states]
        found = next((hit for one in rules if (hit := seat_for(one.by, case, facts.seats))), None)
        if found is None:
            raise NotEditable(
                fields=", ".join(names), code=case.code, state=definition.states[case.state].title.vi
            )
        seat = found
    return seat


def _edit(desk: Desk, command: Edit) -> Receipt:
    draft, facts = _facts(desk, command)
    definition, case = facts.definition, draft.case
    _check_open(desk, case)
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    seat = _check_editable(facts, list(values)) if values else _holds(facts, command.kind)
    _references(desk, definition, values)
    desk.put_values(draft, values)
    registers.put_rules(desk, draft, facts, command.rules)
    return _written(desk, draft, facts, seat, automatic=True)


def _written(
    desk: Desk, draft: Draft, facts: Facts, seat: str, *, automatic: bool = False, comment: str = ""
) -> Receipt:
    """Write the entry of a command that is no move; a command that changes nothing still leaves its entry."""
    entry = _entry(desk, facts, seat)
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
        title = desk.definition(case).states[case.state].title.vi
        raise AlreadyEnded(code=case.code, state=title, kind=desk.command.kind)


def _holds(facts: Facts, kind: str) -> str:
    """Return a seat of the party that holds the case."""
    party = (facts.case.holder or "").partition(".")[0]
    for seat in facts.seats:
        if seat.partition(".")[0] == party:
            return seat
    raise NotPermitted(kind=kind, code=facts.case.code, needed=facts.case.holder or "—")


def _attach(desk: Desk, command: Attach) -> Receipt:
    draft, facts = _facts(desk, command)
    _check_open(desk, draft.case)
    desk.put_documents(draft, _documents(desk, facts.definition, command.documents, draft.case.code))
    return _written(desk, draft, facts, _any_seat(facts), automatic=True)


def _detach(desk: Desk, command: Detach) -> Receipt:
    draft, facts = _facts(desk, command)
    _check_open(desk, draft.case)
    word = f"document.{command.type}.{command.number}"
    if draft.case.get(word) is None:
        raise DocumentWrong(
            document=command.type,
            code=draft.case.code,
            why=f"không có bản số {command.number} / no such copy",
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
        seat = seat_for(facts.definition.start.by, case, facts.seats)
        if seat is None and command.principal.kind != "operator":
            raise NotPermitted(
                kind="assign", code=case.code, needed=", ".join(map(str, facts.definition.start.by))
            )
        for name, bound in _parties(desk, facts.definition, command.parties, case).items():
            draft.put(f"party.{name}", bound)
            if (case.holder or "").partition(".")[0] == name:
                draft.put("holder_organisation", bound)
                draft.put("holder_person", None)
        return _written(desk, draft, facts, seat or "", automatic=True)
    seat = _holds(facts, command.kind)
    role = (case.holder or "").partition(".")[2]
    if command.person and command.person not in desk.tx.members(
        case.holder_organisation or "", role, desk.day.isoformat()
    ):
        raise AssignWrong(code=case.code, holder=case.holder)
    draft.put("holder_person", command.person or None)
    return _written(desk, draft, facts, seat)


def _vote(desk: Desk, command: Vote) -> Receipt:
    draft, facts = _facts(desk, command)
    case = draft.case
    trigger = facts.definition.trigger(case.state, command.trigger)
    if trigger is None or trigger.approvals is None:
        raise VoteRefused(
            code=case.code, why=f"“{command.trigger}” không lấy ý kiến ở bước này / takes no votes here"
        )
    seat = approvals.seat_to_vote(trigger, facts)
    if isinstance(seat, Unmet):
        raise VoteRefused(code=case.code, why=seat.words.vi, unmet=(seat,))
    vote = {
        "person": command.principal.person, "on_behalf_of": facts.seats.get(seat, ""), "verdict": command.verdict,
        "on": desk.day.isoformat(),
    }  # fmt: skip
    draft.put(f"vote.{trigger.name}.{seat}", vote if command.verdict else None)
    desk.voted.add(trigger.name)
    return _written(desk, draft, facts, seat, automatic=True)


_BY_KIND: Mapping[type[Command], Callable[[Desk, Any], Receipt]] = {
    Start: _start,
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
