"""The words of notices: `notices.yaml` of each folder, rendered in a sandbox, in the receiver's language.

A text is data from a province's folder, so it may name what a notice knows and a few ways to write
numbers, and nothing else: names are checked when it is read, and it runs in Jinja's sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine import yaml_text
from engine.errors import Broken, Refused, Words, did_you_mean
from handlers import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from jinja2 import Template

    from engine.yaml_text import Node

#: All that a text may name; workflows/notices.yaml says what each is.
NAMES = frozenset(
    {
        "code",
        "title",
        "definition",
        "state",
        "phase",
        "holder",
        "due",
        "left",
        "trigger",
        "by",
        "reason",
        "facts",
    }
)
LONGEST_TEXT = 4000
#: As `html.escape` does it, without that module's table of all names, which takes half a megabyte.
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


class NoticeTextRefused(Refused):
    """A notice text can't be used."""

    code = "notice_text_refused"
    words = Words(
        '{file}, dòng {line}: lời thông báo "{word}" {problem_vi}',
        '{file}, line {line}: the notice "{word}" {problem_en}',
    )


class NoticeUnknown(Broken):
    """A notice is owed for which no folder has words."""

    code = "notice_unknown"
    words = Words(
        'Không có lời cho thông báo "{word}"{hint}. Thêm vào notices.yaml rồi chạy `tiendo retry`.',
        'No words for the notice "{word}"{hint}. Add them to notices.yaml, then run `tiendo retry`.',
    )


class NoticeNotRendered(Broken):
    """A text can't be filled with the facts of this notice."""

    code = "notice_not_rendered"
    words = Words(
        'Lời thông báo "{word}" không điền được: {why}. Sửa notices.yaml rồi chạy `tiendo retry`.',
        'The notice "{word}" can\'t be filled: {why}. Correct notices.yaml, then run `tiendo retry`.',
    )


@dataclass(frozen=True, slots=True)
class NoticeText:
    """One notice in both languages, as templates."""

    subject: Words
    body: Words


def _environment() -> ImmutableSandboxedEnvironment:
    # Not escaped here: the same text goes into a plain part; the HTML part escapes the finished text.
    made = ImmutableSandboxedEnvironment(autoescape=False, undefined=ChainableUndefined)
    made.globals.clear()
    made.filters = {
        "money": words.money, "day": words.day, "percent": words.percent, "default": made.filters["default"],
    }  # fmt: skip
    return made


@dataclass(frozen=True, slots=True)
class NoticeTexts:
    """All notice texts; later folders say earlier words anew."""

    texts: Mapping[str, NoticeText]
    _made: dict[str, Template] = field(default_factory=dict, init=False, compare=False, repr=False)
    _jinja: ImmutableSandboxedEnvironment = field(default_factory=_environment, compare=False, repr=False)

    def render(self, word: str, facts: Mapping[str, Any], language: str) -> tuple[str, str]:
        """Return (subject in one line, body) of a notice.

        Errors:
            NoticeUnknown, NoticeNotRendered: somebody must correct notices.yaml.
        """
        found = self.texts.get(word)
        if found is None:
            near = did_you_mean(word, self.texts)
            raise NoticeUnknown(word=word, hint=f" (→ {near}?)" if near else "")
        try:
            subject, body = (
                self._template(part.text(language)).render(facts) for part in (found.subject, found.body)
            )
        except (TemplateError, TypeError, ValueError, ArithmeticError) as problem:
            raise NoticeNotRendered(word=word, why=f"{type(problem).__name__}: {problem}"[:200]) from problem
        return " ".join(subject.split()), body.strip()

    def _template(self, text: str) -> Template:
        """Return a text made ready at its first use: making it costs ten times what filling it does."""
        made = self._made.get(text)
        if made is None:
            made = self._made[text] = self._jinja.from_string(text)
        return made


def load(files: Iterable[Path]) -> NoticeTexts:
    """Read notices.yaml files in order.

    Errors:
        YamlRefused, NoticeTextRefused: with file and line; nothing was loaded.
    """
    texts: dict[str, NoticeText] = {}
    jinja = _environment()
    for file in files:
        root = yaml_text.read(file.read_bytes(), name=file.name)
        notices = _child(root, "notices")
        if notices is None or notices.kind != "map":
            raise _wrong(file.name, root, "", "thiếu khoá notices", "the key notices is missing")
        for word, node in _entries(notices):
            texts[word] = _text(file.name, word, node, jinja)
    return NoticeTexts(texts)


def _text(file: str, word: str, node: Node, jinja: ImmutableSandboxedEnvironment) -> NoticeText:
    parts: dict[str, Words] = {}
    for name in ("subject", "body"):
        part = _child(node, name)
        said = {language: _child(part, language) if part else None for language in ("vi", "en")}
        if any(
            one is None or not isinstance(one.value, str) or not one.value.strip() for one in said.values()
        ):
            raise _wrong(file, part or node, word, f"thiếu {name}: {{vi, en}}", f"lacks {name}: {{vi, en}}")
        for one in said.values():
            _check(file, word, one, jinja)  # type: ignore[arg-type]  # none is None: looked at above
        parts[name] = Words(str(said["vi"].value), str(said["en"].value))  # type: ignore[union-attr]
    extra = [name for name, _ in _entries(node) if name not in parts]
    if extra:
        raise _wrong(file, node, word, f"có khoá lạ {extra[0]}", f"has the unknown key {extra[0]}")
    return NoticeText(parts["subject"], parts["body"])


def _check(file: str, word: str, node: Node, jinja: ImmutableSandboxedEnvironment) -> None:
    text = str(node.value)
    if len(text) > LONGEST_TEXT:
        raise _wrong(file, node, word, f"dài quá {LONGEST_TEXT} ký tự", f"is over {LONGEST_TEXT} characters")
    try:
        unknown = sorted(meta.find_undeclared_variables(jinja.parse(text)) - NAMES)
        jinja.from_string(text)
    except TemplateSyntaxError as problem:
        raise _wrong(file, node, word, f"sai cú pháp: {problem}", f"is malformed: {problem}") from problem
    if unknown:
        near = did_you_mean(unknown[0], NAMES)
        hint = f" → {near}?" if near else ""
        raise _wrong(
            file, node, word, f"dùng tên lạ {unknown[0]}{hint}", f"names {unknown[0]}, unknown{hint}"
        )


def _wrong(file: str, node: Node, word: str, vi: str, en: str) -> NoticeTextRefused:
    return NoticeTextRefused(file=file, line=node.line, word=word, problem_vi=vi, problem_en=en)


def _entries(node: Node) -> list[tuple[str, Node]]:
    return [(key, entry.node) for key, entry in node.entries.items()]


def _child(node: Node | None, key: str) -> Node | None:
    return next((found for name, found in _entries(node) if name == key), None) if node else None


def as_html(subject: str, text: str, language: str) -> str:
    """Return the finished text as a plain HTML page: escaped, a paragraph for each blank line."""
    paragraphs = "\n".join(
        f"<p>{block.translate(_ESCAPED).replace(chr(10), '<br>')}</p>"
        for block in text.split("\n\n")
        if block.strip()
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{subject.translate(_ESCAPED)}</title></head>"
        '<body style="font:15px/1.45 sans-serif;max-width:40em">'
        f"{paragraphs}</body></html>\n"
    )
