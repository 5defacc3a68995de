"""What one command has before it while it is carried out: the rows it holds, the cases it changes, what will be written.

A desk belongs to one command inside one transaction. It hands out drafts and facts, turns personal values into
commitments, chains entries and collects notices. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from engine import entries, field_values, requirements
from engine.cases import Draft
from engine.commands import Receipt, new_id
from engine.guards import Facts
from engine.personal import commit_value, context_of, open_values
from engine.rule_rows import entered
from engine.seats import bound_to, seats_of
from engine.sort_text import sort_text
from engine.store import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engine.cases import Case
    from engine.commands import Command, Document
    from engine.definition import Definition, Tell
    from engine.engine import Engine
    from engine.entries import Entry
    from engine.rule_rows import Value
    from engine.store import Claimed, Transaction

#: A change of one of these words is one that somebody who looks at the case must know of.
_VERSIONED = ("state", "data.", "party.", "holder", "vote.", "definition", "rule.", "final")


class Lines(Mapping[str, Any]):
    """What the named locks brought, each read when a guard first asks for it: few commands have such a guard."""

    __slots__ = ("_read", "_readers")

    def __init__(self, readers: Mapping[str, Callable[[], Any]]) -> None:
        self._readers = readers
        self._read: dict[str, Any] = {}

    def __getitem__(self, word: str) -> Any:
        if word not in self._read:
            self._read[word] = self._readers[word]()
        return self._read[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


class Desk:
    """One command being carried out.

    Shapes:
        day: the civil day that counts: today, or the claimed day of an import.
        drafts: case id -> the case being changed, in the order first touched.
        rings: (topic, outbox id) to ring after the commit.
    """

    def __init__(
        self, engine: Engine, tx: Transaction, command: Command, claimed: Claimed, day: date
    ) -> None:
        self.engine = engine
        self.tx = tx
        self.command = command
        self.claimed = claimed
        self.day = day
        self.writing = Writing()
        self.drafts: dict[str, Draft] = {}
        self.rings: list[tuple[str, str]] = []
        self._known: dict[str, dict[str, Any]] = {}

    @property
    def suppressed(self) -> bool:
        """Whether notices are written as "not sent": the past is being entered, nobody is to be told of it now."""
        return self.command.principal.via == "import"

    def draft(self, case: Case, *, is_new: bool = False) -> Draft:
        """Return the draft of a case; the same one for the whole command."""
        found = self.drafts.get(case.id)
        if found is None:
            found = self.drafts[case.id] = Draft(case, is_new=is_new)
        return found

    def definition(self, case: Case) -> Definition:
        """Return the definition that a case is pinned to."""
        return self.engine.definitions.by_hash(case.definition)

    def parent(self, case: Case) -> Case | None:
        """Return the claimed parent of a case, as changed so far."""
        if not case.parent:
            return None
        drafted = self.drafts.get(case.parent)
        return drafted.case if drafted else self.claimed.cases.get(case.parent)

    def children(self, case: Case) -> list[Case]:
        """Return the claimed children of a case, as changed so far, oldest first.

        A family further down than the command's own case is read when a move from above reaches it: parents are locked
        before their children, so the order of locks stays.
        """
        if case.id not in self.claimed.children:
            has_family = bool(self.definition(case).children)
            self.claimed.children[case.id] = self.tx.family(case.id) if has_family else []
        found = self.claimed.children[case.id]
        return [self.drafts[child.id].case if child.id in self.drafts else child for child in found]

    def facts(self, case: Case, *, by_system: bool = False) -> Facts:
        """Return all that a decision on this case may look at."""
        definition = self.definition(case)
        person = "system" if by_system else self.command.principal.person
        parent = self.parent(case)
        facts = Facts(
            definition=definition,
            case=case,
            person=person,
            seats={}
            if by_system
            else seats_of(person, case, self.claimed, self.command.principal.on_behalf_of),
            today=self.day,
            rules=lambda key: self.rule(facts, key),
            working_days=self.engine.calendar.working_days_between,
            reason=self.command.reason,
            parent=parent,
            parent_definition=self.definition(parent) if parent else None,
            children=tuple((self.definition(child).name, child) for child in self.children(case)),
            siblings=self._siblings(case, parent),
            opened=self.opened(case, definition),
        )
        facts.lines = self._lines(facts)
        return facts

    def _siblings(self, case: Case, parent: Case | None) -> tuple[Case, ...]:
        definition = self.definition(case)
        if parent is None or "parent" not in definition.reads:
            return ()
        family = (one for one in self.children(parent) if one.id != case.id)
        return tuple(one for one in family if self.definition(one).name == definition.name)

    def opened(self, case: Case, definition: Definition) -> dict[str, Any]:
        """Return commitment -> personal value of a case, those that this very command brings along included."""
        if not _has_personal(definition):
            return {}
        brought = {row[0]: orjson.loads(row[4]) for row in self.writing.openings if row[2] == case.id}
        if case.id not in self._known:
            self._known[case.id] = open_values(self.tx, case.id)
        return {**self._known[case.id], **brought}

    def _lines(self, facts: Facts) -> Lines:
        """Return what the named locks of the definition give, for the guards that ask for it."""
        definition, case = facts.definition, facts.case
        readers: dict[str, Callable[[], Any]] = {}
        if "plan" in definition.reads and case.plan_year:
            readers["plan"] = lambda: self._plan_line(facts)
        if "establishment" in definition.reads:
            readers["establishment"] = lambda: self._supported(facts)
        return Lines(readers)

    def _plan_line(self, facts: Facts) -> dict[str, Any]:
        definition, case = facts.definition, facts.case
        scope = str(case.data.get(definition.summary.get("scope", "")) or "")
        programme = str(requirements.Values(facts).get("programme") or definition.name)
        return self.tx.plan_line(f"{programme}/{case.plan_year}/{scope}", definition.name, case)

    def _supported(self, facts: Facts) -> list[dict[str, Any]]:
        case = facts.case
        found = [case.parties[name] for name, party in facts.definition.parties.items()
                 if party.kind == "establishment" and name in case.parties]  # fmt: skip
        return [row for one in found for row in self.tx.supported(one, case.root or case.id)]

    def rule(self, facts: Facts, key: str) -> Value:
        """Return the value of a rule for a case on the day that counts for it, remembered for the log."""
        known: Value | None = facts.used.get(key)
        if known is not None:
            return known
        case = facts.case
        decided = case.decided_on or (facts.parent.decided_on if facts.parent else None)
        day = date.fromisoformat(decided) if decided else self.day
        value = self.engine.rules.resolve(key, requirements.Dimensions(facts), day)
        by_hand = case.book.get(f"rule.{key}") or (
            facts.parent.book.get(f"rule.{key}") if facts.parent else None
        )
        if by_hand and not value.verified:
            given = by_hand["value"]
            value = entered(value, tuple(given) if isinstance(given, list) else given, by_hand["source"])
        facts.used[key] = value
        return value

    def commit(self, context: str, subject: str, value: Any) -> str:
        """Put a commitment in the place of a personal value; the opening is written beside the entry."""
        commitment, opening = commit_value(context, subject, value)
        self.writing.openings.append(
            (opening.commitment, opening.context, opening.subject, opening.salt, opening.value)
        )
        return commitment

    def put_values(self, draft: Draft, values: dict[str, Any]) -> None:
        """Set checked fields; personal ones as commitments."""
        fields = self.definition(draft.case).fields
        for name, value in values.items():
            if fields[name].personal and value is not None:
                value = self.commit(context_of("case", name), draft.case.id, value)  # noqa: PLW2901 - the stored form
            draft.put(f"data.{name}", value)

    def fill(self, draft: Draft, values: dict[str, Any]) -> None:
        """Set fields to what expressions said, each checked against its type like a value that a person enters.

        Errors:
            FieldValueWrong: a computed value does not fit its field; nothing was changed.
        """
        definition = self.definition(draft.case)
        plain = {
            name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()
        }
        self.put_values(
            draft, {name: field_values.typed(definition, name, value) for name, value in plain.items()}
        )

    def put_documents(self, draft: Draft, documents: Iterable[Document]) -> None:
        """Attach papers, each under the next number of its kind; the signer's name is kept as a commitment."""
        for paper in documents:
            numbers = [int(number) for number in draft.case.below(f"document.{paper.type}")]
            signer = self.commit("case.signer", draft.case.id, paper.signer) if paper.signer else ""
            draft.put(
                f"document.{paper.type}.{max(numbers, default=0) + 1}",
                {
                    "number": paper.number, "signed_on": paper.signed_on, "signer": signer, "file": paper.file,
                    "copy": paper.copy, "title": paper.title, "on": self.day.isoformat(),
                },
            )  # fmt: skip

    def log(self, draft: Draft, entry: Entry, facts: Facts | None = None) -> int:
        """Chain one entry to a case and return its seq; the rules that `facts` looked up are named in it."""
        case, command = draft.case, self.command
        if command.reason and entry.reason is None and not entry.by_system:
            entry.reason = self.commit("reason", case.id, command.reason)
        if facts is not None:
            entry.rules = [value.used() for _, value in sorted(facts.used.items())]
        case.seq += 1
        if any(word.startswith(_VERSIONED) for word in entry.changes):
            case.version += 1
        definition = self.definition(case)
        _, case.head, row = entries.write(
            entry, command, subject=("case", case.id), seq=case.seq, previous=case.head,
            recorded_at=self.tx.stamp(), definition=definition,
        )  # fmt: skip
        self.writing.entries.append(row)
        derived = dict(requirements.summary(definition, case))
        derived["sort_text"] = sort_text(derived["title"])
        self.writing.cases[case.id] = (case, derived, draft.is_new)
        return case.seq

    def receipt(self, case: Case) -> Receipt:
        """Return the receipt of the command for a case as it now is."""
        return Receipt(
            command=self.command.id, subject_kind="case", subject=case.id, seq=case.seq, head=case.head,
            version=case.version, code=case.code, state=case.state,
        )  # fmt: skip

    def log_parties(self, draft: Draft) -> None:
        """Keep the look-up of parties equal to the case."""
        for word, (_, after) in draft.changes.items():
            if word.startswith("party."):
                self.writing.parties.append((draft.case.id, word[6:], after))

    def tell(self, draft: Draft, tells: Iterable[Tell], seq: int, **facts: Any) -> None:
        """Write the notices of one entry, one for each person, and what promises to send them."""
        case = draft.case
        about = orjson.dumps(
            {"state": case.state, "due_on": case.due_on, **facts}, option=orjson.OPT_SORT_KEYS
        ).decode()
        day = self.day.isoformat()
        told: dict[tuple[str, str], None] = {}
        for tell in tells:
            where, role = bound_to(case, tell.to) or ("", "")
            for person in self.tx.members(where, role, day) if role else filter(None, [where]):
                told[tell.notice, person] = None
        suppressed = "import" if self.suppressed else None
        channels = () if suppressed else self.engine.channels
        for word, person in told:
            notice = new_id()
            self.writing.notices.append((notice, case.id, seq, word, person, about, self.tx.now, suppressed))
            for channel in channels:
                self.promise("notice.requested", notice, channel)

    def promise(self, topic: str, subject: str, channel: str) -> None:
        """Put a row into the outbox and remember to ring for it after the commit."""
        row = new_id()
        self.writing.outbox.append((row, topic, subject, channel, self.tx.now, self.tx.now))
        self.rings.append((topic, row))


_personal: dict[str, bool] = {}


def _has_personal(definition: Definition) -> bool:
    """Return whether a definition has personal fields; kept, because every decision asks."""
    found = _personal.get(definition.hash)
    if found is None:
        found = _personal[definition.hash] = any(one.personal for one in definition.fields.values())
    return found
