"""What could run but should not: states nobody leaves, deadlines nobody reads, votes nobody can cast.

The loader has proved that every name refers to something. Each check here looks at the whole and yields
findings with the place in the file and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import examples, lint_fields, lint_people
from engine.definition import PREVIOUS, SAME
from engine.errors import Words
from engine.expression_samples import failure
from engine.findings import DefinitionRefused, Finding
from engine.loader import load, read_marks
from engine.loading import DUE, Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.definition import Definition, StartChild, State, Trigger
    from engine.expressions import Expression
    from engine.findings import Marks

__all__ = ["lint", "validate"]

Path = tuple[str | int, ...]


def validate(
    text: str | bytes, *, name: str, known: Known | None = None
) -> tuple[Definition | None, list[Finding]]:
    """Return the definition and everything to correct, its own tests included.

    The definition is None when it can't be loaded.
    """
    known = known or Known()
    try:
        definition = load(text, name=name, known=known)
    except DefinitionRefused as why:
        return None, list(why.findings)
    marks = read_marks(text, name=name)
    return definition, sorted([*lint(definition, marks, known), *examples.run(definition, marks)])


def lint(definition: Definition, marks: Marks, known: Known | None = None) -> list[Finding]:
    """Return what is wrong with a definition that was loaded, in the order of the file.

    Shapes:
        marks: of the text that the definition was loaded from. known: what exists beside it.
    """
    known = known or Known()
    noted = [
        *_states(definition),
        *_fireable(definition, known),
        *_deadlines(definition),
        *_previous(definition),
        *_expressions(definition),
        *_child_loops(definition, known),
        *lint_people.check(definition),
        *lint_fields.check(definition, known),
    ]
    found = [Finding(marks.file, *marks.place(*path), code, words) for code, path, words in noted]
    return sorted(dict.fromkeys(found))


def moves(definition: Definition, state: State) -> Iterator[tuple[Trigger, str]]:
    """Yield each trigger of a state with each state that it can lead to."""
    for trigger in state.triggers.values():
        if trigger.to == SAME:
            yield trigger, state.name
        elif trigger.to == PREVIOUS:
            for other in definition.states.values():
                if any(one.to == state.name for one in other.triggers.values()):
                    yield trigger, other.name
        else:
            yield trigger, trigger.to


def path_of(state: State, trigger: Trigger) -> Path:
    """Return the keys that lead to a trigger in the file."""
    return ("overlays", trigger.name) if trigger.overlay else ("states", state.name, "triggers", trigger.name)


def _reached(definition: Definition) -> set[str]:
    found: set[str] = set()
    waiting = [definition.start.to]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(to for _, to in moves(definition, definition.states[name]))
    return found


def _ending(definition: Definition) -> set[str]:
    """Return the states from which a final state can be reached."""
    found = {state.name for state in definition.states.values() if state.final}
    grew = True
    while grew:
        more = {
            state.name
            for state in definition.states.values()
            if state.name not in found and any(to in found for _, to in moves(definition, state))
        }
        grew = bool(more)
        found |= more
    return found


def _states(definition: Definition) -> Iterator[tuple[str, Path, Words]]:
    reached, ending = _reached(definition), _ending(definition)
    entered = {definition.start.to}
    entered |= {to for name in ending for _, to in moves(definition, definition.states[name])}
    for state in definition.states.values():
        path = ("states", state.name)
        leaves = [to for _, to in moves(definition, state) if to != state.name]
        if state.name not in reached:
            yield (
                "unreachable_state",
                path,
                Words(
                    f"Không bước nào dẫn tới “{state.name}”. Hãy thêm bước dẫn tới đó hoặc xóa trạng thái "
                    "này.",
                    f"No trigger leads to “{state.name}”. Add one, or delete the state.",
                ),
            )
        if not state.final and not leaves:
            yield (
                "no_way_out",
                path,
                Words(
                    f"Hồ sơ vào “{state.name}” thì không ra được. Hãy thêm bước, hoặc ghi final.",
                    f"A case that enters “{state.name}” can't leave it. Add a trigger, or say final.",
                ),
            )
        elif state.name not in ending and state.name in entered:
            yield (
                "dead_end",
                path,
                Words(
                    f"Từ “{state.name}” không tới được trạng thái kết thúc nào. Hãy thêm bước dẫn tới kết "
                    "thúc.",
                    f"From “{state.name}” no final state can be reached. Add a trigger that leads to one.",
                ),
            )


def _fireable(definition: Definition, known: Known) -> Iterator[tuple[str, Path, Words]]:
    """Yield states that nobody may leave, and single triggers that nobody may fire."""
    others = known.definitions
    parents = [others[name] for name in definition.parents if others and name in others]
    unseen = len(parents) < len(definition.parents)
    asked = {trigger for one in parents for trigger in one.asked_of_children.get(definition.name, ())}
    if not definition.start.by and not unseen and not any(definition.name in one.starts for one in parents):
        yield (
            "nobody_may_start",
            ("start",),
            Words(
                "Không ai được mở hồ sơ này. Hãy thêm by, hoặc starts ở quy trình cha.",
                "Nobody may open a case. Add `by`, or `starts` in the parent.",
            ),
        )
    idle: dict[str, tuple[Path, bool]] = {}
    for state in definition.states.values():
        fired = {deadline.fires for deadline in state.deadlines}
        able = {
            trigger.name: bool(
                trigger.by
                or trigger.when
                or trigger.approvals
                or trigger.name in fired
                or trigger.name in asked
                or unseen
            )
            for trigger in state.triggers.values()
        }
        if able and not any(able.values()):
            yield (
                "nobody_may_leave",
                ("states", state.name),
                Words(
                    f"Không ai được đưa hồ sơ ra khỏi “{state.name}”. Hãy thêm by cho một bước.",
                    f"Nobody may move a case out of “{state.name}”. Add `by` to a trigger.",
                ),
            )
            continue
        for name, can in able.items():
            path = path_of(state, state.triggers[name])
            _, before = idle.get(f"{path}", (path, False))
            idle[f"{path}"] = (path, before or can)
    for path, can in idle.values():
        if not can:
            yield (
                "nobody_may_fire",
                path,
                Words(
                    f"Không ai được làm “{path[-1]}”: không có by, when, approvals hay hạn nào gọi nó.",
                    f"Nobody may fire “{path[-1]}”: it has no by, when, approvals or deadline that fires it.",
                ),
            )


def _deadlines(definition: Definition) -> Iterator[tuple[str, Path, Words]]:
    for state in definition.states.values():
        for deadline in state.deadlines:
            if deadline.fires or deadline.ladder:
                continue
            path: Path = ("states", state.name, "deadline")
            if deadline.name != DUE:
                path = ("states", state.name, "deadlines", deadline.name)
            yield (
                "deadline_without_effect",
                path,
                Words(
                    "Hạn này không nhắc ai và không gọi bước nào. Hãy thêm ladder hoặc fires ở "
                    f"“{state.name}”.",
                    "This deadline reminds nobody and fires nothing. Add a ladder or `fires` in "
                    f"“{state.name}”.",
                ),
            )


def _previous(definition: Definition) -> Iterator[tuple[str, Path, Words]]:
    for state in definition.states.values():
        for trigger in state.triggers.values():
            if trigger.to == PREVIOUS and not state.pauses_clock:
                yield (
                    "previous_without_pause",
                    (*path_of(state, trigger), "to"),
                    Words(
                        "$previous chỉ dùng ở trạng thái tạm dừng. Hãy thêm pauses_clock: true vào "
                        f"“{state.name}”.",
                        f"$previous is for paused states only. Add pauses_clock: true to “{state.name}”.",
                    ),
                )


def _expressions(definition: Definition) -> Iterator[tuple[str, Path, Words]]:
    for path, expression in expressions_of(definition):
        why = failure(expression)
        if why:
            yield (
                "expression_fails",
                path,
                Words(
                    f"Biểu thức “{expression.text}” không tính được với giá trị mẫu: {why}.",
                    f"Expression “{expression.text}” can't be computed on sample values: {why}.",
                ),
            )


def expressions_of(definition: Definition) -> Iterator[tuple[Path, Expression]]:
    """Yield every expression of the file once, with the keys that lead to it."""
    for name, field in definition.fields.items():
        for key, expression in (("formula", field.formula), ("required_when", field.required_when)):
            if expression is not None:
                yield ("fields", name, key), expression
    triggers: list[tuple[Path, Trigger]] = [(("start",), definition.start)]
    for state in definition.states.values():
        triggers += [(path_of(state, trigger), trigger) for trigger in state.triggers.values()]
        yield from _started(state.starts, ("states", state.name))
    for path, trigger in dict(triggers).items():
        if trigger.when is not None:
            yield (*path, "when"), trigger.when
        for number, requirement in enumerate(trigger.require):
            yield (*path, "require", number, "that"), requirement.that
        for word, expression in trigger.sets.items():
            yield (*path, "sets", word), expression
        yield from _started(trigger.starts, path)


def _started(starts: Iterable[StartChild], path: Path) -> Iterator[tuple[Path, Expression]]:
    for number, child in enumerate(starts):
        for word, expression in child.values.items():
            yield (*path, "starts", number, "values", word), expression


def _child_loops(definition: Definition, known: Known) -> Iterator[tuple[str, Path, Words]]:
    """Yield children whose own children lead back here: such a family would have no end."""
    others = known.definitions or {}
    for child in definition.children:
        seen: set[str] = set()
        waiting = [child]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(others[name].children if name in others else ())
        if definition.name in seen:
            yield (
                "child_loop",
                ("children", child),
                Words(
                    f"“{child}” lại dẫn về “{definition.name}” qua các hồ sơ con. Hãy bỏ vòng lặp.",
                    f"“{child}” leads back to “{definition.name}” through its children. Break the loop.",
                ),
            )
