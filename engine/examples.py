"""The `tests:` of a definition: what is given, which trigger is fired, what comes of it. Run by the linter.

`given` may hold: fields by name; `state` (absent: the case is being opened); `as`, the seats of whoever
fires (absent: the first that may); `did`, triggers that the same person fired before; `reason`;
`documents`, kinds of paper that are attached; `votes`, seat -> yes or no; `parent` and `children`, with
their fields and state; `rules`, key -> value; `plan`, `establishment`, what the guards look at; `parties`,
those that are bound (absent: all); `today`; and `came_from`, `returns`, `plan_year`, `decided_on`,
`entered_on`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine import machine
from engine.cases import Case
from engine.errors import Refused, Words, did_you_mean
from engine.findings import Finding
from engine.guards import Facts
from engine.rule_rows import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.definition import Definition, Example
    from engine.findings import Marks
    from engine.rule_units import Standing, Unit

_DAY = "2026-01-05"
_ACTING, _OTHER = "a" * 32, "b" * 32
_COLUMNS = ("came_from", "plan_year", "decided_on", "entered_on")
_WORDS = (
    "state", "as", "did", "reason", "documents", "votes", "parent", "children", "rules", "plan",
    "establishment", "parties", "today", "returns", *_COLUMNS,
)  # fmt: skip
_SATURDAY = 5


def run(definition: Definition, marks: Marks) -> list[Finding]:
    """Return a finding for each example that comes out otherwise than it says."""
    found: list[Finding] = []
    for number, example in enumerate(definition.examples):
        said = _unknown(definition, example) or _tried(definition, example)
        if said:
            code, words, suggestion = said
            found.append(Finding(marks.file, *marks.place("tests", number), code, words, suggestion))
    return found


def _tried(definition: Definition, example: Example) -> tuple[str, Words, str] | None:
    try:
        return _differs(example, outcome(definition, example))
    # A case holds checked values only; the values of an example are whatever its author wrote.
    except (TypeError, ValueError, AttributeError, LookupError) as why:
        said = str(why)[:100]
        words = Words(
            f"given: có giá trị không đúng kiểu nên không thử được “{example.fire}” ({said}).",
            f"given: a value is of the wrong type, so “{example.fire}” can't be tried ({said}).",
        )
        return "test_fails", words, ""


def outcome(definition: Definition, example: Example) -> tuple[str, tuple[str, ...]]:
    """Return (state reached or "", codes of what is unmet, sorted)."""
    facts = _facts(definition, example)
    try:
        decision = machine.decide(definition, example.fire, facts)
    except Refused as why:
        return "", (why.code,)
    return decision.to or "", tuple(sorted({one.code for one in decision.unmet}))


def _unknown(definition: Definition, example: Example) -> tuple[str, Words, str] | None:
    known = [*definition.fields, *_WORDS]
    states = example.given.get("state", definition.start.to)
    if not isinstance(states, str) or states not in definition.states:
        return (
            "test_fails",
            Words(f"Không có trạng thái “{states}”.", f"There is no state “{states}”."),
            (did_you_mean(str(states), definition.states)),
        )
    for word in example.given:
        if word not in known:
            near = did_you_mean(word, known)
            return "test_fails", Words(f"given: không có “{word}”.", f"given: there is no “{word}”."), near
    return None


def _differs(example: Example, came: tuple[str, tuple[str, ...]]) -> tuple[str, Words, str] | None:
    to, codes = came
    wanted = tuple(sorted(set(example.refused_because)))
    if (example.to, wanted) == (to, codes):
        return None
    expected = example.to or f"refused_because: [{', '.join(wanted)}]"
    really = f"refused_because: [{', '.join(codes)}]" if codes else f"to: {to}"
    words = Words(
        f"Ví dụ “{example.fire}” không đúng: cần {expected}, thực tế {really}.",
        f"The test of “{example.fire}” fails: expected {expected}, came {really}.",
    )
    return "test_fails", words, really


def _facts(definition: Definition, example: Example) -> Facts:
    given = example.given
    today = date.fromisoformat(str(given.get("today", _DAY)))
    case = _case(definition, given, example.fire, today)
    rules = given.get("rules") or {}
    return Facts(
        definition=definition,
        case=case,
        person=_ACTING,
        seats=dict.fromkeys(_seats(definition, example), ""),
        today=today,
        rules=lambda key: _rule(key, rules.get(key)),
        working_days=_weekdays,
        reason=str(given.get("reason", "")),
        parent=_relative("parent", given["parent"]) if "parent" in given else None,
        parent_definition=definition if "parent" in given else None,
        children=tuple(
            (name, _relative(f"{name}-{number}", row))
            for name, rows in (given.get("children") or {}).items()
            for number, row in enumerate(rows, 1)
        ),
        lines={word: given[word] for word in ("plan", "establishment") if word in given},
    )


def _case(definition: Definition, given: Mapping[str, Any], fire: str, today: date) -> Case:
    state = given.get("state", "")
    holder = definition.states[state].holder if state else None
    case = Case(
        id="c" * 32,
        code="TEST",
        state=state,
        entered_on=today.isoformat(),
        holder=str(holder) if holder else None,
    )
    for word in _COLUMNS:
        if word in given:
            case.put(word, given[word])
    case.data = {word: value for word, value in given.items() if word in definition.fields}
    case.parties = {name: name for name in _listed(given.get("parties", list(definition.parties)))}
    if "returns" in given:
        case.put("returns", given["returns"])
    for name in _listed(given.get("documents")):
        paper = {"number": "1", "signed_on": today.isoformat(), "signer": "x", "file": "", "copy": "original"}
        case.put(f"document.{name}.1", paper)
    for name in _listed(given.get("did")):
        case.put(f"done.{name}", {"by": [_ACTING], "on": today.isoformat()})
    for number, (seat, verdict) in enumerate((given.get("votes") or {}).items()):
        said = "yes" if verdict in {True, "yes"} else "no"
        case.put(f"vote.{fire}.{seat}", {"person": f"{number:032}", "verdict": said})
    return case


def _relative(code: str, given: Mapping[str, Any]) -> Case:
    """Return a parent or child with the fields and words that the example gives it."""
    case = Case(id=f"{code:0>32}"[:32], code=code)
    for word, value in given.items():
        if word in {"state", "final", *_COLUMNS}:
            case.put(word, value)
        else:
            case.data[word] = value
    return case


def _seats(definition: Definition, example: Example) -> Iterable[str]:
    given = example.given
    if "as" in given:
        return [str(one) for one in _listed(given["as"])]
    state = given.get("state", "")
    trigger = definition.trigger(state, example.fire) if state else definition.start
    return [str(trigger.by[0])] if trigger and trigger.by else []


def _rule(key: str, value: Any) -> Value:
    """Return a rule's answer as the book would; a key that the example does not give is not verified."""
    unit: Unit = "text"
    match value:
        case list():
            unit, value = "words", tuple(value)
        case bool():
            unit = "yes_no"
        case int():
            unit = "count"
    grade: Standing = "unverified" if value is None else "proposed"
    return Value(key=key, title=Words(key, key), unit=unit, value=value, grade=grade)


def _weekdays(one: date, two: date) -> int:
    """Count Mondays to Fridays after `one`, up to `two`: examples know no holidays."""
    step = 1 if two >= one else -1
    first, last = (one, two) if step == 1 else (two, one)
    days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    return step * sum(day.weekday() < _SATURDAY for day in days)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
