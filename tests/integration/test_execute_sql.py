"""What execute writes is written by nothing else: watched in the SQL of a whole life, and looked for in the sources."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine import execute, files, personal, relay, timers
from engine.commands import Erase, Migrate, Vote
from engine.execute import preview
from tests import small_definitions as small
from tests import sql_watch
from tests.builders import ADMIN, World, doing, paper, refused, submitted, world

if TYPE_CHECKING:
    from types import FrameType

#: Tables of `execute`; beside it stand outbox, timer (closing), delivery, notice (reading), files, serving, store.
OWNED = (
    "workflow_case", "case_party", "transition_log", "unfolded", "receipt", "refusal", "published", "personal_value",
    "match_key", "register_row", "membership", "substitution", "number_series",
)  # fmt: skip
_WRITES = re.compile(
    r"^\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+(\w+)", re.IGNORECASE
)


def _inside_execute() -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code is execute.execute_all.__code__:
            return True
        frame = frame.f_back
    return False


def watch(w: World) -> list[tuple[str, bool, str]]:
    """Return a list that fills with (table, inside execute, statement) of every write of the store from now on."""
    seen: list[tuple[str, bool, str]] = []

    def note(statement: str) -> None:
        if found := _WRITES.match(statement):
            seen.append((found[1].lower(), _inside_execute(), statement[:100]))

    w.engine.store._writer.set_trace_callback(note)  # type: ignore[attr-defined]
    return seen


def live(w: World) -> None:
    """One of everything that writes."""
    w.person("deputy", "clerk")
    w.publish(small.ORDER.replace("version: 1", "version: 2", 1))
    order = submitted(w, phone="0912")
    refused(w, lambda: w.fire("clerk", order, "approve"))
    w.comment("head", order, "ừ")
    w.assign("head", order, person=w.who("head"))
    digest = files.put(w.engine.store, b"%PDF-1.4 mau", "application/pdf")
    w.attach("buyer", order, paper(file=getattr(digest, "sha256", digest)))
    w.detach("head", order, "quote", 1)
    w.do(Migrate(principal=ADMIN, case=order, to=2))
    refused(w, lambda: w.do(Vote(principal=w.people["head"], case=order, trigger="approve", verdict="yes")))
    preview(w.engine, order, w.who("head"))
    w.clock.move(days=12)
    w.tick()
    other = doing(w)
    w.fire("clerk", other, "split")
    w.fire("head", other, "suspend")
    w.do(Erase(principal=ADMIN, subject_kind="case", subject=order, word="phone"))
    for (row,) in w.rows("SELECT id FROM outbox WHERE topic = 'notice.requested'"):
        claimed = relay.claim_row(w.engine.store, row, lease_seconds=60)
        assert claimed
        relay.put_back(w.engine.store, claimed, "x", due_in_seconds=0)
    relay.sweep(w.engine.store, w.rung.extend)
    relay.stuck(w.engine.store)
    timers.agenda(w.engine, days=30)
    timers.fire_of_case(w.engine, other)
    w.assert_clean()


def test_in_a_whole_life_only_execute_writes_its_tables(tmp_path: Path) -> None:
    w = world(tmp_path)
    seen = watch(w)

    live(w)

    outside = [(table, statement) for table, inside, statement in seen if table in OWNED and not inside]
    assert outside == []
    assert {table for table, inside, _ in seen if inside} >= set(OWNED) - {"match_key", "substitution"}
    assert {table for table, inside, _ in seen if not inside} <= {
        "outbox",
        "timer",
        "delivery",
        "file",
        "file_chunk",
    }


def test_the_watch_of_the_whole_run_sees_a_write_that_goes_round_execute(tmp_path: Path) -> None:
    # given a store, and a piece of product code that writes what is not its own
    w = world(tmp_path)
    case = doing(w)
    places = {"store": w.engine.store, "case": case}
    source = (
        "def mend(store, case):\n"
        "    with store.begin() as tx:\n"
        "        tx.run('UPDATE workflow_case SET title = :new WHERE id = :id', {'new': 'x', 'id': case})\n"
        "def tidy(store, case):\n"
        "    mend(store, case)\n"
        "tidy(store, case)\n"
    )

    # when it runs
    exec(compile(source, str(Path(execute.__file__).with_name("mending.py")), "exec"), places)  # noqa: S102

    # then it was seen, by file and line; and so were all tables that execute wrote on the way
    outside, sql_watch.OUTSIDE[:] = list(sql_watch.OUTSIDE), []
    assert outside == ["engine/mending.py:3 (mend) prepares an update of workflow_case outside execute"]
    assert {"workflow_case", "transition_log", "receipt", "outbox"} <= {
        table for table, by in sql_watch.SEEN if by == "execute"
    }


def test_no_other_source_speaks_of_writing_its_tables() -> None:
    root = Path(execute.__file__).parents[1]
    allowed = {
        "engine/sqlite_rows.py", "engine/sqlite_store.py",  # the stores behind execute
        "engine/postgres_writing.py", "engine/postgres_questions.py",
        "engine/refusals.py", Path(personal.__file__).relative_to(root).as_posix(),  # called by execute alone
        "engine/schema_numbers.py",  # the birth of a store
        "engine/append_only.py", "engine/postgres_guards.py",  # say what is forbidden
    }  # fmt: skip
    writes = re.compile(
        r"(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+(?:" + "|".join(OWNED) + r")\b", re.IGNORECASE
    )

    found = {
        path.relative_to(root).as_posix()
        for folder in ("engine", "handlers", "workflows", "config")
        for path in (root / folder).rglob("*.py")
        if "migrations" not in path.parts and writes.search(path.read_text("utf-8"))
    }

    assert found <= allowed, found - allowed
    assert "engine/sqlite_rows.py" in found


def test_nobody_else_opens_the_door_to_record() -> None:
    root = Path(execute.__file__).parents[1]

    calling = {
        path.relative_to(root).as_posix()
        for folder in ("engine", "handlers", "workflows")
        for path in (root / folder).rglob("*.py")
        if re.search(r"\btx\.(record|claim)\(", path.read_text("utf-8"))
    }

    assert calling == {"engine/execute.py"}
