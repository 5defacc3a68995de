"""Walk 5 of 7 · outbox rows until they are done. The database is the queue; a message only rings the bell.

A row is claimed with a lease and a fencing token: whoever comes back after the lease ended and somebody else took over
can record nothing any more. Retry with growing delay lives in the row. The sweep rings again for everything that is due
and was not done, so that a lost message costs time and nothing else.

Next: handlers/dispatch.py knows which function does what a topic promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine.commands import new_id
from engine.errors import Refused, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.store import Store

#: After so many claims a row is parked: a message that kills its worker must not come back for ever.
MOST_ATTEMPTS = 12
#: So many claims in a row that ended without any word: handling this row kills its process, so it is parked.
MOST_DEATHS = 3
SECOND = 1_000_000
#: Later than every instant of the store.
NEVER = 1 << 62
_SILENT = tuple(f"{count} claims in a row ended without a word" for count in range(1, MOST_DEATHS + 1))
#: What the row says of a claim that takes over from a silent one; whoever gives a row back writes its own reason there.
_COUNTED = (
    "CASE WHEN state <> 'claimed' THEN error "
    + "".join(f"WHEN error = '{one}' THEN '{more}' " for one, more in pairwise(_SILENT))
    + f"ELSE '{_SILENT[0]}' END"
)


_CLAIM = (
    "UPDATE outbox SET state = 'claimed', token = :token, lease_until = :now + :lease, attempts = attempts + 1,"  # noqa: S608
    f" error = {_COUNTED}"
    " WHERE id = :id AND (state = 'pending' AND due_at <= :now OR state = 'claimed' AND lease_until < :now)"
    " RETURNING id, topic, subject, channel, attempts, token, error"
)
#: A row that is done keeps its token: by that the delivery beside it knows whose claim it was.
_DONE = (
    "UPDATE outbox SET state = 'done', lease_until = NULL, error = NULL"
    " WHERE id = :id AND token = :token AND state IN ('claimed', 'in_flight') RETURNING id"
)
_DELIVERED = (
    "INSERT INTO delivery (notice, person, channel, address, message_id, delivered_at)"
    " SELECT :notice, :person, :channel, :address, :message_id, :now"
    " FROM outbox WHERE id = :id AND token = :token AND state = 'done'"
    " ON CONFLICT (notice, person, channel) DO NOTHING"
)
_NEXT = """
SELECT (SELECT min(due_at) FROM outbox WHERE state = 'pending'),
       (SELECT min(lease_until) FROM outbox WHERE state IN ('claimed', 'in_flight')),
       (SELECT min(due_at) FROM timer WHERE state = 'waiting')"""
_UNKNOWN = (
    "UPDATE outbox SET state = 'parked', token = NULL, lease_until = NULL, error = 'outcome unknown'"
    " WHERE state = 'in_flight' AND lease_until < :now"
)
_DUE = "SELECT topic, id FROM outbox WHERE state = 'pending' AND due_at <= :now{only} ORDER BY due_at LIMIT :limit"
_LEFT = (
    "SELECT topic, id FROM outbox WHERE state = 'claimed' AND lease_until < :now{only}"
    " ORDER BY lease_until LIMIT :limit"
)


class OutboxRowUnknown(Refused):
    """There is no parked row with this id."""

    code = "outbox_row_unknown"
    words = Words(
        "Không có việc đang dừng mang mã {row}. Xem danh sách bằng lệnh `tiendo stuck`.",
        "No parked row {row}. See the list with `tiendo stuck`.",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed outbox row.

    Shapes:
        subject: id of the notice or case that the topic speaks of. channel: external channel, or a number.
        attempts: 1 for the first claim. token: proves that the claim is still ours.
    """

    id: str
    topic: str
    subject: str
    channel: str
    attempts: int
    token: str


def claim_row(store: Store, outbox_id: str, *, lease_seconds: int) -> Row | None:
    """Take a row that is due, or whose lease ran out; None when it is done, parked, not yet due or somebody's.

    Errors:
        Unavailable: nothing was taken.
    """
    with store.begin() as tx:
        rows = tx.run(
            _CLAIM, {"id": outbox_id, "token": new_id(), "lease": lease_seconds * SECOND}, last=True
        )
    if not rows:
        return None
    *values, error = rows[0]
    row = Row(*values)
    if error == _SILENT[-1]:
        park(store, row, error)
        return None
    if row.attempts > MOST_ATTEMPTS:
        park(store, row, f"{MOST_ATTEMPTS} attempts without success")
        return None
    return row


def mark_in_flight(store: Store, row: Row, *, lease_seconds: int) -> bool:
    """Say that the effect begins now; for a channel that must not send twice. False: the claim is no longer ours.

    A row that dies in flight is not claimed again: the sweep parks it as "outcome unknown".
    """
    with store.begin() as tx:
        return bool(
            tx.run(
                "UPDATE outbox SET state = 'in_flight', lease_until = :now + :lease"
                " WHERE id = :id AND token = :token AND state = 'claimed' RETURNING id",
                {"id": row.id, "token": row.token, "lease": lease_seconds * SECOND},
                last=True,
            )
        )


def finish(store: Store, row: Row, delivery: dict[str, Any] | None = None) -> bool:
    """Record that a row is done, together with the delivery it made. False: fenced off, nothing was recorded.

    Shapes:
        delivery: {notice, person, channel, address, message_id}, or None where nothing was sent.
    """
    ours = {"id": row.id, "token": row.token}
    asked: list[tuple[str, dict[str, Any]]] = [(_DONE, ours)]
    if delivery is not None:
        asked.append((_DELIVERED, {**ours, **delivery}))
    with store.begin() as tx:
        return bool(tx.run_all(*asked, last=True)[0])


def put_back(store: Store, row: Row, error: str, *, due_in_seconds: int) -> bool:
    """Give a row back to be tried later. False: fenced off."""
    with store.begin() as tx:
        return bool(
            tx.run(
                "UPDATE outbox SET state = 'pending', token = NULL, lease_until = NULL, error = :error,"
                " due_at = :now + :wait WHERE id = :id AND token = :token AND state IN ('claimed', 'in_flight') RETURNING id",
                {"id": row.id, "token": row.token, "error": error, "wait": due_in_seconds * SECOND},
                last=True,
            )
        )


def park(store: Store, row: Row, error: str) -> bool:
    """Set a row aside where a person sees it. False: fenced off."""
    with store.begin() as tx:
        return bool(
            tx.run(
                "UPDATE outbox SET state = 'parked', token = NULL, lease_until = NULL, error = :error"
                " WHERE id = :id AND token = :token AND state IN ('claimed', 'in_flight') RETURNING id",
                {"id": row.id, "token": row.token, "error": error},
                last=True,
            )
        )


def sweep(
    store: Store,
    ring: Callable[[Sequence[tuple[str, str]]], None],
    *,
    limit: int = 500,
    topics: Iterable[str] = (),
) -> int:
    """Ring for every row that is due or whose lease ran out, oldest first; return how many.

    A row that died in flight may have been sent: it is parked as "outcome unknown" for a person to decide.

    Shapes:
        topics: only these, so that rows of a newer version, be they ever so many, hold up no others; none: all.
    """
    named = {f"topic_{number}": topic for number, topic in enumerate(topics)}
    only = f" AND topic IN ({', '.join(f':{name}' for name in named)})" if named else ""
    asked = {"limit": limit, **named}
    with store.begin() as tx:
        _, due, left = tx.run_all(
            (_UNKNOWN, {}),
            (_DUE.format(only=only), asked),
            (_LEFT.format(only=only), asked),
            last=True,
        )
    rows = [*due, *left]
    if rows:
        ring([(topic, row) for topic, row in rows])
    return len(rows)


def stuck(store: Store) -> list[dict[str, Any]]:
    """Return what a person should look at: parked rows, and rows that failed and wait to be tried again.

    Shapes:
        returns: [{id, topic, subject, channel, state, attempts, error, due_at, created_at}], parked first, oldest first.
    """
    names = ("id", "topic", "subject", "channel", "state", "attempts", "error", "due_at", "created_at")
    with store.begin() as tx:
        rows = tx.run(
            f"SELECT {', '.join(names)} FROM outbox WHERE state = 'parked'"  # noqa: S608 - our own words
            " OR (state = 'pending' AND attempts > 0) ORDER BY CASE state WHEN 'parked' THEN 0 ELSE 1 END, created_at"
        )
    return [dict(zip(names, row, strict=True)) for row in rows]


def retry(store: Store, outbox_id: str) -> None:
    """Let a parked row be tried again, from the first attempt.

    Errors:
        OutboxRowUnknown: nothing was changed.
    """
    with store.begin() as tx:
        if not tx.run(
            "UPDATE outbox SET state = 'pending', attempts = 0, error = NULL, due_at = :now"
            " WHERE id = :id AND state = 'parked' RETURNING id",
            {"id": outbox_id},
        ):
            raise OutboxRowUnknown(row=outbox_id)


def next_due(store: Store) -> int:
    """Return when the next row or timer falls due, in µs UTC; `NEVER` when none waits. Each is the first of an index."""
    with store.look() as tx:
        ((*due,),) = tx.run(_NEXT)
    return min((int(one) for one in due if one is not None), default=NEVER)


def owed(store: Store) -> int:
    """Return how many rows still wait to be done, now or later."""
    with store.look() as tx:
        return int(
            tx.run("SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed', 'in_flight')")[0][0]
        )
