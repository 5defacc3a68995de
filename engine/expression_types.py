"""Which names an expression may use, of which type each is, and whether the parts fit together.

CEL compiles unknown names and finds out about types when it is too late. So every expression is checked here
against what the definition declares, before it is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NoReturn

from engine.errors import Words, did_you_mean
from engine.expression_tree import Binary, Call, Choice, Items, Literal, Macro, Path, Tree, Unary, refuse

#: Word -> type: "integer", "text", "yes_no", "date", "any". The word "*" stands for all others.
Shape = Mapping[str, str]
#: What is not known yet (the other file isn't there): every name is taken, of any type.
OPEN: Shape = {"*": "any"}

#: What may be read of the case itself, of its parent and of each child, beside the fields.
CASE_WORDS: Shape = {
    "code": "text", "state": "text", "plan_year": "integer", "came_from": "text", "returns": "integer",
    "entered_on": "date", "decided_on": "date", "due_on": "date", "final": "text",
}  # fmt: skip
#: These are never missing: where a case has none, they are the empty text.
NEVER_MISSING = frozenset({"came_from", "final"})
ROOTS = ("case", "parent", "children", "documents", "rules", "today")

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may speak of.

    Shapes:
        fields: the definition's own fields with a value (documents have none).
        parent: fields of the parent; None when the definition has none.
        children: name of a child definition -> its fields.
        documents: kinds of paper; `documents.contract` is how many of them are attached.
        rules: key of a rule pack -> type; None when the keys aren't known yet.
    """

    fields: Shape = field(default_factory=dict)
    parent: Shape | None = None
    children: Mapping[str, Shape] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    rules: Shape | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of one part.

    Shapes:
        name: "integer", "text", "yes_no", "date", "null", "any", "list" or "row".
        of: what a list holds. fields, source: of a row: its words, and the path of the list it comes from.
    """

    name: str
    of: Kind | None = None
    fields: Shape | None = field(default=None, compare=False)
    source: str = ""

    def __str__(self) -> str:
        return f"list of {self.of}" if self.of else self.name


ANY = Kind("any")
INTEGER = Kind("integer")
TEXT = Kind("text")
YES_NO = Kind("yes_no")
DATE = Kind("date")
NULL = Kind("null")

_FUNCTIONS: Mapping[str, tuple[tuple[Kind, ...], Kind]] = {
    "share": ((INTEGER, INTEGER), INTEGER),
    "sum": ((Kind("list", INTEGER),), INTEGER),
    "count": ((Kind("list", ANY),), INTEGER),
    "days_between": ((DATE, DATE), INTEGER),
    "working_days_between": ((DATE, DATE), INTEGER),
}
_METHODS: Mapping[str, tuple[tuple[Kind, ...], Kind]] = {
    "startsWith": ((TEXT, TEXT), YES_NO),
    "endsWith": ((TEXT, TEXT), YES_NO),
    "contains": ((TEXT, TEXT), YES_NO),
}
#: No field and no variable may bear these names.
TAKEN_NAMES = frozenset(ROOTS) | frozenset(_FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a checked expression is and reads.

    Shapes:
        kind: type of the answer.
        paths: what it reads, in the order read; of children only the list ("children.advance").
        rows: name of a child definition -> the words read of each child.
        functions: names of the functions called.
        kinds: path -> type; of children each word read, too ("children.advance.amount_vnd").
    """

    kind: Kind
    paths: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    functions: frozenset[str]
    kinds: Mapping[str, str]


def check(tree: Tree, text: str, names: Names) -> Reading:
    """Return what the expression reads and what it answers.

    Errors:
        ExpressionRefused: why is `unknown_name`, `unknown_function` or `type_mismatch`.
    """
    checker = _Checker(text, names)
    kind = checker.kind(tree)
    rows = {name: tuple(words) for name, words in checker.rows.items()}
    return Reading(kind, tuple(checker.paths), rows, frozenset(checker.functions), checker.kinds)


def is_iso_date(text: str) -> bool:
    """Whether `text` is a day that exists, as 2026-06-20."""
    if not _ISO_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class _Checker:
    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.paths: dict[str, None] = {}
        self.rows: dict[str, dict[str, None]] = {}
        self.functions: set[str] = set()
        self.variables: dict[str, Kind] = {}
        self.kinds: dict[str, str] = {}

    def kind(self, tree: Tree) -> Kind:  # noqa: PLR0911  (one line for each part of the language)
        match tree:
            case Literal():
                return _literal(tree.value)
            case Path():
                return self.path(tree)
            case Items():
                return self.items(tree)
            case Unary():
                wanted = YES_NO if tree.sign == "!" else INTEGER
                self.want(tree.of, wanted)
                return wanted
            case Binary():
                return self.binary(tree)
            case Choice():
                self.want(tree.question, YES_NO)
                return self.same(tree.yes, tree.no, tree.at, null=True)
            case Call():
                return self.call(tree)
            case Macro():
                return self.macro(tree)

    def mismatch(self, at: int, wanted: object, found: object) -> NoReturn:
        problem = Words(
            f"cần kiểu {wanted} nhưng ở đây là {found}. Hãy sửa phép tính hoặc kiểu của trường.",
            f"{wanted} is needed, this is {found}. Change the comparison or the field's type.",
        )
        refuse(self.text, "type_mismatch", at, problem)

    def want(self, tree: Tree, wanted: Kind) -> Kind:
        found = self.kind(tree)
        if wanted is DATE and isinstance(tree, Literal) and found is TEXT and is_iso_date(str(tree.value)):
            return DATE
        if found is NULL or not _fits(found, wanted):
            self.mismatch(tree.at, wanted, found)
        return found

    def same(self, left: Tree, right: Tree, at: int, *, null: bool = False) -> Kind:
        """Return the kind of two parts that must be alike; a text that is a day passes for a date."""
        one, two = self.kind(left), self.kind(right)
        if NULL in {one, two} and not null:
            self.mismatch(at, two if one is NULL else one, NULL)
        if one is DATE and two is TEXT:
            two = self.want(right, DATE)
        elif two is DATE and one is TEXT:
            one = self.want(left, DATE)
        if not (_fits(one, two) or _fits(two, one)):
            self.mismatch(at, one, two)
        return two if one.name in {"any", "null"} else one

    def items(self, tree: Items) -> Kind:
        if not tree.items:
            return Kind("list", ANY)
        first = self.kind(tree.items[0])
        for item in tree.items[1:]:
            self.want(item, first)
        return Kind("list", first)

    def binary(self, tree: Binary) -> Kind:
        match tree.sign:
            case "&&" | "||":
                self.want(tree.left, YES_NO)
                self.want(tree.right, YES_NO)
                return YES_NO
            case "==" | "!=":
                if self.same(tree.left, tree.right, tree.at, null=True).name in {"list", "row"}:
                    self.mismatch(tree.at, "integer, text, yes_no, date", "list")
                return YES_NO
            case "<" | "<=" | ">" | ">=":
                found = self.same(tree.left, tree.right, tree.at)
                if found.name not in {"integer", "date", "any"}:
                    self.mismatch(tree.at, "integer, date", found)
                return YES_NO
            case "in":
                left = self.kind(tree.left)
                self.want(tree.right, Kind("list", left))
                return YES_NO
            case "+":
                found = self.same(tree.left, tree.right, tree.at)
                if found.name not in {"integer", "text", "any"}:
                    self.mismatch(tree.at, "integer, text", found)
                return found
            case _:
                self.want(tree.left, INTEGER)
                self.want(tree.right, INTEGER)
                return INTEGER

    def call(self, tree: Call) -> Kind:
        table = _METHODS if tree.method else _FUNCTIONS
        if tree.name not in table:
            known = (
                [*_METHODS, "all", "exists", "exists_one", "filter", "map"] if tree.method else [*_FUNCTIONS]
            )
            self.unknown("unknown_function", tree.at, tree.name, known)
        wanted, result = table[tree.name]
        if len(wanted) != len(tree.arguments):
            self.mismatch(tree.at, f"{len(wanted)} arguments", f"{len(tree.arguments)}")
        for argument, kind in zip(tree.arguments, wanted, strict=True):
            self.want(argument, kind)
        if not tree.method:
            self.functions.add(tree.name)
        return result

    def macro(self, tree: Macro) -> Kind:
        over = self.kind(tree.over)
        if over.name not in {"list", "any"}:
            self.mismatch(tree.over.at, "list", over)
        taken = self.names.fields.keys() | TAKEN_NAMES | self.variables.keys()
        if tree.variable in taken:
            problem = Words(
                f"“{tree.variable}” đã là tên khác. Hãy dùng một chữ khác, ví dụ c.",
                f"“{tree.variable}” is the name of something else. Use another letter, such as c.",
            )
            refuse(self.text, "unknown_name", tree.at, problem)
        self.variables[tree.variable] = over.of or ANY
        body = self.kind(tree.body) if tree.name == "map" else self.want(tree.body, YES_NO)
        del self.variables[tree.variable]
        if tree.name == "map":
            return Kind("list", body)
        return over if tree.name == "filter" else YES_NO

    def unknown(self, why: str, at: int, word: str, known: list[str]) -> NoReturn:
        near = did_you_mean(word, known)
        problem = Words(
            f"không có “{word}”."
            + (f" Có phải là “{near}”?" if near else f" Có: {', '.join(known) or '(trống)'}."),
            f"there is no “{word}”."
            + (f" Did you mean “{near}”?" if near else f" Known: {', '.join(known) or '–'}."),
        )
        refuse(self.text, why, at, problem, near)

    def path(self, tree: Path) -> Kind:
        root, rest = tree.parts[0], tree.parts[1:]
        if root in self.variables:
            return self.variable(tree, self.variables[root])
        if root == "today" and not rest:
            return self.read("today", DATE)
        if root in self.names.fields and not rest:
            return self.read(root, Kind(self.names.fields[root]))
        shapes: dict[str, Shape | None] = {
            "case": CASE_WORDS,
            "parent": None if self.names.parent is None else {**CASE_WORDS, **self.names.parent},
            "documents": dict.fromkeys(self.names.documents, "integer"),
            "rules": OPEN if self.names.rules is None else self.names.rules,
        }
        if root in shapes:
            shape = shapes[root]
            if shape is None or len(rest) != 1:
                self.unknown_below(tree, root, shape)
            return self.read(tree.word, self.found(tree, rest[0], shape, root))
        if root == "children":
            return self.children(tree, rest)
        known = [
            *self.variables,
            *self.names.fields,
            *(f"{name}." if name != "today" else name for name in ROOTS),
        ]
        return self.unknown("unknown_name", tree.at, tree.word, known)

    def unknown_below(self, tree: Path, root: str, shape: Shape | None) -> NoReturn:
        if shape is None:
            problem = Words(
                "quy trình này không có hồ sơ cha (khóa parent). Hãy khai báo parent hoặc bỏ phần này.",
                "this definition has no parent. Declare `parent`, or drop this part.",
            )
            refuse(self.text, "unknown_name", tree.at, problem)
        self.unknown("unknown_name", tree.at, tree.word, [f"{root}.{word}" for word in shape if word != "*"])

    def children(self, tree: Path, rest: tuple[str, ...]) -> Kind:
        known = self.names.children
        if len(rest) != 1 or rest[0] not in known:
            self.unknown("unknown_name", tree.at, tree.word, [f"children.{name}" for name in known])
        name = rest[0]
        self.rows.setdefault(name, {})
        row = Kind("row", fields={**CASE_WORDS, **known[name]}, source=f"children.{name}")
        return self.read(tree.word, Kind("list", row))

    def variable(self, tree: Path, kind: Kind) -> Kind:
        rest = tree.parts[1:]
        if not rest:
            return kind
        if kind.name == "any":
            return ANY
        if kind.fields is None or len(rest) != 1:
            self.unknown("unknown_name", tree.at, tree.word, [tree.parts[0]])
        self.rows[kind.source.removeprefix("children.")][rest[0]] = None
        found = self.found(tree, rest[0], kind.fields, tree.parts[0])
        self.kinds[f"{kind.source}.{rest[0]}"] = found.name
        return found

    def found(self, tree: Path, word: str, shape: Shape, root: str) -> Kind:
        name = shape.get(word) or shape.get("*")
        if name is None:
            self.unknown(
                "unknown_name", tree.at, tree.word, [f"{root}.{known}" for known in shape if known != "*"]
            )
        return Kind("list", TEXT) if name == "list" else ANY if name == "any" else Kind(name)

    def read(self, word: str, kind: Kind) -> Kind:
        self.paths[word] = None
        self.kinds[word] = kind.name
        return {"any": ANY, "integer": INTEGER, "text": TEXT, "yes_no": YES_NO, "date": DATE}.get(
            kind.name, kind
        )


def _literal(value: object) -> Kind:
    match value:
        case None:
            return NULL
        case bool():
            return YES_NO
        case int():
            return INTEGER
        case _:
            return TEXT


def _fits(found: Kind, wanted: Kind) -> bool:
    if "any" in {found.name, wanted.name} or "null" in {found.name, wanted.name}:
        return True
    if found.name == wanted.name == "list":
        return found.of is None or wanted.of is None or _fits(found.of, wanted.of)
    return found.name == wanted.name
