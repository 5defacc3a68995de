"""Expressions of the definition language: checked once, asked often. The only file that imports cel.

Values enter as they stand on a case: money and percents as integers (a percent in hundredths: 70 % = 7000),
dates as ISO text of the civil day, whose order is the calendar's. An unset value is null and always
present. A null that an answer looked at makes the answer "missing", except where the expression itself
compares with null.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from engine.errors import Broken, Refused, Words
from engine.expression_plain import Odd, plain
from engine.expression_tree import LARGEST_INTEGER, ExpressionRefused, Tree, parse, refuse
from engine.expression_types import NEVER_MISSING, OPEN, Names, Reading, check
from engine.expression_walk import Missing, Walk
from engine.expression_words import Word, answers, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import cel

    from engine.expression_plain import Part

    WorkingDays = Callable[[date, date], int]

__all__ = ["OPEN", "Answer", "Expression", "ExpressionFailed", "ExpressionRefused", "Names", "compile"]

_WHOLE: Final = 10_000
_FAILURES = (ArithmeticError, TypeError, ValueError, RuntimeError, LookupError)


def _cel() -> Any:
    """Return the compiled part of cel, loaded when first needed: who only delivers notices never asks an expression.

    The package around it would also load its own command line, and with it terminal and highlighting libraries.
    """
    if loaded := sys.modules.get("cel.cel"):
        return loaded
    package = importlib.util.find_spec("cel")
    found = importlib.machinery.PathFinder.find_spec(
        "cel.cel", package.submodule_search_locations if package else None
    )
    if found is None or found.loader is None:
        raise ModuleNotFoundError("cel.cel", name="cel")
    library = importlib.util.module_from_spec(found)
    found.loader.exec_module(library)
    sys.modules["cel.cel"] = library
    return library


class ExpressionFailed(Refused):
    """The values of the case lead nowhere: a division by zero, a number beyond 2^53, a float."""

    code = "expression_failed"
    words = Words(
        "Không tính được “{text}” với các giá trị hiện có: {why}. Hãy sửa giá trị, hoặc báo người soạn quy "
        "trình.",
        "“{text}” can't be computed from the present values: {why}. Correct the values, or tell whoever "
        "wrote the definition.",
    )


class CalendarNotGiven(Broken):
    """An expression counts working days and was asked without a calendar."""

    code = "calendar_not_given"
    words = Words(
        "“{text}” cần lịch làm việc nhưng không được cung cấp. Đây là lỗi phần mềm, hãy báo người bảo trì.",
        "“{text}” needs a calendar and got none. This is a fault of the software; tell its maintainer.",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What an expression says.

    Shapes:
        value: bool, int, str, list or None (dates as ISO text); None when something is missing.
        missing: the paths looked at that have no value ("amount_vnd", "parent.support_vnd"), each once.
    """

    value: Any
    missing: tuple[str, ...] = ()


class Program:
    """What CEL makes of a text, made when it is first asked for."""

    __slots__ = ("_made", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._made: cel.Program | None = None

    def ready(self) -> cel.Program:
        """Return it.

        Errors:
            ExpressionRefused: CEL does not take the text.
        """
        if self._made is None:
            try:
                self._made = _cel().compile(self._text)
            except (ValueError, RuntimeError) as why:
                problem = Words(
                    f"CEL không nhận: {str(why)[:120]}", f"CEL does not take it: {str(why)[:120]}"
                )
                refuse(self._text, "expression_syntax", 0, problem)
        return self._made


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. Two are equal when their texts are.

    Shapes:
        text: as written.
        kind: type of the answer: "yes_no", "integer", "text", "date", "list", "any" or "null".
        paths: what it reads, in the order read: "amount_vnd", "parent.support_vnd", "rules.advance_rate",
            "children.advance" (of children only the list), "case.state", "today".
        rows: child definition -> the words read of each child.
        rules: keys of the rule packs among them.
        kinds: path -> type of its value; of children each word read, too ("children.advance.amount_vnd").
    """

    text: str
    kind: str
    paths: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]] = field(compare=False)
    kinds: Mapping[str, str] = field(compare=False)
    rules: tuple[str, ...] = field(compare=False)
    _plain: Part | None = field(compare=False, repr=False)
    _tree: Tree = field(compare=False, repr=False)
    _program: Program = field(compare=False, repr=False)
    _flat: tuple[str, ...] = field(compare=False, repr=False)
    _below: tuple[tuple[str, tuple[str, ...]], ...] = field(compare=False, repr=False)
    _functions: tuple[str, ...] = field(compare=False, repr=False)

    @property
    def compared(self) -> tuple[Word, ...]:
        """The texts that it compares with what it reads, in the order written."""
        return tuple(sorted(compared(self._tree), key=lambda one: one.at))

    @property
    def answers(self) -> tuple[Word, ...] | None:
        """The texts that it can answer with; None when it may answer what is not written out in it.

        Shapes: path is "" in each; a null answer is left out.
        """
        found = answers(self._tree)
        if found is None:
            return None
        return tuple(Word("", str(one.value), one.at) for one in found if one.value is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Compiled programs can't be copied between processes; the names were checked before."""
        return _again, (self.text, self.paths, dict(self.rows))

    def evaluate(self, values: Mapping[str, Any], working_days: WorkingDays | None = None) -> Answer:
        """Return what the expression says for these values.

        Shapes:
            values: field -> value; "parent" -> map or None; "children" -> child definition -> list of maps;
                "rules", "case" -> map; "documents" -> kind of paper -> how many are attached;
                "today" -> date. Absent means null; dates as `date` or ISO text.
            working_days: counts the working days between two days; needed by `working_days_between`.
        Errors:
            ExpressionFailed: division by zero, an integer beyond 2^53, a float.
            CalendarNotGiven: it counts working days and `working_days` is None.
        """
        if self._plain is not None:
            try:
                value = self._plain(values)
            except (Odd, *_FAILURES):
                pass  # nothing is lost: the careful way finds the same, and says what is wrong
            else:
                if value.__class__ is not int or -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
                    return Answer(value)
        return self._with_care(values, working_days)

    def _with_care(self, values: Mapping[str, Any], working_days: WorkingDays | None) -> Answer:
        """Return what the expression says, or what is missing, by the walk over the tree and by CEL."""
        context, whole = self._flat_values(values)
        for root, words in self._below:
            context[root], entire = self._branch(root, words, values.get(root))
            whole = whole and entire
        functions = self._called(working_days) if self._functions else {}
        try:
            if not whole:
                found = Walk(context, functions).answer(self._tree)
                if isinstance(found, Missing):
                    return Answer(None, found.paths)
            if functions:
                context.update(functions)
            value = self._program.ready().execute(context)
        except _FAILURES as why:
            raise ExpressionFailed(text=self.text, why=str(why).partition("\n")[0][:120]) from why
        if value.__class__ is int and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise ExpressionFailed(text=self.text, why="> 2^53")
        return Answer(value)

    def _flat_values(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the values that are read without a dot, and whether none of them is null."""
        whole = True
        context: dict[str, Any] = {}
        for name in self._flat:
            value = values.get(name)
            # The commonest types first: this loop is on the path of every decision.
            if value is None:
                whole = False
            elif value.__class__ is not str:
                value = self._taken(name, value)
            context[name] = value
        return context, whole

    def _branch(
        self, root: str, words: tuple[str, ...], given: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], bool]:
        """Return the part of the values below one root that is read, and whether nothing in it is null."""
        if root == "children":
            return self._children(given or {})
        # A kind of paper that is not listed is one of which none is attached.
        absent = 0 if root == "documents" and given is not None else None
        branch = {word: self._below_value(root, word, (given or {}).get(word, absent)) for word in words}
        return branch, None not in branch.values()

    def _children(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        whole = True
        branch: dict[str, Any] = {}
        for name, words in self.rows.items():
            rows = [
                {word: self._below_value(name, word, row.get(word)) for word in words}
                for row in given.get(name) or ()
            ]
            branch[name] = rows
            whole = whole and all(None not in row.values() for row in rows)
        return branch, whole

    def _below_value(self, root: str, word: str, value: Any) -> Any:
        if value is None:
            return "" if word in NEVER_MISSING and root not in {"rules", "documents"} else None
        return self._taken(f"{root}.{word}", value)

    def _taken(self, name: str, value: Any) -> Any:
        """Return one value as CEL gets it."""
        if value.__class__ in {str, bool}:
            return value
        if value.__class__ is int:
            if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
                return value
            raise ExpressionFailed(text=self.text, why=f"{name} > 2^53")
        if value.__class__ is date:
            return value.isoformat()
        if isinstance(value, list | tuple):
            return [self._taken(name, item) for item in value]
        raise ExpressionFailed(text=self.text, why=f"{name}: {type(value).__name__}")

    def _called(self, working_days: WorkingDays | None) -> dict[str, Callable[..., Any]]:
        functions = {name: _FUNCTIONS[name] for name in self._functions if name in _FUNCTIONS}
        if "working_days_between" in self._functions:
            if working_days is None:
                raise CalendarNotGiven(text=self.text)
            functions["working_days_between"] = lambda one, two: working_days(
                date.fromisoformat(one), date.fromisoformat(two)
            )
        return functions


def compile(  # noqa: A001  (read where it is used: `expressions.compile`)
    text: str, *, names: Names, published: bool = False
) -> Expression:
    """Return the checked expression.

    Shapes:
        published: whether CEL took it before, when the definition was published; it then reads it only when it is asked.
    Errors:
        ExpressionRefused: it can't be read, or speaks of what `names` does not know, or its types don't fit.
    """
    tree = parse(text)
    reading = check(tree, text, names)
    program = Program(text)
    if not published:
        program.ready()
    return _built(text, tree, reading, program)


def share(amount: Any, percent: Any) -> int:
    """Return `percent` of `amount`, rounded half up to the đồng, in integers only.

    Units:
        amount: đồng. percent: hundredths of a percent (70 % = 7000).
    """
    # A text times a sum would be a text of gigabytes.
    if not (isinstance(amount, int) and isinstance(percent, int)):
        raise TypeError(f"share({type(amount).__name__}, {type(percent).__name__})")
    return (amount * percent + _WHOLE // 2) // _WHOLE


def _days_between(one: str, two: str) -> int:
    return (date.fromisoformat(two) - date.fromisoformat(one)).days


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "share": share,
    "sum": sum,
    "count": len,
    "days_between": _days_between,
}

#: Those whose arguments are single values.
_OF_PLAIN: Final = {name: _FUNCTIONS[name] for name in ("share", "days_between")}


def _built(text: str, tree: Tree, reading: Reading, program: Program) -> Expression:
    below: dict[str, dict[str, None]] = {}
    for path in reading.paths:
        root, _, word = path.partition(".")
        if word:
            below.setdefault(root, {})[word] = None
    return Expression(
        text=text,
        kind=reading.kind.name,
        paths=reading.paths,
        rows=reading.rows,
        kinds=reading.kinds,
        rules=tuple(path[6:] for path in reading.paths if path.startswith("rules.")),
        _plain=plain(tree, _OF_PLAIN),
        _tree=tree,
        _program=program,
        _flat=tuple(path for path in reading.paths if "." not in path),
        _below=tuple((root, tuple(words)) for root, words in below.items()),
        _functions=tuple(sorted(reading.functions)),
    )


def _again(text: str, paths: tuple[str, ...], rows: dict[str, tuple[str, ...]]) -> Expression:
    flat = {path: "any" for path in paths if not re.search(r"\.|^today$", path)}
    papers = frozenset(path.removeprefix("documents.") for path in paths if path.startswith("documents."))
    return compile(text, names=Names(flat, OPEN, dict.fromkeys(rows, OPEN), papers))
