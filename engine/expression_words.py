"""The words that an expression compares something with, so that a word that can never be meant is found.

CEL takes `case.state == "aproved"` for a plain comparison of texts; it would be no for ever, and nobody would
notice. What such a word may be is known by the linter; here it is only read off the tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.expression_tree import Binary, Call, Choice, Items, Literal, Macro, Path, Tree, Unary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Word:
    """A text written out, and what it is held against.

    Shapes:
        path: what is compared ("activity", "case.state", "children.advance.state"). at: offset in the text.
    """

    path: str
    word: str
    at: int


def compared(tree: Tree, lists: Mapping[str, str] | None = None) -> Iterator[Word]:
    """Yield every text that the tree compares with a path by `==`, `!=` or `in`.

    Shapes:
        lists: variable of a macro -> path of the list it runs over.
    """
    lists = lists or {}
    match tree:
        case Binary():
            yield from _pair(tree, lists)
            parts: tuple[Tree, ...] = (tree.left, tree.right)
        case Unary():
            parts = (tree.of,)
        case Choice():
            parts = (tree.question, tree.yes, tree.no)
        case Items():
            parts = tree.items
        case Call():
            parts = tree.arguments
        case Macro():
            yield from compared(tree.body, {**lists, tree.variable: _list(tree.over)})
            parts = (tree.over,)
        case _:
            parts = ()
    for part in parts:
        yield from compared(part, lists)


def answers(tree: Tree) -> tuple[Literal, ...] | None:
    """Return the values written out that the tree can answer with; None when it may answer others, too."""
    match tree:
        case Literal():
            return (tree,)
        case Choice():
            yes, no = answers(tree.yes), answers(tree.no)
            return None if yes is None or no is None else yes + no
        case _:
            return None


def _pair(tree: Binary, lists: Mapping[str, str]) -> Iterator[Word]:
    sides = []
    if tree.sign in {"==", "!=", "in"}:
        sides.append((tree.left, tree.right, lists))
    if tree.sign in {"==", "!="}:
        sides.append((tree.right, tree.left, lists))
    many = tree.right
    if tree.sign == "in" and isinstance(many, Macro) and many.name == "map":
        sides.append((many.body, tree.left, {**lists, many.variable: _list(many.over)}))
    for looked_at, other, known in sides:
        if isinstance(looked_at, Path):
            for literal in _texts(other):
                yield Word(_name(looked_at, known), str(literal.value), literal.at)


def _texts(tree: Tree) -> Iterator[Literal]:
    """Yield the texts written out in one part: one, those of a list, those of a choice."""
    match tree:
        case Literal() if isinstance(tree.value, str):
            yield tree
        case Items():
            for item in tree.items:
                yield from _texts(item)
        case Choice():
            yield from _texts(tree.yes)
            yield from _texts(tree.no)
        case _:
            return


def _list(tree: Tree) -> str:
    """Return the path of the list that a chain of filters runs over, or "" when it is made otherwise."""
    while isinstance(tree, Macro) and tree.name == "filter":
        tree = tree.over
    return tree.word if isinstance(tree, Path) else ""


def _name(tree: Path, lists: Mapping[str, str]) -> str:
    root, *rest = tree.parts
    return ".".join([lists.get(root, root), *rest])
