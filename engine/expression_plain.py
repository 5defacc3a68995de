"""The short way to an answer, for questions in which nothing is odd.

Most questions are plain: sums and words are compared, all of them are there. For these a tree is made into nested
functions once; asking them costs a tenth of a call into the library. Whatever is odd (a missing value that is looked
at, a number out of range, a division by zero, types that do not meet) is `Odd` and goes the careful way, by the walk
that names what is missing and by CEL itself. So nothing is answered here in which the two ways could differ; property
tests let all of them answer.
"""

from __future__ import annotations

import operator
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from engine.expression_tree import LARGEST_INTEGER, Binary, Call, Choice, Items, Literal, Path, Tree, Unary
from engine.expression_types import NEVER_MISSING
from engine.expression_walk import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: Values as `Expression.evaluate` gets them -> the answer of one part.
    Part = Callable[[Mapping[str, Any]], Any]

_LARGEST = 2**63
_PLAIN: Final = frozenset({str, bool})
_RELATIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Odd(Exception):
    """Raised where the short way does not answer; no error, because the careful way does."""


def plain(tree: Tree, functions: Mapping[str, Callable[..., Any]]) -> Part | None:
    """Return what answers `tree` the short way, or None where a part of it is always odd (lists and their macros).

    Shapes:
        functions: name -> function of whole numbers and texts that returns a whole number.
    """
    try:
        return _Plain(functions).part(tree)
    except Odd:
        return None


class _Plain:
    """Makes the functions, from the leaves up."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.functions = functions

    def part(self, tree: Tree) -> Part:
        match tree:
            case Literal():
                return _always(tree.value)
            case Path():
                return _known(_looked_up(tree))
            case Unary():
                return _not(self.part(tree.of)) if tree.sign == "!" else _minus(self.part(tree.of))
            case Binary():
                return self.binary(tree)
            case Choice():
                return _choice(self.part(tree.question), self.part(tree.yes), self.part(tree.no))
            case Call() if tree.name in self.functions and not tree.method:
                return _call(self.functions[tree.name], [self.part(one) for one in tree.arguments])
        raise Odd

    def binary(self, tree: Binary) -> Part:
        if tree.sign in {"==", "!="}:
            for one, other in ((tree.left, tree.right), (tree.right, tree.left)):
                if isinstance(one, Literal) and one.value is None and isinstance(other, Path):
                    return _is_null(_looked_up(other), wanted=tree.sign == "==")
        if tree.sign == "in":
            return _in(self.part(tree.left), self.items(tree.right))
        left, right = self.part(tree.left), self.part(tree.right)
        if tree.sign in {"&&", "||"}:
            return _decided(left, right, by=tree.sign == "||")
        if tree.sign in {"==", "!="}:
            return _equal(left, right, wanted=tree.sign == "==")
        if tree.sign in _RELATIONS:
            return _relation(left, right, _RELATIONS[tree.sign])
        return _arithmetic(left, right, tree.sign)

    def items(self, tree: Tree) -> list[Part]:
        if isinstance(tree, Items):
            return [self.part(item) for item in tree.items]
        raise Odd


def _looked_up(tree: Path) -> Part:
    """Return what fetches a value as it stands, or None where there is none."""
    root, *rest = tree.parts
    if not rest:
        return lambda values: values.get(root)
    if root not in {"parent", "case", "rules"} or len(rest) > 1:
        raise Odd
    word = rest[0]
    absent = "" if word in NEVER_MISSING and root != "rules" else None

    def below(values: Mapping[str, Any]) -> Any:
        branch = values.get(root)
        found = branch.get(word) if branch else None
        return absent if found is None else found

    return below


def _known(look: Part) -> Part:
    """Return what fetches a value that must be there, as CEL would get it."""

    def known(values: Mapping[str, Any]) -> Any:
        value = look(values)
        kind = value.__class__
        if kind in _PLAIN or (kind is int and -LARGEST_INTEGER <= value <= LARGEST_INTEGER):
            return value
        if kind is date:
            return value.isoformat()
        raise Odd

    return known


def _always(value: Any) -> Part:
    return lambda _: value


def _is_null(look: Part, *, wanted: bool) -> Part:
    return lambda values: (look(values) is None) is wanted


def _decided(left: Part, right: Part, *, by: bool) -> Part:
    """Return `left || right` (decided by a yes on the left) or `left && right` (by a no)."""

    def decided(values: Mapping[str, Any]) -> Any:
        said = left(values)
        if said is by:
            return by
        other = right(values)
        if said.__class__ is bool and other.__class__ is bool:
            return other
        raise Odd

    return decided


def _not(of: Part) -> Part:
    def turned(values: Mapping[str, Any]) -> Any:
        value = of(values)
        if value.__class__ is bool:
            return not value
        raise Odd

    return turned


def _minus(of: Part) -> Part:
    def turned(values: Mapping[str, Any]) -> Any:
        value = of(values)
        if value.__class__ is int:
            return -value
        raise Odd

    return turned


def _choice(question: Part, yes: Part, no: Part) -> Part:
    def chosen(values: Mapping[str, Any]) -> Any:
        answer = question(values)
        if answer.__class__ is bool:
            return yes(values) if answer else no(values)
        raise Odd

    return chosen


def _equal(left: Part, right: Part, *, wanted: bool) -> Part:
    def equal(values: Mapping[str, Any]) -> Any:
        one, other = left(values), right(values)
        return (one.__class__ is other.__class__ and one == other) is wanted

    return equal


def _in(left: Part, items: list[Part]) -> Part:
    def among(values: Mapping[str, Any]) -> Any:
        one = left(values)
        listed = [item(values) for item in items]
        return any(one.__class__ is other.__class__ and one == other for other in listed)

    return among


def _relation(left: Part, right: Part, holds: Callable[[Any, Any], Any]) -> Part:
    def related(values: Mapping[str, Any]) -> Any:
        one, other = left(values), right(values)
        if one.__class__ is other.__class__ and one is not None:
            return holds(one, other)
        raise Odd

    return related


def _arithmetic(left: Part, right: Part, sign: str) -> Part:
    def counted(values: Mapping[str, Any]) -> Any:
        one, other = left(values), right(values)
        if one.__class__ is other.__class__ is int:
            return number(sign, one, other)
        raise Odd

    return counted


def _call(function: Callable[..., Any], arguments: list[Part]) -> Part:
    def called(values: Mapping[str, Any]) -> Any:
        value = function(*[argument(values) for argument in arguments])
        if -_LARGEST <= value < _LARGEST:
            return value
        raise Odd

    return called
