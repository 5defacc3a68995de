"""The rule book: which value of the law holds for a case on a day.

Packs are composed once (`RuleBook.of`), and a book never changes; asking it reads no file, clock or store.
Exactly one row answers. Two rows of one pack that could both answer are refused when the book is made;
between packs the stronger scope wins; no row, an unset row or a missing dimension gives an `Unverified` with
its reason.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine import canonical
from engine.errors import Refused, Words, did_you_mean
from engine.rule_rows import Row, Rule, RulePack, Unverified, Value, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

#: Answers kept per key; a book is asked with few different dimensions, this only bounds a hostile caller.
_KEPT_ANSWERS = 4096


class RuleUnknown(Refused):
    """No pack has a rule of this key."""

    code = "rule_unknown"
    words = Words(
        "Không có quy định “{key}” trong các gói {packs}.{suggestion_vi} "
        "Xem danh sách bằng lệnh `tiendo rules`.",
        'There is no rule "{key}" in the packs {packs}.{suggestion_en} `tiendo rules` lists them.',
    )


class RulesCollide(Refused):
    """Two rows could both answer the same question; the book is not made."""

    code = "rules_collide"
    words = Words(
        "Hai dòng của “{key}” cùng khớp một trường hợp: {first} và {second}. Hãy sửa `when`, `from` hoặc "
        "`to` để chỉ còn một dòng khớp, hoặc thu hẹp `scope` của gói ghi đè.",
        'Two rows of "{key}" could both answer: {first} and {second}. Change `when`, `from` or `to` so that '
        "only one does, or narrow the `scope` of the overlay pack.",
    )


class RulesDisagree(Refused):
    """Two packs declare the same key differently."""

    code = "rules_disagree"
    words = Words(
        "Gói {first} và {second} khai báo “{key}” khác nhau ({what}). Hãy dùng cùng một khai báo.",
        'The packs {first} and {second} declare "{key}" differently ({what}). Declare it alike in both.',
    )


class _Answers:
    """All rows of one key, strongest pack first, with the answers already found."""

    __slots__ = ("asks", "found", "rows", "rule", "turns", "vocabulary")

    def __init__(self, rule: Rule, rows: Sequence[tuple[RulePack, Row]], vocabulary: Vocabulary) -> None:
        self.rule = rule
        self.rows = rows
        self.vocabulary = vocabulary
        self.asks = tuple(sorted({name for _, row in rows for name, _ in row.when}))
        # Between two turns every day gets the same answer, so the place between them stands for the day.
        starts = {row.since for _, row in rows if row.since}
        ends = {row.until + timedelta(days=1) for _, row in rows if row.until}
        self.turns = sorted(starts | ends)
        self.found: dict[tuple[int | str | None, ...], Value] = {}

    def find(self, dimensions: Mapping[str, str | None], on: date) -> Value:
        """Return the answer of the strongest row, or why there is none."""
        waiting: tuple[RulePack, Row, tuple[str, ...]] | None = None
        for pack, row in self.rows:
            fits, missing = row.verdict(dimensions) if row.holds_on(on) else (False, ())
            if not fits:
                continue
            if waiting and len(waiting[0].scope) > len(pack.scope):
                break  # a stronger pack may answer once the case states what is missing
            if not missing:
                return self._answer(pack, row)
            waiting = waiting or (pack, row, missing)
        if waiting:
            return self._missing(waiting[2])
        return self._none(dimensions)

    def _answer(self, pack: RulePack, row: Row) -> Value:
        rule = self.rule
        facts: dict[str, Any] = {
            "key": rule.key, "title": rule.title, "unit": rule.unit, "value": row.value, "grade": row.grade,
            "cite": row.cite, "note": row.note, "row": row.hash, "pack": pack.hash, "pack_name": pack.pack,
            "limit": rule.limit, "year": rule.year,
        }  # fmt: skip
        if row.value is not None:
            return Value(unlimited=row.unlimited, **facts)
        source = f" ({row.cite})" if row.cite else ""
        why = Words(
            f"{rule.title.vi}: chưa xác minh{source}. "
            "Hãy nhập giá trị kèm căn cứ; việc nhập được ghi nhật ký.",
            f"{rule.title.en}: not verified{source}. Enter the value with its source; this is logged.",
        )
        return Unverified(why=why, proposal=row.proposal, **facts)

    def _missing(self, missing: tuple[str, ...]) -> Unverified:
        titles = [
            self.vocabulary.dimensions[name].title for name in missing if name in self.vocabulary.dimensions
        ]
        names_vi = ", ".join(title.vi for title in titles) or ", ".join(missing)
        names_en = ", ".join(title.en for title in titles) or ", ".join(missing)
        words = ", ".join(missing)
        why = Words(
            f"{self.rule.title.vi}: chưa xác minh, thiếu {names_vi} ({words}). Hãy nhập vào hồ sơ.",
            f"{self.rule.title.en}: not verified, {names_en} ({words}) is missing. Fill it in on the case.",
        )
        return self._no_row(why, missing)

    def _none(self, dimensions: Mapping[str, str | None]) -> Unverified:
        given = ", ".join(f"{name} = {dimensions[name]}" for name in self.asks if dimensions.get(name)) or "–"
        why = Words(
            f"{self.rule.title.vi}: chưa xác minh, không có quy định nào khớp ({given}) vào ngày này. "
            "Hãy nhập giá trị kèm căn cứ; việc nhập được ghi nhật ký.",
            f"{self.rule.title.en}: not verified, no row answers for ({given}) on this day. "
            "Enter the value with its source; this is logged.",
        )
        return self._no_row(why, ())

    def _no_row(self, why: Words, missing: tuple[str, ...]) -> Unverified:
        rule = self.rule
        return Unverified(
            key=rule.key, title=rule.title, unit=rule.unit, value=None, grade="unverified", limit=rule.limit,
            year=rule.year, why=why, missing=missing,
        )  # fmt: skip


class RuleBook:
    """All packs together, unchangeable.

    Shapes:
        packs: strongest scope first, then by name.
        keys: every key, sorted.
        hash: SHA-256 over the hashes of the packs and of the vocabulary.
    """

    __slots__ = ("_answers", "hash", "keys", "packs", "vocabulary")

    def __init__(
        self, packs: tuple[RulePack, ...], answers: dict[str, _Answers], vocabulary: Vocabulary
    ) -> None:
        self.packs = packs
        self._answers = answers
        self.keys = tuple(answers)
        self.vocabulary = vocabulary
        self.hash = canonical.digest(canonical.write([vocabulary.hash, *sorted(pack.hash for pack in packs)]))

    @classmethod
    def of(cls, packs: Iterable[RulePack], vocabulary: Vocabulary | None = None) -> RuleBook:
        """Return the book of `packs`.

        Errors:
            RulesCollide: two rows could both answer and neither pack is stronger; both lines are named.
            RulesDisagree: a key has another unit or year rule in another pack, or two packs share a name.
        """
        words = vocabulary or Vocabulary()
        ordered = tuple(sorted(packs, key=lambda pack: (-len(pack.scope), pack.pack)))
        for first, second in pairwise(sorted(ordered, key=lambda pack: pack.pack)):
            if first.pack == second.pack:
                raise RulesDisagree(key="rule_pack", first=first.name, second=second.name, what=first.pack)
        answers: dict[str, _Answers] = {}
        for key in sorted({key for pack in ordered for key in pack.rules}):
            having = [pack for pack in ordered if key in pack.rules]
            _refuse_disagreement(key, having)
            rows = [(pack, row) for pack in having for row in pack.rules[key].rows]
            _refuse_collision(key, rows)
            answers[key] = _Answers(having[-1].rules[key], rows, words)
        return cls(ordered, answers, words)

    def resolve(self, key: str, dimensions: Mapping[str, str | None], on: date) -> Value:
        """Return what the law says about `key` for a case of these dimensions on the day `on`.

        Shapes:
            dimensions: more than the rule asks for does no harm; absent and None are both "not stated".
            returns: a `Value`, or an `Unverified` whose `why` says what is missing.
        Errors:
            RuleUnknown: no pack has the key; the nearest key is suggested.
        """
        answers = self._answers.get(key)
        if answers is None:
            raise self._unknown(key)
        given = [dimensions.get(name) for name in answers.asks]
        asked = (bisect_right(answers.turns, on), *given)
        found = answers.found.get(asked)
        if found is None:
            found = answers.find(dict(zip(answers.asks, given, strict=True)), on)
            if len(answers.found) >= _KEPT_ANSWERS:
                answers.found.clear()
            answers.found[asked] = found
        return found

    def rule(self, key: str) -> Rule:
        """Return the rule as its widest pack declares it (title, unit, year rule).

        Errors:
            RuleUnknown: no pack has the key.
        """
        if key not in self._answers:
            raise self._unknown(key)
        return self._answers[key].rule

    def rows(self, key: str) -> tuple[tuple[RulePack, Row], ...]:
        """Return every row of `key` with its pack, the strongest pack first, then as written.

        Errors:
            RuleUnknown: no pack has the key.
        """
        self.rule(key)
        return tuple(self._answers[key].rows)

    def asks(self, key: str) -> tuple[str, ...]:
        """Return the dimensions that `key` depends on, sorted.

        Errors:
            RuleUnknown: no pack has the key.
        """
        self.rule(key)
        return self._answers[key].asks

    def _unknown(self, key: str) -> RuleUnknown:
        near = did_you_mean(key, self._answers)
        return RuleUnknown(
            key=key,
            packs=", ".join(pack.pack for pack in self.packs),
            suggestion_vi=f" Có phải ý bạn là “{near}”?" if near else "",
            suggestion_en=f' Did you mean "{near}"?' if near else "",
        )


def used(values: Iterable[Value]) -> list[dict[str, Any]]:
    """Return what a log entry records of the values used: one entry a key, sorted by key."""
    return [record for _, record in sorted({value.key: value.used() for value in values}.items())]


def _refuse_disagreement(key: str, packs: Sequence[RulePack]) -> None:
    first = packs[0].rules[key]
    for pack in packs[1:]:
        rule = pack.rules[key]
        for what, ours, theirs in (
            ("unit", first.unit, rule.unit),
            ("limit", first.limit, rule.limit),
            ("year", first.year, rule.year),
        ):
            if ours != theirs:
                facts = {"key": key, "what": f"{what}: {ours} / {theirs}"}
                raise RulesDisagree(first=packs[0].name, second=pack.name, **facts)


def _refuse_collision(key: str, rows: Sequence[tuple[RulePack, Row]]) -> None:
    for index, (pack, row) in enumerate(rows):
        for other_pack, other in rows[index + 1 :]:
            ordered = set(pack.scope) != set(other_pack.scope) and (
                set(pack.scope) <= set(other_pack.scope) or set(other_pack.scope) <= set(pack.scope)
            )
            if not ordered and row.overlaps(other):
                raise RulesCollide(
                    key=key, first=f"{row.name}:{row.line}", second=f"{other.name}:{other.line}"
                )
