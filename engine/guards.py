"""Named guards: yes/no questions that no expression can ask, with the words they answer when they say no.

A guard is pure: it looks at `Facts`, all of them read from rows that the transaction holds. It declares what it
reads, and the loader derives from that what `claim` must lock. `workflows/` may register more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.errors import Broken, Words
from engine.expressions import share

__all__ = ["GUARDS", "Facts", "Guard", "Verdict", "Words", "guard", "share"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from engine.cases import Case
    from engine.definition import Citation, Definition

    #: The function behind a guard: facts and the call's arguments -> verdict.
    Ask = Callable[..., "Verdict"]
    #: Looks a key of a rule pack up for this case and its day, and remembers that it was asked.
    RuleLookup = Callable[[str], Any]


@dataclass(slots=True)
class Facts:
    """All that a decision may look at.

    Shapes:
        acting: the real person and the one represented in the seat that is taken; set when a trigger is judged.
        seats: seat ("department.head") -> id of the person on whose behalf it is taken, "" for one's own.
        children: (name of the definition, case), oldest first; only when the definition reads them.
        siblings: the other children of the parent under the same definition, oldest first; only when the definition
            reads its parent.
        lines: what the named locks brought: "plan" -> {budget_vnd, committed_vnd}, "establishment" -> list of
            {code, category, decided_on, amount_vnd} of other supported cases.
        rules: key -> value in force for this case; the value is None when it is not verified.
        opened: commitment -> the personal value behind it, for the personal fields of this case.
        used: rule values that were looked up for this decision, for the log.
        working_days: working days between two days, for expressions.
    """

    definition: Definition
    case: Case
    person: str
    seats: Mapping[str, str]
    today: date
    rules: RuleLookup
    working_days: Callable[[date, date], int]
    reason: str = ""
    parent: Case | None = None
    parent_definition: Definition | None = None
    children: tuple[tuple[str, Case], ...] = ()
    siblings: tuple[Case, ...] = ()
    lines: Mapping[str, Any] = field(default_factory=dict)
    opened: Mapping[str, Any] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)
    acting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a guard and what it looked at (both go into the log)."""

    ok: bool
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard as declared.

    Shapes:
        parameters: name -> type: "triggers" (list of triggers of the definition), "states", "field", "definition",
            "money", "integer", "text". A guard with one parameter may be called with the bare value.
        reads: subset of "parent", "children", "plan", "establishment".
        otherwise: words when it says no; placeholders are the inputs of the verdict.
        place: where the missing thing is supplied, for the checklist.
    """

    name: str
    ask: Ask
    otherwise: Words
    parameters: Mapping[str, str]
    reads: frozenset[str]
    source: Citation | None = None
    place: str = "case"


GUARDS: dict[str, Guard] = {}


def guard(
    otherwise: Words,
    *,
    reads: tuple[str, ...] = (),
    place: str = "case",
    source: Citation | None = None,
    **parameters: str,
) -> Callable[[Ask], Ask]:
    """Declare the function below as the guard of the same name.

    Errors:
        Broken: the name is taken.
    """

    def declare(ask: Ask) -> Ask:
        name = getattr(ask, "__name__", "")
        if name in GUARDS and GUARDS[name].ask is not ask:
            raise Broken(guard=name)
        GUARDS[name] = Guard(name, ask, otherwise, parameters, frozenset(reads), source, place)
        return ask

    return declare


@guard(
    Words(
        "Người thực hiện bước này không được là người đã {did} (nguyên tắc hai người)",
        "Whoever does this step must not be the person who did {did} (four-eyes)",
    ),
    place="person",
    triggers="triggers",
)
def not_same_person_as(facts: Facts, *, triggers: list[str]) -> Verdict:
    """Say no when the real person, or the one represented, did one of the triggers before."""
    acting = facts.acting or {facts.person}
    for trigger in triggers:
        earlier = facts.case.get(f"done.{trigger}")
        if earlier and acting & set(earlier["by"]):
            return Verdict(ok=False, inputs={"did": trigger})
    return Verdict(ok=True)


@guard(
    Words(
        "Vượt dự toán còn lại: kế hoạch {budget_vnd} đồng, đã phê duyệt {committed_vnd} đồng, đề án này {asked_vnd} đồng",
        "Above the budget that is left: plan {budget_vnd} đồng, committed {committed_vnd}, this project {asked_vnd}",
    ),
    reads=("plan",),
    place="plan",
    field="field",
)
def budget_left(facts: Facts, *, field: str) -> Verdict:
    """Say no when the plan's budget line has no room for the amount in `field`, or is not entered."""
    line = facts.lines.get("plan") or {}
    budget, committed = line.get("budget_vnd"), line.get("committed_vnd", 0)
    given = facts.case.data.get(field)
    asked = given if isinstance(given, int) else None
    inputs = {"budget_vnd": budget, "committed_vnd": committed, "asked_vnd": asked}
    return Verdict(ok=budget is not None and asked is not None and committed + asked <= budget, inputs=inputs)


@guard(
    Words(
        "Cơ sở đã được hỗ trợ cho cùng nội dung; hãy hỏi cơ quan quản lý chương trình",
        "The establishment has been supported for the same content before; ask the managing agency",
    ),
    reads=("establishment",),
    place="establishment",
)
def no_double_funding(facts: Facts) -> Verdict:
    """Say no when another decided case supports the same establishment in the same category.

    The answer names no case: the asker may not be allowed to see it.
    """
    category = facts.case.data.get(facts.definition.summary.get("category", ""))
    found = [row for row in facts.lines.get("establishment") or () if row["category"] == category]
    return Verdict(ok=not found, inputs={"category": category, "found": len(found)})


@guard(
    Words(
        "Còn {open} hồ sơ con chưa ở trạng thái yêu cầu: {codes}",
        "{open} child cases are not yet in the state asked for: {codes}",
    ),
    reads=("children",),
    place="children",
    definition="definition",
    states="states",
)
def children_all_in(facts: Facts, *, definition: str, states: list[str]) -> Verdict:
    """Say no when a child of `definition` is in another state, or there is no such child at all."""
    children = [case for name, case in facts.children if name == definition]
    late = [case.code for case in children if case.state not in states]
    return Verdict(ok=bool(children) and not late, inputs={"open": len(late), "codes": ", ".join(late[:10])})
