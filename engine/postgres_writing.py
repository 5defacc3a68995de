"""The rows of one transaction as statements of PostgreSQL, to be sent together."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from engine.case_columns import CHANGING, COLUMNS, WRITTEN, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from engine.store import Writing

Statement = tuple[str, "Sequence[Any]"]

#: Returns the id of the case, or no row where it moved meanwhile.
UPDATE_CASE = (
    "UPDATE workflow_case SET "  # noqa: S608 - our own words
    + ", ".join(f"{COLUMNS[place]} = ${number}" for number, place in enumerate(CHANGING, 1))
    + f" WHERE id = ${len(CHANGING) + 1} AND seq < ${len(CHANGING) + 2} RETURNING id"
)
_ENTRY = "subject_kind, subject, seq, hash, recorded_at, principal, command, kind, trigger, entry"
_TIMER = "id, case_id, kind, deadline, set_by, generation, period, rung, due_at"
_NOTICE = "id, case_id, seq, word, person, facts, created_at, suppressed"
_OUTBOX = "id, topic, subject, channel, due_at, created_at"
_ROW = "code, sort_text, data, version, seq, head, kind, id"
_CANCEL = (
    "UPDATE timer SET state = $1, closed_at = $2 WHERE case_id = $3 AND state IN ('waiting', 'paused')"
    " AND deadline = $4"
)
_CLOSE = "UPDATE timer SET state = $1, closed_at = $2, why = $3 WHERE id = $4"
_UPDATE_ROW = (
    "UPDATE register_row SET code = $1, sort_text = $2, data = $3, version = $4, seq = $5, head = $6"
    " WHERE kind = $7 AND id = $8"
)
_PROJECTED = (("membership", "person"), ("substitution", "absent"), ("match_key", "subject"))
#: So many rows go into one statement; each number of rows is a statement of its own that is prepared once.
_TOGETHER = 16


def statements(writing: Writing, now: int) -> Iterator[Statement]:
    """Return the statements that write all rows, in the order in which constraints want them.

    Shapes:
        now: µs UTC, when timers are closed.
    """
    yield from _insert("published", "hash, kind, name, version, text, published_at", writing.published)
    for case, derived, is_new in writing.cases.values():
        values = written(case, derived)
        if is_new:
            yield from _insert("workflow_case", WRITTEN, [values])
        else:
            yield UPDATE_CASE, (*(values[place] for place in CHANGING), case.id, case.seq)
    bound = {row[:2]: row for row in writing.parties}
    yield from _insert(
        "case_party", "case_id, party, bound", list(bound.values()),
        " ON CONFLICT (case_id, party) DO UPDATE SET bound = excluded.bound",
    )  # fmt: skip
    yield from _insert("transition_log", _ENTRY, writing.entries)
    yield from _insert("unfolded", "subject_kind, subject, seq", [row[:3] for row in writing.entries])
    yield from _insert("receipt", "principal, command, body, answer", writing.receipts)
    yield from _insert(
        "personal_value",
        "commitment, context, subject, salt, value",
        writing.openings,
        " ON CONFLICT DO NOTHING",
    )
    yield from _timers(writing, now)
    yield from _insert("notice", _NOTICE, writing.notices)
    yield from _insert(
        "outbox", f"{_OUTBOX}, state, attempts", [(*row, "pending", 0) for row in writing.outbox]
    )
    yield from _registers(writing)


def _insert(table: str, columns: str, rows: Sequence[Sequence[Any]], suffix: str = "") -> Iterator[Statement]:
    for start in range(0, len(rows), _TOGETHER):
        some = rows[start : start + _TOGETHER]
        yield _inserting(table, columns, len(some), suffix), [value for row in some for value in row]


@cache
def _inserting(table: str, columns: str, rows: int, suffix: str) -> str:
    width = columns.count(",") + 1
    marks = (
        "(" + ", ".join(f"${row * width + place}" for place in range(1, width + 1)) + ")"
        for row in range(rows)
    )
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join(marks)}{suffix}"  # noqa: S608 - our own words


def _timers(writing: Writing, now: int) -> Iterator[Statement]:
    written = 0
    for case_id, deadline, state, before in writing.cancels:
        yield from _new_timers(writing.timers[written:before])
        written = before
        yield _CANCEL, (state, None if state == "waiting" else now, case_id, deadline)
    for timer, state, why in writing.closes:
        yield _CLOSE, (state, now, why, timer)
    yield from _new_timers(writing.timers[written:])


def _new_timers(rows: Iterable[tuple[Any, ...]]) -> Iterator[Statement]:
    yield from _insert("timer", f"{_TIMER}, state", [(*row, "waiting") for row in rows])


def _registers(writing: Writing) -> Iterator[Statement]:
    for row, is_new in writing.registers:
        values = (
            row.code, row.sort_text, orjson.dumps(row.data).decode(), row.version, row.seq, row.head, row.kind, row.id
        )  # fmt: skip
        if is_new:
            yield from _insert("register_row", _ROW, [values])
        else:
            yield _UPDATE_ROW, values
        for table, column in _PROJECTED:
            yield f"DELETE FROM {table} WHERE {column} = $1", (row.id,)  # noqa: S608 - closed list
    for table, values in writing.projections:
        marks = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        yield f"INSERT INTO {table} VALUES ({marks})", values  # noqa: S608 - closed list
