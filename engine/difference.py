"""What a new version of a definition changes, in words: what came, what went, and what is asked differently.

A definition is laid out as labelled lines (`bước draft.submit: ai được làm` -> `centre.head`); two versions differ where
a label came, went or says something else. Titles are compared like everything else that people read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.definition import Deadline, Definition, State, Trigger

_CAME = Words("Thêm {what}", "Added {what}")
_WENT = Words("Bỏ {what}", "Removed {what}")
_CHANGED = Words("Đổi {what}: từ {before} thành {after}", "Changed {what}: from {before} to {after}")
_NOTHING = Words("không có", "nothing")

#: (kind, name, part) -> what it says; a part that says nothing is left out. The part "" is the thing itself.
Line = tuple[tuple[str, str, str], str]
_KINDS = {
    "state": Words("trạng thái “{name}”", "state “{name}”"),
    "trigger": Words("bước “{name}”", "trigger “{name}”"),
    "deadline": Words("hạn của “{name}”", "deadline of “{name}”"),
    "field": Words("trường “{name}”", "field “{name}”"),
    "party": Words("bên “{name}”", "party “{name}”"),
    "child": Words("hồ sơ con “{name}”", "child “{name}”"),
}
_PARTS = {
    "title": Words("tên gọi", "title"),
    "phase": Words("giai đoạn", "phase"),
    "holder": Words("ai giữ", "holder"),
    "final": Words("kết thúc", "ending"),
    "to": Words("chuyển đến", "leads to"),
    "by": Words("ai được làm", "who may do it"),
    "fields": Words("trường phải có", "fields needed"),
    "papers": Words("giấy tờ phải có", "papers needed"),
    "reason": Words("phải nêu lý do", "needs a reason"),
    "require": Words("điều kiện", "requirements"),
    "guards": Words("điều kiện đặt sẵn", "guards"),
    "votes": Words("ý kiến đồng ý", "approvals"),
    "when": Words("tự động khi", "automatic when"),
    "rule": Words("cách tính", "how it is counted"),
    "ladder": Words("nấc nhắc", "ladder"),
    "fires": Words("hết hạn thì", "fires"),
    "type": Words("kiểu", "type"),
    "choices": Words("lựa chọn", "choices"),
    "roles": Words("vai trò", "roles"),
}


def differences(before: Definition, after: Definition) -> tuple[Words, ...]:
    """Return one sentence for each thing that came, went or changed, in the order of the new file, what went last.

    Shapes:
        before, after: two versions of one definition; equal contents give ().
    """
    old, new = dict(_lines(before)), dict(_lines(after))
    said = [_sentence(key, old.get(key), new.get(key)) for key in (*new, *(one for one in old if one not in new))
            if old.get(key) != new.get(key) and _speaks(key, old, new)]  # fmt: skip
    return tuple(said)


def _speaks(
    key: tuple[str, str, str], old: dict[tuple[str, str, str], str], new: dict[tuple[str, str, str], str]
) -> bool:
    """Whether a line is news of its own: the parts of a thing that came or went as a whole are not."""
    kind, name, part = key
    whole = (kind, name, "")
    return not part or (whole in old and whole in new)


def _sentence(key: tuple[str, str, str], before: str | None, after: str | None) -> Words:
    kind, name, part = key
    sentence = _CAME if before is None and not part else _WENT if after is None and not part else _CHANGED

    def told(language: str) -> str:
        what = _KINDS[kind].fill(language, name=name)
        if part:
            what = f"{what}, {_PARTS[part].text(language)}"
        nothing = _NOTHING.text(language)
        return sentence.fill(language, what=what, before=before or nothing, after=after or nothing)

    return Words(told("vi"), told("en"))


def _lines(definition: Definition) -> Iterator[Line]:
    for state in definition.states.values():
        yield from _named("state", state.name, _state(state))
        for trigger in state.triggers.values():
            yield from _named("trigger", f"{state.name}.{trigger.name}", _trigger(trigger))
        for deadline in state.deadlines:
            yield from _named("deadline", f"{state.name}.{deadline.name}", _deadline(deadline))
    for name, field in definition.fields.items():
        choices = ", ".join(field.choices)
        yield from _named(
            "field", name, (("title", field.title.vi), ("type", field.type), ("choices", choices))
        )
    for name, party in definition.parties.items():
        yield from _named("party", name, (("title", party.title.vi), ("roles", ", ".join(party.roles))))
    for name in definition.children:
        yield from _named("child", name, ())


def _named(kind: str, name: str, parts: Iterable[tuple[str, str]]) -> Iterator[Line]:
    yield (kind, name, ""), name
    for part, says in parts:
        if says:
            yield (kind, name, part), says


def _state(state: State) -> Iterator[tuple[str, str]]:
    yield "title", state.title.vi
    yield "phase", state.phase
    yield "holder", str(state.holder or "")
    yield "final", state.final or ""


def _trigger(trigger: Trigger) -> Iterator[tuple[str, str]]:
    needs = trigger.needs
    yield "title", trigger.title.vi
    yield "to", trigger.to
    yield "by", ", ".join(map(str, trigger.by))
    yield "fields", ", ".join(needs.fields)
    yield "papers", ", ".join((*needs.documents, *(f"rules.{key}" for key in needs.document_rules)))
    yield "reason", "✓" if needs.reason else ""
    yield "require", "; ".join(f"{one.id}: {one.that.text}" for one in trigger.require)
    yield "guards", "; ".join(f"{call.name} {dict(call.arguments) or ''}".strip() for call in trigger.guards)
    votes = trigger.approvals
    yield "votes", f"{votes.need}/{len(votes.of)}: {', '.join(map(str, votes.of))}" if votes else ""
    yield "when", trigger.when.text if trigger.when else ""


def _deadline(deadline: Deadline) -> Iterator[tuple[str, str]]:
    yield "rule", str(deadline.rule)
    rungs = (f"{rung.at} {rung.unit} → {', '.join(map(str, rung.to))}" for rung in deadline.ladder)
    yield "ladder", "; ".join(rungs)
    yield "fires", deadline.fires
