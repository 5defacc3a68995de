"""Does the store say what its log says? `fsck` reads every entry from disk and checks it against everything else.

It looks at the bytes that people read, not at summaries of them: each entry is hashed again, chained again and replayed,
and the result is compared with the row that screens show. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, select, text

from engine import canonical, records, requirements
from engine.cases import COLUMNS, Case, fold
from engine.errors import TiendoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from engine.registry import Definitions
    from engine.store import Store

_TOGETHER = 2000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit.

    Shapes:
        what: "chain", "fold", "row", "receipt", "outbox", "timer", "party", "personal", "published".
        where: the subject or row. why: one sentence.
    """

    what: str
    where: str
    why: str


@dataclass(slots=True)
class Report:
    """What `fsck` found.

    Shapes:
        findings: empty when all is well; in order of the checks.
        counts: subjects, entries, receipts, outbox rows, timers, personal values looked at.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def say(self, what: str, where: str, why: str) -> None:
        """Note one finding."""
        self.findings.append(Finding(what, where, why))


def fsck(store: Store, definitions: Definitions, *, progress: Callable[[int], None] | None = None) -> Report:
    """Check chain, fold, receipts, outbox, timers, parties and personal values of a whole store.

    Shapes:
        progress: called with the number of entries read so far.
    Errors:
        Unavailable, Broken: the store can't be read at all.
    """
    report = Report()
    with store.read() as connection:
        heads = _subjects(connection, definitions, report, progress)
        _receipts(connection, heads, report)
        _outbox(connection, report)
        _timers(connection, definitions, report)
        _parties(connection, report)
        _personal(connection, report)
    return report


def _subjects(
    connection: Connection, definitions: Definitions, report: Report, progress: Callable[[int], None] | None
) -> dict[tuple[str, str], dict[int, str]]:
    """Check every chain and what it folds to; return the hash of every entry by subject and seq."""
    cases = {row.id: row for row in connection.execute(select(records.workflow_case))}
    rows = {(row.kind, row.id): row for row in connection.execute(select(records.register_row))}
    heads: dict[tuple[str, str], dict[int, str]] = {}
    for subject, entries in _chains(connection, report, heads, progress):
        words, misfits = fold(entries)
        where = f"{subject[0]} {subject[1]}"
        for misfit in misfits:
            report.say("fold", where, misfit)
        head = heads[subject][max(heads[subject])]
        if subject[0] == "case":
            row = cases.pop(subject[1], None)
            _compare_case(row, words, entries, head, definitions, report, where)
        else:
            register = rows.pop(subject, None)
            _compare_register(register, words, len(entries), head, report, where)
    for left in cases:
        report.say("row", f"case {left}", "the case has no log at all")
    for kind, left in rows:
        report.say("row", f"{kind} {left}", "the row has no log at all")
    return heads


def _chains(
    connection: Connection,
    report: Report,
    heads: dict[tuple[str, str], dict[int, str]],
    progress: Callable[[int], None] | None,
) -> Iterator[tuple[tuple[str, str], list[dict[str, Any]]]]:
    """Yield the parsed entries of each subject after checking hashes, gaps and order."""
    log = records.transition_log
    found = connection.execution_options(yield_per=_TOGETHER).execute(
        select(log).order_by(log.c.subject_kind, log.c.subject, log.c.seq)
    )
    subject: tuple[str, str] | None = None
    entries: list[dict[str, Any]] = []
    for row in found:
        key = (row.subject_kind, row.subject)
        if key != subject:
            if subject is not None:
                yield subject, entries
            subject, entries = key, []
            heads[key] = {}
        entry = _entry(row, entries, heads[key], report)
        entries.append(entry)
        heads[key][row.seq] = row.hash
        report.counts["entries"] += 1
        if progress is not None and report.counts["entries"] % _TOGETHER == 0:
            progress(report.counts["entries"])
    if subject is not None:
        yield subject, entries
    report.counts["subjects"] = len(heads)


def _entry(row: Any, before: list[dict[str, Any]], known: dict[int, str], report: Report) -> dict[str, Any]:
    where = f"{row.subject_kind} {row.subject} seq {row.seq}"
    payload = row.entry.encode()
    if canonical.leaf(payload) != row.hash:
        report.say("chain", where, "the entry does not have the hash that is stored beside it")
    try:
        entry: dict[str, Any] = orjson.loads(payload)
    except orjson.JSONDecodeError:
        report.say("chain", where, "the entry can't be read")
        return {"seq": row.seq, "changes": {}}
    if canonical.write(entry) != payload:
        report.say("chain", where, "the entry is not in canonical form")
    if row.seq != len(before) + 1 or entry.get("seq") != row.seq:
        report.say("chain", where, f"entry {len(before) + 1} was expected here")
    if entry.get("previous") != (known.get(row.seq - 1, "")):
        report.say("chain", where, "it does not follow the entry before it")
    if before and entry.get("recorded_at", 0) <= before[-1].get("recorded_at", 0):
        report.say("chain", where, "it was recorded before the entry before it")
    beside = (
        entry.get("subject"),
        entry.get("recorded_at"),
        entry.get("trigger"),
        entry.get("command", {}).get("kind"),
    )
    if beside != ({"kind": row.subject_kind, "id": row.subject}, row.recorded_at, row.trigger, row.kind):
        report.say("chain", where, "the columns beside the entry say something else")
    return entry


def _compare_case(
    row: Any, words: dict[str, Any], entries: list[dict[str, Any]], head: str, definitions: Definitions,
    report: Report, where: str,
) -> None:  # fmt: skip
    if row is None:
        report.say("row", where, "the log knows this case, the table does not")
        return
    case = Case(
        id=row.id, data=row.data, parties=row.parties, book=row.book, version=row.version, seq=row.seq, head=row.head,
        **{name: getattr(row, name) for name in COLUMNS},
    )  # fmt: skip
    for word, shown, logged in _differences(case.projection(), words):
        report.say("fold", where, f"{word} is {shown!r}, the log says {logged!r}")
    _compare_head(case.seq, case.head, len(entries), head, report, where)
    try:
        definition = definitions.by_hash(case.definition)
    except TiendoError as why:
        report.say("published", where, why.sentence("en"))
        return
    if case.state not in definition.states:
        report.say("row", where, f"state {case.state!r} is not in {definition.name} v{definition.version}")
        return
    for name, value in requirements.summary(definition, case).items():
        if getattr(row, name) != value:
            report.say("row", where, f"column {name} is {getattr(row, name)!r}, the case says {value!r}")
    if row.depth != case.depth:
        report.say("row", where, "its depth is not that of its path")


def _compare_register(
    row: Any, words: dict[str, Any], seq: int, head: str, report: Report, where: str
) -> None:
    if row is None:
        report.say("row", where, "the log knows this row, the table does not")
        return
    for word, shown, logged in _differences({"code": row.code, **row.data}, words):
        report.say("fold", where, f"{word} is {shown!r}, the log says {logged!r}")
    _compare_head(row.seq, row.head, seq, head, report, where)


def _compare_head(seq: int, head: str, last: int, last_hash: str, report: Report, where: str) -> None:
    if seq != last or head != last_hash:
        report.say("chain", where, f"the row ends at entry {seq}, the log at {last}, or with another hash")


def _differences(shown: dict[str, Any], logged: dict[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    for word in sorted(shown.keys() | logged.keys()):
        if shown.get(word) != logged.get(word):
            yield word, shown.get(word), logged.get(word)


def _receipts(connection: Connection, heads: dict[tuple[str, str], dict[int, str]], report: Report) -> None:
    """Every acknowledged command is in the log, under the hash that was acknowledged."""
    for row in connection.execute(select(records.receipt)):
        report.counts["receipts"] += 1
        answer = row.answer if isinstance(row.answer, dict) else orjson.loads(row.answer)
        entry = heads.get((answer["subject_kind"], answer["subject"]), {}).get(answer["seq"])
        if entry != answer["head"]:
            report.say(
                "receipt",
                f"{row.principal} {row.command}",
                "the entry that was acknowledged is not in the log",
            )


def _outbox(connection: Connection, report: Report) -> None:
    """Every notice that is owed has its promise, and what was delivered was promised."""
    report.counts["outbox"] = connection.scalar(text("SELECT count(*) FROM outbox")) or 0
    report.counts["notices"] = connection.scalar(text("SELECT count(*) FROM notice")) or 0
    report.counts["deliveries"] = connection.scalar(text("SELECT count(*) FROM delivery")) or 0
    for row in connection.execute(
        text(
            "SELECT o.id FROM outbox o LEFT JOIN notice n ON n.id = o.subject"
            " WHERE o.topic = 'notice.requested' AND n.id IS NULL"
        )
    ):
        report.say("outbox", row.id, "it promises a notice that does not exist")
    for row in connection.execute(
        text(
            "SELECT d.notice, d.channel FROM delivery d LEFT JOIN outbox o ON o.subject = d.notice"
            " AND o.channel = d.channel AND o.topic = 'notice.requested' WHERE o.id IS NULL OR o.state <> 'done'"
        )
    ):
        report.say("outbox", row.notice, f"it was delivered by {row.channel}, but its promise is not done")
    for row in connection.execute(
        text(
            "SELECT n.id FROM notice n LEFT JOIN workflow_case c ON c.id = n.case_id"
            " WHERE c.id IS NULL OR n.seq > c.seq"
        )
    ):
        report.say("outbox", row.id, "a notice speaks of an entry that does not exist")


def _timers(connection: Connection, definitions: Definitions, report: Report) -> None:
    """A timer that waits belongs to an open case and to a deadline that runs."""
    timer, case = records.timer, records.workflow_case
    found = connection.execute(
        select(
            timer.c.id, timer.c.deadline, timer.c.generation,
            case.c.final, case.c.book, case.c.state, case.c.definition,
        )
        .join(case, case.c.id == timer.c.case_id)
        .where(timer.c.state == "waiting")
    )  # fmt: skip
    for row in found:
        report.counts["timers"] += 1
        where = f"timer {row.id}"
        if row.final is not None:
            report.say("timer", where, "it waits on a case that has ended")
        elif row.deadline == "$starts":
            state = definitions.by_hash(row.definition).states.get(row.state)
            if state is None or not any(one.every for one in state.starts):
                report.say("timer", where, "it would open a child that the state does not start")
        else:
            book = row.book.get(f"deadline.{row.deadline}")
            if book is None or book["paused"] or book["generation"] != row.generation:
                report.say("timer", where, f"deadline {row.deadline!r} does not run like this on the case")


def _parties(connection: Connection, report: Report) -> None:
    table = records.case_party
    bound: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(table)):
        bound.setdefault(row.case_id, {})[row.party] = row.bound
    for row in connection.execute(select(records.workflow_case.c.id, records.workflow_case.c.parties)):
        if bound.get(row.id, {}) != row.parties:
            report.say("party", f"case {row.id}", "who may see it is not who is bound to it")


def _personal(connection: Connection, report: Report) -> None:
    """Every opening opens its commitment."""
    for row in connection.execute(select(records.personal_value)):
        report.counts["personal"] += 1
        if row.value is None:
            continue
        commitment, _ = canonical.commit(row.context, orjson.loads(row.value), row.salt)
        if commitment != row.commitment:
            report.say(
                "personal", row.commitment, "the value kept beside it is not the one that was committed to"
            )
