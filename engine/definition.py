"""A definition: a workflow at one version, as frozen data.

The loader makes it from YAML, the linter proves it, the machine decides with it. Nothing in here reads a file,
a clock or a store. Names are checked by the loader; what stands here refers only to what exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.errors import Words
    from engine.expressions import Expression
    from engine.legal_clock import DeadlineRule

FieldType = Literal[
    "text", "integer", "money", "percent", "date", "yes_no", "choice",
    "establishment", "organisation", "person", "document",
]  # fmt: skip
PartyKind = Literal["organisation", "establishment", "person"]
Ending = Literal["accepted", "refused", "stopped"]
Grade = Literal["read", "secondary", "inferred", "proposed"]

#: `to:` of a trigger that leads back to where the case was before it was suspended.
PREVIOUS = "$previous"
#: `to:` of a trigger that leaves the case where it is: its deadlines run on and its holder stays.
SAME = "$same"
#: Recipient of a notice: whoever holds the case when the notice is written.
HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a value or a rule comes from.

    Shapes:
        act, article: as printed ("TT 36/2013/TT-BCT", "Điều 13"); both empty for a proposal of our own.
        grade: how well it is known; `proposed` is shown to people as "đề xuất, chưa có căn cứ".
        rule: key of a rule pack whose citation counts instead, or empty.
    """

    act: str = ""
    article: str = ""
    grade: Grade = "proposed"
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """A role of a party: `department.appraiser`. A person's or establishment's own party has no role.

    Shapes:
        party: name of a declared party, or `holder`.
        role: name of a declared role, or empty.
    """

    party: str
    role: str = ""

    def __str__(self) -> str:
        return f"{self.party}.{self.role}" if self.role else self.party


@dataclass(frozen=True, slots=True)
class Phase:
    """A coarse step shown on boards; the order in the definition is the order of the columns."""

    name: str
    title: Words


@dataclass(frozen=True, slots=True)
class Party:
    """Who is bound to a case, and which roles people have there.

    Shapes:
        roles: role -> its title; empty for a party of kind `person`.
    """

    name: str
    kind: PartyKind
    title: Words
    roles: Mapping[str, Words] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """One typed value of a case, or (type `document`) one kind of paper that may be attached.

    Shapes:
        choices: word -> title, for type `choice` only.
        personal: the log and the case hold a commitment in place of the value.
        formula: computed from other values at each decision and never stored; such a field can't be edited.
        shown_to: who may see it; empty means everyone who may see the case.
        form: number of the printed form ("Mẫu 3a"), for type `document`.
    """

    name: str
    type: FieldType
    title: Words
    choices: Mapping[str, Words] = field(default_factory=dict)
    personal: bool = False
    formula: Expression | None = None
    required_when: Expression | None = None
    shown_to: tuple[Who, ...] = ()
    form: str = ""
    source: Citation | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A yes/no expression that must say yes; its id is its error code."""

    id: str
    that: Expression
    otherwise: Words
    source: Citation


@dataclass(frozen=True, slots=True)
class GuardCall:
    """A named guard with its typed arguments, as checked by the loader against the guard's own declaration."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    source: Citation | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be on the case before a trigger may fire.

    Shapes:
        fields, documents: names of declared fields; a document counts only with number, date, signer and file
            hash or copy kind as the attach command demands.
        document_rules: keys of rule packs whose value is a list of document names.
        reason: the command must say why.
    """

    reason: bool = False
    fields: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    document_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approvals:
    """Votes that must be in before a trigger may fire.

    Shapes:
        of: who votes; each entry is one seat.
        need: 1 to len(of) yes votes.
        in_order: a seat may vote only when all seats before it have said yes.
        veto: one no refuses the trigger until that vote is changed or voided.
        moves: the last vote that is needed fires the trigger itself (under the principal `system`).
    """

    of: tuple[Who, ...]
    need: int
    in_order: bool = False
    veto: bool = False
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Tell:
    """A notice and who gets it."""

    to: Who
    notice: str


@dataclass(frozen=True, slots=True)
class StartChild:
    """A child case that is started with a transition, or once a month while a state lasts.

    Shapes:
        every: "month" or empty (once, on entering the state or firing the trigger).
        period_field: field of the child that receives the month ("2026-11"); only with `every`.
        values: field of the child -> expression over the parent.
    """

    definition: str
    every: Literal["", "month"] = ""
    period_field: str = ""
    values: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A word that asks for a move, and all that must be true for it.

    Shapes:
        to: a state, `$previous` or `$same`.
        by: who may fire it; empty for an automatic one.
        when: an automatic transition: taken by `system` as soon as the expression says yes and nothing forbids it.
        sets: field -> expression; evaluated on the values before the move.
        is_return: going back for supplements; counted, and the clock of the target state starts anew.
        voids: seats whose votes are voided by this trigger.
        extends: name of the deadline that this trigger moves, to the date in the field `extends_to`.
        meets: deadlines of the present state that this trigger fulfils (a repeating one moves to its next period).
        decides: the decision on the support: "today" or the date field of the decision. From here on the rules of
            that date count for the case, and its amount is committed against the budget line.
        overlay: declared once for many states.
    """

    name: str
    title: Words
    to: str
    by: tuple[Who, ...] = ()
    when: Expression | None = None
    require: tuple[Requirement, ...] = ()
    guards: tuple[GuardCall, ...] = ()
    needs: Needs = Needs()
    approvals: Approvals | None = None
    sets: Mapping[str, Expression] = field(default_factory=dict)
    starts: tuple[StartChild, ...] = ()
    tells: tuple[Tell, ...] = ()
    is_return: bool = False
    voids: tuple[Who, ...] = ()
    extends: str = ""
    extends_to: str = ""
    meets: tuple[str, ...] = ()
    decides: str = ""
    overlay: bool = False
    source: Citation | None = None


@dataclass(frozen=True, slots=True)
class LadderRung:
    """One reminder or escalation.

    Shapes:
        at: days before (negative) or after (positive) the due date; 0 is the due date itself.
        unit: "wd" working days, "d" calendar days.
        every, times: repeated `times` times every `every` units after `at`; times is 1 for a single rung.
        to: who is told, in the order written; `holder` allowed.
        notice: word of the notice.
        log: whether the reminder writes a log entry.
    """

    at: int
    unit: Literal["wd", "d"]
    to: tuple[Who, ...]
    notice: str
    every: int = 0
    times: int = 1
    log: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a state must be left, or a word be said in it.

    Shapes:
        since: "" counts from entering the state; else a date field or a trigger whose latest firing counts.
        fires: trigger that fires when the deadline has passed, or empty.
        ladder: rungs in the order written.
    """

    name: str
    rule: DeadlineRule
    source: Citation
    since: str = ""
    ladder: tuple[LadderRung, ...] = ()
    fires: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Where a case is, inside a phase.

    Shapes:
        public: the words for outsiders; the title where the file gives none.
        holder: whose move it is; None only in a final state.
        triggers: by name, in the order written, overlays last.
    """

    name: str
    phase: str
    title: Words
    public: Words
    holder: Who | None
    final: Ending | None = None
    pauses_clock: bool = False
    deadlines: tuple[Deadline, ...] = ()
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    starts: tuple[StartChild, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildRule:
    """Children of one definition, and what happens to them when their parent moves.

    Shapes:
        when_parent: "suspended" | "resumed" | "stopped" | "refused" -> trigger fired on each open child, where it is allowed.
            A parent never reaches a final state while a child is open, unless that move stops the child.
        at_most: open and closed children together; 0 means no limit.
    """

    definition: str
    when_parent: Mapping[str, str] = field(default_factory=dict)
    at_most: int = 0


@dataclass(frozen=True, slots=True)
class Editable:
    """Which fields may be changed, in which states, by whom."""

    fields: tuple[str, ...]
    states: frozenset[str]
    by: tuple[Who, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One `tests:` entry of a definition; the linter runs it.

    Shapes:
        given: state, fields, `parent`, `children`, `rules`, `documents`, `as` as written.
        fire: trigger.
        to: the state expected, or empty when a refusal is expected.
        refused_because: the codes expected, in any order.
        line: where it stands in the file.
    """

    given: Mapping[str, Any]
    fire: str
    to: str = ""
    refused_because: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow at one version.

    Shapes:
        parents: definitions whose cases may be the parent; empty for a root.
        series: letters of the code: programme ("QG") for a root, suffix ("TU") for a child.
        start: the trigger that opens a case; its `to` is the first state.
        reads: "parent", "children", "plan", "establishment": what the verdicts look at beside the case itself.
        summary: common column (title, scope, category, amount, plan_year) -> field.
        rule_keys: every key of a rule pack that the definition asks for, in order.
        hash: SHA-256 of the canonical content, so that layout and comments do not count.
        text: the YAML; "" of one that was published and is loaded for work.
    """

    name: str
    version: int
    title: Words
    phases: tuple[Phase, ...]
    fields: Mapping[str, Field]
    parties: Mapping[str, Party]
    start: Trigger
    states: Mapping[str, State]
    parents: tuple[str, ...] = ()
    series: str = ""
    children: Mapping[str, ChildRule] = field(default_factory=dict)
    editable: tuple[Editable, ...] = ()
    summary: Mapping[str, str] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    rule_keys: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    language: int = 1
    hash: str = ""
    text: str = ""

    @property
    def is_root(self) -> bool:
        """Whether its cases stand on their own and get a code of the number series."""
        return not self.parents

    def trigger(self, state: str, name: str) -> Trigger | None:
        """Return the trigger `name` of `state`, or None when that state does not know it."""
        found = self.states.get(state)
        return found.triggers.get(name) if found else None
