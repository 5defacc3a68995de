"""A definition laid out as labelled lines, so that two versions can be held side by side.

Everything that a case, a reader of screens or a receiver of notices could notice has its line. What has none: the
order of things, the file's own tests and notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.legal_clock import FixedDate, Monthly, OnField, Within, WorkingDaysBefore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.definition import (
        Approvals,
        Citation,
        Deadline,
        Definition,
        Editable,
        Field,
        LadderRung,
        Party,
        StartChild,
        State,
        Trigger,
    )
    from engine.errors import Words
    from engine.legal_clock import DeadlineRule

#: Kind, name and part of a thing; the part "" is the thing itself.
Label = tuple[str, str, str]
Part = tuple[str, str]


def laid_out(definition: Definition) -> Iterator[tuple[Label, str]]:
    """Yield label and content of each line; a part that says nothing is left out."""
    yield from _named("definition", definition.name, _whole(definition))
    yield from _named("start", definition.start.name, _trigger(definition.start))
    overlays: dict[str, list[str]] = {}
    for state in definition.states.values():
        yield from _named("state", state.name, _state(state))
        for trigger in state.triggers.values():
            if trigger.overlay:
                overlays.setdefault(trigger.name, []).append(state.name)
            else:
                yield from _named("trigger", f"{state.name}.{trigger.name}", _trigger(trigger))
        for deadline in state.deadlines:
            yield from _named("deadline", f"{state.name}.{deadline.name}", _deadline(deadline))
    for name, states in overlays.items():
        made = definition.states[states[0]].triggers[name]
        yield from _named("trigger", name, (*_trigger(made), ("in", ", ".join(states))))
    for name, field in definition.fields.items():
        yield from _named("field", name, (*_field(field), ("edit", _edited(definition.editable, name))))
    for name, party in definition.parties.items():
        yield from _named("party", name, _party(party))
    for name, child in definition.children.items():
        asked = ", ".join(f"{word}: {trigger}" for word, trigger in child.when_parent.items())
        yield from _named("child", name, (("when_parent", asked), ("at_most", str(child.at_most or ""))))


def _named(kind: str, name: str, parts: Iterable[Part]) -> Iterator[tuple[Label, str]]:
    yield (kind, name, ""), name
    for part, says in parts:
        if says:
            yield (kind, name, part), says


def _titled(part: str, title: Words) -> Iterator[Part]:
    yield part, title.vi
    yield f"{part}_en", title.en


def _whole(definition: Definition) -> Iterator[Part]:
    yield from _titled("title", definition.title)
    yield "series", definition.series
    yield "parents", ", ".join(definition.parents)
    yield "phases", ", ".join(f"{one.name} ({one.title.vi} / {one.title.en})" for one in definition.phases)
    yield "summary", ", ".join(f"{column}: {name}" for column, name in definition.summary.items())


def _state(state: State) -> Iterator[Part]:
    yield from _titled("title", state.title)
    if state.public != state.title:
        yield from _titled("public", state.public)
    yield "phase", state.phase
    yield "holder", str(state.holder or "")
    yield "final", state.final or ""
    yield "pauses", _mark(yes=state.pauses_clock)
    yield "starts", _started(state.starts)


def _trigger(trigger: Trigger) -> Iterator[Part]:
    needs = trigger.needs
    yield from _titled("title", trigger.title)
    yield "to", trigger.to
    yield "by", _listed(trigger.by)
    yield "fields", ", ".join(needs.fields)
    yield "papers", ", ".join((*needs.documents, *(f"rules.{key}" for key in needs.document_rules)))
    yield "reason", _mark(yes=needs.reason)
    yield "require", "; ".join(f"{one.id}: {one.that.text}" for one in trigger.require)
    told = (f"{one.id}: {one.otherwise.vi} / {one.otherwise.en}" for one in trigger.require)
    yield "otherwise", "; ".join(told)
    guards = (f"{one.name} {_arguments(one.arguments.values())}".strip() for one in trigger.guards)
    yield "guards", "; ".join(guards)
    yield "votes", _votes(trigger.approvals)
    yield "when", trigger.when.text if trigger.when else ""
    yield "sets", "; ".join(f"{name} = {said.text}" for name, said in trigger.sets.items())
    yield "starts", _started(trigger.starts)
    yield "tells", ", ".join(f"{one.to}: {one.notice}" for one in trigger.tells)
    yield "return", _mark(yes=trigger.is_return)
    yield "voids", _listed(trigger.voids)
    yield "extends", f"{trigger.extends} → {trigger.extends_to}" if trigger.extends else ""
    yield "meets", ", ".join(trigger.meets)
    yield "decides", trigger.decides
    sources = [("", trigger.source), *((one.id, one.source) for one in trigger.require)]
    sources += [(one.name, one.source) for one in trigger.guards]
    cited = (f"{of}: {_cited(source)}".removeprefix(": ") for of, source in sources if source)
    yield "source", "; ".join(cited)


def _votes(votes: Approvals | None) -> str:
    if votes is None:
        return ""
    ways = {"in_order": votes.in_order, "veto": votes.veto, "moves: false": not votes.moves}
    manner = ", ".join(way for way, holds in ways.items() if holds)
    return f"{votes.need}/{len(votes.of)}: {_listed(votes.of)}" + (f" ({manner})" if manner else "")


def _started(starts: Iterable[StartChild]) -> str:
    said = []
    for one in starts:
        values = ", ".join(f"{name} = {value.text}" for name, value in one.values.items())
        monthly = f"every {one.every} → {one.period_field}" if one.every else ""
        said.append(f"{one.definition} {monthly} {values}".strip())
    return "; ".join(said)


def _deadline(deadline: Deadline) -> Iterator[Part]:
    yield "rule", _counted(deadline.rule)
    yield "since", deadline.since
    yield "ladder", "; ".join(map(_rung, deadline.ladder))
    yield "fires", deadline.fires
    yield "source", _cited(deadline.source)


def _counted(rule: DeadlineRule) -> str:
    """Return a rule as the file writes it."""
    match rule:
        case Within():
            return f"within {rule.amount} {rule.unit}"
        case FixedDate():
            year = f"plan {rule.year_offset:+d}" if rule.year_offset else "plan"
            return f"{rule.kind} {rule.month:02d}-{rule.day:02d}, {year}"
        case Monthly():
            return f"monthly {rule.kind} {rule.day}" + (", once" if rule.once else "")
        case WorkingDaysBefore():
            return f"{rule.amount} wd, {_counted(rule.end)}"
        case OnField():
            return f"on {rule.field}"


def _rung(rung: LadderRung) -> str:
    repeated = f", every {rung.every} {rung.unit} × {rung.times}" if rung.every else ""
    logged = ", log" if rung.log else ""
    return f"{rung.at} {rung.unit}{repeated} → {_listed(rung.to)}: {rung.notice}{logged}"


def _field(field: Field) -> Iterator[Part]:
    yield from _titled("title", field.title)
    yield "type", field.type
    yield "choices", ", ".join(field.choices)
    yield "choice_titles", ", ".join(f"{one.vi} / {one.en}" for one in field.choices.values())
    yield "formula", field.formula.text if field.formula else ""
    yield "required_when", field.required_when.text if field.required_when else ""
    yield "personal", _mark(yes=field.personal)
    yield "shown_to", _listed(field.shown_to)
    yield "form", field.form
    yield "source", _cited(field.source)


def _edited(editable: Iterable[Editable], name: str) -> str:
    rules = (one for one in editable if name in one.fields)
    return "; ".join(f"{_listed(one.by)}: {', '.join(sorted(one.states))}" for one in rules)


def _party(party: Party) -> Iterator[Part]:
    yield from _titled("title", party.title)
    yield "kind", party.kind
    yield "roles", ", ".join(party.roles)
    yield "role_titles", ", ".join(f"{one.vi} / {one.en}" for one in party.roles.values())
    yield "required", _mark(yes=party.required)


def _cited(source: Citation | None) -> str:
    if source is None:
        return ""
    if source.rule:
        return f"rules.{source.rule}"
    return " ".join(filter(None, (source.act, source.article, f"({source.grade})")))


def _arguments(given: Iterable[object]) -> str:
    return ", ".join(", ".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in given)


def _listed(these: Iterable[object]) -> str:
    return ", ".join(map(str, these))


def _mark(*, yes: bool) -> str:
    return "✓" if yes else ""
