"""Walk 3 of 7 · the tables and their constraints.

SQLAlchemy holds the schema here and all reading for pages and reports; each store writes them with statements of its
own. Ids are 32 hexadecimal digits (UUIDv7). Instants (`*_at`) are microseconds since 1970 UTC as integers, so that they
mean the same in both stores and in a log entry; civil dates (`*_on`) are ISO text in Asia/Ho_Chi_Minh. Rules that can be
constraints are constraints, and they have names, because errors are recognised by them.

Next: engine/execute.py writes these rows in one transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str, *args: Any, **more: Any) -> Column[Any]:
    return Column(name, String(32), *args, **more)


def _one_of(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


#: The store itself: born `sample` or `production`, for ever. `secret` keys the look-up of personal values.
store = Table(
    "store",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("born_at", BigInteger, nullable=False),
    Column("secret", String(64), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    _one_of("kind", "sample", "production"),
)

#: One process serves an embedded store; its heartbeat is the proof that it lives.
serving = Table(
    "serving",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

#: Published texts (definitions, rule packs, calendars) by content hash; never changed, kept for ever.
published = Table(
    "published",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "name", "version"),
)

#: A case: the state of its log, kept ready. Lists filter and sort by the typed columns only.
workflow_case = Table(
    "workflow_case",
    metadata,
    _id("id", primary_key=True),
    Column("code", String(64), nullable=False),
    Column("definition", String(64), ForeignKey("published.hash"), nullable=False),
    Column("name", String(64), nullable=False),
    _id("parent", ForeignKey("workflow_case.id")),
    _id("root", nullable=False),
    Column("path", Text, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("state", String(64), nullable=False),
    Column("phase", String(64), nullable=False),
    Column("came_from", String(64)),
    Column("entered_on", String(10), nullable=False),
    Column("final", String(16)),
    Column("holder", String(128)),
    _id("holder_organisation"),
    _id("holder_person"),
    Column("held_since", String(10)),
    Column("due_on", String(10)),
    Column("decided_on", String(10)),
    Column("plan_year", Integer, nullable=False),
    Column("scope", String(64)),
    Column("category", String(64)),
    Column("amount_vnd", BigInteger),
    Column("title", Text, nullable=False),
    Column("sort_text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Column("parties", JSON, nullable=False),
    Column("book", JSON, nullable=False),
    UniqueConstraint("code"),
    CheckConstraint("amount_vnd IS NULL OR amount_vnd BETWEEN 0 AND 1000000000000000", name="amount"),
    CheckConstraint("seq >= 1 AND version >= 1", name="counts"),
    CheckConstraint("(final IS NULL) OR final IN ('accepted', 'refused', 'stopped')", name="final"),
    CheckConstraint("(final IS NOT NULL) OR (holder IS NOT NULL)", name="held"),
    Index("ix_workflow_case_parent", "parent"),
    Index("ix_workflow_case_root", "root", "depth", "id"),
    Index("ix_workflow_case_list", "plan_year", "name", "phase"),
    Index("ix_workflow_case_line", "name", "plan_year", "scope", "decided_on"),
)

#: Who is bound to a case: what visibility asks, and the look-up "supported before?".
case_party = Table(
    "case_party",
    metadata,
    _id("case_id", ForeignKey("workflow_case.id"), nullable=False),
    Column("party", String(64), nullable=False),
    _id("bound", nullable=False),
    PrimaryKeyConstraint("case_id", "party"),
    Index("ix_case_party_bound", "bound", "case_id"),
)

#: Every log entry of every subject. Nothing updates or deletes here: guards in the database refuse it.
transition_log = Table(
    "transition_log",
    metadata,
    Column("subject_kind", String(16), nullable=False),
    _id("subject", nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("principal", String(64), nullable=False),
    Column("command", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("trigger", String(64)),
    Column("entry", Text, nullable=False),
    PrimaryKeyConstraint("subject_kind", "subject", "seq"),
    CheckConstraint("seq >= 1", name="seq"),
    Index("ix_transition_log_recorded_at", "recorded_at"),
)

#: Entries that the sequencer has not yet folded into the tree.
unfolded = Table(
    "unfolded",
    metadata,
    Column("subject_kind", String(16), nullable=False),
    _id("subject", nullable=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("subject_kind", "subject", "seq"),
)

#: What was answered to each accepted command, so that a repeat gets the same. `body` is the hash of what was asked, or
#: a commitment to that hash where personal values were part of it (else erased values could be found by trying).
receipt = Table(
    "receipt",
    metadata,
    Column("principal", String(64), nullable=False),
    Column("command", String(64), nullable=False),
    Column("body", String(71), nullable=False),
    Column("answer", JSON, nullable=False),
    PrimaryKeyConstraint("principal", "command"),
)

#: What was refused, and why; capped per principal and hour, then only counted.
refusal = Table(
    "refusal",
    metadata,
    Column("principal", String(64), nullable=False),
    Column("command", String(64), nullable=False),
    Column("hour", Integer, nullable=False),
    Column("subject", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("unmet", JSON, nullable=False),
    Column("times", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("principal", "command", "code"),
    Index("ix_refusal_hour", "principal", "hour"),
)

#: Personal values behind the commitments of log and case. Erasing empties value and salt.
personal_value = Table(
    "personal_value",
    metadata,
    Column("commitment", String(71), primary_key=True),
    Column("context", String(128), nullable=False),
    _id("subject", nullable=False),
    Column("salt", LargeBinary(16)),
    Column("value", Text),
    Column("erased_at", BigInteger),
    CheckConstraint("(erased_at IS NULL) = (value IS NOT NULL)", name="erased"),
    Index("ix_personal_value_subject", "subject"),
)

#: Keyed hashes of personal values that must be found again (tax code); deleted with the value.
match_key = Table(
    "match_key",
    metadata,
    Column("word", String(64), nullable=False),
    Column("hmac", String(64), nullable=False),
    _id("subject", nullable=False),
    PrimaryKeyConstraint("word", "hmac", "subject"),
)

#: A row of a register: person, organisation, establishment, budget line, definition, rule pack, calendar, store.
register_row = Table(
    "register_row",
    metadata,
    Column("kind", String(16), nullable=False),
    _id("id", nullable=False),
    Column("code", String(64), nullable=False),
    Column("sort_text", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    PrimaryKeyConstraint("kind", "id"),
    UniqueConstraint("kind", "code"),
)

#: Dated membership of a person in an organisation (or for an establishment): a projection of the person's row.
membership = Table(
    "membership",
    metadata,
    _id("person", nullable=False),
    Column("word", String(64), nullable=False),
    _id("bound", nullable=False),
    Column("role", String(64), nullable=False),
    Column("from_on", String(10), nullable=False),
    Column("to_on", String(10)),
    PrimaryKeyConstraint("person", "word"),
    Index("ix_membership_seat", "bound", "role"),
)

#: Who stands in for whom, and when: a projection of the absent person's row.
substitution = Table(
    "substitution",
    metadata,
    _id("absent", nullable=False),
    Column("word", String(64), nullable=False),
    _id("substitute", nullable=False),
    Column("from_on", String(10), nullable=False),
    Column("to_on", String(10)),
    PrimaryKeyConstraint("absent", "word"),
    Index("ix_substitution_substitute", "substitute"),
)

#: The next number of each series; locked last.
number_series = Table(
    "number_series",
    metadata,
    Column("series", String(64), primary_key=True),
    Column("last", Integer, nullable=False),
)

#: What is to be told to one person, written with the transition that tells it.
notice = Table(
    "notice",
    metadata,
    _id("id", primary_key=True),
    _id("case_id", ForeignKey("workflow_case.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("word", String(64), nullable=False),
    _id("person", nullable=False),
    Column("facts", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("read_at", BigInteger),
    Column("suppressed", String(16)),
    Index("ix_notice_person", "person", "created_at"),
    Index("ix_notice_case_id", "case_id"),
)

#: A promise to do something after the commit.
outbox = Table(
    "outbox",
    metadata,
    _id("id", primary_key=True),
    Column("topic", String(64), nullable=False),
    _id("subject", nullable=False),
    Column("channel", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    _id("token"),
    Column("lease_until", BigInteger),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("topic", "subject", "channel"),
    _one_of("state", "pending", "claimed", "in_flight", "done", "parked"),
    Index(
        "ix_outbox_waiting",
        "due_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_outbox_leased",
        "lease_until",
        sqlite_where=text("state IN ('claimed', 'in_flight')"),
        postgresql_where=text("state IN ('claimed', 'in_flight')"),
    ),
    Index(
        "ix_outbox_parked",
        "state",
        sqlite_where=text("state = 'parked'"),
        postgresql_where=text("state = 'parked'"),
    ),
)

#: The fact that a notice went out: one row for each notice, person and channel.
delivery = Table(
    "delivery",
    metadata,
    _id("notice", ForeignKey("notice.id"), nullable=False),
    _id("person", nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("delivered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("notice", "person", "channel"),
)

#: What waits for its time: the end of a deadline, a rung of its ladder, the next period.
timer = Table(
    "timer",
    metadata,
    _id("id", primary_key=True),
    _id("case_id", ForeignKey("workflow_case.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("deadline", String(64), nullable=False),
    Column("set_by", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("period", String(10), nullable=False),
    Column("rung", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("closed_at", BigInteger),
    Column("why", Text),
    UniqueConstraint(
        "case_id", "deadline", "set_by", "generation", "period", "rung", name="uq_timer_rung_key"
    ),
    _one_of("state", "waiting", "fired", "cancelled", "paused", "refused"),
    _one_of("kind", "rung", "end", "month"),
    Index(
        "ix_timer_due",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_timer_case_id", "case_id", "state"),
)

#: Stored files by content; the bytes are in `file_chunk`.
file = Table(
    "file",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("type", String(128), nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    CheckConstraint("size_bytes BETWEEN 1 AND 26214400", name="size"),
)

#: The bytes of a file in order, 256 KiB each but the last.
file_chunk = Table(
    "file_chunk",
    metadata,
    Column("sha256", String(64), ForeignKey("file.sha256"), nullable=False),
    Column("part", Integer, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sha256", "part"),
)
