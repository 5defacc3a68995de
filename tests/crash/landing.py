"""Where a kill landed, told from what the store's files, the clients' lines and the mail server show: nothing else.

| point | what shows it |
|---|---|
| F01 before commit | a command was sent and not acknowledged, and the store has no receipt of it |
| F02 during commit | pages of a transaction without its commit mark lie at the end of the WAL |
| F03 after commit, before reply | its receipt is there, everything was rung for (or nothing was promised), no acknowledgement |
| F04 after commit, before the bell | its receipt is there, and rows that it promised were not rung for |
| F05 after bell, before claim | a row was rung for and is still pending, never claimed |
| F06 after claim, before effect | a row is claimed in this life, and the mail server has no such message of this life |
| F07 after effect, before record | a row is claimed in this life, and the mail server took its message in this life |
| F08 after record, before ack | a row was done in this life, and its message was not acknowledged to the broker |

One kill can land on several points: three clients and four worker threads are at work.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.crash.clients import Client
    from tests.crash.snapshot import Snapshot
    from tests.processes import Mail, Serving

POINTS = ("F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08")


def message_id(notice: str, person: str, channel: str = "email", domain: str = "kills.example") -> str:
    """Return the Message-ID that a notice must have, counted again from its promise."""
    digest = hashlib.sha256(f"{notice}\n{person}\n{channel}".encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def landed(
    before: Snapshot, after: Snapshot, clients: Iterable[Client], serving: Serving, mails: Iterable[Mail]
) -> set[str]:
    """Return the points that one kill hit."""
    found = {"F02"} if after.torn_frames else set()
    with closing(sqlite3.connect(after.path)) as connection:
        people = dict(connection.execute("SELECT id, person FROM notice").fetchall())
        for client in clients:
            if client.sent and client.pending is not None:
                found |= _command(connection, before, after, client.pending, serving)
    sent = {mail.message_id for mail in mails if mail.at >= serving.began}
    acked, rung = serving.acked(), serving.rung()
    for key, row in after.outbox.items():
        old = before.outbox.get(key, {})
        if row["state"] == "pending" and row["attempts"] == 0 and key in rung:
            found.add("F05")
        elif row["state"] in {"claimed", "in_flight"} and row["token"] != old.get("token"):
            if row["topic"] == "notice.requested":
                is_sent = message_id(row["subject"], people[row["subject"]]) in sent
                found.add("F07" if is_sent else "F06")
        elif row["state"] == "done" and old.get("state") != "done" and key not in acked:
            found.add("F08")
    return found


def _command(
    connection: sqlite3.Connection,
    before: Snapshot,
    after: Snapshot,
    words: Mapping[str, Any],
    serving: Serving,
) -> set[str]:
    key = (f"{words['principal']['kind']}:{words['principal']['person']}", words["id"])
    if key in before.receipts:
        return set()
    if key not in after.receipts:
        return {"F01"}
    rows = connection.execute(
        "SELECT o.id FROM transition_log l JOIN outbox o ON"
        " (o.topic = 'deadline.set' AND o.subject = l.subject AND o.channel = CAST(l.seq AS TEXT)) OR"
        " (o.topic = 'notice.requested' AND o.subject IN"
        "   (SELECT n.id FROM notice n WHERE n.case_id = l.subject AND n.seq = l.seq AND n.word NOT LIKE 'deadline%'))"
        " WHERE l.subject_kind = 'case' AND l.command = ? AND l.principal IN (?, 'system:system')",
        (words["id"], key[0]),
    ).fetchall()
    promised = {row[0] for row in rows if after.outbox[row[0]]["attempts"] == 0}
    return {"F04"} if promised - serving.rung() else {"F03"}
