"""One case as people read it: titles of its definition, names behind ids, days in words, sources of rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.civil_time import words_left
from engine.errors import Words
from engine.rule_units import GRADE_WORDS

if TYPE_CHECKING:
    from engine.cases import Case
    from engine.definition import Citation, Deadline, Definition, State, Who
    from engine.engine import Engine

_SINCE = Words("từ {day}", "since {day}")
_ENDED = {
    "accepted": Words("đã kết thúc", "ended"),
    "refused": Words("không được chấp thuận", "refused"),
    "stopped": Words("đã dừng", "stopped"),
}


def grade_words(grade: str, language: str) -> str:
    """Return how well a source is known, in words; "" for none."""
    return GRADE_WORDS[grade].text(language) if grade in GRADE_WORDS else grade


def source_words(citation: str, grade: str, language: str) -> str:
    """Return "TT 36/2013/TT-BCT Điều 13 (đã đọc văn bản)", or only the grade where nothing is cited."""
    said = grade_words(grade, language)
    return f"{citation} ({said})" if citation and said else citation or said


@dataclass(frozen=True, slots=True)
class CaseWords:
    """A case with all that is needed to say something about it.

    Shapes:
        names: id -> name, of the holder's organisation and person and of all bound parties.
    """

    engine: Engine
    case: Case
    definition: Definition
    parent: Case | None
    names: dict[str, str]
    today: date
    language: str

    @property
    def state(self) -> State:
        """The state it is in."""
        return self.definition.states[self.case.state]

    @property
    def phase(self) -> str:
        """The title of the phase it is in."""
        return next(
            one.title.text(self.language) for one in self.definition.phases if one.name == self.state.phase
        )

    @property
    def title(self) -> str:
        """Its own title, else its definition's."""
        held = self.case.data.get(self.definition.summary.get("title", ""))
        return str(held) if held else self.definition.title.text(self.language)

    @property
    def holder(self) -> str:
        """Who holds it: role and organisation, and the person where one is named; how it ended when it is final."""
        case = self.case
        if case.final:
            return _ENDED[case.final].text(self.language)
        role = self.seat(case.holder or "")
        whose = self.names.get(case.holder_person or "") or self.names.get(case.holder_organisation or "")
        return ", ".join(filter(None, (role, whose)))

    @property
    def held_since(self) -> str:
        """Since when, with a leading word; "" for a final case."""
        since = self.case.held_since
        return _SINCE.fill(self.language, day=f"{date.fromisoformat(since):%d/%m/%Y}") if since else ""

    def seat(self, seat: str) -> str:
        """Return the words for a seat ("department.appraiser"): the role's title, else the party's."""
        party, _, role = seat.partition(".")
        known = self.definition.parties.get(party)
        if known is None:
            return seat
        return (
            known.roles[role].text(self.language) if role in known.roles else known.title.text(self.language)
        )

    def left(self, due_on: str | None = None) -> str:
        """Return "còn 3 ngày làm việc" for a due day (its own, where none is given), or ""."""
        day = due_on or self.case.due_on
        if not day:
            return ""
        return words_left(self.today, date.fromisoformat(day), self.engine.calendar, self.language)

    def source(self, citation: Citation | None) -> str:
        """Return where a rule comes from and how well that is known."""
        if citation is None:
            return ""
        if not citation.rule:
            return source_words(
                " ".join(filter(None, (citation.act, citation.article))), citation.grade, self.language
            )
        above = self.parent.data if self.parent else {}
        asked = self.engine.rules.asks(citation.rule)
        found: dict[str, Any] = {name: self.case.data.get(name) or above.get(name) for name in asked}
        decided = self.case.decided_on or (self.parent.decided_on if self.parent else None)
        value = self.engine.rules.resolve(
            citation.rule, found, date.fromisoformat(decided) if decided else self.today
        )
        return source_words(str(value.cite or ""), value.grade, self.language)

    def deadlines(self) -> list[tuple[str, Deadline | None, dict[str, Any]]]:
        """Return (name, declaration, book) of each running deadline, earliest first."""
        running = sorted(self.case.below("deadline").items(), key=lambda pair: str(pair[1].get("due")))
        return [(name, self._declared(name), book) for name, book in running]

    def _declared(self, name: str) -> Deadline | None:
        """Return a deadline as the present state declares it, else as any other does."""
        states = (self.state, *self.definition.states.values())
        return next((one for state in states for one in state.deadlines if one.name == name), None)

    def bound(self, who: Who) -> tuple[str, str]:
        """Return (id, role) that a role of a party stands for on this case; ("", role) when nobody is bound."""
        if who.party == "holder":
            party, _, role = (self.case.holder or "").partition(".")
            return self.case.parties.get(party, ""), role
        return self.case.parties.get(who.party, ""), who.role
