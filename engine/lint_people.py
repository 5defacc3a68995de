"""Whether people can do what is asked of them: holders who have something to do, votes that can be cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.definition import Definition, State, Trigger, Who

Noted = tuple[str, tuple[str | int, ...], Words]
_FOUR_EYES = "not_same_person_as"


def check(definition: Definition) -> Iterator[Noted]:
    """Yield holders with nothing to do, votes that can't be met, four-eyes rules that shut everybody out."""
    for state in definition.states.values():
        yield from _holder(definition, state)
        for trigger in state.triggers.values():
            path = (
                ("overlays", trigger.name)
                if trigger.overlay
                else ("states", state.name, "triggers", trigger.name)
            )
            yield from _votes(definition, trigger, path)
            yield from _four_eyes(definition, trigger, path)


def _holder(definition: Definition, state: State) -> Iterator[Noted]:
    if state.holder is None or any(trigger.when is not None for trigger in state.triggers.values()):
        return
    may = {who for trigger in state.triggers.values() for who in _asked(trigger)}
    may |= {who for one in definition.editable if state.name in one.states for who in one.by}
    if state.holder not in may:
        yield (
            "holder_without_trigger",
            ("states", state.name, "holder"),
            Words(
                f"“{state.holder}” giữ hồ sơ ở “{state.name}” nhưng không làm được bước nào. Hãy thêm vào "
                "by.",
                f"“{state.holder}” holds the case in “{state.name}” but may fire nothing there. Add it to a "
                "`by`.",
            ),
        )


def _asked(trigger: Trigger) -> Iterable[Who]:
    return (*trigger.by, *(trigger.approvals.of if trigger.approvals else ()))


def _votes(definition: Definition, trigger: Trigger, path: tuple[str | int, ...]) -> Iterator[Noted]:
    rule = trigger.approvals
    if rule is None:
        return
    shut_out = _shut_out(definition, trigger)
    seats = set(rule.of) - shut_out
    if rule.need > len(seats):
        yield (
            "approvals_impossible",
            (*path, "approvals"),
            Words(
                f"Cần {rule.need} ý kiến nhưng chỉ có {len(seats)} ghế khác nhau được biểu quyết"
                + (" (nguyên tắc hai người loại trừ ghế còn lại)." if shut_out else "."),
                f"{rule.need} votes are needed but only {len(seats)} different seats may vote"
                + (" (four-eyes shuts the rest out)." if shut_out else "."),
            ),
        )


def _four_eyes(definition: Definition, trigger: Trigger, path: tuple[str | int, ...]) -> Iterator[Noted]:
    if trigger.by and set(trigger.by) <= _shut_out(definition, trigger):
        yield (
            "four_eyes_impossible",
            (*path, "by"),
            Words(
                f"Nguyên tắc hai người loại trừ tất cả những ai được làm “{trigger.name}”. Hãy thêm người "
                "khác vào by.",
                f"Four-eyes shuts out everyone who may fire “{trigger.name}”. Add somebody else to `by`.",
            ),
        )


def _shut_out(definition: Definition, trigger: Trigger) -> set[Who]:
    """Return the parties of one person who always did the earlier step themselves."""
    named = {
        earlier
        for call in trigger.guards
        if call.name == _FOUR_EYES
        for earlier in call.arguments.get("triggers", ())
    }
    found: set[Who] = set()
    for name in named:
        doers = {who for one in _called(definition, name) for who in one.by}
        if len(doers) == 1:
            found |= {who for who in doers if definition.parties[who.party].kind == "person"}
    return found


def _called(definition: Definition, name: str) -> Iterator[Trigger]:
    if definition.start.name == name:
        yield definition.start
    for state in definition.states.values():
        if name in state.triggers:
            yield state.triggers[name]
