"""How far a killed process of a cluster had come, told from the messages that the proxy let through: nothing else.

| point | what passed |
|---|---|
| F01 before commit | a command was begun and not told, and its COMMIT never reached the server (shown in three parts) |
| F02 during commit | its COMMIT reached the server, the answer did not reach the client |
| F03 after commit, before reply | its COMMIT was answered, the bell was rung or nothing was promised, nobody was told |
| F04 after commit, before the bell | the COMMIT was answered, rows were promised, Redis never heard of them |
| F05 after the bell, before the claim | a worker had taken a message from Redis, and no claim of its row was committed |
| F06 after the claim, before the effect | the claim's COMMIT reached the server, and no mail came to its final dot |
| F07 after the effect, before the record | the mail came to its final dot, and no COMMIT of a record reached the server |
| F08 after the record, before the ack | the record's COMMIT reached the server, and Redis was not told that the message is done |
| F09 in the ticker | a transaction of a ticker was open, or what it found due was not rung for |

One kill can land on several points: a worker has four threads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.servers.proxy import Passed

POINTS = ("F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09")
#: Parts of F01, shown beside the points.
PARTS = ("before the lock", "locked", "written")
LOCK = re.compile(r"pg_(try_)?advisory_xact_lock|FOR NO KEY UPDATE")
WRITE = re.compile(r"^INSERT INTO (transition_log|workflow_case|refused|refusal)|^UPDATE workflow_case")
RECORD = re.compile(r"INSERT INTO (receipt|transition_log|refused|refusal)")
PROMISE = re.compile(r"INSERT INTO outbox")
CLAIM = re.compile(r"^UPDATE outbox SET state = 'claimed'")
FINISH = re.compile(
    r"^(UPDATE outbox SET state = (\$|'done'|'pending'|'parked')|WITH \w+ AS \(\s*UPDATE outbox)"
)
RING, TAKE = re.compile("^EVAL local room .* tiendo:(notices|deadlines) "), re.compile("^EVAL local worker")
DELIVERY = re.compile("INSERT INTO delivery")


@dataclass
class Begun:
    """One transaction as it passed.

    Shapes:
        said: its statements with their ids. tags: what the server said to each, as far as it did.
        sent: its COMMIT reached the server. answered: and the server said so.
    """

    line: int
    said: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    sent: bool = False
    answered: bool = False
    over: bool = False
    at: float = 0.0

    def has(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(words) for words, _ in self.said)

    def ids(self, pattern: re.Pattern[str], tag: str = "") -> Iterable[frozenset[str]]:
        """Return the ids of statements; not of those that were answered with another tag than the one given."""
        for number, (words, ids) in enumerate(self.said):
            if pattern.search(words) and (not tag or self.tags[number : number + 1] in ([], [tag])):
                yield frozenset(ids)


def transactions(passed: Iterable[Passed]) -> list[Begun]:
    """Return the transactions on all lines to the database, in the order in which they began."""
    found: list[Begun] = []
    running: dict[int, Begun] = {}
    for one in passed:
        word = one.words.upper()
        if one.side == "asks":
            if word.startswith("BEGIN"):
                running[one.line] = Begun(one.line, at=one.at)
                found.append(running[one.line])
                continue
            begun = running.get(one.line)
            if begun is None:
                continue
            begun.at = one.at
            if word.startswith("COMMIT"):
                begun.sent = True
            elif word.startswith("ROLLBACK") and not word.startswith("ROLLBACK TO"):
                begun.over = True
            else:
                begun.said.append((one.words, one.ids))
        elif one.line in running and one.words in {"-> COMMIT", "-> ROLLBACK"}:
            begun = running.pop(one.line)
            begun.answered = one.words == "-> COMMIT"
            begun.over = True
            begun.at = one.at
        elif one.line in running and one.words != "-> BEGIN":
            running[one.line].tags.append(one.words)
    return found


def of_client(
    passed: Sequence[Passed], bell: Sequence[Passed], *, is_pending: bool, since: float
) -> set[str]:
    """Return where a client was killed.

    Shapes:
        passed, bell: what it said to database and Redis. is_pending: whether a command was sent and not told.
        since: when it was last told something, monotonic seconds; what lies before belongs to other commands.
    """
    if not is_pending:
        return set()
    mine = [one for one in transactions(passed) if one.at > since]
    last = mine[-1] if mine else None
    if last is None or (last.over and not last.answered):
        return {"F01", PARTS[0]}
    if not last.sent:
        part = PARTS[2] if last.has(WRITE) else PARTS[1] if last.has(LOCK) else PARTS[0]
        return {"F01", part}
    if not last.answered:
        return {"F02"}
    if not last.has(RECORD):
        return {"F01", PARTS[0]}
    rung = any(one.side == "asks" and RING.search(one.words) and one.at > last.at for one in bell)
    return {"F03"} if rung or not last.has(PROMISE) else {"F04"}


def of_worker(passed: Sequence[Passed], bell: Sequence[Passed], mail: Sequence[Passed]) -> set[str]:
    """Return where a worker was killed: each of its threads may have been elsewhere."""
    mine = transactions(passed)
    claimed = {ids for one in mine if one.sent for ids in one.ids(CLAIM, "-> UPDATE 1")}
    finished = {ids for one in mine if one.sent for ids in one.ids(FINISH)}
    recorded = sum(one.sent and one.has(DELIVERY) for one in mine)
    taken = {row: message for one in bell if one.side == "answers" for row, _, message in _pairs(one.ids)}
    acked = {ids for one in bell if one.side == "asks" and TAKE.search(one.words) for ids in one.ids}
    asked_for = frozenset[str]().union(*(ids for one in mine for ids in one.ids(CLAIM)))
    done = frozenset[str]().union(*finished)
    mails = sum(one.side == "asks" and one.words == "." for one in mail) - recorded
    found = set()
    if any(row not in asked_for and message not in acked for row, message in taken.items()):
        found.add("F05")
    if len(claimed - finished) > max(mails, 0):
        found.add("F06")
    if mails > 0:
        found.add("F07")
    if any(row in done and message not in acked for row, message in taken.items()):
        found.add("F08")
    return found


def _pairs(ids: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    return (one.partition(":") for one in ids)


def of_ticker(passed: Sequence[Passed], bell: Sequence[Passed]) -> set[str]:
    """Return where a ticker was killed."""
    mine = transactions(passed)
    if any(one.said and not one.answered and not one.over for one in mine):
        return {"F09"}
    asked = [one for one in bell if one.side == "asks" and RING.search(one.words)]
    return {"F09"} if asked and bell[-1] is asked[-1] else set()


def committed(passed: Iterable[Passed]) -> set[frozenset[str]]:
    """Return the ids in each receipt whose COMMIT the server answered: the store must have these, come what may."""
    receipt = re.compile("INSERT INTO receipt")
    return {ids for one in transactions(passed) if one.answered for ids in one.ids(receipt)}
