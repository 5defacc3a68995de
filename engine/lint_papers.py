"""Papers that a rule pack demands and the definition does not know: nobody could attach them, no case would pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Words
from engine.lint_paths import triggers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.definition import Definition
    from engine.lint_paths import Path
    from engine.loading import Known, Papers


def check(definition: Definition, known: Known) -> Iterator[tuple[str, Path, Words]]:
    """Yield each list of papers of a rule pack that names a paper which is no field here.

    Only rows that a case of this definition can meet count: a choice field named like a dimension of the rule
    says which words it can have; where a parent has the field, the parent's choices count.
    """
    declared = {name for name, field in definition.fields.items() if field.type == "document"}
    possible = _possible(definition, known)
    for path, trigger in triggers_of(definition).items():
        for key in trigger.needs.document_rules:
            rows = [row for row in (known.papers or {}).get(key, ()) if _meets(row, possible)]
            lacking = sorted({name for row in rows for name in row.names} - declared)
            if lacking:
                packs = ", ".join(sorted({row.pack for row in rows if not declared.issuperset(row.names)}))
                listed = ", ".join(lacking)
                yield (
                    "undeclared_papers",
                    (*path, "needs", "documents"),
                    Words(
                        f"rules.{key} ({packs}) đòi giấy tờ không có trong fields: {listed}. Hãy khai báo với "
                        "type: document; nếu không, hồ sơ không bao giờ qua được bước này.",
                        f"rules.{key} ({packs}) asks for papers that are not in fields: {listed}. Declare them with "
                        "type: document; else no case can ever pass.",
                    ),
                )


def _possible(definition: Definition, known: Known) -> Mapping[str, set[str]]:
    """Return dimension -> the words that a case may have there, as far as choices say so."""
    found = {name: set(field.choices) for name, field in definition.fields.items() if field.choices}
    others = known.definitions or {}
    parents = [others[name] for name in definition.parents if name in others]
    if parents and len(parents) == len(definition.parents):
        shared = {name for name in parents[0].choices if all(name in one.choices for one in parents)}
        for name in shared - definition.fields.keys():
            found[name] = {word for one in parents for word in one.choices[name]}
    return found


def _meets(row: Papers, possible: Mapping[str, set[str]]) -> bool:
    return all(name not in possible or possible[name] & set(words) for name, words in row.when.items())
