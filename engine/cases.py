"""What a case is: its row as data, and how one log entry changes it.

A case is a flat book of values, each under a dotted word: `state`, `holder`, `data.amount_vnd`, `party.department`,
`vote.approve.department.head`, `document.signed_contract.1`, `done.submit`, `deadline.due`. An entry lists what it
changed as `{word: [before, after]}`. So replaying the entries of a case gives the case, and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Words that are columns of their own; everything else lives in `data` (fields), `parties` or `book`.
COLUMNS = (
    "code", "parent", "root", "path", "definition", "state", "came_from", "entered_on", "holder", "holder_organisation",
    "holder_person", "held_since", "plan_year", "due_on", "decided_on", "final",
)  # fmt: skip

_COLUMNS = frozenset(COLUMNS)


@dataclass(slots=True)
class Case:
    """One running thing under a definition.

    Shapes:
        id: 32 hexadecimal digits (UUIDv7); parent, root likewise (parent is None for a root).
        path: ids from the root to this case, joined by "/".
        definition: hash of the definition it is pinned to.
        came_from: the state before a suspension, for `$previous`.
        final: None, "accepted", "refused" or "stopped".
        holder: role of a party ("department.appraiser"), resolved to an organisation and, by assign, to a person.
        version: changes of state, fields, parties, holder, votes. seq: log entries. head: hash of the last one.
        data: field -> value (money and percent as integers, dates as ISO text, personal ones as commitments).
        parties: party -> id of an organisation, establishment or person.
        book: votes, documents, who did what, deadlines, rule values entered by hand, count of returns.
    Units:
        entered_on, held_since, due_on, decided_on: civil dates in Asia/Ho_Chi_Minh as ISO text.
    """

    id: str
    code: str = ""
    definition: str = ""
    parent: str | None = None
    root: str = ""
    path: str = ""
    state: str = ""
    came_from: str | None = None
    entered_on: str | None = None
    holder: str | None = None
    holder_organisation: str | None = None
    holder_person: str | None = None
    held_since: str | None = None
    plan_year: int | None = None
    due_on: str | None = None
    decided_on: str | None = None
    final: str | None = None
    version: int = 0
    seq: int = 0
    head: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)
    book: dict[str, Any] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many ancestors it has; 0 for a root."""
        return self.path.count("/")

    def get(self, word: str) -> Any:
        """Return the value under a dotted word, or None when it is not set."""
        if word in _COLUMNS:
            # A column of a case that is not yet started is empty text; in the log that is "not set".
            value = getattr(self, word)
            return None if value == "" else value
        first, _, rest = word.partition(".")
        if first == "data":
            return self.data.get(rest)
        return self.parties.get(rest) if first == "party" else self.book.get(word)

    def put(self, word: str, value: Any) -> None:
        """Set the value under a dotted word; None takes it away."""
        if word in _COLUMNS:
            setattr(self, word, value)
            return
        first, _, key = word.partition(".")
        shelf: dict[str, Any]
        if first == "data":
            shelf = self.data
        elif first == "party":
            shelf = self.parties
        else:
            shelf, key = self.book, word
        if value is None:
            shelf.pop(key, None)
        else:
            shelf[key] = value

    def below(self, prefix: str) -> dict[str, Any]:
        """Return the part of the book whose words begin with `prefix` and a dot, keyed by what follows."""
        start = prefix + "."
        length = len(start)
        book = self.book
        # Most words are no match: `in` says so three times as fast as asking for their beginning.
        return {word[length:]: book[word] for word in book if start in word and word.startswith(start)}

    def documents(self, name: str) -> list[dict[str, Any]]:
        """Return the attached documents of one kind, oldest first."""
        numbered = self.below(f"document.{name}")
        return [numbered[number] for number in sorted(numbered, key=int)]

    def projection(self) -> dict[str, Any]:
        """Return all words and values: what a fold of the log must give again."""
        words = {word: value for word in COLUMNS if (value := self.get(word)) is not None}
        words.update({f"data.{name}": value for name, value in self.data.items()})
        words.update({f"party.{name}": value for name, value in self.parties.items()})
        words.update(self.book)
        return words


class Draft:
    """A case being changed: applies each change at once and remembers before and after."""

    __slots__ = ("case", "changes", "is_new")

    def __init__(self, case: Case, *, is_new: bool = False) -> None:
        self.case = case
        self.is_new = is_new
        self.changes: dict[str, list[Any]] = {}

    def put(self, word: str, value: Any) -> None:
        """Change one word; a change back to what it was leaves no trace."""
        before = self.case.get(word)
        if before == value:
            return
        self.case.put(word, value)
        known = self.changes.get(word)
        if known is None:
            self.changes[word] = [before, value]
        elif known[0] == value:
            del self.changes[word]
        else:
            known[1] = value

    def take_changes(self) -> dict[str, list[Any]]:
        """Return the changes since the last call and begin anew (one log entry takes them)."""
        taken, self.changes = self.changes, {}
        return taken


def fold(entries: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Replay the entries of one subject, in order of seq.

    Shapes:
        entries: parsed log entries with `seq` and `changes`.
        returns: (word -> value, what did not fit: one sentence per entry whose `before` differs).
    """
    words: dict[str, Any] = {}
    misfits: list[str] = []
    for entry in entries:
        for word, (before, after) in entry["changes"].items():
            if words.get(word) != before:
                misfits.append(
                    f"entry {entry['seq']}: {word} was {words.get(word)!r}, the entry says {before!r}"
                )
            if after is None:
                words.pop(word, None)
            else:
                words[word] = after
    return words, misfits
