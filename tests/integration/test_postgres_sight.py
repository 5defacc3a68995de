"""Row security: a query that forgot the filter of visibility shows nothing more than the filter does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from engine import files, records
from engine.postgres_store import PostgresStore
from engine.visibility import look_as, reading_as, visible
from tests import stores
from tests.integration.small_world import TODAY, case, logged, new_store, organisation, person

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store import Store
    from engine.visibility import Viewer

CASE = records.workflow_case


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two centres with a case each, one with a child, and an entry in each log."""
    found = new_store(tmp_path)
    for code in ("a", "b"):
        centre = organisation(found, f"centre-{code}")
        person(found, f"officer-{code}", (centre, "officer"))
        root = case(found, f"case-{code}", {"centre": centre})
        logged(found, root["id"], 1, 1)
        if code == "a":
            case(found, "case-a-child", {}, root)
    return found


def viewer(store: Store, code: str) -> Viewer:
    with store.read() as connection:
        row = records.register_row
        who = connection.execute(select(row.c.id).where(row.c.code == code)).scalar_one()
        return look_as(connection, who, TODAY)


def asked(store: Store, who: Viewer, query: Any) -> list[Any]:
    with reading_as(store, who) as connection:
        return sorted(connection.execute(query).scalars())


def test_a_query_without_the_filter_shows_only_ones_own_cases(store: Store) -> None:
    # given an officer of one centre
    officer = viewer(store, "officer-a")
    # when a query forgets the filter, then it shows what the filter would have shown
    assert asked(store, officer, select(CASE.c.code)) == ["case-a", "case-a-child"]
    assert asked(store, officer, select(CASE.c.code).where(visible(officer))) == ["case-a", "case-a-child"]
    assert asked(store, officer, select(func.count()).select_from(CASE)) == [2]


def test_the_log_of_a_case_is_seen_by_whoever_sees_the_case(store: Store) -> None:
    log = records.transition_log
    with store.read() as connection:
        ids = dict(connection.execute(select(CASE.c.code, CASE.c.id)).all())
    query = select(log.c.subject).where(log.c.subject_kind == "case")
    assert asked(store, viewer(store, "officer-a"), query) == [ids["case-a"]]
    assert asked(store, viewer(store, "officer-b"), query) == [ids["case-b"]]


def test_somebody_who_is_nobody_sees_nothing(store: Store) -> None:
    person(store, "guest")
    assert asked(store, viewer(store, "guest"), select(CASE.c.code)) == []


def test_the_bytes_of_files_are_handed_out_by_the_engine_only(store: Store) -> None:
    sha256 = files.put(store, b"quyet dinh", "text/plain")
    assert b"".join(files.open(store, sha256)) == b"quyet dinh"
    for table in (records.file, records.file_chunk):
        assert asked(store, viewer(store, "officer-a"), select(table.c.sha256)) == []


def test_a_connection_that_says_nothing_sees_nothing_and_writes_nothing(store: Store) -> None:
    # given the working role on a connection that does not say for whom it reads
    assert isinstance(store, PostgresStore)
    with store.begin() as tx:
        tx.run("SELECT set_config('tiendo.reads', '', true)")
        # then there is no case
        assert tx.run("SELECT count(*) FROM workflow_case") == [(0,)]
        assert tx.run("SELECT count(*) FROM transition_log WHERE subject_kind = 'case'") == [(0,)]
        # and none can be changed
        assert tx.run("UPDATE workflow_case SET title = 'x' RETURNING id") == []


def test_a_reader_can_not_write_what_it_sees(store: Store) -> None:
    officer = viewer(store, "officer-a")
    with pytest.raises(Exception, match="row-level security"), store.begin() as tx:  # noqa: PT012
        tx.run("SELECT set_config('tiendo.reads', :bound, true)", {"bound": " ".join(officer.bound)})
        tx.run("UPDATE workflow_case SET title = 'x'")


def test_the_narrowing_ends_with_its_transaction(store: Store) -> None:
    asked(store, viewer(store, "officer-a"), select(CASE.c.code))
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(CASE)).scalar_one() == 3


def test_the_filter_and_row_security_are_answered_from_indexes(store: Store) -> None:
    # given many cases of others
    with store.begin() as tx:
        tx.run(
            "INSERT INTO workflow_case SELECT md5(n::text), 'c' || n, definition, name, NULL, md5(n::text), md5(n::text), 0,"
            " state, phase, came_from, entered_on, final, holder, holder_organisation, holder_person, held_since, due_on,"
            " decided_on, plan_year, scope, category, amount_vnd, title, sort_text, version, seq, head, data, parties, book"
            " FROM workflow_case, generate_series(1, 4000) AS n WHERE code = 'case-b'"
        )
        tx.run(
            "INSERT INTO case_party SELECT md5(n::text), party, bound FROM case_party, generate_series(1, 4000) AS n"
            " WHERE case_id = (SELECT id FROM workflow_case WHERE code = 'case-b')"
        )
    with stores.administrator() as administrator:
        administrator.execute("ANALYZE")
    officer = viewer(store, "officer-a")
    query = select(CASE.c.code).where(visible(officer), CASE.c.plan_year == 2026)
    with reading_as(store, officer) as connection:
        statement = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}".replace("%", "%%")).scalars())
    # then no table of cases is read from end to end
    assert "Seq Scan on workflow_case" not in plan, plan
    assert "ix_workflow_case_root" in plan, plan
