"""Text of an expression -> a small tree that knows where each part stands.

The language is a part of CEL: names with dots, whole numbers, texts in quotes, `true`, `false`, `null`,
lists, `! - * / % + < <= > >= == != in && || ?:`, calls, and the five macros over lists. The tree is what
names, types and missing values are found on; the answer itself is CEL's. Whatever CEL would take and we would
not (floats, maps, indexes, escapes, regular expressions) is refused here, before CEL sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from engine.errors import Refused, Words

LIMIT_CHARACTERS = 1_000
LIMIT_DEPTH = 24
LIMIT_SIGNS = 60
LARGEST_INTEGER = 2**53 - 1
MACROS = ("all", "exists", "exists_one", "filter", "map")
#: Words that CEL keeps for itself, and names that every expression knows: no field may be called so.
# fmt: off
KEPT_WORDS = frozenset((
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let",
    "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
))
# fmt: on

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:(?P<float>[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+)"""
    r"""|(?P<number>[0-9]+)(?![A-Za-z0-9_])"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>"[^"\\\r\n]*"|'[^'\\\r\n]*')"""
    r"""|(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/%!<>?:.,()\[\]])|(?P<end>$))"""
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("<", "<=", ">", ">=", "==", "!=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)
_RELATION = 2


class ExpressionRefused(Refused):
    """The expression is not one of ours. Nothing was compiled.

    Shapes:
        facts: text; why (stable word: the finding's code); column (1-based, in the text); suggestion (or "");
            problem_vi, problem_en.
    """

    code = "expression_refused"
    words = Words(
        "Biểu thức “{text}”, ký tự {column}: {problem_vi}",
        "Expression “{text}”, character {column}: {problem_en}",
    )


def refuse(text: str, why: str, at: int, problem: Words, suggestion: str = "") -> NoReturn:
    """Raise ExpressionRefused for the part of `text` at offset `at`."""
    raise ExpressionRefused(
        text=text if len(text) <= LIMIT_CHARACTERS else text[:40] + "…",
        why=why,
        column=at + 1,
        suggestion=suggestion,
        problem_vi=problem.vi,
        problem_en=problem.en,
    )


@dataclass(frozen=True, slots=True)
class Literal:
    """A whole number, a text, true, false or null."""

    at: int
    value: int | str | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """A name with dots: `amount_vnd`, `parent.support_vnd`, `c.state`."""

    at: int
    parts: tuple[str, ...]

    @property
    def word(self) -> str:
        """The path as written."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Items:
    """A list written out."""

    at: int
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    at: int
    sign: str
    of: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """Two parts and a sign between them; `at` is the sign's place."""

    at: int
    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Choice:
    """`question ? yes : no`."""

    at: int
    question: Tree
    yes: Tree
    no: Tree


@dataclass(frozen=True, slots=True)
class Call:
    """`share(a, b)`, or `text.startsWith(b)` with the text as first argument and `method` true."""

    at: int
    name: str
    arguments: tuple[Tree, ...]
    method: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    """`over.all(variable, body)` and its like."""

    at: int
    name: str
    over: Tree
    variable: str
    body: Tree


Tree = Literal | Path | Items | Unary | Binary | Choice | Call | Macro


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Tree:
    """Return the tree of `text`.

    Errors:
        ExpressionRefused: why is `expression_syntax`, `expression_too_long`, `float` or `number_too_big`.
    """
    if len(text) > LIMIT_CHARACTERS:
        problem = Words(
            f"biểu thức dài quá {LIMIT_CHARACTERS} ký tự. Hãy tách thành nhiều yêu cầu.",
            f"the expression is longer than {LIMIT_CHARACTERS} characters. Split it into several.",
        )
        refuse(text, "expression_too_long", LIMIT_CHARACTERS, problem)
    return _Parser(text).whole()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            seen = text[start : start + 12]
            problem = Words(
                f"không đọc được “{seen}”. Biểu thức chỉ gồm tên, số nguyên, văn bản trong dấu nháy và "
                "các phép so sánh, + - * / %, &&, ||, !.",
                f"“{seen}” can't be read. An expression holds names, whole numbers, texts in quotes, "
                "comparisons, + - * / %, && || and !.",
            )
            refuse(text, "expression_syntax", start, problem)
        kind = match.lastgroup
        token = _Token(kind, match.group(kind), match.start(kind))
        if kind == "float":
            problem = Words(
                f"“{token.text}” là số có dấu chấm. Hãy dùng số nguyên; tỷ lệ thì share(số_tiền, phần_vạn).",
                f"“{token.text}” is a number with a point. Use whole numbers; for a rate, share(amount, "
                "hundredths_of_a_percent).",
            )
            refuse(text, "float", token.at, problem)
        found.append(token)
        if kind == "end":
            return found
        at = match.end()


class _Parser:
    """Reads by falling precedence; the depth is counted, so that no text can exhaust the stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0
        self.depth = 0
        self.signs = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.here
        self.index += 1
        return token

    def sees(self, *signs: str) -> bool:
        return self.here.kind in {"sign", "name"} and self.here.text in signs

    def expect(self, sign: str) -> None:
        if not self.sees(sign):
            self.unexpected(f"“{sign}”")
        self.take()

    def unexpected(self, instead: str = "") -> NoReturn:
        token = self.here
        seen_vi = f"“{token.text}”" if token.text else "chỗ kết thúc"
        seen_en = f"“{token.text}”" if token.text else "the end"
        problem = Words(
            f"gặp {seen_vi}"
            + (f", cần {instead}." if instead else ", cần một tên, một số hoặc một văn bản."),
            f"found {seen_en}"
            + (f", {instead} is needed." if instead else ", a name, number or text is needed."),
        )
        refuse(self.text, "expression_syntax", token.at, problem)

    def whole(self) -> Tree:
        tree = self.expression()
        if self.here.kind != "end":
            self.unexpected("&&, || hoặc một phép tính" if self.here.kind != "sign" else "")
        return tree

    def measure(self) -> None:
        if self.depth > LIMIT_DEPTH or self.signs > LIMIT_SIGNS:
            problem = Words(
                f"lồng quá {LIMIT_DEPTH} bậc hoặc hơn {LIMIT_SIGNS} phép tính. Hãy tách thành nhiều yêu cầu.",
                f"nested deeper than {LIMIT_DEPTH} levels, or over {LIMIT_SIGNS} signs. Split it into "
                "several.",
            )
            refuse(self.text, "expression_too_long", self.here.at, problem)

    def expression(self) -> Tree:
        self.depth += 1
        self.measure()
        tree = self.level(0)
        if self.sees("?"):
            at = self.take().at
            yes = self.expression()
            self.expect(":")
            tree = Choice(at, tree, yes, self.expression())
        self.depth -= 1
        return tree

    def level(self, number: int) -> Tree:
        if number == len(_LEVELS):
            return self.unary()
        tree = self.level(number + 1)
        while self.sees(*_LEVELS[number]):
            sign = self.take()
            self.signs += 1
            self.measure()
            tree = Binary(sign.at, sign.text, tree, self.level(number + 1))
            if number == _RELATION and self.sees(*_LEVELS[number]):
                problem = Words(
                    "không viết liền hai phép so sánh. Hãy nối bằng &&: a < b && b < c.",
                    "two comparisons in a row. Join them with &&: a < b && b < c.",
                )
                refuse(self.text, "expression_syntax", self.here.at, problem)
        return tree

    def unary(self) -> Tree:
        if self.sees("!", "-"):
            sign = self.take()
            if self.sees("!", "-"):
                self.unexpected()
            return Unary(sign.at, sign.text, self.member())
        return self.member()

    def member(self) -> Tree:
        tree = self.primary()
        while self.sees("."):
            self.take()
            name = self.here
            if name.kind != "name" or name.text in KEPT_WORDS:
                self.unexpected("một tên / a name")
            self.take()
            if self.sees("("):
                tree = self.method(tree, name)
            elif isinstance(tree, Path):
                tree = Path(tree.at, (*tree.parts, name.text))
            else:
                self.index -= 1
                self.unexpected("một tên trước dấu chấm / a name before the point")
        return tree

    def method(self, on: Tree, name: _Token) -> Tree:
        arguments = self.arguments()
        if name.text not in MACROS:
            return Call(name.at, name.text, (on, *arguments), method=True)
        first = arguments[0] if arguments else None
        named = isinstance(first, Path) and len(first.parts) == 1
        if len(arguments) != 2 or not isinstance(first, Path) or not named:  # noqa: PLR2004  (name and body)
            problem = Words(
                f"{name.text} cần một tên và một biểu thức: danh_sách.{name.text}(c, c.state == 'paid').",
                f"{name.text} takes a name and an expression: list.{name.text}(c, c.state == 'paid').",
            )
            refuse(self.text, "expression_syntax", name.at, problem)
        return Macro(name.at, name.text, on, first.parts[0], arguments[1])

    def arguments(self) -> tuple[Tree, ...]:
        self.expect("(")
        found = self.items(")")
        self.expect(")")
        return found

    def items(self, end: str) -> tuple[Tree, ...]:
        found: list[Tree] = []
        while not self.sees(end):
            if found:
                self.expect(",")
            found.append(self.expression())
        return tuple(found)

    def primary(self) -> Tree:
        token = self.here
        if token.kind == "number":
            return Literal(self.take().at, self.number(token))
        if token.kind == "text":
            return Literal(self.take().at, token.text[1:-1])
        if token.kind == "name":
            return self.named(token)
        if self.sees("("):
            self.take()
            tree = self.expression()
            self.expect(")")
            return tree
        if self.sees("["):
            self.take()
            items = self.items("]")
            self.expect("]")
            return Items(token.at, items)
        return self.unexpected()

    def named(self, token: _Token) -> Tree:
        if token.text in {"true", "false", "null"}:
            return Literal(self.take().at, {"true": True, "false": False, "null": None}[token.text])
        if token.text in KEPT_WORDS:
            self.unexpected()
        self.take()
        return (
            Call(token.at, token.text, self.arguments()) if self.sees("(") else Path(token.at, (token.text,))
        )

    def number(self, token: _Token) -> int:
        if len(token.text) <= len(str(LARGEST_INTEGER)) and int(token.text) <= LARGEST_INTEGER:
            return int(token.text)
        problem = Words(
            f"số {token.text[:20]} quá lớn; lớn nhất là {LARGEST_INTEGER}.",
            f"the number {token.text[:20]} is too big; the largest is {LARGEST_INTEGER}.",
        )
        refuse(self.text, "number_too_big", token.at, problem)
