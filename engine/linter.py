"""What could run but should not: states nobody leaves, deadlines nobody reads, votes nobody can cast.

The loader has proved that every name refers to something. Each check here looks at the whole and yields
findings with the place in the file and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import examples, lint_fields, lint_papers, lint_people, lint_unused, lint_words
from engine.deadline_rules import Monthly
from engine.definition import PREVIOUS
from engine.errors import Words
from engine.expression_samples import failure
from engine.findings import DefinitionRefused, Finding
from engine.lint_paths import deadline_path, expressions_of, moves, path_of
from engine.loader import load, read_marks
from engine.loading import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition import Deadline, Definition, State
    from engine.findings import Marks
    from engine.lint_paths import Path

__all__ = ["lint", "validate"]


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
        *_fired_by_deadlines(definition, known),
        *_previous(definition),
        *_expressions(definition),
        *_child_loops(definition, known),
        *lint_people.check(definition),
        *lint_fields.check(definition, known),
        *lint_papers.check(definition, known),
        *lint_unused.check(definition, known),
    ]
    found = [Finding(marks.file, *marks.place(*path), code, words) for code, path, words in noted]
    found += lint_words.check(definition, marks, known)
    return sorted(dict.fromkeys(found))


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
            yield from _rungs_never_told(state, deadline)
            if deadline.fires or deadline.ladder:
                continue
            yield (
                "deadline_without_effect",
                deadline_path(state, deadline),
                Words(
                    "Hạn này không nhắc ai và không gọi bước nào. Hãy thêm ladder hoặc fires ở "
                    f"“{state.name}”.",
                    "This deadline reminds nobody and fires nothing. Add a ladder or `fires` in "
                    f"“{state.name}”.",
                ),
            )


def _rungs_never_told(state: State, deadline: Deadline) -> Iterator[tuple[str, Path, Words]]:
    """Yield rungs after the day of a deadline of every month: the day over, the next month's runs in its place."""
    if not isinstance(deadline.rule, Monthly) or deadline.rule.once:
        return
    for number, rung in enumerate(deadline.ladder):
        if rung.at + (rung.times - 1) * rung.every > 0:
            yield (
                "rung_never_told",
                (*deadline_path(state, deadline), "ladder", number),
                Words(
                    "Hạn hằng tháng không nhắc sau ngày hạn: qua ngày đó là hạn của tháng sau. Hãy đặt at từ 0 trở xuống, "
                    "hoặc thêm once: true.",
                    "A monthly deadline reminds nobody after its day: then the next month's runs. Give `at` of 0 or "
                    "before, or add once: true.",
                ),
            )


def _fired_by_deadlines(definition: Definition, known: Known) -> Iterator[tuple[str, Path, Words]]:
    """Yield deadlines whose trigger asks for what only a person can give: a timer has no reason and is nobody.

    Values and papers may be on the case by then, votes may be in: whether they are is seen on each case.
    """
    for state in definition.states.values():
        for deadline in state.deadlines:
            trigger = state.triggers.get(deadline.fires)
            if trigger is None:
                continue
            path = (*deadline_path(state, deadline), "fires")
            if trigger.needs.reason:
                yield (
                    "deadline_cannot_fire",
                    path,
                    Words(
                        f"Hạn này không bao giờ gọi được “{trigger.name}” vì bước đó đòi lý do mà chỉ người mới "
                        "nêu được. Hãy bỏ reason, hoặc gọi bước khác.",
                        f"This deadline can never fire “{trigger.name}”, which asks for a reason that only a person "
                        "can give. Drop `reason`, or fire another trigger.",
                    ),
                )
            for call in trigger.guards:
                if call.name in known.guards and known.guards[call.name].place == "person":
                    yield (
                        "deadline_passes_guard",
                        path,
                        Words(
                            f"“{call.name}” xét người thực hiện, nhưng hạn này gọi “{trigger.name}” mà không có "
                            "người nào nên điều kiện không giữ được gì. Hãy gọi một bước riêng.",
                            f"“{call.name}” looks at who acts, but when this deadline fires “{trigger.name}” nobody "
                            "does, so the guard holds nothing back. Fire a trigger of its own.",
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
