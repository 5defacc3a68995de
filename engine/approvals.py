"""Votes: who may vote on a trigger, in which order, and whether enough have said yes.

A vote lives in the case's book under `vote.<trigger>.<seat>` as {person, on_behalf_of, verdict, on}. One seat has one
vote; one real person never fills two seats of the same trigger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.commands import Unmet
from engine.errors import Words
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.cases import Case
    from engine.definition import Trigger
    from engine.guards import Facts

_LACKING = Words(
    "Mới có {yes} trên {need} ý kiến đồng ý; còn chờ: {waiting}",
    "{yes} of {need} approvals are in; waiting for: {waiting}",
)
_VETOED = Words("{who} không đồng ý", "{who} said no")
_NO_SEAT = Words(
    "Bạn không có ghế biểu quyết cho “{title}” vào lúc này", "You have no seat to vote on “{title}” now"
)
_OUT_OF_ORDER = Words("Chưa đến lượt: còn chờ {waiting}", "Not your turn yet: waiting for {waiting}")
_TAKEN = Words(
    "Người khác cùng vai đã biểu quyết ở ghế {seat}; chỉ người đó sửa hoặc rút ý kiến",
    "Somebody else of this role has voted in seat {seat}; only they change it or take it back",
)
_TWICE = Words(
    "Bạn đã biểu quyết ở ghế {seat}; một người không giữ hai ghế",
    "You voted in seat {seat}; one person, one seat",
)


def votes_on(case: Case, trigger: str) -> dict[str, dict[str, Any]]:
    """Return seat -> vote for one trigger."""
    return case.below(f"vote.{trigger}")


def voters(case: Case, trigger: Trigger) -> list[str]:
    """Return who said yes to a trigger, real persons and those they stood in for: they are who did it."""
    if trigger.approvals is None:
        return []
    found: dict[str, None] = {}
    for vote in votes_on(case, trigger.name).values():
        if vote["verdict"] == "yes":
            found.update(dict.fromkeys(filter(None, (vote["person"], vote["on_behalf_of"]))))
    return list(found)


def lacking(trigger: Trigger, facts: Facts) -> Iterable[Unmet]:
    """Say which approvals `trigger` still lacks; nothing when enough are in and nobody vetoes."""
    rule = trigger.approvals
    if rule is None:
        return
    votes = votes_on(facts.case, trigger.name)
    yes = [str(who) for who in rule.of if votes.get(str(who), {}).get("verdict") == "yes"]
    if rule.veto:
        for who in rule.of:
            if votes.get(str(who), {}).get("verdict") == "no":
                name = seat_title(str(who), facts)
                yield Unmet(
                    "vetoed",
                    Words(_VETOED.fill("vi", who=name.vi), _VETOED.fill("en", who=name.en)),
                    place="votes",
                )
    if len(yes) < rule.need:
        waiting = [seat_title(str(who), facts) for who in rule.of if str(who) not in yes]
        vi, en = ", ".join(one.vi for one in waiting), ", ".join(one.en for one in waiting)
        words = Words(
            _LACKING.fill("vi", yes=len(yes), need=rule.need, waiting=vi),
            _LACKING.fill("en", yes=len(yes), need=rule.need, waiting=en),
        )
        yield Unmet("approvals", words, place="votes")


def seat_to_vote(trigger: Trigger, facts: Facts) -> str | Unmet:
    """Return the seat in which the person votes now, or why there is none."""
    rule = trigger.approvals
    none = Unmet("no_seat", Words(_NO_SEAT.fill("vi", title=trigger.title.vi), _NO_SEAT.fill("en", title=trigger.title.en)),
                 place="person")  # fmt: skip
    if rule is None:
        return none
    seat = seat_for(rule.of, facts.case, facts.seats)
    if seat is None:
        return none
    votes = votes_on(facts.case, trigger.name)
    acting = {facts.person, facts.seats[seat]} - {""}
    for other, vote in votes.items():
        if other != seat and acting & {vote["person"], vote["on_behalf_of"]}:
            return Unmet(
                "voted_before",
                Words(_TWICE.fill("vi", seat=other), _TWICE.fill("en", seat=other)),
                place="person",
            )
    if rule.in_order:
        before = [str(who) for who in rule.of]
        waiting = [one for one in before[: before.index(seat)] if votes.get(one, {}).get("verdict") != "yes"]
        if waiting:
            title = seat_title(waiting[0], facts)
            words = Words(
                _OUT_OF_ORDER.fill("vi", waiting=title.vi), _OUT_OF_ORDER.fill("en", waiting=title.en)
            )
            return Unmet("out_of_order", words, place="votes")
    return seat


def seat_taken(seat: str, facts: Facts) -> Unmet:
    """Return why a seat can't be voted in: a colleague has done so."""
    title = seat_title(seat, facts)
    return Unmet(
        "seat_taken",
        Words(_TAKEN.fill("vi", seat=title.vi), _TAKEN.fill("en", seat=title.en)),
        place="person",
    )


def seat_title(seat: str, facts: Facts) -> Words:
    """Return the words for a seat: role and party as the definition names them."""
    if seat == "holder" and facts.case.holder:
        seat = facts.case.holder
    party, _, role = seat.partition(".")
    known = facts.definition.parties.get(party)
    if known is None:
        return Words(seat, seat)
    title = known.roles.get(role)
    if title is None:
        return known.title
    return Words(f"{title.vi} ({known.title.vi})", f"{title.en} ({known.title.en})")
