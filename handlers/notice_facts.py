"""Everything that one notice says, found at the moment it is sent: to whom it goes, and what it tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from engine import readings
from engine.case_history import entry_at
from engine.civil_time import day_at
from engine.errors import Words
from engine.names import commitments_in, opened, shown
from engine.personal import is_commitment
from engine.visibility import seats_of
from handlers import case_words, words
from handlers.channels import ChannelRefused, Message, message_id
from handlers.notice_texts import as_html

if TYPE_CHECKING:
    from engine.readings import Connection
    from handlers.case_words import CaseWords
    from handlers.channels import Channel
    from handlers.dispatch import App

#: Somebody who stands in may be away, too; further than this nobody is looked for.
_MOST_SUBSTITUTES = 5
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
    language: str
    absent: str = ""
    since: str = ""


def compose(app: App, notice: str, channel: Channel) -> tuple[Receiver, Message]:
    """Return to whom a notice goes now and the finished message.

    Errors:
        ChannelRefused: the receiver has no address for this channel.
        NoticeUnknown, NoticeNotRendered: the words are missing or wrong.
    """
    store = app.engine.store
    now = store.now()
    today = day_at(now)
    with store.read() as connection:
        row = readings.notice_by_id(connection, notice)
        person, since = _stands_in(connection, row.person, today.isoformat())
        told = readings.entered_as(connection, "person", person)
        data: dict[str, Any] = told.data if told else {}
        entry = entry_at(connection, row.case_id, row.seq) or {}
        by: dict[str, Any] = entry.get("principal", {})
        view = case_words.look(
            app.engine, connection, row.case_id, today, data.get("language") or "vi",
            also=filter(None, (person, row.person, by.get("person"), by.get("organisation"))),
        )  # fmt: skip
        address = data.get(channel.address_word, "") if channel.address_word else ""
        values = opened(connection, commitments_in([address, entry.get("reason")]))
        receiver = Receiver(
            person, view.names[person], str(values.get(address, "") if is_commitment(address) else address or ""),
            view.language, view.names[row.person] if since else "", words.day(since),
        )  # fmt: skip
        facts = _facts(view, entry, values, row.facts)
        triggers = _to_do(connection, view, receiver.person)
    if channel.address_word and not receiver.address:
        raise ChannelRefused(channel=channel.name, said=f"{receiver.name}: chưa có địa chỉ / no address")
    subject, body = app.texts.render(row.word, facts, receiver.language)
    late = now - row.created_at > _DAY
    text = "\n\n".join(
        filter(None, (body, _footer(view, facts, triggers, receiver, row.created_at if late else None)))
    )
    return receiver, Message(
        id=message_id(notice, row.person, channel.name, app.mail_domain),
        address=receiver.address or channel.name,
        name=receiver.name,
        subject=subject,
        text=text,
        html=as_html(subject, text, receiver.language),
        language=receiver.language,
        created_at=row.created_at,
    )


def _stands_in(connection: Connection, person: str, today: str) -> tuple[str, str]:
    """Return (who gets what is meant for a person, since when), (themselves, "") when nobody stands in."""
    since, seen = "", {person}
    for _ in range(_MOST_SUBSTITUTES):
        found = readings.substitute_of(connection, person, today)
        if found is None or found[0] in seen:
            break
        person, since = found
        seen.add(person)
    return person, since


def _facts(view: CaseWords, entry: dict[str, Any], values: dict[str, Any], noted: Any) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(noted) if isinstance(noted, str) else dict(noted or {})
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
            view.names[one] for name in ("person", "organisation") if (one := principal.get(name))
        ),
        "reason": shown(entry.get("reason"), values, language) or "",
        "facts": told,
    }


def _to_do(connection: Connection, view: CaseWords, person: str) -> list[str]:
    seats = {(seat.bound, seat.role) for seat in seats_of(connection, person, view.today.isoformat())}
    return [
        trigger.title.text(view.language)
        for trigger in view.state.triggers.values()
        if trigger.when is None and not trigger.overlay
        and any(view.bound(who) in seats or view.bound(who) == (person, "") for who in trigger.by)
    ]  # fmt: skip


def _footer(
    view: CaseWords, facts: dict[str, Any], triggers: list[str], receiver: Receiver, since: int | None
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
