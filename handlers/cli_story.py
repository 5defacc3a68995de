"""The story of a case on the command line: each entry a sentence, its changes below in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from handlers import code_words, words

if TYPE_CHECKING:
    from engine.case_history import HistoryEntry
    from engine.definition import Definition
    from handlers.cli_session import Session

_TOLD = ("data.", "document.", "party.", "vote.")


def entry_lines(session: Session, definition: Definition, one: HistoryEntry) -> list[str]:
    """Return an entry as a sentence with its changes below."""
    say, language = session.say, session.language
    moved = definition.trigger(one.from_state, one.trigger) if one.from_state else definition.start
    what = (
        moved.title.text(language)
        if moved and moved.name == one.trigger
        else one.trigger or kind_words(session, one.kind)
    )
    who = one.who + (f" ({one.organisation})" if one.organisation not in {"", one.who} else "")
    instead = say(f", thay {one.on_behalf_of}", f", for {one.on_behalf_of}") if one.on_behalf_of else ""
    claimed = (
        say(f" · theo hồ sơ ngày {words.day(one.happened_on)}", f" · dated {words.day(one.happened_on)}")
        if one.happened_on
        else ""
    )
    reason = one.reason or one.comment
    to = (
        f" → {definition.states[one.to_state].title.text(language)}"
        if one.to_state in definition.states
        else ""
    )
    head = f"#{one.seq}  {words.instant(one.recorded_at)}{claimed}  {who}{instead}: {what}{to}" + (
        f" — {reason}" if reason else ""
    )
    told = [change for change in one.changes if change.word.startswith(_TOLD)]
    return [
        head,
        *(f"      {_change(definition, each.word, each.before, each.after, language)}" for each in told),
    ]


def kind_words(session: Session, kind: str) -> str:
    """Return what a command did that fires no trigger; the kind itself where there are no words."""
    say = session.say
    found = {
        "edit": say("sửa dữ liệu", "edited"), "attach": say("đính kèm", "attached"), "detach": say("gỡ giấy tờ", "detached"),
        "comment": say("ghi ý kiến", "commented"), "assign": say("giao việc", "assigned"), "vote": say("biểu quyết", "voted"),
        "remind": say("nhắc hạn", "reminded"), "migrate": say("chuyển phiên bản", "moved to another version"),
        "erase": say("xoá dữ liệu cá nhân", "erased personal data"),
        "register": say("ghi vào sổ", "written into the register"),
    }  # fmt: skip
    return found.get(kind, kind)


def value(definition: Definition, name: str, held: Any, language: str) -> str:
    """Return a field's value as it is read: a choice by its title, a province by its name."""
    field = definition.fields[name]
    if held is None:
        return "—"
    if field.choices and held in field.choices:
        return field.choices[held].text(language)
    if field.type == "text" and name in {"province", definition.summary.get("scope")}:
        return code_words.province(str(held))
    return words.value(field.type, held, language)


def _change(definition: Definition, word: str, before: Any, after: Any, language: str) -> str:
    head, _, rest = word.partition(".")
    name = rest.partition(".")[0]
    field = definition.fields.get(name)
    title = field.title.text(language) if field else name
    if head == "data" and field:
        return _moved(title, *(value(definition, name, held, language) for held in (before, after)))
    if head == "document" and isinstance(after, dict):
        signed = (after.get("number"), words.day(after.get("signed_on")), after.get("signer"))
        return f"+ {title}: {' '.join(filter(None, signed))}"
    if head == "document":
        return f"− {title}"
    if head == "party" and name in definition.parties:
        title = definition.parties[name].title.text(language)
    if head == "vote":
        title = _vote(definition, rest, language)
    return _moved(title, _plain(before, language), _plain(after, language))


def _moved(title: str, before: str, after: str) -> str:
    """Say a change; what stood nowhere before is only said, not told as a change from nothing."""
    return f"{title}: {after}" if before == "—" else f"{title}: {before} → {after}"


def _vote(definition: Definition, rest: str, language: str) -> str:
    """Return "Phiếu của Lãnh đạo Cục (Ký hợp đồng)" for "sign_contract.agency.head"."""
    trigger, _, seat = rest.partition(".")
    party, _, role = seat.partition(".")
    known = definition.parties.get(party)
    who = known.roles[role].text(language) if known and role in known.roles else seat
    moves = (one for state in definition.states.values() for one in state.triggers.values())
    what = next((one.title.text(language) for one in moves if one.name == trigger), trigger)
    return f"Vote of {who} ({what})" if language == "en" else f"Phiếu của {who} ({what})"


def _plain(held: Any, language: str) -> str:
    if isinstance(held, dict):
        verdict = str(held.get("verdict", ""))
        return code_words.said(code_words.VERDICTS, verdict, language) or "—"
    return str(held or "—")


def entry_json(one: HistoryEntry) -> dict[str, Any]:
    """Return an entry as plain data."""
    found = asdict(one)
    found["recorded_at"] = words.iso_instant(one.recorded_at)
    return found
