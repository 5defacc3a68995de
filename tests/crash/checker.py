"""Did anything get lost, doubled or torn? Reads the clients' acknowledgements, the mail server's box and the tables.

Shares no code with the product: it chains, folds and counts by itself. Every finding begins with the name of what was
broken, so that a planted fault can be recognised by it.

| name | promise |
|---|---|
| `acknowledged` | I1: what a client was told is in the log, once, under the hash that it was told |
| `answered` | a correct command is never answered as broken |
| `chain` | I2: numbers without gaps, hashes that follow each other, the row at the end of its log |
| `fold` | I3: the row of a case is what its log adds up to |
| `promise` | I4: each notice has one outbox row for each channel, each transition that tells has its notices |
| `owed` | I5: in the end each row is done, or parked where a person sees it, or due in the future |
| `phantom` | I6: no mail that nobody owed |
| `copies` | I7: no second copy without a kill between the first and it |
| `seat` | I8: nobody fills a seat twice, no case is decided twice |
| `delivery` | what is recorded as delivered was taken by the mail server; what is done is recorded |
| `timer` | a timer is closed as fired with its command and never without; in the end nothing due waits |
| `lease` | a lease ends in the future of the store's own clock |
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.crash.landing import message_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.crash.clients import Ack
    from tests.processes import Mail

#: What an entry of the purchase request tells, by its trigger.
_TELLS = {"submit": "waiting_for_you", "escalate": "escalated", "approve": "decided", "settle": "closed"}
_COLUMNS = (
    "code", "parent", "root", "path", "definition", "state", "came_from", "entered_on", "holder",
    "holder_organisation", "holder_person", "held_since", "plan_year", "due_on", "decided_on", "final",
)  # fmt: skip


def check(
    store: Path,
    acks: Iterable[Ack],
    mails: Sequence[Mail],
    kills: Sequence[tuple[float, str]],
    *,
    now: int = 0,
    park: bool = False,
    purchases: bool = True,
) -> list[str]:
    """Return what is wrong, each with the name of the promise that is broken.

    Shapes:
        store: a copy that nobody writes to. kills: when which sender of mail was killed or disturbed (monotonic, as
            the mails' times; "" means any sender).
        now: the store's clock once nothing is left to do; 0 while work is under way. park: the channel's policy.
        purchases: whether all cases are purchase requests, of which is known whom each step tells and how often it is done.
    """
    with closing(sqlite3.connect(store)) as connection:
        connection.row_factory = sqlite3.Row
        log = [
            dict(row)
            for row in connection.execute("SELECT * FROM transition_log ORDER BY subject_kind, subject, seq")
        ]
        found = [*_acknowledged(acks, log), *_chain(connection, log), *_fold(connection, log)]
        found += [
            *_promises(connection),
            *_mails(connection, mails, kills, park=park),
            *_timers(connection, now),
        ]
        if purchases:
            found += [*_told(connection, log), *_seats(log), *_rungs(connection)]
        if now:
            found += _owed(connection, now, park=park)
    return found


def durable(store: Path, committed: Iterable[frozenset[str]]) -> Iterator[str]:
    """Check that what the server answered with COMMIT is there, whoever died or crashed after it.

    Shapes:
        committed: the ids in each receipt that was written by such a transaction.
    """
    with closing(sqlite3.connect(store)) as connection:
        there = {row[0] for row in connection.execute("SELECT command FROM receipt")}
    for ids in committed:
        if not ids & there:
            yield f"acknowledged: the server answered a COMMIT, and the receipt with {sorted(ids)} is not there"


def _acknowledged(acks: Iterable[Ack], log: list[dict[str, Any]]) -> Iterator[str]:
    first = {}
    written: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in log:
        if json.loads(row["entry"])["caused_by"] is None:
            written[row["principal"], row["command"]].append(row)
        first[row["subject"], row["seq"]] = row
    for ack in acks:
        answer = ack.answer
        if "broken" in answer:
            yield f"answered: {ack.kind} was answered with {answer['broken']}: {answer['said']}"
        if ack.is_done:
            told = first.get((answer["subject"], answer["seq"]))
            if told is None or told["hash"] != answer["head"]:
                yield f"acknowledged: {ack.kind} {ack.command} is not in the log at {answer['seq']} as it was told"
    for (principal, command), rows in written.items():
        if len(rows) > 1:
            yield f"acknowledged: command {command} of {principal} is in the log {len(rows)} times"


def _chain(connection: sqlite3.Connection, log: list[dict[str, Any]]) -> Iterator[str]:
    ends: dict[str, tuple[int, str]] = {}
    for row in log:
        seq, head = ends.get(row["subject"], (0, ""))
        entry = json.loads(row["entry"])
        if row["seq"] != seq + 1 or entry["seq"] != row["seq"]:
            yield f"chain: {row['subject']} has entry {row['seq']} after {seq}"
        if entry["previous"] != head:
            yield f"chain: entry {row['seq']} of {row['subject']} does not follow the one before"
        if hashlib.sha256(b"\0" + row["entry"].encode()).hexdigest() != row["hash"]:
            yield f"chain: entry {row['seq']} of {row['subject']} has another hash"
        ends[row["subject"]] = (row["seq"], row["hash"])
    for row in connection.execute(
        "SELECT id, seq, head FROM workflow_case UNION SELECT id, seq, head FROM register_row"
    ):
        if ends.pop(row["id"], None) != (row["seq"], row["head"]):
            yield f"chain: the row of {row['id']} does not stand at the end of its log"
    for left in ends:
        yield f"chain: {left} has a log and no row"


def _fold(connection: sqlite3.Connection, log: list[dict[str, Any]]) -> Iterator[str]:
    words: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in log:
        if row["subject_kind"] == "case":
            for word, (before, after) in json.loads(row["entry"])["changes"].items():
                if words[row["subject"]].get(word) != before:
                    yield f"fold: entry {row['seq']} of {row['subject']} changes {word} from what it was not"
                words[row["subject"]][word] = after
    for row in connection.execute("SELECT * FROM workflow_case"):
        shown = {word: row[word] for word in _COLUMNS}
        shown |= {f"data.{word}": value for word, value in json.loads(row["data"]).items()}
        shown |= {f"party.{word}": value for word, value in json.loads(row["parties"]).items()}
        shown |= json.loads(row["book"])
        logged = words[row["id"]]
        for word in shown.keys() | logged.keys():
            if shown.get(word) != logged.get(word):
                yield f"fold: {word} of {row['id']} is {shown.get(word)!r}, the log says {logged.get(word)!r}"


def _told(connection: sqlite3.Connection, log: list[dict[str, Any]]) -> Iterator[str]:
    told = Counter(
        (row["case_id"], row["seq"], row["word"]) for row in connection.execute("SELECT * FROM notice")
    )
    for row in log:
        word = _TELLS.get(row["trigger"] or "")
        if word and told[row["subject"], row["seq"], word] != 1:
            yield f"promise: {row['trigger']} of {row['subject']} told {told[row['subject'], row['seq'], word]} persons"


def _promises(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT n.id, count(o.id) AS promised FROM notice n LEFT JOIN outbox o"
        " ON o.topic = 'notice.requested' AND o.subject = n.id AND o.channel = 'email'"
        " WHERE n.suppressed IS NULL GROUP BY n.id HAVING count(o.id) <> 1"
    )
    for row in rows:
        yield f"promise: notice {row['id']} has {row['promised']} outbox rows"


def _mails(
    connection: sqlite3.Connection, mails: Sequence[Mail], kills: Sequence[tuple[float, str]], *, park: bool
) -> Iterator[str]:
    owed = {
        message_id(row["id"], row["person"]): row["id"]
        for row in connection.execute("SELECT n.id, n.person FROM notice n JOIN outbox o ON o.subject = n.id")
    }
    times: dict[str, list[Mail]] = defaultdict(list)
    for mail in sorted(mails, key=lambda one: one.at):
        if mail.message_id not in owed:
            yield f"phantom: mail {mail.message_id} to {mail.address} was owed by nobody"
        times[mail.message_id].append(mail)
    for key, sent in times.items():
        for first, second in pairwise(sent):
            excused = any(first.at <= at <= second.at and by in {"", first.by} for at, by in kills)
            if park or not excused:
                yield f"copies: {key} was sent again {second.at - first.at:.3f} s later, without a kill between"
    delivered = {row["message_id"]: row["notice"] for row in connection.execute("SELECT * FROM delivery")}
    for key, notice in delivered.items():
        if key not in times:
            yield f"delivery: notice {notice} is recorded as delivered, the mail server never took it"
    done = connection.execute(
        "SELECT subject FROM outbox WHERE topic = 'notice.requested' AND state = 'done'"
    )
    known = set(delivered.values())
    for row in done:
        if row["subject"] not in known:
            yield f"delivery: notice {row['subject']} is done without a delivery"


def _seats(log: list[dict[str, Any]]) -> Iterator[str]:
    filled: dict[tuple[str, str], int] = Counter()
    decided: dict[tuple[str, str], int] = Counter()
    for row in log:
        if row["trigger"] in {"settle", "approve", "escalate", "submit"}:
            decided[row["subject"], row["trigger"]] += 1
        if row["kind"] == "vote" and not row["trigger"]:
            for word, (_, after) in json.loads(row["entry"])["changes"].items():
                filled[row["subject"], word] += word.startswith("vote.") and after is not None
    for (case, word), times in filled.items():
        if times > 1:
            yield f"seat: {word} of {case} was filled {times} times"
    for (case, trigger), times in decided.items():
        if times > 1:
            yield f"seat: {trigger} of {case} was done {times} times"


def _timers(connection: sqlite3.Connection, now: int) -> Iterator[str]:
    rows = connection.execute(
        "SELECT t.id, t.kind, t.state FROM timer t JOIN receipt r ON r.principal = 'timer:timer' AND r.command = t.id"
        " WHERE t.state <> 'fired'"
    )
    for row in rows:
        yield f"timer: {row['kind']} {row['id']} is {row['state']}, although its command is in the log"
    rows = connection.execute(
        "SELECT t.id FROM timer t LEFT JOIN receipt r ON r.principal = 'timer:timer' AND r.command = t.id"
        " WHERE t.state = 'fired' AND r.command IS NULL"
    )
    for row in rows:
        yield f"timer: {row['id']} is closed as fired, its command never was"
    if now:
        due = connection.execute("SELECT id FROM timer WHERE state = 'waiting' AND due_at <= ?", (now,))
        for row in due:
            yield f"timer: {row['id']} is due and still waits"


def _rungs(connection: sqlite3.Connection) -> Iterator[str]:
    rungs = connection.execute(
        "SELECT case_id, person, json_extract(facts, '$.rung') AS rung FROM notice WHERE word = 'deadline_today'"
        " GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    for row in rungs:
        yield f"timer: rung {row['rung']} of {row['case_id']} was told twice"


def leases(rows: Iterable[dict[str, Any]], now: int, *, seconds: int = 60) -> Iterator[str]:
    """Check the rows that a process held when it was killed at `now` by the store's clock.

    Units:
        seconds: so long ago a lease may have ended and nobody took over; clocks are wrong by far more.
    """
    for row in rows:
        if row["state"] == "claimed" and row["lease_until"] < now - seconds * 1_000_000:
            yield f"lease: row {row['id']} is held until {(now - row['lease_until']) / 1e6:.0f} s ago by the store's clock"


def _owed(connection: sqlite3.Connection, now: int, *, park: bool) -> Iterator[str]:
    for row in connection.execute("SELECT * FROM outbox WHERE state <> 'done'"):
        is_shown = row["state"] == "parked" and row["error"]
        is_planned = row["state"] == "pending" and row["due_at"] > now
        if not is_shown and not is_planned:
            yield f"owed: {row['topic']} {row['id']} is {row['state']} and nobody will see to it"
        if is_shown and not park and "without a word" not in row["error"]:
            yield f"owed: {row['topic']} {row['id']} was parked: {row['error']}"
