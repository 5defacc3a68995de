"""Walk 7 of 7 · a notice leaves the house: claim the row, write the message, send it, record the delivery.

The claim brings a lease and a token; whatever is written afterwards carries the token, so that a worker
that was asleep past its lease changes nothing. In between stands the only thing that can't be taken back:
sending. What the channel answers decides what becomes of the row, and the row keeps it: done, later, or
parked where a person sees it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import structlog

from engine import relay, tally
from engine.errors import Broken, Refused, TiendoError, Unavailable, Words
from handlers.channels import OutcomeUnknown
from handlers.dispatch import handles
from handlers.notice_facts import compose

if TYPE_CHECKING:
    from engine.relay import Row
    from handlers.channels import Channel
    from handlers.dispatch import App

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 3600


class ChannelUnknown(Broken):
    """A row wants a channel that this process was not started with."""

    code = "channel_unknown"
    words = Words(
        'Kênh "{channel}" không có trong TIENDO_CHANNELS. Bật kênh rồi chạy `tiendo retry`.',
        'The channel "{channel}" is not in TIENDO_CHANNELS. Switch it on, then run `tiendo retry`.',
    )


class TriedTooOften(Broken):
    """A row was claimed again and again and never came to an end."""

    code = "tried_too_often"
    words = Words(
        "Đã thử {attempts} lần mà không xong (lần cuối: {last}). Xem nhật ký rồi chạy `tiendo retry`.",
        "Tried {attempts} times without an end (last: {last}). See the log, then run `tiendo retry`.",
    )


@handles("notice.requested", queue="notices")
def deliver_notice(app: App, outbox_id: str) -> None:
    """Deliver one notice by one channel, or see to it that the row says why not.

    Errors:
        Unavailable: the store itself; the row keeps its lease and is swept up after it.
    """
    row = relay.claim_row(app.engine.store, outbox_id, lease_seconds=app.lease_seconds)
    if row is None:
        return  # done, parked, not yet due, or in another's hands
    try:
        _send(app, row)
    except OutcomeUnknown as problem:
        channel = app.channels[row.channel]
        _park(app, row, problem) if channel.policy == "park" else _later(app, row, problem)
    except Unavailable as problem:
        _later(app, row, problem)
    except (Refused, Broken) as problem:
        _park(app, row, problem)


def _send(app: App, row: Row) -> None:
    if row.attempts > app.most_attempts:
        raise TriedTooOften(attempts=row.attempts - 1, last="—")
    channel = _channel(app, row)
    receiver, message = compose(app, row.subject, channel)
    if channel.policy == "park" and not relay.mark_in_flight(
        app.engine.store, row, lease_seconds=app.lease_seconds
    ):
        return  # fenced off before anything left
    channel.send(message)
    delivery = {
        "notice": row.subject,
        "person": receiver.person,
        "channel": channel.name,
        "address": message.address,
        "message_id": message.id,
    }
    if relay.finish(app.engine.store, row, delivery):
        tally.add("deliveries", channel.name, "delivered")
        log.info("notice_delivered", notice=row.subject, channel=channel.name, attempts=row.attempts)
    else:
        tally.add("deliveries", channel.name, "fenced")
        log.warning("notice_fenced", notice=row.subject, channel=channel.name, attempts=row.attempts)


def _channel(app: App, row: Row) -> Channel:
    found = app.channels.get(row.channel)
    if found is None:
        raise ChannelUnknown(channel=row.channel)
    return found


def wait_seconds(attempts: int, outbox_id: str) -> int:
    """Return how long to wait after a failed attempt: 5 s, doubling up to an hour, spread by the row's id."""
    longest: int = min(FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 20), LONGEST_WAIT_SECONDS)
    return longest // 2 + zlib.crc32(outbox_id.encode()) % (longest // 2 + 1)


def _later(app: App, row: Row, problem: TiendoError) -> None:
    if row.attempts >= app.most_attempts:
        _park(app, row, TriedTooOften(attempts=row.attempts, last=problem.sentence("vi")))
        return
    seconds = wait_seconds(row.attempts, row.id)
    relay.put_back(app.engine.store, row, problem.sentence("vi"), due_in_seconds=seconds)
    tally.add("deliveries", row.channel, "put_back")
    log.info("notice_put_back", notice=row.subject, code=problem.code, attempts=row.attempts, seconds=seconds)


def _park(app: App, row: Row, problem: TiendoError) -> None:
    relay.park(app.engine.store, row, problem.sentence("vi"))
    tally.add("deliveries", row.channel, "parked")
    log.warning("notice_parked", notice=row.subject, code=problem.code, attempts=row.attempts)
