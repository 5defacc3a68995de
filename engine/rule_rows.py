"""What a rule pack is made of, and what it answers with: rows of law with their source, as frozen data.

Nothing in here reads a file or a clock. `engine.rule_packs` makes the rows from YAML, `engine.rules` finds
the one that holds for a case on a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import canonical
from engine.errors import Refused, Words
from engine.rule_units import GRADE_WORDS, WANTED, Limit, Plain, Standing, Unit, show, wrong_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


@dataclass(frozen=True, slots=True)
class Cite:
    """Where a value comes from.

    Shapes:
        act: as printed ("TT 36/2013/TT-BCT"); article ("Điều 13") and clause ("khoản 2.b") may be empty only
            where the source is not an act read article by article.
    """

    act: str
    article: str = ""
    clause: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.act, self.article, self.clause) if part)


@dataclass(frozen=True, slots=True)
class Row:
    """One value of the law, for whom and when it holds, and how well it is known.

    Shapes:
        value: None means unset: the law has this value, nobody has verified it.
        proposal: what is probably right for an unset value; shown with its warning, used by nothing.
        unlimited: the source sets no ceiling of this kind; `value` then is `UNLIMITED[unit]`.
        when: dimension -> the words it may be, sorted; the scope of the pack is part of it.
        since, until: first and last day on which the row holds; None is open.
        line: where it stands in the file `name`.
        hash: SHA-256 of what the row says (not of its note).
    """

    key: str
    unit: Unit
    value: Plain
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: date | None = None
    until: date | None = None
    cite: Cite | None = None
    grade: Standing = "unverified"
    note: str = ""
    proposal: Plain = None
    unlimited: bool = False
    name: str = ""
    line: int = 0
    hash: str = ""

    def holds_on(self, day: date) -> bool:
        """Return whether the row is in force on `day`; both ends belong to it."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def verdict(self, dimensions: Mapping[str, str | None]) -> tuple[bool, tuple[str, ...]]:
        """Return whether the row fits what is known, and the dimensions that it asks for and nobody gave."""
        missing = []
        for dimension, words in self.when:
            given = dimensions.get(dimension)
            if given is None:
                missing.append(dimension)
            elif given not in words:
                return False, ()
        return True, tuple(missing)

    def overlaps(self, other: Row) -> bool:
        """Return whether some case on some day would find both rows."""
        if self.since and other.until and other.until < self.since:
            return False
        if other.since and self.until and self.until < other.since:
            return False
        theirs = dict(other.when)
        return all(not theirs.get(name) or set(words) & set(theirs[name]) for name, words in self.when)


@dataclass(frozen=True, slots=True)
class Rule:
    """One key of a pack: its unit, its title and its rows in the order written.

    Shapes:
        limit, year: for unit `month_day` only. `before` ends on the day before, `by` on the day itself;
            `year` is added to the plan year (-1: the year before).
    """

    key: str
    unit: Unit
    title: Words
    rows: tuple[Row, ...]
    limit: Limit | None = None
    year: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class RulePack:
    """Rules of one origin: the national acts, the local default, one province.

    Shapes:
        scope: conditions that hold for every row, (dimension, word) sorted. Of two packs that answer the same
            question the one whose scope has all conditions of the other, and more, wins.
        hash: SHA-256 of the content, titles and notes included; layout and comments do not count.
    """

    pack: str
    version: int
    title: Words
    scope: tuple[tuple[str, str], ...]
    rules: Mapping[str, Rule]
    name: str = ""
    language: int = 1
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a vocabulary: an activity, a province, a kind of paper.

    Shapes:
        form: number of the printed form ("Mẫu 3a"), for papers only.
        of: the word it belongs to (an activity to its content), or empty.
    """

    word: str
    title: Words
    form: str = ""
    of: str = ""
    cite: Cite | None = None
    grade: Standing = "unverified"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that a value of the law may depend on.

    Shapes:
        words: all words it may take, in the order written; an open one (province) takes any.
    """

    dimension: str
    title: Words
    words: Mapping[str, Word] = field(default_factory=dict)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that packs may use: dimensions and kinds of paper."""

    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    documents: Mapping[str, Word] = field(default_factory=dict)
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What the law says about one key, for one case on one day, and where it says so.

    Shapes:
        value: by unit: money in đồng; percent and factor in hundredths (70 % = 7000, 1,5 = 150); count and
            days whole numbers; words and documents tuples; month_day "MM-DD"; yes_no True / False.
        row, pack: hashes; empty when no row was found or an officer entered the value.
        pack_name: name of the pack ("national").
        limit, year: see `Rule`.
    """

    key: str
    title: Words
    unit: Unit
    value: Plain
    grade: Standing
    cite: Cite | None = None
    note: str = ""
    row: str = ""
    pack: str = ""
    pack_name: str = ""
    unlimited: bool = False
    limit: Limit | None = None
    year: int = 0

    @property
    def verified(self) -> bool:
        """Whether there is a value at all; its grade says how well it is known."""
        return self.value is not None

    @property
    def firm(self) -> bool:
        """Whether the value was read in the act or in a secondary source, so that it may be shown as law."""
        return self.verified and self.grade in {"read", "secondary"}

    def shown(self, language: str = "vi") -> str:
        """Return the value with its unit in words ("300.000.000 đồng", "70 %")."""
        return show(self.unit, self.value, unlimited=self.unlimited, language=language)

    def sentence(self, language: str = "vi") -> str:
        """Return title, value, source and grade in one line, as screens show them."""
        source = f"{self.cite}; " if self.cite else ""
        grade = GRADE_WORDS[self.grade].text(language)
        return f"{self.title.text(language)}: {self.shown(language)} ({source}{grade})"

    def used(self) -> dict[str, Any]:
        """Return what a log entry records: key, value, row and pack hash; also the source a person gave."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        record: dict[str, Any] = {"key": self.key, "value": value, "row": self.row, "pack": self.pack}
        if self.grade == "entered":
            record["source"] = str(self.cite)
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified(Value):
    """No value that anybody has verified; `why` says what is missing and what to do now.

    Shapes:
        value: None.
        missing: dimensions that the case does not state, or empty.
        proposal: a probable value, for display with its warning only.
    """

    why: Words
    missing: tuple[str, ...] = ()
    proposal: Plain = None

    def sentence(self, language: str = "vi") -> str:
        """Return why there is no value, what to do, and the proposal where there is one."""
        text = self.why.text(language)
        if self.proposal is None:
            return text
        lead = "Đề xuất (chưa xác minh)" if language != "en" else "Proposed (not verified)"
        return f"{text} {lead}: {show(self.unit, self.proposal, language=language)}."


class ValueWrong(Refused):
    """A value given by hand does not fit the unit of its rule."""

    code = "rule_value_wrong"
    words = Words(
        "Giá trị “{given}” không dùng được cho “{key}”: cần {wanted_vi}. Hãy nhập lại kèm căn cứ.",
        'The value "{given}" does not fit "{key}": {wanted_en} is wanted. Enter it again with its source.',
    )


def entered(value: Value, given: Plain, source: str) -> Value:
    """Return the value that an officer gives in place of one that is not verified.

    Shapes:
        given: in the unit of the rule.
        source: act and article, or the paper it was read in; never empty.
    Errors:
        ValueWrong: the value does not fit the unit, or no source was given.
    """
    wrong = wrong_for(value.unit, given)
    if given is None or wrong:
        wanted = wrong or WANTED[value.unit]
        raise ValueWrong(key=value.key, given=given, wanted_vi=wanted.vi, wanted_en=wanted.en)
    if not source.strip():
        raise ValueWrong(key=value.key, given=given, wanted_vi="căn cứ", wanted_en="a source")
    return Value(
        key=value.key, title=value.title, unit=value.unit, value=given, grade="entered",
        cite=Cite(canonical.clean_text(source.strip(), "source")), limit=value.limit, year=value.year,
    )  # fmt: skip
