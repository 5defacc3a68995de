"""Parent and child: children that a move starts, moves that a parent's move asks of its children, automatic moves.

All of it happens in the transaction of the first move, under the locks taken for it, each as an entry of its own that
names the entry that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import approvals, deadlines, machine, moves, requirements
from engine.cases import Case
from engine.commands import new_id
from engine.entries import Entry
from engine.errors import Broken, Words

if TYPE_CHECKING:
    from engine.cases import Draft
    from engine.definition import Definition, StartChild, State, Trigger
    from engine.desk import Desk
    from engine.guards import Facts

#: Automatic moves of one case in one command; more is a definition that runs in a ring.
MOST_AUTOMATIC = 16


class AutomaticRing(Broken):
    """A definition's automatic triggers lead in a ring."""

    code = "automatic_ring"
    words = Words(
        "Các bước tự động của {definition} chạy vòng ở hồ sơ {code}. Không có gì thay đổi; hãy sửa định nghĩa.",
        "The automatic triggers of {definition} run in a ring on case {code}. Nothing changed; correct the definition.",
    )


def carry(
    desk: Desk, draft: Draft, decision: machine.Decision, facts: Facts, entry: Entry, doers: list[str]
) -> int:
    """Carry one decided move out: change the case, write its entry, tell, start children, pull the family along.

    Shapes:
        facts: those that were decided on. doers: ids of the real person and the one represented.
        returns: seq of the entry of this move.
    """
    case, trigger, definition = draft.case, decision.trigger, facts.definition
    old = definition.states.get(case.state)
    entry.trigger, entry.from_state, entry.to_state = trigger.name, case.state or None, decision.to
    entry.guards = decision.guards
    planned = len(desk.writing.timers)
    to = decision.to or case.state
    doers = [*doers, *(one for one in approvals.voters(case, trigger) if one not in doers)]
    moves.apply(desk, draft, trigger, to, facts, doers)
    new = definition.states[case.state]
    if old is not new:
        if old is not None and old.starts:
            desk.writing.cancel(case.id, deadlines.STARTS, "cancelled")
        desk.writing.timers.extend(deadlines.monthly_starts(case, new, desk.day))
    desk.log_parties(draft)
    entry.changes = draft.take_changes()
    seq = desk.log(draft, entry, facts)
    if len(desk.writing.timers) > planned and not desk.suppressed:
        desk.promise("deadline.set", case.id, str(seq))
    desk.tell(draft, trigger.tells, seq, trigger=trigger.name)
    for start in (*trigger.starts, *(one for one in new.starts if old is not new)):
        if not start.every:
            start_child(desk, case, start, seq)
    _pull(desk, case, definition, seq, was_paused=old is not None and old.pauses_clock)
    return seq


def start_child(desk: Desk, parent: Case, start: StartChild, caused_by: int, period: str = "") -> None:
    """Open a child case as the definition of its parent says; its start trigger's requirements are not asked."""
    desk.engine.definitions.keep_in_step(desk.tx)
    definition = desk.engine.definitions.newest(start.definition)
    values = requirements.Values(desk.facts(parent, by_system=True))
    given = {name: requirements.ask(expression, values).value for name, expression in start.values.items()}
    if start.period_field:
        given[start.period_field] = period
    child = new_case(desk, definition, parent, {})
    draft = desk.draft(child, is_new=True)
    desk.fill(draft, {name: value for name, value in given.items() if value is not None})
    facts = desk.facts(child, by_system=True)
    decision = machine.decide(definition, definition.start.name, facts, ask=False)
    carry(desk, draft, decision, facts, Entry({}, by_system=True, caused_by=caused_by), [])


def new_case(desk: Desk, definition: Definition, parent: Case | None, parties: dict[str, str]) -> Case:
    """Return an unsaved case with its place in the family, its parties and its code.

    A child takes its parent's parties of the same name where none is given.
    """
    case = Case(id=new_id())
    draft = desk.draft(case, is_new=True)
    bound = {
        **{name: parent.parties[name] for name in definition.parties if parent and name in parent.parties},
        **parties,
    }
    draft.put("definition", definition.hash)
    if parent is not None:
        draft.put("parent", parent.id)
        desk.children(parent)
        desk.claimed.children[parent.id].append(case)
        desk.claimed.cases.setdefault(case.id, case)
    draft.put("root", parent.root if parent else case.id)
    draft.put("path", f"{parent.path}/{case.id}" if parent else case.id)
    draft.put("plan_year", parent.plan_year if parent else desk.day.year)
    for name, party in bound.items():
        draft.put(f"party.{name}", party)
    if parent is not None:
        number = desk.tx.next_number(f"{parent.id}/{definition.series}")
        draft.put("code", f"{parent.code}/{definition.series or definition.name.upper()}{number}")
    return case


def _pull(desk: Desk, case: Case, definition: Definition, seq: int, *, was_paused: bool) -> None:
    """Fire on each open child what the definition says for this move of its parent, where the child knows it."""
    state = definition.states[case.state]
    word = (
        "suspended"
        if state.pauses_clock
        else "resumed"
        if was_paused and not state.final
        else state.final or ""
    )
    for child in desk.children(case):
        rule = definition.children.get(desk.definition(child).name)
        name = rule.when_parent.get(word) if rule else None
        if name is None or child.final is not None:
            continue
        trigger = desk.definition(child).trigger(child.state, name)
        if trigger is not None:
            _by_system(desk, desk.draft(child), trigger, seq, ask=False)
    _refuse_open_children(desk, case, state)


def _refuse_open_children(desk: Desk, case: Case, state: State) -> None:
    """A case never ends before its children, also when a child does not know the word that would have ended it."""
    if state.final is None:
        return
    left = [child.code for child in desk.children(case) if child.final is None]
    if left:
        unmet = (requirements.open_children(left),)
        raise machine.RequirementsUnmet(
            code=case.code, trigger=state.title.vi, count=1, codes=unmet[0].code, unmet=unmet
        )


def automatic(desk: Desk, draft: Draft, caused_by: int) -> None:
    """Take every automatic move that is open now: on the case and its children that look at it, then on its ancestors.

    One whose guard says no is simply not taken.

    Errors:
        AutomaticRing: more than `MOST_AUTOMATIC` in one command.
    """
    case: Case | None = draft.case
    while case is not None:
        for _ in range(MOST_AUTOMATIC):
            moved = _one_automatic(desk, desk.draft(case), caused_by)
            watching = [child for child in desk.children(case) if _watches(desk, child)]
            if not any([moved, *(_one_automatic(desk, desk.draft(child), caused_by) for child in watching)]):
                break
        else:
            raise AutomaticRing(definition=desk.definition(case).name, code=case.code)
        case = desk.parent(case)


def _watches(desk: Desk, child: Case) -> bool:
    """Say whether a child moves by itself on what its parent says."""
    definition = desk.definition(child)
    triggers = definition.states[child.state].triggers.values() if child.final is None else ()
    return "parent" in definition.reads and any(one.when is not None for one in triggers)


def _one_automatic(desk: Desk, draft: Draft, caused_by: int) -> bool:
    case = draft.case
    state = desk.definition(case).states[case.state]
    for trigger in state.triggers.values():
        if trigger.when is None and not _moves_by_votes(trigger, case):
            continue
        if trigger.when is not None:
            facts = desk.facts(case, by_system=True)
            if requirements.ask(trigger.when, requirements.Values(facts)).value is not True:
                continue
        if _by_system(desk, draft, trigger, caused_by, ask=True):
            return True
    return False


def _moves_by_votes(trigger: Trigger, case: Case) -> bool:
    """Whether votes may move the case now: the last vote does, and so does the paper that was missing beside them."""
    rule = trigger.approvals
    return rule is not None and rule.moves and bool(approvals.votes_on(case, trigger.name))


def _by_system(desk: Desk, draft: Draft, trigger: Trigger, caused_by: int, *, ask: bool) -> bool:
    """Fire a trigger under the principal `system`; return whether it was taken."""
    facts = desk.facts(draft.case, by_system=True)
    decision = machine.decide(facts.definition, trigger.name, facts, ask=ask)
    if decision.to is None:
        return False
    carry(desk, draft, decision, facts, Entry({}, by_system=True, caused_by=caused_by), [])
    return True
