"""Walk 1 of 7 · who wants what on which case, and what came of it.

Whatever wants to change anything that matters (a page, the command line, a due timer, an import) makes one of these
commands and hands it to `execute`. There is no other way in. A command carries an id that the sender chose: sending
it twice does it once, and the second answer is the first receipt.

Next: engine/machine.py decides what a command leads to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import uuid_utils

from engine import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.errors import Words

PrincipalKind = Literal["person", "timer", "system", "import", "operator"]


def new_id() -> str:
    """Return a new UUIDv7 as 32 hexadecimal digits: later ids sort after earlier ones."""
    return uuid_utils.uuid7().hex


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Shapes:
        kind: `person` acts in a role; `import` may claim when something happened; `timer` and `system` are ours;
            `operator` is a named person with the operator flag at the command line.
        person: id of a person; "timer" or "system" for these two.
        via: the door: "web", "api", "cli", "import", "timer", "system".
        on_behalf_of: id of the person represented, when the sender insists on one; else found from substitutions.
    """

    kind: PrincipalKind
    person: str
    via: str = "cli"
    on_behalf_of: str = ""

    @property
    def key(self) -> str:
        """What receipts are filed under: another principal with a known command id learns nothing."""
        return f"{self.kind}:{self.person}"


TIMER = Principal("timer", "timer", "timer")
SYSTEM = Principal("system", "system", "system")


@dataclass(frozen=True, slots=True)
class Document:
    """A paper to be attached.

    Shapes:
        type: name of a declared field of type document.
        number, signed_on (ISO date), signer: as on the paper; all three are needed for it to count.
        file: SHA-256 of a stored file, or empty when only the paper exists.
        copy: "original", "certified", "true_copy" or "plain".
    """

    type: str
    number: str = ""
    signed_on: str = ""
    signer: str = ""
    file: str = ""
    copy: str = "original"
    title: str = ""


#: What a paper is made of, in the order written.
PAPER_PARTS = tuple(one.name for one in fields(Document))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What all commands share.

    Shapes:
        id: chosen by the sender, unique per principal; 1 to 64 characters.
        expected_version: the version the sender saw, or None when it does not matter.
        happened_on: the claimed civil date (ISO), only from an import.
        request: id of the web request or run, for the trace.
    """

    kind: ClassVar[str] = ""

    principal: Principal
    id: str = field(default_factory=new_id)
    expected_version: int | None = None
    reason: str = ""
    happened_on: str = ""
    request: str = ""

    def body(self) -> dict[str, Any]:
        """Return what is asked, without who asks and on which request: what a repeat must share."""
        body: dict[str, Any] = {"kind": self.kind}
        for name in _asked(type(self)):
            part = getattr(self, name)
            body[name] = [_plain(item) for item in part] if part.__class__ is tuple else part
        return body

    def body_hash(self) -> str:
        """Return SHA-256 of the canonical body.

        Errors:
            NotCanonical: a value that the log has no place for.
        """
        return canonical.digest(canonical.write(canonical.check(self.body())))


_asked_parts: dict[type[Command], tuple[str, ...]] = {}


def _asked(kind: type[Command]) -> tuple[str, ...]:
    """Return the parts of a command that say what is asked."""
    found = _asked_parts.get(kind)
    if found is None:
        found = tuple(one.name for one in fields(kind) if one.name not in {"id", "principal", "request"})
        _asked_parts[kind] = found
    return found


def _plain(value: Any) -> Any:
    return {name: getattr(value, name) for name in PAPER_PARTS} if isinstance(value, Document) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Command):
    """Open a case.

    Shapes:
        definition: name; the newest published version counts.
        parent: id of the parent case, for a child definition.
        parties: party -> id; a child takes the parent's of the same name where it gives none.
        values: field -> value. plan_year: of a root case.
        code: only from an import that brings its own; else the number series gives one.
    """

    kind: ClassVar[str] = "start"

    definition: str
    parent: str = ""
    parties: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    plan_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCommand(Command):
    """A command on an existing case.

    Shapes:
        case: id of the case.
    """

    case: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire(CaseCommand):
    """Ask for a move; values and documents are put on the case first, in the same transaction."""

    kind: ClassVar[str] = "fire"

    trigger: str
    values: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(CaseCommand):
    """Change fields.

    Shapes:
        values: field -> value; None clears it.
        rules: key of a rule pack -> {value, source}: fills a value that is "chưa xác minh" for this case.
        recount: count the deadlines that are still to come again, because the calendar has changed.
    """

    kind: ClassVar[str] = "edit"

    values: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recount: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(CaseCommand):
    """Put papers on the case."""

    kind: ClassVar[str] = "attach"

    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach(CaseCommand):
    """Take a paper off the case again; the log keeps that it was there."""

    kind: ClassVar[str] = "detach"

    type: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(CaseCommand):
    """Say something on the case; changes nothing."""

    kind: ClassVar[str] = "comment"

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(CaseCommand):
    """Name the person who holds the case, or bind another party.

    Shapes:
        person: id, or "" to free it.
        parties: party -> id.
    """

    kind: ClassVar[str] = "assign"

    person: str = ""
    parties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(CaseCommand):
    """Take part in the approvals of a trigger.

    Shapes:
        verdict: "yes", "no", or "" to take an earlier vote back.
    """

    kind: ClassVar[str] = "vote"

    trigger: str
    verdict: Literal["yes", "no", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(CaseCommand):
    """A rung of a ladder is due; its id is the timer's."""

    kind: ClassVar[str] = "remind"

    timer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrate(CaseCommand):
    """Pin the case to another version of its definition.

    Shapes:
        to: version. states: old state -> new state, for states that were renamed.
    """

    kind: ClassVar[str] = "migrate"

    to: int
    states: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Command):
    """Write one row of a register: a person, an organisation, a budget line, a published definition.

    Shapes:
        register: kind of the register (engine/registers.py lists them).
        key: id of the row; a new row may bring its own id (32 hexadecimal digits) or leave it empty.
        values: word -> value; None takes a value away.
        text: of a definition, rule pack or calendar that is published; its hash is one of the values.
    """

    kind: ClassVar[str] = "register"

    register: str
    key: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Command):
    """Erase a personal value for good; proofs and log stay valid.

    Shapes:
        subject_kind, subject: "case", "person" …, id. word: the dotted word that holds the commitment.
    """

    kind: ClassVar[str] = "erase"

    subject_kind: str
    subject: str
    word: str


KINDS: Mapping[str, type[Command]] = {
    cls.kind: cls
    for cls in (Start, Fire, Edit, Attach, Detach, Comment, Assign, Vote, Remind, Migrate, Register, Erase)
}


@dataclass(frozen=True, slots=True)
class Unmet:
    """One requirement that says no.

    Shapes:
        code: id of the requirement, guard, field or document; stable.
        words: what is missing, filled in both languages.
        citation: act and article in words, or "".
        grade: of the citation: "read", "secondary", "inferred", "proposed" or "".
        place: where to supply it: "field:amount_vnd", "document:signed_contract", "person", "children", …
    """

    code: str
    words: Words
    citation: str = ""
    grade: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a command.

    Shapes:
        subject_kind, subject: what was written ("case" or a register), id.
        code: code of the case, or "".
        seq, head: number and hash of the last log entry that the command wrote on its subject.
        version: of the case afterwards.
        state: of the case afterwards; the same as before when nothing moved.
        repeated: the command had been done before; nothing was done now.
    """

    command: str
    subject_kind: str
    subject: str
    seq: int
    head: str
    version: int = 0
    code: str = ""
    state: str = ""
    repeated: bool = False
