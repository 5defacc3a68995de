"""Opening a case: its parent, its parties, its code, and the first move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import family, field_values, machine, supplying
from engine.errors import Words, did_you_mean
from engine.refusals import CaseUnknown, ParentWrong, PartyWrong, PlanYearWrong
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.cases import Case
    from engine.commands import Receipt, Start
    from engine.definition import Definition
    from engine.desk import Desk

FIRST_PLAN_YEAR, LAST_PLAN_YEAR = 2000, 2100


def start(desk: Desk, command: Start) -> Receipt:
    """Open a case.

    Errors:
        DefinitionUnknown, ParentWrong, PartyWrong, FieldUnknown, FieldValueWrong, RequirementsUnmet: nothing was opened.
    """
    definition = desk.engine.definitions.newest(command.definition)
    parent = _parent_for(desk, definition, command)
    case = family.new_case(
        desk, definition, parent, checked_parties(desk, definition, command.parties, parent)
    )
    draft = desk.drafts[case.id]
    if command.plan_year is not None and parent is None:
        if not FIRST_PLAN_YEAR <= command.plan_year <= LAST_PLAN_YEAR:
            raise PlanYearWrong(year=command.plan_year, least=FIRST_PLAN_YEAR, most=LAST_PLAN_YEAR)
        draft.put("plan_year", command.plan_year)
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    supplying.references(desk, definition, values)
    desk.put_values(draft, values)
    desk.put_documents(draft, supplying.checked_documents(desk, definition, command.documents, "—"))
    facts = desk.facts(case)
    decision = machine.decide(definition, definition.start.name, facts)
    if decision.unmet:
        raise machine.refusal(decision, definition.title)
    if parent is None:
        draft.put("code", _root_code(desk, definition, case))
    seat = seat_for(definition.start.by, case, facts.seats) or ""
    entry = supplying.entry_in(facts, seat)
    seq = family.carry(desk, draft, decision, facts, entry, supplying.doers(desk, entry))
    family.automatic(desk, draft, seq)
    return desk.receipt(case)


def _parent_for(desk: Desk, definition: Definition, command: Start) -> Case | None:
    if definition.is_root:
        if command.parent:
            raise ParentWrong(
                definition=definition.name,
                parent=command.parent,
                why=Words("loại hồ sơ này không có hồ sơ mẹ", "it has no parent"),
            )
        return None
    parent = desk.claimed.cases.get(command.parent)
    if parent is None:
        raise CaseUnknown(case=command.parent or "—")
    above = desk.definition(parent)
    rule = above.children.get(definition.name)
    if above.name not in definition.parents or rule is None:
        raise ParentWrong(
            definition=definition.name,
            parent=parent.code,
            why=Words(f"{above.name} không có hồ sơ con loại này", f"{above.name} has no such children"),
        )
    if parent.final is not None:
        raise ParentWrong(
            definition=definition.name,
            parent=parent.code,
            why=Words("hồ sơ mẹ đã kết thúc", "the parent has ended"),
        )
    siblings = [one for one in desk.children(parent) if desk.definition(one).name == definition.name]
    if rule.at_most and len(siblings) >= rule.at_most:
        raise ParentWrong(
            definition=definition.name,
            parent=parent.code,
            why=Words(f"đã đủ {rule.at_most} hồ sơ con", f"it has {rule.at_most} already, the most allowed"),
        )
    return parent


def checked_parties(
    desk: Desk, definition: Definition, given: Mapping[str, str], parent: Case | None
) -> dict[str, str]:
    """Return the parties given, after checking that each is declared, registered, and that none is missing."""
    for name, bound in given.items():
        party = definition.parties.get(name)
        if party is None:
            near = did_you_mean(name, definition.parties)
            raise PartyWrong(
                party=name,
                definition=definition.name,
                why=Words(
                    f"không có bên này{f' (ý bạn là “{near}”?)' if near else ''}",
                    f"there is no such party{f' (did you mean “{near}”?)' if near else ''}",
                ),
            )
        if not desk.tx.run(
            "SELECT 1 FROM register_row WHERE kind = :kind AND id = :id", {"kind": party.kind, "id": bound}
        ):
            raise PartyWrong(
                party=name,
                definition=definition.name,
                why=Words(f"trong sổ không có mã {bound[:40]}", f"no {party.kind} has the id {bound[:40]}"),
            )
    inherited = parent.parties if parent else {}
    for name, party in definition.parties.items():
        if party.required and name not in given and name not in inherited:
            raise PartyWrong(
                party=name,
                definition=definition.name,
                why=Words(
                    f"chưa nêu {party.title.vi}; thêm --party {name}=MÃ",
                    f"the {party.title.en} is not named; add --party {name}=CODE",
                ),
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
