"""YAML text -> a frozen definition, or everything that is wrong with it, each with its place in the file.

First the file is held against the grammar; what does not fit is reported at once and nothing is built. Then
the parts are built and every name in them must refer to something. What could run but should not is found by
the linter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine import canonical, grammar, grammar_words, loader_parts
from engine.definition import Definition, State
from engine.errors import Words
from engine.findings import Finding, Marks, refusal
from engine.grammar_shapes import Held
from engine.loader_moves import deadline, starts, trigger
from engine.loading import DUE, Known, Loading, Outline, outline_of
from engine.yaml_text import YamlRefused, plain, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.definition import Trigger

__all__ = ["Known", "Outline", "load", "outline", "read_marks"]


def load(text: str | bytes, *, name: str, known: Known | None = None) -> Definition:
    """Return the definition that `text` holds.

    Shapes:
        name: of the file, as people know it. known: what exists beside it; None: nothing is known yet.
    Errors:
        DefinitionRefused: carries all findings; nothing was made.
    """
    marks = read_marks(text, name=name)
    data = _held(marks)
    loading = Loading(data, _text(text), marks, known or Known(), outline_of(data))
    _names_are_free(loading)
    definition = _built(loading)
    if loading.findings:
        raise refusal(name, loading.findings)
    return definition


def read_marks(text: str | bytes, *, name: str) -> Marks:
    """Return the nodes of a file.

    Errors:
        DefinitionRefused: it is not our part of YAML; one finding, whose code begins with `yaml_`.
    """
    try:
        return Marks(name, read(text, name=name))
    except YamlRefused as why:
        facts = why.facts
        words = Words(facts["problem_vi"], facts["problem_en"])
        raise refusal(
            name, [Finding(name, facts["line"], facts["column"], f"yaml_{facts['why']}", words)]
        ) from why


def outline(text: str | bytes, *, name: str) -> Outline:
    """Return what other definitions may know of this file, without judging it.

    Errors:
        DefinitionRefused: it is not our part of YAML.
    """
    data = plain(read_marks(text, name=name).root)
    return outline_of(data if isinstance(data, dict) else {})


def _text(text: str | bytes) -> str:
    return (text.decode() if isinstance(text, bytes) else text).removeprefix("\ufeff")


def _held(marks: Marks) -> dict[str, Any]:
    """Return the file's plain data once it fits the grammar."""
    held = Held(marks.file, grammar.NAMED_SHAPES)
    held.hold(marks.root, grammar.DEFINITION, "definition")
    if held.findings:
        raise refusal(marks.file, held.findings)
    data: dict[str, Any] = plain(marks.root)
    return data


def _names_are_free(load: Loading) -> None:
    """Note names that the language keeps for itself, and names given twice."""
    data = load.data
    named: list[tuple[str, tuple[str | int, ...]]] = [
        (name, (key, name))
        for key in ("fields", "parties", "states", "overlays")
        for name in data.get(key) or {}
    ]
    for state, one in data["states"].items():
        named += [(name, ("states", state, "triggers", name)) for name in one.get("triggers") or {}]
    named.append((data["start"]["trigger"], ("start", "trigger")))
    for name, path in named:
        if name in grammar_words.RESERVED:
            words = Words(
                f"“{name}” là từ dành riêng. Hãy đặt tên khác.",
                f"“{name}” is a reserved word. Choose another name.",
            )
            load.add_key("reserved_word", words, path)


def _built(load: Loading) -> Definition:
    data = load.data
    fields = loader_parts.fields(load)
    start = data["start"]
    states_of = _states_of(load)
    states = _states(load, _overlays(load, states_of))
    definition = Definition(
        name=data["definition"],
        version=data["version"],
        title=loader_parts.words(data["title"]),
        phases=loader_parts.phases(load),
        fields=fields,
        parties=loader_parts.parties(load),
        start=trigger(load, start["trigger"], start, ("start",)),
        states=states,
        parents=loader_parts.parents(load),
        series=data.get("series", ""),
        children=loader_parts.children(load),
        editable=loader_parts.editable(load, states_of),
        summary=loader_parts.summary(load),
        reads=frozenset(loader_parts.listed(data.get("reads"))),
        rule_keys=(),
        examples=loader_parts.examples(load),
        language=data["language"],
        # Only who lints a file looks into its text; a serving process holds many definitions, and none of their texts.
        text="" if load.known.published else load.text,
    )
    _start_leads_somewhere(load, definition)
    _ids_are_unique(load, definition)
    _reads_fit(load, definition)
    return _sealed(load, definition)


def _sealed(load: Loading, definition: Definition) -> Definition:
    """Return the definition with its rule keys and its hash."""
    content = {**load.data, "order": _order(load.data)}
    try:
        digest = canonical.digest(canonical.write(canonical.check(content)))
    except canonical.NotCanonical as why:
        load.add("not_canonical", Words(why.sentence("vi"), why.sentence("en")), ())
        digest = ""
    return replace(definition, rule_keys=tuple(sorted(load.rule_keys)), hash=digest)


def _order(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the orders that mean something to people: of columns, states, fields, triggers."""
    plain_maps = ("phases", "fields", "parties", "states", "overlays", "children")
    order: dict[str, Any] = {key: list(data[key]) for key in plain_maps if data.get(key)}
    order["triggers"] = {name: list(one.get("triggers") or {}) for name, one in data["states"].items()}
    return order


def _states_of(load: Loading) -> dict[str, tuple[str, ...]]:
    """Return state or phase -> the states it means; a word that is both means both."""
    states = load.data["states"]
    found = {
        phase.name: tuple(name for name, one in states.items() if phase.name in {name, one["phase"]})
        for phase in loader_parts.phases(load)
    }
    return {name: (name,) for name in states} | found


def _overlays(load: Loading, states_of: Mapping[str, tuple[str, ...]]) -> dict[str, list[Trigger]]:
    """Return state -> its overlay triggers. A final state and the trigger's own target get none."""
    found: dict[str, list[Trigger]] = {}
    for name, one in (load.data.get("overlays") or {}).items():
        path = ("overlays", name)
        made = trigger(load, name, one, path, overlay=True)
        wanted = loader_parts.spread(load, one["anywhere_in"], (*path, "anywhere_in"), states_of)
        left_out = loader_parts.spread(load, one.get("except"), (*path, "except"), states_of)
        for state in wanted:
            declared = load.data["states"][state]
            if state in left_out or state == one["to"] or "final" in declared:
                continue
            if name in (declared.get("triggers") or {}):
                words = Words(
                    f"“{state}” đã có bước “{name}”. Hãy thêm “{state}” vào except của overlay.",
                    f"“{state}” has a trigger “{name}”. Add “{state}” to the overlay's except.",
                )
                load.add_key("name_taken", words, ("states", state, "triggers", name))
            found.setdefault(state, []).append(made)
        _extends_something(load, made, path, [state for state in found if made in found[state]])
    return found


def _extends_something(load: Loading, made: Trigger, path: tuple[str | int, ...], states: list[str]) -> None:
    """Note a deadline that a trigger speaks of and none of its states has."""
    names = sorted({name for state in states for name in _deadlines(load.data["states"][state])})
    if made.extends:
        load.refers("deadline", made.extends, names, (*path, "extends"))
    for name in made.meets:
        load.refers("deadline", name, names, (*path, "meets"))


def _deadlines(declared: Mapping[str, Any]) -> dict[str, Any]:
    single = {DUE: declared["deadline"]} if "deadline" in declared else {}
    return {**single, **(declared.get("deadlines") or {})}


def _states(load: Loading, overlays: Mapping[str, list[Trigger]]) -> dict[str, State]:
    found: dict[str, State] = {}
    phases = [phase.name for phase in loader_parts.phases(load)]
    for name, one in load.data["states"].items():
        path = ("states", name)
        load.refers("phase", one["phase"], phases, (*path, "phase"))
        _holder_fits(load, name, one)
        triggers = {
            word: trigger(load, word, own, (*path, "triggers", word))
            for word, own in (one.get("triggers") or {}).items()
        }
        for word, made in triggers.items():
            _extends_something(load, made, (*path, "triggers", word), [name])
        triggers |= {made.name: made for made in overlays.get(name, ())}
        deadlines = []
        for word, own in _deadlines(one).items():
            at = (*path, "deadline") if own is one.get("deadline") else (*path, "deadlines", word)
            made_deadline = deadline(load, word, own, at, triggers)
            if made_deadline is not None:
                deadlines.append(made_deadline)
        found[name] = State(
            name=name,
            phase=one["phase"],
            title=loader_parts.words(one["title"]),
            public=loader_parts.words(one.get("public") or one["title"]),
            holder=load.who(one["holder"], (*path, "holder")) if "holder" in one else None,
            final=one.get("final"),
            pauses_clock=one.get("pauses_clock", False),
            deadlines=tuple(deadlines),
            triggers=triggers,
            starts=starts(load, one.get("starts"), (*path, "starts")),
        )
    return found


def _holder_fits(load: Loading, name: str, one: Mapping[str, Any]) -> None:
    """A state that goes on has a holder; a final one has nothing more to come."""
    path = ("states", name)
    if "final" not in one:
        if "holder" not in one:
            words = Words(
                f"Trạng thái “{name}” không ghi ai đang giữ hồ sơ. Hãy thêm holder: bên.vai_trò.",
                f"State “{name}” does not say whose move it is. Add holder: party.role.",
            )
            load.add_key("state_without_holder", words, path)
        elif one["holder"] == "holder":
            load.add(
                "unknown_party",
                Words("holder phải là bên.vai_trò.", "holder must be party.role."),
                (*path, "holder"),
            )
        return
    for key in ("holder", "triggers", "deadline", "deadlines", "starts", "pauses_clock"):
        if one.get(key):
            words = Words(
                f"“{name}” là trạng thái kết thúc nên không có “{key}”.",
                f"“{name}” is final and has no “{key}”.",
            )
            load.add_key("final_state_goes_on", words, (*path, key))


def _start_leads_somewhere(load: Loading, definition: Definition) -> None:
    if definition.start.to in {"$previous", "$same"}:
        words = Words("start.to phải là một trạng thái.", "start.to must be a state.")
        load.add("unknown_state", words, ("start", "to"))
    used = {name for state in load.data["states"].values() for name in state.get("triggers") or {}}
    if definition.start.name in used | set(load.data.get("overlays") or {}):
        words = Words(
            f"“{definition.start.name}” vừa mở hồ sơ vừa là bước của một trạng thái. Hãy đặt tên khác.",
            f"“{definition.start.name}” opens the case and is a state's trigger too. Choose another name.",
        )
        load.add("name_taken", words, ("start", "trigger"))


def _ids_are_unique(load: Loading, definition: Definition) -> None:
    """One id is one question: the same id with another expression would be two errors under one code."""
    first: dict[str, str] = {}
    paths: list[tuple[Trigger, tuple[str | int, ...]]] = [(definition.start, ("start",))]
    for state in definition.states.values():
        for one in state.triggers.values():
            if one.overlay:
                paths.append((one, ("overlays", one.name)))
            else:
                paths.append((one, ("states", state.name, "triggers", one.name)))
    for one, path in paths:
        for index, requirement in enumerate(one.require):
            text = first.setdefault(requirement.id, requirement.that.text)
            if text != requirement.that.text:
                words = Words(
                    f"Mã “{requirement.id}” đã dùng cho điều kiện khác. Hãy đặt mã khác.",
                    f"The id “{requirement.id}” belongs to another requirement. Choose another id.",
                )
                load.add("duplicate_id", words, (*path, "require", index, "id"))


def _reads_fit(load: Loading, definition: Definition) -> None:
    """`reads` must say exactly what decisions look at: the engine locks by it."""
    if load.findings:
        return  # an expression that was not understood may be the one that reads it
    needed = set(load.guard_reads)
    needed |= {path.split(".")[0] for path in load.read_paths if path.startswith(("parent.", "children."))}
    if definition.children:
        needed.add("children")
    missing, idle = sorted(needed - definition.reads), sorted(definition.reads - needed)
    if missing or idle:
        wanted = f"reads: [{', '.join(sorted(needed))}]"
        words = Words(
            f"reads phải ghi đúng những gì điều kiện đọc; thiếu: {', '.join(missing) or '–'}; thừa: "
            f"{', '.join(idle) or '–'}.",
            f"reads must say what decisions look at; missing: {', '.join(missing) or '–'}; superfluous: "
            f"{', '.join(idle) or '–'}.",
        )
        load.add("reads_mismatch", words, ("reads",), wanted)
