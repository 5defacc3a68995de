"""Everything that one notice says, found at the moment it is sent: to whom it goes, and what it tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import notice_reading
from engine.civil_time import day_at
from engine.errors import Broken, Words
from engine.personal import is_commitment
from engine.shown_values import shown
from handlers import words
from handlers.case_words import CaseWords
from handlers.channels import ChannelRefused, Message, message_id
from handlers.notice_texts import as_html

if TYPE_CHECKING:
    from engine.notice_reading import NoticeFacts
    from handlers.channels import Channel
    from handlers.dispatch import App

_TO_DO = Words("Việc cần làm: {triggers}", "What to do: {triggers}")
_NOTHING = Words("Để biết, anh/chị không phải làm gì.", "For your information; nothing to do for you.")
_UNTIL = Words("Hạn: {due} ({left})", "Due: {due} ({left})")
_RULE = Words("Căn cứ: {source}", "Rule: {source}")
_LOOK = Words("Xem: tiendo show {code}", "Look: tiendo show {code}")
_INSTEAD = Words(
    "Gửi anh/chị thay cho {absent} theo ủy quyền từ {day}.",
    "Sent to you in place of {absent}, by substitution since {day}.",
)
_LATE = Words(
    "Thông báo này lẽ ra gửi ngày {day}, nay mới gửi được.",
    "This notice was due on {day} and leaves only now.",
)
_DAY = 86_400_000_000


class NoticeLost(Broken):
    """A notice is owed that is not in the store, or whose case is not."""

    code = "notice_lost"
    words = Words(
        "Không còn thông báo {notice} hoặc hồ sơ của nó trong kho. Chạy `tiendo audit fsck`.",
        "The notice {notice} or its case is no longer in the store. Run `tiendo audit fsck`.",
    )


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets a notice at last.

    Shapes:
        person: id. address: for the channel, or "". absent: name of the one it was meant for, "" for
        nobody else.
    """

    person: str
    name: str
    address: str
    absent: str = ""
    since: str = ""


def compose(app: App, notice: str, channel: Channel) -> tuple[Receiver, Message]:
    """Return to whom a notice goes now and the finished message.

    Errors:
        ChannelRefused: the receiver has no address for this channel.
        NoticeLost, NoticeUnknown, NoticeNotRendered: the facts or the words are missing or wrong.
    """
    engine = app.engine
    with engine.store.look() as tx:
        seen = notice_reading.look(tx, notice, channel.address_word)
        now, today = tx.now, day_at(tx.now)
    if seen is None:
        raise NoticeLost(notice=notice)
    language = str(seen.data.get("language") or "vi")
    view = CaseWords(
        engine, seen.case, engine.definitions.by_hash(seen.case.definition), seen.parent, seen.names(language),
        today, language,
    )  # fmt: skip
    receiver = _receiver(view, seen, channel)
    facts = _facts(view, seen)
    subject, body = app.texts.render(seen.word, facts, language)
    late = now - seen.created_at > _DAY
    footer = _footer(view, facts, _to_do(view, seen), receiver, since=seen.created_at if late else None)
    text = "\n\n".join(filter(None, (body, footer)))
    return receiver, Message(
        id=message_id(notice, seen.person, channel.name, app.mail_domain),
        address=receiver.address or channel.name,
        name=receiver.name,
        subject=subject,
        text=text,
        html=as_html(subject, text, language),
        language=language,
        created_at=seen.created_at,
    )


def _receiver(view: CaseWords, seen: NoticeFacts, channel: Channel) -> Receiver:
    found = seen.data.get(channel.address_word, "") if channel.address_word else ""
    address = seen.values.get(found, "") if is_commitment(found) else found
    name = view.names.get(seen.receiver, seen.receiver)
    if channel.address_word and not address:
        raise ChannelRefused(channel=channel.name, said=f"{name}: chưa có địa chỉ / no address")
    absent = view.names.get(seen.person, seen.person) if seen.since else ""
    return Receiver(seen.receiver, name, str(address or ""), absent, words.day(seen.since))


def _facts(view: CaseWords, seen: NoticeFacts) -> dict[str, Any]:
    told, entry = seen.told, seen.entry
    language, definition = view.language, view.definition
    state = definition.states.get(str(told.get("state") or view.case.state), view.state)
    trigger, from_state = entry.get("trigger"), entry.get("from")
    moved = definition.trigger(from_state, trigger) if trigger and from_state else definition.start
    is_move = bool(trigger) and moved is not None and moved.name == trigger
    principal = entry.get("principal", {})
    due_on = str(told.get("due_on") or view.case.due_on or "")
    return {
        "code": view.case.code,
        "title": view.title,
        "definition": definition.title.text(language),
        "state": state.title.text(language),
        "phase": view.phase,
        "holder": view.holder,
        "due": words.day(due_on),
        "left": view.left(due_on) if due_on else "",
        "trigger": moved.title.text(language) if is_move and moved else "",
        "by": " · ".join(
            view.names.get(one, one) for name in ("person", "organisation") if (one := principal.get(name))
        ),
        "reason": shown(entry.get("reason"), seen.values, language) or "",
        "facts": told,
    }


def _to_do(view: CaseWords, seen: NoticeFacts) -> list[str]:
    mine = {*seen.seats, (seen.receiver, "")}
    return [
        trigger.title.text(view.language)
        for trigger in view.state.triggers.values()
        if trigger.when is None and not trigger.overlay and any(view.bound(who) in mine for who in trigger.by)
    ]


def _footer(
    view: CaseWords, facts: dict[str, Any], triggers: list[str], receiver: Receiver, *, since: int | None
) -> str:
    language = view.language
    lines = [
        _TO_DO.fill(language, triggers="; ".join(triggers)) if triggers else _NOTHING.text(language),
        _UNTIL.fill(language, due=facts["due"], left=facts["left"]) if facts["due"] else "",
        _rule(view, facts["facts"]),
        _LOOK.fill(language, code=view.case.code),
        _INSTEAD.fill(language, absent=receiver.absent, day=receiver.since) if receiver.absent else "",
        _LATE.fill(language, day=words.day(day_at(since))) if since is not None else "",
    ]
    return "\n".join(filter(None, lines))


def _rule(view: CaseWords, told: dict[str, Any]) -> str:
    """Return by which rule this is due or was moved: the deadline's source, else the trigger's."""
    wanted = told.get("deadline")
    for name, deadline, _ in view.deadlines():
        if deadline is not None and wanted in {None, name}:
            return _RULE.fill(view.language, source=view.source(deadline.source))
    trigger = view.definition.trigger(str(told.get("from") or ""), str(told.get("trigger") or ""))
    if trigger is not None and trigger.source is not None:
        return _RULE.fill(view.language, source=view.source(trigger.source))
    return ""
