"""What a transaction asks PostgreSQL, each prepared once on a connection."""

from __future__ import annotations

import re
from functools import lru_cache

from engine.case_columns import READ

CASE = f"{READ}, scope"
CASES = f"SELECT {CASE} FROM workflow_case WHERE id = ANY ($1::text[])"  # noqa: S608 - our own words
FAMILY = f"SELECT {CASE} FROM workflow_case WHERE parent = ANY ($1::text[]) ORDER BY id"  # noqa: S608
#: The path is read first: in a join with it the server would look at every case there is.
PLACES = (
    "SELECT a.path, a.id, a.definition, a.plan_year, coalesce(a.scope, ''), a.parties FROM workflow_case a"
    " WHERE a.id = ANY ((SELECT string_to_array(c.path, '/') FROM workflow_case c WHERE c.id = $1)::text[])"
    " ORDER BY a.depth"
)
BELOW = (
    "SELECT parent, id, definition, plan_year, coalesce(scope, ''), parties FROM workflow_case"
    " WHERE parent = ANY (string_to_array($1, '/')) ORDER BY parent, id"
)
#: Row by row, in the order of the array.
LOCKS = "SELECT pg_advisory_xact_lock(name) FROM unnest($1::bigint[]) AS name"
#: Beside others who read the registers, never beside who writes them.
BESIDE = "SELECT pg_advisory_xact_lock_shared($1::bigint)"
#: Not FOR UPDATE: that would make every insert of a child wait for its foreign key.
HOLD = "SELECT id FROM workflow_case WHERE id = ANY ($1::text[]) ORDER BY root, depth, id FOR NO KEY UPDATE"
TRY_LOCKS = "SELECT name FROM unnest($1::bigint[]) AS name WHERE pg_try_advisory_xact_lock(name)"
TRY_HOLD = f"{HOLD} SKIP LOCKED"
#: µs since 1970 UTC, when a statement reached the server: unlike the running clock, an index can be searched by it.
NOW = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, (SELECT max(recorded_at) FROM transition_log)"
#: Who only looks learns the time with the first answer.
BEGIN_LOOKING = (("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ()), (CLOCK, ()))
RECEIPT = "SELECT body, answer FROM receipt WHERE principal = $1 AND command = $2"
#: The seats of a person and of those whom they stand in for; these again in rows without a seat.
SEATS = """
SELECT person, bound, role FROM membership
 WHERE person = $1 AND from_on <= $2 AND (to_on IS NULL OR to_on >= $2)
UNION ALL
SELECT m.person, m.bound, m.role FROM substitution s JOIN membership m ON m.person = s.absent
 WHERE s.substitute = $1 AND s.from_on <= $2 AND (s.to_on IS NULL OR s.to_on >= $2)
   AND m.from_on <= $2 AND (m.to_on IS NULL OR m.to_on >= $2)
UNION ALL
SELECT absent, NULL, NULL FROM substitution
 WHERE substitute = $1 AND from_on <= $2 AND (to_on IS NULL OR to_on >= $2)"""
MEMBERS = (
    "SELECT DISTINCT bound, role, person FROM membership WHERE from_on <= $2 AND (to_on IS NULL OR to_on >= $2)"
    " AND bound = ANY ($1::text[]) ORDER BY bound, role, person"
)
MEMBERS_OF_CASES = MEMBERS.replace(
    "ANY ($1::text[])", "ANY (ARRAY(SELECT bound FROM case_party WHERE case_id = ANY ($1::text[])))"
)
NUMBER = (
    "INSERT INTO number_series (series, last) VALUES ($1, 1)"
    " ON CONFLICT (series) DO UPDATE SET last = number_series.last + 1 RETURNING last"
)
BUDGET = "SELECT (data ->> 'amount_vnd')::bigint FROM register_row WHERE kind = 'budget_line' AND code = $1"
COMMITTED = (
    "SELECT coalesce(sum(amount_vnd), 0)::bigint FROM workflow_case WHERE name = $1 AND plan_year = $2 AND scope = $3"
    " AND decided_on IS NOT NULL AND (final IS NULL OR final = 'accepted') AND id <> $4"
)
#: The cases of the establishment first: what was decided is asked of them alone, however few the server thinks are decided.
SUPPORTED = (
    "WITH found AS MATERIALIZED (SELECT r.code, r.category, r.decided_on, c.amount_vnd, r.final FROM case_party p"
    " JOIN workflow_case c ON c.id = p.case_id JOIN workflow_case r ON r.id = c.root"
    " WHERE p.bound = $1 AND c.root <> $2 AND (c.final IS NULL OR c.final = 'accepted'))"
    " SELECT code, category, decided_on, amount_vnd FROM found WHERE decided_on IS NOT NULL"
    " AND (final IS NULL OR final = 'accepted') ORDER BY decided_on, code"
)
_WORDS = re.compile(r"'(?:[^']|'')*'|::|:([a-z_]\w*)")


@lru_cache(maxsize=512)
def numbered(sql: str, *, has_now: bool) -> tuple[str, tuple[str, ...]]:
    """Return a statement with $1, $2 … in the place of its :names, and the names in that order.

    Shapes:
        has_now: False: `:now` is read from the clock of the database.
    """
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[1] == "now" and not has_now:
            return NOW
        if not found[1]:
            return found[0]
        mark = f"${names.setdefault(found[1], len(names) + 1)}"
        return f"{mark}::bigint" if found[1] == "now" else mark

    return _WORDS.sub(number, sql), tuple(names)
