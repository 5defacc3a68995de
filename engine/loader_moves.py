"""What moves a case: triggers with all they ask and do, deadlines with their ladders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.definition import (
    PREVIOUS,
    SAME,
    Approvals,
    Citation,
    Deadline,
    GuardCall,
    LadderRung,
    Needs,
    Requirement,
    StartChild,
    Tell,
    Trigger,
)
from engine.errors import Words
from engine.legal_clock import DeadlineRuleRefused, FixedDate, Monthly, OnField, Within, WorkingDaysBefore
from engine.loader_parts import listed, words
from engine.loading import VALUE_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.expressions import Expression
    from engine.guards import Guard
    from engine.legal_clock import DeadlineRule
    from engine.loading import Loading

Path = tuple[str | int, ...]


def trigger(
    load: Loading, name: str, one: Mapping[str, Any], path: Path, *, overlay: bool = False
) -> Trigger:
    """Return one trigger; `one` has gone through the grammar."""
    to = one["to"]
    if to not in {PREVIOUS, SAME}:
        load.refers("state", to, load.data["states"], (*path, "to"))
    extends_to, decides = one.get("extends_to", ""), one.get("decides", "")
    if extends_to:
        _field(load, extends_to, (*path, "extends_to"), "date")
    if decides and decides != "today":
        _field(load, decides, (*path, "decides"), "date")
    if ("extends" in one) != ("extends_to" in one):
        problem = Words("extends và extends_to đi cùng nhau.", "extends and extends_to go together.")
        load.add_key("missing_key", problem, path)
    when = load.expression(one["when"], (*path, "when"), "yes_no") if "when" in one else None
    return Trigger(
        name=name,
        title=words(one["title"]),
        to=to,
        by=load.people(one.get("by"), (*path, "by")),
        when=when,
        require=_requirements(load, one.get("require"), (*path, "require")),
        guards=_guards(load, one.get("guards"), (*path, "guards")),
        needs=_needs(load, one.get("needs") or {}, (*path, "needs")),
        approvals=_approvals(load, one.get("approvals"), (*path, "approvals")),
        sets=_sets(load, one.get("sets"), (*path, "sets")),
        starts=starts(load, one.get("starts"), (*path, "starts")),
        tells=_tells(load, one.get("tells"), (*path, "tells")),
        is_return=one.get("return", False),
        voids=load.people(one.get("voids"), (*path, "voids")),
        extends=one.get("extends", ""),
        extends_to=extends_to,
        meets=tuple(listed(one.get("meets"))),
        decides=decides,
        overlay=overlay,
        source=load.source(one.get("source"), (*path, "source")),
    )


def _field(load: Loading, name: str, path: Path, wanted: str = "") -> None:
    """Note a finding unless `name` is a declared field (of type `wanted`, when given)."""
    fields = load.data.get("fields") or {}
    if load.refers("field", name, fields, path) and wanted and fields[name]["type"] != wanted:
        kind = fields[name]["type"]
        problem = Words(f"“{name}” có kiểu {kind}, cần {wanted}.", f"“{name}” is {kind}; {wanted} is needed.")
        load.add("type_mismatch", problem, path)


def _each(given: Any, path: Path) -> list[tuple[Any, Path]]:
    """Return the items of a list with their paths; a single value stands for itself."""
    if isinstance(given, list):
        return [(item, (*path, index)) for index, item in enumerate(given)]
    return [] if given is None else [(given, path)]


def _requirements(load: Loading, given: Any, path: Path) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    for one, at in _each(given, path):
        that = load.expression(one["that"], (*at, "that"), "yes_no")
        source = load.source(one["source"], (*at, "source"))
        _placeholders(load, one["else"], (*at, "else"))
        if that is not None and source is not None:
            found.append(Requirement(one["id"], that, words(one["else"]), source))
    return tuple(found)


def _placeholders(load: Loading, pair: Mapping[str, str], path: Path) -> None:
    """Check the names in braces: they must be names that an expression could use here."""
    for language, text in pair.items():
        for part in text.split("{")[1:]:
            word, closed, _ = part.partition("}")
            if not closed:
                problem = Words("Dấu { không được đóng.", "A { is not closed.")
                load.add("bad_placeholder", problem, (*path, language))
            else:
                load.expression(word, (*path, language))


def _needs(load: Loading, one: Mapping[str, Any], path: Path) -> Needs:
    fields = load.data.get("fields") or {}
    values = [name for name, field in fields.items() if field["type"] != "document"]
    names, documents, rules = [], [], []
    for name, at in _each(one.get("fields"), (*path, "fields")):
        if load.refers("field", name, values, at):
            names.append(name)
    for name, at in _each(one.get("documents"), (*path, "documents")):
        if name.startswith("rules."):
            rules.append(load.rule(name, at))
        elif load.refers("document", name, load.outline.documents, at):
            documents.append(name)
    return Needs(one.get("reason", False), tuple(names), tuple(documents), tuple(rules))


def _approvals(load: Loading, one: Any, path: Path) -> Approvals | None:
    if one is None:
        return None
    of = load.people(one["of"], (*path, "of"))
    need = len(of) if one["need"] == "all" else one["need"]
    return Approvals(of, need, one.get("in_order", False), one.get("veto", False), one.get("moves", True))


def _sets(load: Loading, given: Any, path: Path) -> dict[str, Expression]:
    fields = load.data.get("fields") or {}
    found: dict[str, Expression] = {}
    for name, text in (given or {}).items():
        at = (*path, name)
        if name not in fields:
            load.refers("field", name, fields, at)
            continue
        kind = VALUE_TYPES.get(fields[name]["type"], "")
        if not kind or "formula" in fields[name]:
            problem = Words(
                f"“{name}” là giấy tờ hoặc công thức nên không đặt giá trị được.",
                f"“{name}” is a document or computed; no value can be set.",
            )
            load.add_key("key_does_not_fit", problem, at)
            continue
        expression = load.expression(text, at, kind)
        if expression is not None:
            found[name] = expression
    return found


def starts(load: Loading, given: Any, path: Path) -> tuple[StartChild, ...]:
    """Return the child cases to open, their fields checked against the child's own file."""
    found: list[StartChild] = []
    others = load.known.definitions or {}
    for one, at in _each(given, path):
        name = one["definition"]
        if not load.refers("definition", name, load.data.get("children") or {}, (*at, "definition")):
            continue
        child = others.get(name)
        fields = child.fields if child else None
        period = one.get("period_field", "")
        if period:
            load.refers("field", period, fields, (*at, "period_field"))
        if bool(period) != ("every" in one):
            problem = Words("every và period_field đi cùng nhau.", "every and period_field go together.")
            load.add("missing_key", problem, at)
        values: dict[str, Expression] = {}
        for word, text in (one.get("values") or {}).items():
            load.refers("field", word, fields, (*at, "values", word))
            wanted = fields.get(word, "") if fields else ""
            expression = load.expression(text, (*at, "values", word), wanted)
            if expression is not None:
                values[word] = expression
        found.append(StartChild(name, one.get("every", ""), period, values))
    return tuple(found)


def _tells(load: Loading, given: Any, path: Path) -> tuple[Tell, ...]:
    found: list[Tell] = []
    for text, notices in (given or {}).items():
        who = load.who(text, (*path, text))
        for notice, at in _each(notices, (*path, text)):
            load.refers("notice", notice, load.known.notices, at)
            found.append(Tell(who, notice))
    return tuple(found)


def _guards(load: Loading, given: Any, path: Path) -> tuple[GuardCall, ...]:
    found: list[GuardCall] = []
    for one, at in _each(given, path):
        call: dict[str, Any] = {one: {}} if isinstance(one, str) else dict(one)
        source = load.source(call.pop("source", None), (*at, "source"))
        for name, arguments in call.items():
            here = at if isinstance(one, str) else (*at, name)
            if not load.refers("guard", name, load.known.guards, here):
                continue
            guard = load.known.guards[name]
            load.guard_reads.update(guard.reads)
            found.append(GuardCall(name, _arguments(load, guard, arguments, here), source))
    return tuple(found)


def _arguments(load: Loading, guard: Guard, given: Any, path: Path) -> dict[str, Any]:
    """Return the arguments of a guard as its declaration types them."""
    wanted = guard.parameters
    bare = not isinstance(given, dict) and len(wanted) == 1
    named: dict[str, Any] = {next(iter(wanted)): given} if bare else given if isinstance(given, dict) else {}
    missing = [name for name in wanted if named.get(name) is None]
    if missing or (not bare and given not in ({}, None) and not isinstance(given, dict)):
        problem = Words(
            f"“{guard.name}” cần: {', '.join(wanted) or 'không tham số nào'}.",
            f"“{guard.name}” needs: {', '.join(wanted) or 'no arguments'}.",
        )
        load.add("guard_arguments", problem, path)
        return {}
    found: dict[str, Any] = {}
    for name, value in named.items():
        at = path if bare else (*path, name)
        if load.refers("argument", name, wanted, at):
            found[name] = _argument(load, wanted[name], value, at, named)
    return found


def _argument(load: Loading, kind: str, value: Any, path: Path, all_given: Mapping[str, Any]) -> Any:
    """Return one argument, its names checked."""
    child = (load.known.definitions or {}).get(str(all_given.get("definition", "")))
    known: Mapping[str, Any] = {
        "triggers": sorted(load.outline.triggers),
        "states": (sorted(child.states) if child else None)
        if "definition" in all_given
        else load.data["states"],
        "field": load.data.get("fields") or {},
        "definition": load.data.get("children") or {},
    }
    if kind in {"triggers", "states"}:
        for word, at in _each(value, path):
            load.refers(kind.removesuffix("s"), str(word), known[kind], at)
        return [str(word) for word in listed(value)]
    if kind in known:
        load.refers(kind, str(value), known[kind], path)
        return str(value)
    number = kind in {"money", "integer"}
    if isinstance(value, bool) or not isinstance(value, int if number else str):
        load.add("guard_arguments", Words(f"Cần kiểu {kind}.", f"{kind} is needed."), path)
    return value


def deadline(
    load: Loading, name: str, one: Mapping[str, Any], path: Path, triggers: Mapping[str, Any]
) -> Deadline | None:
    """Return one deadline of a state whose triggers are `triggers`; None when its date does not exist."""
    try:
        rule = _rule(load, one, path)
    except DeadlineRuleRefused as why:
        load.add("no_such_day", Words(why.sentence("vi"), why.sentence("en")), path)
        return None
    since, fires = one.get("since", ""), one.get("fires", "")
    if since and since not in load.outline.triggers:
        _field(load, since, (*path, "since"), "date")
    if fires:
        load.refers("trigger", fires, triggers, (*path, "fires"))
    ladder = tuple(_rung(load, rung, at) for rung, at in _each(one.get("ladder"), (*path, "ladder")))
    return Deadline(name, rule, _source(load, one, path), since, ladder, fires)


def _source(load: Loading, one: Mapping[str, Any], path: Path) -> Citation:
    return load.source(one["source"], (*path, "source")) or Citation()


def _rule(load: Loading, one: Mapping[str, Any], path: Path) -> DeadlineRule:
    kind = next(word for word in _RULES if word in one)
    if kind == "on":
        _field(load, one["on"], (*path, "on"), "date")
    return _RULES[kind](one[kind])


def _fixed(given: Mapping[str, Any], edge: str) -> FixedDate:
    month, day = (int(part) for part in given["day"].split("-"))
    offset = int(given["year"].removeprefix("plan").replace(" ", "") or 0)
    return FixedDate(month, day, offset, "before" if edge == "before" else "by")


def _within(given: str) -> Within:
    amount, unit = given.split(" ")
    return Within(int(amount), "wd" if unit == "wd" else "d")


def _monthly(given: Mapping[str, Any]) -> Monthly:
    once = given.get("once", False)
    return Monthly(given["before"], "before", once) if "before" in given else Monthly(given["by"], "by", once)


_RULES: Mapping[str, Callable[[Any], DeadlineRule]] = {
    "within": _within,
    "before": lambda given: _fixed(given, "before"),
    "by": lambda given: _fixed(given, "by"),
    "monthly": _monthly,
    "working_days_before": lambda given: WorkingDaysBefore(given["days"], _fixed(given, "by")),
    "on": OnField,
}


def _rung(load: Loading, one: Mapping[str, Any], path: Path) -> LadderRung:
    amount, unit = (0, "d") if one["at"] == 0 else (int(one["at"].split(" ")[0]), one["at"].split(" ")[1])
    every, every_unit = (
        (int(one["every"].split(" ")[0]), one["every"].split(" ")[1]) if "every" in one else (0, unit)
    )
    if ("every" in one) != ("times" in one) or (every_unit != unit and amount):
        problem = Words(
            "every đi cùng times và cùng đơn vị với at.", "every goes with times, in the same unit as at."
        )
        load.add("rung_does_not_fit", problem, path)
    notice = one.get("notice") or (
        "deadline_near" if amount < 0 else "deadline_passed" if amount else "deadline_today"
    )
    load.refers("notice", notice, load.known.notices, (*path, "notice"))
    return LadderRung(
        at=amount,
        unit="wd" if every_unit == "wd" else "d",
        to=load.people(one["to"], (*path, "to")),
        notice=notice,
        every=every,
        times=one.get("times", 1),
        log=one.get("log", False),
    )
