"""What is declared and of no use: fields that nobody fills or reads, parties and roles that nobody speaks of.

Papers are never idle: any declared kind may be attached at any time. A computed field is shown, a field that
is required at times is demanded by every step, so both are used as they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition import Who
from engine.errors import Words
from engine.legal_clock import OnField
from engine.lint_fields import spoken_of
from engine.lint_paths import expressions_of, triggers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition import Definition, Trigger
    from engine.lint_paths import Path
    from engine.loading import Known

Noted = tuple[str, "Path", Words]


def check(definition: Definition, known: Known) -> Iterator[Noted]:
    """Yield what could be deleted from the file without anybody noticing."""
    others = known.definitions or {}
    unseen = any(name not in others for name in (*definition.parents, *definition.children))
    if not unseen:
        opened = {
            word for name in definition.parents for word in others[name].starts.get(definition.name, ())
        }
        yield from _fields(definition, opened)
        yield from _choices(definition, opened)
        inherited = {party for name in definition.children for party in others[name].parties}
        yield from _parties(definition, inherited)


def _fields(definition: Definition, opened: set[str]) -> Iterator[Noted]:
    used = {
        *opened,
        *definition.summary.values(),
        *(name for one in definition.editable for name in one.fields),
    }
    for _, expression in expressions_of(definition):
        used.update(expression.paths)
    for trigger in triggers_of(definition).values():
        used |= {*spoken_of(trigger), *trigger.sets, *_shown(trigger)}
    for state in definition.states.values():
        for deadline in state.deadlines:
            used.add(deadline.since)
            if isinstance(deadline.rule, OnField):
                used.add(deadline.rule.field)
    for name, field in definition.fields.items():
        stands_alone = (
            field.type == "document" or field.formula is not None or field.required_when is not None
        )
        if name not in used and not stands_alone:
            yield _noted(
                ("fields", name), f"trường “{name}”: không bước nào điền, đòi hay đọc nó", f"field “{name}”: "
                "nothing fills, asks for or reads it",
            )  # fmt: skip


def _shown(trigger: Trigger) -> Iterator[str]:
    """Yield the names in braces in the words of requirements."""
    for requirement in trigger.require:
        for text in (requirement.otherwise.vi, requirement.otherwise.en):
            yield from (part.partition("}")[0] for part in text.split("{")[1:])


def _choices(definition: Definition, opened: set[str]) -> Iterator[Noted]:
    """Yield choices of a field that no person ever fills and no move ever sets to them."""
    triggers = triggers_of(definition).values()
    by_people = {*opened, *(name for one in definition.editable for name in one.fields)}
    by_people |= {
        name for trigger in triggers if trigger.by or trigger.approvals for name in spoken_of(trigger)
    }
    for name, field in definition.fields.items():
        given = [trigger.sets[name].answers for trigger in triggers if name in trigger.sets]
        if name in by_people or not field.choices or not given:
            continue
        said = {one.word for answers in given for one in answers or ()}
        for choice in () if None in given else field.choices:
            if choice not in said:
                yield _noted(
                    ("fields", name, "choices", choice), f"lựa chọn “{choice}” của “{name}”: không bước nào đặt nó",
                    f"choice “{choice}” of “{name}”: no move ever sets it",
                )  # fmt: skip


def _parties(definition: Definition, inherited: set[str]) -> Iterator[Noted]:
    named = set(_named(definition))
    parties = {who.party for who in named}
    for name, party in definition.parties.items():
        if party.kind == "establishment" and "establishment" in definition.reads:
            continue
        if name not in parties and name not in inherited:
            yield _noted(
                ("parties", name), f"bên “{name}”: không ai nói đến", f"party “{name}”: nothing names it"
            )
        for role in party.roles if name in parties else ():
            if Who(name, role) not in named:
                yield _noted(
                    ("parties", name, "roles", role), f"vai trò “{name}.{role}”: không ai nói đến",
                    f"role “{name}.{role}”: nothing names it",
                )  # fmt: skip


def _named(definition: Definition) -> Iterator[Who]:
    """Yield everybody whom the definition lets do, hold, see or hear something."""
    for trigger in triggers_of(definition).values():
        yield from (*trigger.by, *trigger.voids, *(trigger.approvals.of if trigger.approvals else ()))
        yield from (tell.to for tell in trigger.tells)
    for state in definition.states.values():
        yield from (state.holder,) if state.holder else ()
        yield from (who for deadline in state.deadlines for rung in deadline.ladder for who in rung.to)
    for one in definition.editable:
        yield from one.by
    for field in definition.fields.values():
        yield from field.shown_to


def _noted(path: Path, vi: str, en: str) -> Noted:
    return "unused", path, Words(f"Thừa {vi}. Hãy dùng hoặc xóa.", f"Unused {en}. Use it, or delete it.")
