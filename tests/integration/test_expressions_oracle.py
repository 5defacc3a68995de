"""Generated expressions: CEL behind our bridge, our own walk, and cel-python must say the same."""

from __future__ import annotations

from typing import Any

import celpy
from celpy import celtypes
from celpy.evaluation import CELEvalError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import expressions
from engine.expression_plain import Odd, plain
from engine.expression_tree import parse
from engine.expression_walk import Missing, Walk
from engine.expressions import OPEN, Answer, ExpressionFailed, Names, share

NAMES = Names(
    fields={
        "a": "integer",
        "b": "integer",
        "c": "integer",
        "w": "text",
        "v": "text",
        "yes": "yes_no",
        "on": "yes_no",
    },
    children={"part": {"sum_vnd": "integer"}},
)
NUMBERS = st.integers(-(10**9), 10**9)
TEXTS = st.sampled_from(["", "đề án", "dự án", "x"])


TRUTHS = ["yes", "on", "true", "false", "w == v", "w != 'đề án'", "w.startsWith('đ')", "w in ['x', v]"]


def numbers(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(st.sampled_from(["a", "b", "c"]), st.integers(0, 99).map(str))
    if depth == 0:
        return leaf
    below = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(below, st.sampled_from("+-*/%"), below).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        below.map(lambda one: f"-({one})"),
        st.tuples(questions(depth - 1), below, below).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
    )


def questions(depth: int) -> st.SearchStrategy[str]:
    small = numbers(0)
    leaf = st.one_of(
        st.sampled_from(TRUTHS),
        st.tuples(small, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), small).map(" ".join),
        st.tuples(st.sampled_from(["all", "exists", "exists_one"]), small).map(
            lambda t: f"children.part.{t[0]}(p, p.sum_vnd > {t[1]})"
        ),
        small.map(lambda one: f"[{one}, a].filter(n, n > b).all(n, n > c)"),
    )
    if depth == 0:
        return leaf
    below = questions(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(below, st.sampled_from(["&&", "||"]), below).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        below.map(lambda one: f"!({one})"),
        st.tuples(numbers(depth - 1), st.sampled_from(["<", ">=", "=="]), numbers(depth - 1)).map(" ".join),
    )


VALUES = st.fixed_dictionaries(
    {"a": NUMBERS, "b": NUMBERS, "c": NUMBERS, "w": TEXTS, "v": TEXTS, "yes": st.booleans(), "on": st.booleans(),
     "children": st.fixed_dictionaries({"part": st.lists(st.fixed_dictionaries({"sum_vnd": NUMBERS}), max_size=3)})}
)  # fmt: skip
_ENVIRONMENT = celpy.Environment()


def as_oracle(value: Any) -> Any:
    match value:
        case bool():
            return celtypes.BoolType(value)
        case int():
            return celtypes.IntType(value)
        case str():
            return celtypes.StringType(value)
        case list():
            return celtypes.ListType([as_oracle(one) for one in value])
        case _:
            return celtypes.MapType({celtypes.StringType(key): as_oracle(one) for key, one in value.items()})


def oracle(text: str, values: dict[str, Any]) -> Any:
    """Return cel-python's answer, or "failed"."""
    program = _ENVIRONMENT.program(_ENVIRONMENT.compile(text))
    try:
        found = program.evaluate({name: as_oracle(value) for name, value in values.items()})
    except CELEvalError:
        return "failed"
    return bool(found) if isinstance(found, celtypes.BoolType) else int(str(found))


@settings(max_examples=300, deadline=None)
@given(st.one_of(questions(2), numbers(2)), VALUES)
@example(
    "a / b > 0", {"a": 1, "b": 0, "c": 0, "w": "", "v": "", "yes": True, "on": True, "children": {"part": []}}
)
def test_three_evaluators_agree_when_nothing_is_missing(text: str, values: dict[str, Any]) -> None:
    # given an expression of ours with every value set
    expression = expressions.compile(text, names=NAMES)

    # when CEL behind our bridge, our walk and cel-python are asked
    try:
        ours: Any = expression.evaluate(values).value
    except ExpressionFailed:
        ours = "failed"
    try:
        walked = Walk(values, {}).answer(parse(text))
    except ArithmeticError:
        walked = "failed"
    theirs = oracle(text, values)

    # then all say the same; only where CEL may skip a failing side does the strict walk fail instead
    if walked != "failed":
        assert walked == ours == theirs
    else:
        assert ours == theirs or "failed" in {ours, theirs}


@settings(max_examples=300, deadline=None)
@given(questions(2), VALUES, st.sampled_from(["a", "b", "c", "w", "yes"]))
def test_a_missing_value_never_gives_another_answer_than_some_value_would(
    text: str, values: dict[str, Any], hole: str
) -> None:
    # given an expression and values of which one is not set
    expression = expressions.compile(text, names=NAMES)
    try:
        answer = expression.evaluate({**values, hole: None})
    except ExpressionFailed:
        return

    # when there is an answer all the same, the missing value was not looked at
    if answer.missing:
        assert answer.value is None
        assert answer.missing == (hole,)
        return

    # then any value in its place gives that answer
    walked = Walk(values, {}).answer(parse(text))
    assert not isinstance(walked, Missing)
    assert walked == answer.value


ODD = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none(), st.sampled_from([2**53, -(2**53) - 1]), st.dates())
LOOSE = Names(dict.fromkeys(["a", "b", "c", "w", "v", "yes", "on"], "any"), parent=OPEN, rules=OPEN)
NULLS = st.sampled_from(
    ["a == null", "parent.b != null", "parent.final == ''", "rules.c == null || a > rules.c"]
)
LOOSE_QUESTIONS = st.one_of(
    st.tuples(questions(1), st.sampled_from(["&&", "||"]), NULLS).map(
        lambda t: f"({t[1].join((t[2], t[0]))})"
    ),
    st.tuples(numbers(1), numbers(1)).map(lambda t: f"share({t[0]}, {t[1]}) < b"),
    st.tuples(numbers(1), numbers(1)).map(lambda t: f"yes ? {t[0]} : (on ? {t[1]} : null)"),
    questions(1),
    numbers(2),
    NULLS,
).filter(lambda text: not any(word in text for word in ("children", "filter", "startsWith")))


@settings(max_examples=600, deadline=None)
@given(
    LOOSE_QUESTIONS,
    st.fixed_dictionaries(dict.fromkeys(["a", "b", "c", "w", "v", "yes", "on"], ODD)),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(["b", "final"]), ODD)),
    st.dictionaries(st.just("c"), ODD),
)
def test_the_short_way_answers_nothing_that_the_careful_way_answers_otherwise(
    text: str, values: dict[str, Any], parent: dict[str, Any] | None, rules: dict[str, Any]
) -> None:
    # given an expression over values that may be missing, too large or of any type
    expression = expressions.compile(text, names=LOOSE)
    given_values = {**values, "parent": parent, "rules": rules}

    # when the short way answers
    short = plain(parse(text), {"share": share})
    assert short is not None
    try:
        answer = short(given_values)
    except (Odd, ArithmeticError, TypeError, ValueError):
        return

    # then the careful way, which is taken where a value is looked at that is out of range, says the same
    try:
        careful = expression._with_care(given_values, None)
    except ExpressionFailed as why:
        refused = str(why.facts["why"])
    else:
        refused = ""
        assert careful == Answer(answer)
        assert type(careful.value) is type(answer)
    assert not refused or "2^53" in refused
