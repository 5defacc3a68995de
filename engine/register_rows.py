"""A row of a register, and who writes it: what the decision on a Register command looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engine.register_words import CODE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from engine.commands import Principal


class SeatHeld(Protocol):
    """A membership that holds today; `engine.store.Seat` is one (naming it here would make a ring)."""

    @property
    def person(self) -> str:
        """Whose membership it is."""

    @property
    def bound(self) -> str:
        """Organisation or establishment."""

    @property
    def role(self) -> str:
        """The role there."""


@dataclass(slots=True)
class RegisterRow:
    """A row of a register.

    Shapes:
        data: flat word -> value (`name`, `membership.1` -> {bound, role, from, to}); personal words hold
            commitments; the code is a word of the log but no part of `data`.
        sort_text: of the name; of the code where the name is personal, because erasing must reach everything.
        seq, head: number and hash of the row's last log entry; version: number of changes.
    """

    kind: str
    id: str
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    seq: int = 0
    head: str = ""
    sort_text: str = ""

    def projection(self) -> dict[str, Any]:
        """Return all words and values: what a fold of the row's log must give again."""
        return {CODE: self.code, **self.data}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and all that the decision may look at.

    Shapes:
        seats: memberships that hold today, of the principal only (nobody administers as a substitute).
        today: ISO date. secret: of the store, for keyed hashes.
        empty: nobody is registered yet: whoever sets the store up writes organisations and the first person.
        rows: "kind:id" and "kind:code" -> row, for every row that the command names.
        opened: commitment -> value, of the row that is written.
        above: organisation -> itself and all organisations above it.
        provinces: bound of a seat -> the provinces it answers for, its predecessors' included; "" means all.
        lists: name of a closed list -> its words; one that is not there is not checked.
    """

    principal: Principal
    today: str
    secret: str
    seats: tuple[SeatHeld, ...] = ()
    empty: bool = False
    rows: Mapping[str, RegisterRow] = field(default_factory=dict)
    opened: Mapping[str, Any] = field(default_factory=dict)
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provinces: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lists: Mapping[str, Collection[str]] = field(default_factory=dict)

    def find(self, kind: str, key: str) -> RegisterRow | None:
        """Return the row with this id or code, when the command names it and it exists."""
        return self.rows.get(f"{kind}:{key}")
