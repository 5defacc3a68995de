"""What stands still in a definition: phases, parties, fields, children, editable, summary, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.definition import ChildRule, Editable, Example, Field, Party, Phase
from engine.errors import Words
from engine.loading import VALUE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.loading import Loading

#: The phases of the programme, on its boards from left to right, for a definition that gives none of its own.
PROGRAMME_PHASES: tuple[Phase, ...] = (
    Phase("survey", Words("Khảo sát", "Survey")),
    Phase("proposal", Words("Đề án", "Proposal")),
    Phase("approval", Words("Phê duyệt", "Approval")),
    Phase("disbursement", Words("Giải ngân", "Disbursement")),
    Phase("monitoring", Words("Giám sát", "Monitoring")),
    Phase("acceptance", Words("Nghiệm thu", "Acceptance")),
    Phase("settlement", Words("Quyết toán", "Settlement")),
    Phase("closed", Words("Kết thúc", "Closed")),
)
_SUMMARY_TYPES: Mapping[str, tuple[str, ...]] = {
    "title": ("text",),
    "scope": ("text", "choice"),
    "category": ("text", "choice"),
    "amount": ("money",),
    "plan_year": ("integer",),
}


def words(pair: Mapping[str, str]) -> Words:
    """Return both languages of a pair."""
    return Words(pair["vi"], pair["en"])


def phases(load: Loading) -> tuple[Phase, ...]:
    """Return the definition's own phases, or the programme's."""
    given = load.data.get("phases")
    return tuple(Phase(name, words(one)) for name, one in given.items()) if given else PROGRAMME_PHASES


def parties(load: Loading) -> dict[str, Party]:
    """Return the parties; a person has no roles, an organisation has at least one."""
    found: dict[str, Party] = {}
    for name, one in load.data["parties"].items():
        roles = {role: words(title) for role, title in (one.get("roles") or {}).items()}
        if (one["kind"] == "person" and roles) or (one["kind"] == "organisation" and not roles):
            problem = Words(
                f"Bên “{name}” (kind: {one['kind']}): tổ chức phải có roles, cá nhân thì không có roles.",
                f"Party “{name}” (kind: {one['kind']}): an organisation needs roles, a person has none.",
            )
            load.add_key("roles_do_not_fit", problem, ("parties", name))
        found[name] = Party(name, one["kind"], words(one["title"]), roles, one.get("required", True))
    return found


def fields(load: Loading) -> dict[str, Field]:
    """Return the fields, and note those whose keys don't fit their type."""
    found: dict[str, Field] = {}
    for name, one in (load.data.get("fields") or {}).items():
        path = ("fields", name)
        _keys_fit(load, name, one, path)
        kind = VALUE_TYPES.get(one["type"], "")
        formula = required_when = None
        if "formula" in one:
            formula = load.expression(one["formula"], (*path, "formula"), kind)
        if "required_when" in one:
            required_when = load.expression(one["required_when"], (*path, "required_when"), "yes_no")
        found[name] = Field(
            name=name,
            type=one["type"],
            title=words(one["title"]),
            choices={word: words(title) for word, title in (one.get("choices") or {}).items()},
            personal=one.get("personal", False),
            formula=formula,
            required_when=required_when,
            shown_to=load.people(one.get("shown_to"), (*path, "shown_to")),
            form=one.get("form", ""),
            source=load.source(one.get("source"), (*path, "source")),
        )
    _no_loop(load, found)
    return found


def _keys_fit(load: Loading, name: str, one: Mapping[str, Any], path: tuple[str, ...]) -> None:
    kind = one["type"]
    if ("choices" in one) != (kind == "choice"):
        problem = Words(
            f"Trường “{name}”: choices đi cùng type: choice, và chỉ với kiểu đó.",
            f"Field “{name}”: choices go with type: choice, and only with it.",
        )
        load.add_key("choices_do_not_fit", problem, path)
    wrong = [key for key in ("formula", "personal", "required_when") if kind == "document" and key in one]
    wrong += ["form"] if kind != "document" and "form" in one else []
    if "formula" in one and (one.get("personal") or "required_when" in one):
        wrong.append("formula")
    for key in wrong:
        problem = Words(
            f"Trường “{name}” kiểu {kind} không dùng khóa “{key}” như vậy.",
            f"Field “{name}” of type {kind} can't have the key “{key}” like this.",
        )
        load.add_key("key_does_not_fit", problem, (*path, key))


def _no_loop(load: Loading, found: Mapping[str, Field]) -> None:
    """Note formulas that read themselves, also by way of others."""
    reads = {
        name: [word for word in one.formula.paths if word in found and found[word].formula is not None]
        for name, one in found.items()
        if one.formula is not None
    }
    for name, first in reads.items():
        seen: set[str] = set()
        waiting = list(first)
        while waiting:
            word = waiting.pop()
            if word in seen:
                continue
            seen.add(word)
            waiting.extend(reads.get(word, ()))
        if name in seen:
            problem = Words(
                f"Công thức của “{name}” dùng chính kết quả của nó. Hãy bỏ vòng lặp.",
                f"The formula of “{name}” reads its own result. Break the loop.",
            )
            load.add("formula_loop", problem, ("fields", name, "formula"))


def children(load: Loading) -> dict[str, ChildRule]:
    """Return the child rules, their triggers checked against the children's own files."""
    found: dict[str, ChildRule] = {}
    others = load.known.definitions
    for name, one in (load.data.get("children") or {}).items():
        path = ("children", name)
        load.refers("definition", name, others, path)
        when_parent = one.get("when_parent") or {}
        if others is not None and name in others:
            for word, trigger in when_parent.items():
                load.refers("trigger", trigger, sorted(others[name].triggers), (*path, "when_parent", word))
            if load.outline.name not in others[name].parents:
                problem = Words(
                    f"“{name}” không ghi parent: {load.outline.name}. Hãy thêm vào tệp đó.",
                    f"“{name}” does not say parent: {load.outline.name}. Add it to that file.",
                )
                load.add_key("parent_not_named", problem, path)
        found[name] = ChildRule(name, dict(when_parent), one.get("at_most", 0))
    return found


def parents(load: Loading) -> tuple[str, ...]:
    """Return the names of possible parents."""
    names = load.outline.parents
    for index, name in enumerate(names):
        path: tuple[str | int, ...] = (
            ("parent", index) if isinstance(load.data["parent"], list) else ("parent",)
        )
        load.refers("definition", name, load.known.definitions, path)
    return names


def editable(load: Loading, states_of: Mapping[str, tuple[str, ...]]) -> tuple[Editable, ...]:
    """Return which fields may be changed where. Shapes: states_of: state or phase -> states."""
    found: list[Editable] = []
    declared = load.data.get("fields") or {}
    for index, one in enumerate(load.data.get("editable") or ()):
        path = ("editable", index)
        names = listed(one["fields"])
        for place, name in enumerate(names):
            at = (*path, "fields", place) if isinstance(one["fields"], list) else (*path, "fields")
            if load.refers("field", name, declared, at) and "formula" in declared[name]:
                problem = Words(
                    f"“{name}” là công thức nên không sửa được. Hãy bỏ khỏi editable.",
                    f"“{name}” is computed and can't be edited. Take it out of editable.",
                )
                load.add("key_does_not_fit", problem, at)
        states = spread(load, one["in"], (*path, "in"), states_of)
        found.append(Editable(tuple(names), frozenset(states), load.people(one["by"], (*path, "by"))))
    return tuple(found)


def spread(
    load: Loading, given: Any, path: tuple[str | int, ...], states_of: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the states that a list of states and phases means, each once."""
    found: dict[str, None] = {}
    for place, name in enumerate(listed(given)):
        at = (*path, place) if isinstance(given, list) else path
        if load.refers("state", name, states_of, at):
            found.update(dict.fromkeys(states_of[name]))
    return tuple(found)


def summary(load: Loading) -> dict[str, str]:
    """Return common column -> field."""
    given: dict[str, str] = load.data.get("summary") or {}
    declared = load.data.get("fields") or {}
    for column, name in given.items():
        path = ("summary", column)
        if not load.refers("field", name, declared, path):
            continue
        kind: str = declared[name]["type"]
        wanted = _SUMMARY_TYPES[column]
        if kind not in wanted:
            problem = Words(
                f"summary.{column} cần trường kiểu {' hoặc '.join(wanted)}; “{name}” là {kind}.",
                f"summary.{column} needs a field of type {' or '.join(wanted)}; “{name}” is {kind}.",
            )
            load.add("type_mismatch", problem, path)
    return dict(given)


def examples(load: Loading) -> tuple[Example, ...]:
    """Return the file's own tests."""
    found: list[Example] = []
    for index, one in enumerate(load.data.get("tests") or ()):
        path = ("tests", index)
        load.refers("trigger", one["fire"], sorted(load.outline.triggers), (*path, "fire"))
        if "to" in one:
            load.refers("state", one["to"], load.data["states"], (*path, "to"))
        line, _ = load.marks.place(*path)
        found.append(
            Example(
                one["given"], one["fire"], one.get("to", ""), tuple(listed(one.get("refused_because"))), line
            )
        )
    return tuple(found)


def listed(value: Any) -> list[Any]:
    """Return a list, a single value as a list of one, nothing as an empty list."""
    return value if isinstance(value, list) else [] if value is None else [value]
