"""What a trigger asks for, checked on one case: every requirement is asked, none stops the others.

The answer is a list of what is missing, each with its code, words in both languages, citation and the place to supply
it, and beside it what the log records: guard outcomes with their inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import approvals
from engine.commands import Unmet
from engine.errors import Words
from engine.guards import GUARDS
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.cases import Case
    from engine.definition import Citation, Definition, Trigger
    from engine.expressions import Answer, Expression
    from engine.guards import Facts

_NOT_PERMITTED = Words(
    "Bước “{title}” dành cho {who}; bạn không giữ vai đó trong hồ sơ này",
    "“{title}” is for {who}; you hold no such role on this case",
)
_SYSTEM = Words("hệ thống (tự động khi đến hạn)", "the system (when a deadline passes)")
_REASON = Words("Chưa nêu lý do", "The reason is missing")
_FIELD = Words("Chưa có: {title}", "Missing: {title}")
_DOCUMENT = Words("Chưa có giấy tờ: {title}", "Missing document: {title}")
_DOCUMENT_PARTS = Words(
    "Giấy tờ “{title}” chưa đủ số, ngày hoặc người ký",
    "The document “{title}” lacks its number, date or signer",
)
_MISSING = Words("Chưa xét được: thiếu {what}", "Can't be judged yet: {what} is missing")
_UNVERIFIED = Words(
    "Chưa xác minh giá trị “{what}” trong bộ quy tắc; người phụ trách có thể nhập giá trị kèm nguồn",
    "The value “{what}” of the rule pack is not verified; the officer may enter it with its source",
)
_OPEN_CHILDREN = Words("Còn hồ sơ con chưa kết thúc: {codes}", "Child cases are still open: {codes}")


class Values(dict[str, Any]):
    """The values that expressions see, for `get` alone: each is fetched, opened or computed when first looked at.

    A case has a hundred fields and a decision looks at ten; so nothing is copied.
    """

    __slots__ = ("facts",)

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value; whatever is no field of the case (parent, papers, formulas) is made when first asked for."""
        facts = self.facts
        value = facts.case.data.get(name)
        if value is not None:
            return facts.opened.get(value, value) if facts.opened and isinstance(value, str) else value
        if name in self:
            return self[name]
        value = self._made(name)
        if value is None:
            return default
        self[name] = value
        return value

    def _made(self, name: str) -> Any:
        facts = self.facts
        maker = _MADE.get(name)
        if maker is not None:
            return maker(facts)
        declared = facts.definition.fields.get(name)
        return ask(declared.formula, self).value if declared is not None and declared.formula else None


class Dimensions(Values):
    """What a rule may depend on, for `get` alone: a value of the case, else its parent's."""

    __slots__ = ()

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value, or `default` where neither has one."""
        value = super().get(name)
        if value:
            return value
        return self.facts.parent.data.get(name, default) if self.facts.parent else default


def _counted(facts: Facts) -> dict[str, int]:
    """Return how many papers of each kind are attached."""
    names = (name for name, field in facts.definition.fields.items() if field.type == "document")
    return {name: len(facts.case.documents(name)) for name in names}


def case_words(case: Case) -> dict[str, Any]:
    """Return what expressions may read of a case: its fields and state, code, final, plan_year, dates, returns."""
    return {
        **case.data,
        "state": case.state,
        "code": case.code,
        "final": case.final,
        "plan_year": case.plan_year,
        "came_from": case.came_from,
        "entered_on": case.entered_on,
        "decided_on": case.decided_on,
        "due_on": case.due_on,
        "returns": case.book.get("returns", 0),
    }


def _parent(facts: Facts) -> dict[str, Any] | None:
    return None if facts.parent is None else case_words(facts.parent)


def _families(facts: Facts) -> dict[str, list[dict[str, Any]]] | None:
    families: dict[str, list[dict[str, Any]]] = {}
    for name, child in facts.children:
        families.setdefault(name, []).append(case_words(child))
    return families or None


_MADE: Mapping[str, Callable[[Facts], Any]] = {
    "today": lambda facts: facts.today,
    "case": lambda facts: case_words(facts.case),
    "parent": _parent,
    "children": _families,
    "documents": _counted,
}


def ask(expression: Expression, values: Values) -> Answer:
    """Return what an expression says, the rules it reads looked up first."""
    if expression.rules:
        rules = values.setdefault("rules", {})
        for key in expression.rules:
            if key not in rules:
                rules[key] = values.facts.rules(key).value
    return expression.evaluate(values, values.facts.working_days)


def cited(source: Citation | None, facts: Facts) -> tuple[str, str]:
    """Return a citation as people read it, and its grade; a rule's citation comes from the pack."""
    if source is None:
        return "", ""
    if source.rule:
        value = facts.rules(source.rule)
        if value.cite is not None:
            return str(value.cite), str(value.grade)
        return "", ""
    return " ".join(filter(None, (source.act, source.article))), source.grade


def check(trigger: Trigger, facts: Facts) -> tuple[tuple[Unmet, ...], list[dict[str, Any]]]:
    """Return everything that `trigger` still lacks on this case, and what the guards said.

    Shapes:
        returns: (unmet in the order person, reason, fields, documents, requirements, guards, approvals, children;
            [{name, ok, inputs}] for the log).
    """
    values = Values(facts)
    unmet: list[Unmet] = []
    outcomes: list[dict[str, Any]] = []
    seat = seat_for(trigger.by, facts.case, facts.seats)
    facts.acting = frozenset(filter(None, (facts.person, facts.seats.get(seat or "", ""))))
    unmet += _person(trigger, facts, seat)
    unmet += _needs(trigger, facts, values)
    unmet += _requirements(trigger, facts, values)
    unmet += _guards(trigger, facts, outcomes)
    if trigger.approvals is not None:
        unmet += approvals.lacking(trigger, facts)
    unmet += _children(trigger, facts)
    return tuple(unmet), outcomes


def forbids(trigger: Trigger, facts: Facts, seat: str) -> tuple[Unmet, ...]:
    """Return what forbids this person to take part in a trigger from a seat: its guards that look at persons."""
    facts.acting = frozenset(filter(None, (facts.person, facts.seats.get(seat, ""))))
    return tuple(one for one in _guards(trigger, facts, []) if one.place == "person")


def _person(trigger: Trigger, facts: Facts, seat: str | None) -> Iterable[Unmet]:
    # A timer or an automatic move has no seat: the definition itself says that it may.
    if facts.person in {"timer", "system"}:
        return
    if seat is None:
        who = [approvals.seat_title(str(one), facts) for one in trigger.by] or [_SYSTEM]
        yield Unmet(
            "not_permitted", _both(_NOT_PERMITTED, title=trigger.title, who=_joined(who)), place="person"
        )


def _needs(trigger: Trigger, facts: Facts, values: Values) -> Iterable[Unmet]:
    needs = trigger.needs
    if needs.reason and not facts.reason.strip():
        yield Unmet("reason", _REASON, place="reason")
    fields = facts.definition.fields
    for name in needs.fields:
        if values.get(name) in (None, ""):
            citation, grade = cited(fields[name].source, facts)
            yield Unmet(name, _both(_FIELD, title=fields[name].title), citation, grade, f"field:{name}")
    for name, required_when in _conditional(facts.definition):
        if name in needs.fields or values.get(name) not in (None, ""):
            continue
        if ask(required_when, values).value is True:
            field = fields[name]
            citation, grade = cited(field.source, facts)
            yield Unmet(name, _both(_FIELD, title=field.title), citation, grade, f"field:{name}")
    yield from _documents(trigger, facts)


_conditional_fields: dict[str, tuple[tuple[str, Expression], ...]] = {}


def _conditional(definition: Definition) -> tuple[tuple[str, Expression], ...]:
    """Return the fields that are required under a condition, with it; kept, because most of a hundred fields are not."""
    found = _conditional_fields.get(definition.hash)
    if found is None:
        found = tuple(
            (name, one.required_when) for name, one in definition.fields.items() if one.required_when
        )
        _conditional_fields[definition.hash] = found
    return found


def _documents(trigger: Trigger, facts: Facts) -> Iterable[Unmet]:
    wanted: dict[str, tuple[str, str]] = {}
    for name in trigger.needs.documents:
        wanted[name] = cited(facts.definition.fields[name].source, facts)
    for key in trigger.needs.document_rules:
        rule = facts.rules(key)
        if rule.value is None:
            yield Unmet(key, _both(_UNVERIFIED, what=key), place=f"rule:{key}")
            continue
        for name in rule.value:
            wanted.setdefault(name, (str(rule.cite) if rule.cite else "", str(rule.grade or "")))
    for name, (citation, grade) in wanted.items():
        field = facts.definition.fields.get(name)
        title = field.title if field else Words(name, name)
        papers = facts.case.documents(name)
        if not papers:
            yield Unmet(name, _both(_DOCUMENT, title=title), citation, grade, f"document:{name}")
        elif not any(paper["number"] and paper["signed_on"] and paper["signer"] for paper in papers):
            yield Unmet(name, _both(_DOCUMENT_PARTS, title=title), citation, grade, f"document:{name}")


def _requirements(trigger: Trigger, facts: Facts, values: Values) -> Iterable[Unmet]:
    for requirement in trigger.require:
        answer = ask(requirement.that, values)
        if answer.value is True:
            continue
        citation, grade = cited(requirement.source, facts)
        if answer.missing:
            yield Unmet(
                requirement.id, _missing(answer.missing, facts), citation, grade, _place(answer.missing[0])
            )
            continue
        words = Words(
            _filled(requirement.otherwise, "vi", facts, values),
            _filled(requirement.otherwise, "en", facts, values),
        )
        yield Unmet(requirement.id, words, citation, grade, _place(*requirement.that.paths[:1]))


def _guards(trigger: Trigger, facts: Facts, outcomes: list[dict[str, Any]]) -> Iterable[Unmet]:
    for call in trigger.guards:
        known = GUARDS[call.name]
        verdict = known.ask(facts, **call.arguments)
        outcomes.append({"name": call.name, "ok": verdict.ok, "inputs": dict(verdict.inputs)})
        if not verdict.ok:
            citation, grade = cited(call.source or known.source, facts)
            shown = {name: _shown(value) for name, value in verdict.inputs.items()}
            yield Unmet(call.name, _both(known.otherwise, **shown), citation, grade, known.place)


def _children(trigger: Trigger, facts: Facts) -> Iterable[Unmet]:
    """A parent never ends with an open child, unless this very move ends the child too."""
    target = facts.definition.states.get(trigger.to)
    if target is None or target.final is None:
        return
    ended_along = {
        name for name, rule in facts.definition.children.items() if target.final in rule.when_parent
    }
    codes = [case.code for name, case in facts.children if case.final is None and name not in ended_along]
    if codes:
        yield open_children(codes)


def open_children(codes: list[str]) -> Unmet:
    """Return what stands in the way of an end: children that are still open."""
    return Unmet("children_open", _both(_OPEN_CHILDREN, codes=", ".join(codes)), place="children")


def _missing(paths: tuple[str, ...], facts: Facts) -> Words:
    rules = [path[6:] for path in paths if path.startswith("rules.")]
    if rules:
        return _both(_UNVERIFIED, what=", ".join(rules))
    titles = [
        field.title if (field := facts.definition.fields.get(path)) else Words(path, path) for path in paths
    ]
    return _both(_MISSING, what=_joined(titles))


def _place(path: str = "") -> str:
    if path.startswith("rules."):
        return f"rule:{path[6:]}"
    return f"field:{path}" if path and "." not in path else path.split(".", 1)[0] or "case"


def _joined(words: Iterable[Words]) -> Words:
    words = list(words)
    return Words(" / ".join(one.vi for one in words), " / ".join(one.en for one in words))


def _both(pattern: Words, **facts: Any) -> Words:
    """Fill a sentence in both languages; a fact that is `Words` itself is taken in the same language."""
    vi = {name: value.vi if isinstance(value, Words) else value for name, value in facts.items()}
    en = {name: value.en if isinstance(value, Words) else value for name, value in facts.items()}
    return Words(pattern.fill("vi", **vi), pattern.fill("en", **en))


def _filled(words: Words, language: str, facts: Facts, values: Values) -> str:
    """Fill `{field}`, `{rules.key}` and `{parent.field}` of a requirement's words with what they stand for."""
    text = words.text(language)
    for path in set(_placeholders(text)):
        root, _, rest = path.partition(".")
        if root == "rules":
            rule = facts.rules(rest)
            value = _shown(rule.value, str(rule.unit or ""))
        elif rest:
            value = _shown((values.get(root) or {}).get(rest), "vnd" if rest.endswith("_vnd") else "")
        else:
            declared = facts.definition.fields.get(root)
            value = _shown(values.get(root), declared.type if declared else "")
        text = text.replace("{" + path + "}", value)
    return text


def _placeholders(text: str) -> Iterable[str]:
    for part in text.split("{")[1:]:
        yield part.split("}", 1)[0]


def _shown(value: Any, unit: str = "") -> str:
    """Return a value as a person reads it: percent in percent, money with its thousands apart."""
    if value is None:
        return "—"
    if unit == "percent" and isinstance(value, int):
        return f"{value / 100:g}".replace(".", ",")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", ".")
    return str(value)


def summary(definition: Definition, case: Case) -> Mapping[str, Any]:
    """Return the common columns that the definition fills from its fields."""
    data, words = case.data, definition.summary
    title = data.get(words.get("title", "")) or definition.title.vi
    amount = data.get(words.get("amount", ""))
    return {
        "name": definition.name,
        "phase": definition.states[case.state].phase,
        "scope": data.get(words.get("scope", "")),
        "category": data.get(words.get("category", "")),
        "amount_vnd": amount if isinstance(amount, int) else None,
        "title": title,
    }
