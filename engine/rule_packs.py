"""Rule packs and their vocabulary: YAML -> frozen rows, every mistake with its place and what to write.

A pack is read whole: all mistakes of a file are reported at once. What is read here is proven here; the rule
book only composes. The grammar, key by key, is in `docs/rules.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from engine import canonical
from engine.errors import Words
from engine.rule_reading import PackRefused, Page
from engine.rule_rows import Cite, Dimension, Row, Rule, RulePack, Vocabulary, Word
from engine.rule_units import GRADES, UNITS, UNLIMITED, Limit, Plain, Standing, Unit, wrong_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from engine.yaml_text import Node

LANGUAGE = 1
_PACK_KEYS = ("rule_pack", "language", "version", "title", "scope", "note", "rules")
_RULE_KEYS = ("unit", "title", "limit", "year", "rows", "when", "from", "to", "cite", "grade", "note")
_ROW_KEYS = ("value", "proposal", "when", "from", "to", "cite", "grade", "note")
_WORD_KEYS = ("title", "form", "of", "cite", "grade", "note")
_YEARS = {"plan - 1": -1, "plan": 0, "plan + 1": 1}


def read_pack(text: str | bytes, *, name: str, vocabulary: Vocabulary) -> RulePack:
    """Return the rule pack that `text` holds.

    Shapes:
        name: the file as people know it; it opens every message.
    Errors:
        YamlRefused: the text is not one of our files.
        PackRefused: it is, but says something that can't be; every finding with its place and a suggestion.
    """
    page = Page.of(text, name)
    return _pack(page, vocabulary)


def read_vocabulary(texts: Mapping[str, str | bytes]) -> Vocabulary:
    """Return the words of all `texts` (file name -> content) together.

    Errors:
        YamlRefused, PackRefused: as for a pack; also when two files declare the same word.
    """
    dimensions: dict[str, Dimension] = {}
    documents: dict[str, Word] = {}
    for name, text in texts.items():
        page = Page.of(text, name)
        page.keys(
            page.root, ("rule_words", "language", "title", "dimensions", "documents"), needed=("rule_words",)
        )
        _language(page)
        for word, node in page.entries(page.get(page.root, "dimensions")):
            page.once(word, dimensions, node)
            dimensions[word] = _dimension(page, word, node)
        for word, node in page.entries(page.get(page.root, "documents")):
            page.once(word, documents, node)
            documents[word] = _word(page, word, node)
        page.close()
    said = {
        "dimensions": {name: [*found.words, found.open] for name, found in dimensions.items()},
        "documents": list(documents),
    }
    return Vocabulary(dimensions, documents, canonical.digest(canonical.write(canonical.check(said))))


def read_folder(*folders: Path) -> tuple[tuple[RulePack, ...], Vocabulary]:
    """Return all packs and words of the `*.yaml` files in `folders`, by file name.

    A file in a later folder replaces the file of the same name in an earlier one: that is how a
    province's own pack stands in for a shipped one.

    Errors:
        YamlRefused, PackRefused: a file can't be used; nothing is returned.
    """
    files = {path.name: path for folder in folders for path in sorted(folder.glob("*.yaml"))}
    texts = {str(path): path.read_bytes() for _, path in sorted(files.items())}
    words = {name: text for name, text in texts.items() if Page.of(text, name).is_map_with("rule_words")}
    vocabulary = read_vocabulary(words)
    packs = [
        read_pack(text, name=name, vocabulary=vocabulary) for name, text in texts.items() if name not in words
    ]
    return tuple(packs), vocabulary


def _language(page: Page) -> None:
    node = page.get(page.root, "language")
    if page.integer(node, needed_at=page.root, key="language") not in {LANGUAGE, None}:
        page.problem(node, f"`language` phải là {LANGUAGE}", f"`language` must be {LANGUAGE}")


def _dimension(page: Page, word: str, node: Node) -> Dimension:
    page.keys(node, ("title", "open", "words"), needed=("title",))
    open_node = page.get(node, "open")
    is_open = open_node is not None and open_node.value is True
    words = {key: _word(page, key, inner) for key, inner in page.entries(page.get(node, "words"))}
    if bool(words) == is_open:
        page.problem(
            node,
            f"“{word}” phải có `words`, hoặc `open: true` nếu nhận mọi từ",
            f'"{word}" must have `words`, or `open: true` where any word is taken',
        )
    return Dimension(word, page.title(node), words, open=is_open)


def _word(page: Page, word: str, node: Node) -> Word:
    page.keys(node, _WORD_KEYS, needed=("title",))
    page.identifier(word, node)
    cite, grade = _source(page, node, {})
    note = page.text(page.get(node, "note"))
    if grade in {"read", "secondary", "inferred"} and cite is None:
        page.problem(node, f"“{word}” thiếu căn cứ (`cite`)", f'"{word}" has no source (`cite`)')
    form, of = page.text(page.get(node, "form")), page.text(page.get(node, "of"))
    return Word(word, page.title(node), form=form, of=of, cite=cite, grade=grade, note=note)


def _pack(page: Page, vocabulary: Vocabulary) -> RulePack:
    root = page.root
    page.keys(root, _PACK_KEYS, needed=("rule_pack", "version", "title", "rules"))
    _language(page)
    pack = page.text(page.get(root, "rule_pack"))
    page.identifier(pack, root)
    version = page.integer(page.get(root, "version"), needed_at=root, key="version")
    if version is not None and version < 1:
        page.problem(page.get(root, "version"), "`version` phải từ 1", "`version` starts at 1")
    scope_node = page.get(root, "scope")
    scope = []
    for dimension, words in _when(page, scope_node, vocabulary):
        scope.append((dimension, words[0]))
        if len(words) > 1:
            page.problem(
                scope_node, "`scope` chỉ nhận một từ mỗi chiều", "`scope` takes one word a dimension"
            )
    title = page.title(root)
    rules = {
        key: _rule(page, key, node, tuple(scope), vocabulary)
        for key, node in page.entries(page.get(root, "rules"))
    }
    page.close()
    return RulePack(pack, version or 0, title, tuple(scope), rules, page.name, LANGUAGE, _hash_of(page))


def _hash_of(page: Page) -> str:
    return canonical.digest(canonical.write(canonical.check(page.content())))


def _rule(
    page: Page, key: str, node: Node, scope: tuple[tuple[str, str], ...], vocabulary: Vocabulary
) -> Rule:
    page.identifier(key, node)
    page.keys(node, _RULE_KEYS, needed=("unit", "title", "rows"))
    unit = cast("Unit", page.choice(page.get(node, "unit"), UNITS, "đơn vị", "unit") or "text")
    limit, year = _limit(page, node, unit)
    inherited = {
        name: found
        for name in ("when", "from", "to", "cite", "grade", "note")
        if (found := page.get(node, name))
    }
    reader = _RowReader(
        page=page, key=key, unit=unit, limit=limit, year=year, scope=scope, inherited=inherited,
        vocabulary=vocabulary,
    )  # fmt: skip
    rows = tuple(reader.row(item) for item in page.items(page.get(node, "rows"), node))
    if not rows:
        page.problem(node, f"“{key}” chưa có dòng nào trong `rows`", f'"{key}" has no row in `rows`')
    if not page.problems:  # a row that could not be read would seem to overlap
        _refuse_overlaps(page, key, rows)
    return Rule(key, unit, page.title(node), rows, limit, year, node.line)


def _limit(page: Page, node: Node, unit: Unit) -> tuple[Limit | None, int]:
    """Return the year rule of a day of the year; a fixed date without one is refused."""
    limit_node, year_node = page.get(node, "limit"), page.get(node, "year")
    if unit != "month_day":
        for found in (limit_node, year_node):
            if found:
                page.problem(found, "chỉ dùng với đơn vị month_day", "only for the unit month_day")
        return None, 0
    if not limit_node or not year_node:
        page.problem(
            node,
            "ngày cố định phải có `limit` (before | by) và `year` (plan - 1 | plan | plan + 1)",
            "a fixed date must have `limit` (before | by) and `year` (plan - 1 | plan | plan + 1)",
        )
        return None, 0
    limit = page.choice(limit_node, ("before", "by"), "giới hạn", "limit")
    year = page.choice(year_node, tuple(_YEARS), "năm", "year")
    return cast("Limit | None", limit or None), _YEARS.get(year, 0)


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads the rows of one rule; what the rule states once holds for rows that say nothing else."""

    page: Page
    key: str
    unit: Unit
    limit: Limit | None
    year: int
    scope: tuple[tuple[str, str], ...]
    inherited: dict[str, Node]
    vocabulary: Vocabulary

    def row(self, node: Node) -> Row:
        """Return the row, or note what is wrong with it."""
        page = self.page
        page.keys(node, _ROW_KEYS, needed=("value",))
        value, unlimited = self._value(page.get(node, "value"))
        proposal, _ = self._value(page.get(node, "proposal"))
        when = self._conditions(node)
        since, until = self._days(node)
        note = page.text(self._own(node, "note"))
        cite, grade = _source(page, node, self.inherited)
        grade = self._standing(node, cite, grade, note)
        if proposal is not None and value is not None:
            page.problem(
                node, "`proposal` chỉ dùng khi `value` để trống", "`proposal` goes with an unset `value` only"
            )
        says = {
            "key": self.key, "unit": self.unit, "limit": self.limit, "year": self.year, "value": value,
            "unlimited": unlimited, "proposal": proposal,
            "when": [[name, list(words)] for name, words in when],
            "from": since and since.isoformat(), "to": until and until.isoformat(),
            "cite": str(cite) if cite else None, "grade": grade,
        }  # fmt: skip
        digest = canonical.digest(canonical.write(canonical.check(says)))
        return Row(
            self.key, self.unit, value, when, since, until, cite, grade, note, proposal, unlimited,
            page.name, node.line, digest,
        )  # fmt: skip

    def _own(self, node: Node, key: str) -> Node | None:
        return self.page.get(node, key) or self.inherited.get(key)

    def _value(self, node: Node | None) -> tuple[Plain, bool]:
        page, unit = self.page, self.unit
        if node is None:
            return None, False
        if node.value == "unlimited" and unit in UNLIMITED:
            return UNLIMITED[unit], True
        value: Any = tuple(item.value for item in node.items) if node.kind == "list" else node.value
        wanted = Words("một giá trị", "one value") if node.kind == "map" else wrong_for(unit, value)
        if wanted:
            page.problem(
                node,
                f"“{value}” không hợp lệ: cần {wanted.vi}",
                f'"{value}" does not fit: {wanted.en} is wanted',
            )
            return None, False
        if unit == "documents":
            for item in node.items:
                page.known(item, str(item.value), self.vocabulary.documents, "giấy tờ", "document")
        return value, False

    def _conditions(self, node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
        page = self.page
        own = _when(page, self._own(node, "when"), self.vocabulary)
        for dimension, _ in self.scope:
            if dimension in dict(own):
                page.problem(
                    node, f"“{dimension}” đã có trong `scope`", f'"{dimension}" is in `scope` already'
                )
        return tuple(sorted([*own, *((dimension, (word,)) for dimension, word in self.scope)]))

    def _days(self, node: Node) -> tuple[date | None, date | None]:
        page = self.page
        since, until = (page.day(self._own(node, key)) for key in ("from", "to"))
        if since and until and since > until:
            page.problem(node, f"`from` {since} sau `to` {until}", f"`from` {since} is after `to` {until}")
            return None, None
        return since, until

    def _standing(self, node: Node, cite: Cite | None, grade: Standing, note: str) -> Standing:
        """Return the grade: an unset row has none, a proposal needs a reason, the rest a source."""
        page, value = self.page, self.page.get(node, "value")
        if value is not None and value.kind == "scalar" and value.value is None:
            if page.get(node, "grade"):
                page.problem(
                    node, "dòng chưa có giá trị thì không ghi `grade`", "an unset row states no `grade`"
                )
            if cite is None and not note:
                page.problem(
                    node, "dòng chưa có giá trị cần `cite` hoặc `note`", "an unset row needs `cite` or `note`"
                )
            return "unverified"
        if grade == "unverified":
            page.problem(
                node, f"thiếu `grade` ({', '.join(GRADES)})", f"`grade` is missing ({', '.join(GRADES)})"
            )
        elif grade == "proposed" and cite is None and not note:
            page.problem(
                node,
                "giá trị đề xuất cần `note` nêu lý do",
                "a proposed value needs a `note` with its reason",
            )
        elif grade != "proposed" and cite is None:
            page.problem(
                node, "thiếu căn cứ: `cite: {act, article}`", "the source is missing: `cite: {act, article}`"
            )
        elif grade == "read" and cite and not cite.article:
            page.problem(
                node, "giá trị đã đọc phải ghi điều (`article`)", "a value that was read names its `article`"
            )
        return grade


def _source(page: Page, node: Node, inherited: Mapping[str, Node]) -> tuple[Cite | None, Standing]:
    grade_node = page.get(node, "grade") or inherited.get("grade")
    grade = page.choice(grade_node, GRADES, "mức tin cậy", "grade") if grade_node else ""
    cite_node = page.get(node, "cite") or inherited.get("cite")
    if cite_node is None:
        return None, cast("Standing", grade or "unverified")
    page.keys(cite_node, ("act", "article", "clause"), needed=("act",))
    act, article, clause = (page.text(page.get(cite_node, key)) for key in ("act", "article", "clause"))
    return (Cite(act, article, clause) if act else None), cast("Standing", grade or "unverified")


def _when(page: Page, node: Node | None, vocabulary: Vocabulary) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the conditions, sorted; every dimension and word is known to the vocabulary."""
    found = []
    for dimension, inner in page.entries(node):
        if not page.known(inner, dimension, vocabulary.dimensions, "chiều", "dimension"):
            continue
        words = page.words(inner)
        declared = vocabulary.dimensions[dimension]
        if not declared.open:
            for word in words:
                page.known(inner, word, declared.words, f"từ của {dimension}", f"word of {dimension}")
        if words:
            found.append((dimension, tuple(sorted(words))))
    return tuple(sorted(found))


def _refuse_overlaps(page: Page, key: str, rows: Sequence[Row]) -> None:
    for index, row in enumerate(rows):
        for other in rows[index + 1 :]:
            if row.overlaps(other):
                page.problem_at(
                    other.line,
                    1,
                    f"“{key}”: dòng {row.line} và dòng {other.line} cùng khớp một trường hợp; sửa `when`, "
                    "`from` hoặc `to` để chỉ còn một dòng khớp",
                    f'"{key}": line {row.line} and line {other.line} could both answer; change `when`, '
                    "`from` or `to` so that only one does",
                )


__all__ = ["PackRefused", "read_folder", "read_pack", "read_vocabulary"]
