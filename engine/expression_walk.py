"""The second evaluation: which values are missing on the way to an answer.

CEL swallows a missing value where the other side decides (`x > 1 || true`). For us a missing value that was
looked at is a "no" that names it. So when one of the values is null, the tree is walked from left to right:
a part that is not reached does not count, a comparison with null (`x == null`) may look at it, all else
reports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expression_tree import Binary, Call, Choice, Items, Literal, Macro, Path, Tree, Unary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST = 2**63


class Missing:
    """Stands for a part that can't be known, and names the values that are missing."""

    __slots__ = ("paths",)

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths


class Walk:
    """One walk over a tree with given values.

    Shapes:
        values: nested maps as CEL gets them. functions: name -> function.
        lists: variable -> path of the list it runs over.
    """

    def __init__(self, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.values = values
        self.functions = functions
        self.variables: dict[str, tuple[Any, str]] = {}

    def answer(self, tree: Tree) -> Any:  # noqa: PLR0911  (one line for each part of the language)
        """Return the value of `tree`, or a Missing.

        Errors:
            ArithmeticError: a division by zero, or a number beyond 64 bits.
        """
        match tree:
            case Literal():
                return tree.value
            case Path():
                value, name = self.look(tree)
                return Missing((name,)) if value is None else value
            case Items():
                return _joined([self.answer(item) for item in tree.items], list)
            case Unary():
                value = self.answer(tree.of)
                return value if isinstance(value, Missing) else not value if tree.sign == "!" else -value
            case Binary():
                return self._binary(tree)
            case Choice():
                question = self.answer(tree.question)
                return (
                    question
                    if isinstance(question, Missing)
                    else self.answer(tree.yes if question else tree.no)
                )
            case Call():
                arguments = [self.answer(argument) for argument in tree.arguments]
                return _joined(arguments, lambda found: self._call(tree, found))
            case Macro():
                return self._macro(tree)

    def look(self, tree: Path) -> tuple[Any, str]:
        """Return the value of a path and the name under which people know it."""
        root, rest = tree.parts[0], tree.parts[1:]
        value, name = self.variables.get(root, (self.values.get(root), root))
        for part in rest:
            value = value.get(part) if isinstance(value, dict) else None
            name = f"{name}.{part}"
        return value, name

    def _binary(self, tree: Binary) -> Any:
        if tree.sign in {"&&", "||"}:
            left = self.answer(tree.left)
            if isinstance(left, Missing) or left is (tree.sign == "||"):
                return left
            return self.answer(tree.right)
        if tree.sign in {"==", "!="}:
            for one, other in ((tree.left, tree.right), (tree.right, tree.left)):
                if isinstance(one, Literal) and one.value is None and isinstance(other, Path):
                    return (self.look(other)[0] is None) is (tree.sign == "==")
        return _joined([self.answer(tree.left), self.answer(tree.right)], lambda two: _apply(tree.sign, *two))

    def _call(self, tree: Call, arguments: list[Any]) -> Any:
        if not tree.method:
            return self.functions[tree.name](*arguments)
        text, part = arguments
        match tree.name:
            case "startsWith":
                return text.startswith(part)
            case "endsWith":
                return text.endswith(part)
            case _:
                return part in text

    def _macro(self, tree: Macro) -> Any:
        over = self.answer(tree.over)
        if isinstance(over, Missing):
            return over
        name = _list_name(tree.over, self)
        bodies = []
        for item in over:
            self.variables[tree.variable] = (item, name)
            body = self.answer(tree.body)
            del self.variables[tree.variable]
            if (tree.name == "all" and body is False) or (tree.name == "exists" and body is True):
                return body
            bodies.append(body)
        return _joined(bodies, lambda found: _closed(tree.name, over, found))


def _closed(macro: str, over: list[Any], bodies: list[Any]) -> Any:
    match macro:
        case "map":
            return bodies
        case "filter":
            return [item for item, keep in zip(over, bodies, strict=True) if keep]
        case "exists_one":
            return sum(bodies) == 1
        case _:
            return macro == "all"


def _list_name(tree: Tree, walk: Walk) -> str:
    """Return the path of the list that a chain of filters runs over."""
    while isinstance(tree, Macro):
        tree = tree.over
    return walk.look(tree)[1] if isinstance(tree, Path) else "…"


def _joined(parts: list[Any], then: Callable[[list[Any]], Any]) -> Any:
    """Apply `then` when no part is missing; else return all that are, each once."""
    missing = [path for part in parts if isinstance(part, Missing) for path in part.paths]
    return Missing(tuple(dict.fromkeys(missing))) if missing else then(parts)


def _apply(sign: str, left: Any, right: Any) -> Any:  # noqa: PLR0911  (one line for each sign)
    match sign:
        case "==" | "!=":
            return (type(left) is type(right) and left == right) is (sign == "==")
        case "in":
            return any(type(left) is type(item) and left == item for item in right)
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case _:
            return number(sign, left, right)


def number(sign: str, left: Any, right: Any) -> Any:
    """Return what CEL's arithmetic gives: division goes towards zero, the remainder has the sign of the left side.

    Errors:
        ArithmeticError: a division by zero, or a number beyond 64 bits.
    """
    if sign == "+" and isinstance(left, str):
        return left + right
    match sign:
        case "+":
            value = left + right
        case "-":
            value = left - right
        case "*":
            value = left * right
        case _:
            if right == 0:
                raise ZeroDivisionError
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            value = quotient if sign == "/" else left - quotient * right
    if not -_LARGEST <= value < _LARGEST:
        raise OverflowError
    return value
