"""A PostgreSQL store under load and in trouble: round trips counted, connections cut, servers that refuse."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from engine import postgres_schema
from engine.commands import Comment, Fire
from engine.errors import TiendoError, Unavailable
from engine.execute import execute, execute_all
from engine.postgres_errors import CommitUnknown, StatementRefused, StoreLost, StoreStandby, shown
from engine.postgres_store import PostgresStore
from engine.postgres_wire import MOST_PREPARED, Failure, Wire, address
from engine.store import Contended, RowRefused, StoreFull, StoreUnreachable
from tests import stores
from tests.builders import World, doing, submitted, world
from tests.servers.postgres import SAFE, Database, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def cut(w: World) -> int:
    """Let the server end every connection of the working role; return how many there were."""
    assert isinstance(w.where, Database)
    with stores.server().superuser() as administrator:
        found = administrator.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = %s",
            [w.where.name],
        ).fetchone()
    return int(str(found[0])) if found else 0


def ordered(w: World, statement: str, *, outside: bool = False) -> None:
    """Let the administrator change something, from outside the database if it shall be closed."""
    with stores.server().superuser() if outside else stores.administrator() as administrator:
        administrator.execute(statement)


# How much one command costs.


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The statements of each round trip, in the order in which they went."""
    seen: list[list[str]] = []
    ask = Wire.ask

    def counted(wire: Wire, asked: Sequence[tuple[str, Sequence[Any]]]) -> Any:
        seen.append([text for text, _ in asked])
        return ask(wire, asked)

    monkeypatch.setattr(Wire, "ask", counted)
    return seen


def first_words(trip: list[str]) -> list[str]:
    return [" ".join(text.split()[:1]) for text in trip]


def test_a_move_costs_four_round_trips_and_locks_before_it_reads(w: World, trips: list[list[str]]) -> None:
    # given
    order = submitted(w)
    trips.clear()
    # when
    w.fire("head", order, "approve")
    # then: the clock and where the case stands, locks and all that is read under them, what is opened of personal values,
    # and all that is written, the commit included
    assert len(trips) == 4, [first_words(one) for one in trips]
    begin, claim, opened, record = trips
    assert first_words(begin) == ["BEGIN", "SELECT", "SELECT"]
    assert ["personal_value" in text for text in opened] == [True]
    assert "pg_advisory_xact_lock_shared" in claim[0]
    assert "FOR NO KEY UPDATE" in claim[1]
    assert not any("FOR NO KEY UPDATE" in text or "advisory" in text for text in claim[2:])
    assert record[-1] == "COMMIT"
    assert {text.split()[2] for text in record if text.startswith("INSERT")} >= {
        "transition_log", "unfolded", "receipt", "notice", "outbox", "timer",
    }  # fmt: skip


def test_no_statement_of_a_command_reads_a_table_from_end_to_end(w: World, trips: list[list[str]]) -> None:
    order = doing(w)
    w.fire("clerk", order, "split")
    asked = {text for trip in trips for text in trip if text.lstrip().startswith(("SELECT", "UPDATE"))}
    found = []
    assert isinstance(w.where, Database)
    with psycopg.connect(
        w.where.app_url, options="-c tiendo.reads=engine -c enable_seqscan=off"
    ) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        for number, text in enumerate(sorted(asked)):
            connection.execute(f"PREPARE p{number} AS {text}".encode(), prepare=False)
            given = ", ".join(["NULL"] * _places(text))
            plan = connection.execute(
                f"EXPLAIN EXECUTE p{number}({given})" if given else f"EXPLAIN EXECUTE p{number}"
            )
            found += [
                (text, line)
                for (line,) in plan.fetchall()
                if "Seq Scan" in str(line) and "store" not in str(line)
            ]
    assert found == []


def _places(text: str) -> int:
    return max((int(number) for number in re.findall(r"\$(\d+)", text)), default=0)


# What breaks.


def test_a_connection_that_broke_while_it_lay_idle_is_replaced_unseen(w: World) -> None:
    order = doing(w)
    assert cut(w) > 0
    assert w.comment("head", order, "vẫn ghi được").seq == 4
    assert cut(w) > 0
    assert w.state(order) == "doing"
    w.assert_clean()


def test_a_connection_that_breaks_in_the_middle_leaves_nothing_and_the_next_one_works(w: World) -> None:
    order = doing(w)

    def happens() -> None:
        with w.engine.store.begin() as tx:
            tx.run("UPDATE workflow_case SET title = 'x' WHERE id = :id", {"id": order})
            cut(w)
            tx.run("SELECT 1")

    with pytest.raises(StoreLost) as why:
        happens()
    assert "{" not in why.value.sentence("vi")
    assert w.case(order)["title"] != "x"
    assert w.comment("head", order, "x").seq == 4
    w.assert_clean()


def test_a_commit_whose_answer_was_lost_says_so_and_the_same_command_tells(w: World) -> None:
    # given a transaction whose connection breaks before the answer to its commit
    order = doing(w)

    def happens() -> None:
        with w.engine.store.begin() as tx:
            tx.run("SELECT 1")
            cut(w)

    with pytest.raises(CommitUnknown) as why:
        happens()
    assert "again" in why.value.sentence("en")
    assert "gửi lại" in why.value.sentence("vi")
    # and a command that in truth was committed
    sent = Comment(principal=w.people["head"], case=order, text="x", id="sent-1")
    first = execute(w.engine, sent)
    # when it is sent again, then the first receipt is answered and nothing is written twice
    again = execute(w.engine, sent)
    assert (again.seq, again.repeated) == (first.seq, True)
    w.assert_clean()


def test_a_server_that_crashes_and_comes_back_has_everything_that_was_acknowledged(tmp_path: Path) -> None:
    # given a server that keeps what it says it keeps
    server = PostgresServer.start(SAFE)
    try:
        made = server.create()
        store = postgres_schema.create(made.owner_url, made.app_url, kind="sample")
        store.close()
        store = postgres_schema.open_store(made.app_url)
        for number in range(20):
            with store.begin() as tx:
                tx.run("INSERT INTO number_series (series, last) VALUES (:name, 1)", {"name": f"n{number}"})
        # when it is killed
        server.kill()
        with pytest.raises(StoreUnreachable) as why, store.begin() as tx:
            tx.run("SELECT 1")
        assert "{" not in why.value.sentence("en")
        server.run()
        # then the same store goes on by itself
        with store.begin() as tx:
            assert tx.run("SELECT count(*) FROM number_series") == [(20,)]
        store.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", StoreStandby),
        ("ALTER ROLE tiendo_app CONNECTION LIMIT 0", StoreUnreachable),
    ],
)
def test_a_server_that_refuses_is_told_as_unavailable(
    w: World, statement: str, error: type[Unavailable]
) -> None:
    assert isinstance(w.where, Database)
    order = doing(w)
    before = w.counts()
    ordered(w, statement.format(name=w.where.name))
    try:
        cut(w)
        with pytest.raises(error) as why:
            w.comment("head", order, "x")
        for language in ("vi", "en"):
            assert "{" not in why.value.sentence(language)
    finally:
        ordered(w, "ALTER ROLE tiendo_app CONNECTION LIMIT -1", outside=True)
        ordered(w, f"ALTER DATABASE {w.where.name} RESET default_transaction_read_only", outside=True)
    cut(w)
    assert w.counts() == before


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("53100", StoreFull), ("53200", StoreUnreachable), ("XX001", TiendoError), ("42P01", StatementRefused),
        ("40001", Contended),
    ],
)  # fmt: skip
def test_what_the_server_says_while_writing_is_told_in_words_and_leaves_nothing(
    w: World, state: str, error: type[TiendoError]
) -> None:
    order = doing(w)
    ordered(
        w,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{state}'; END $$",
    )
    ordered(w, "CREATE TRIGGER refuse BEFORE INSERT ON unfolded FOR EACH ROW EXECUTE FUNCTION refuse()")
    before = w.counts()
    with pytest.raises(error) as why:
        w.comment("head", order, "x")
    for language in ("vi", "en"):
        assert "{" not in why.value.sentence(language)
    assert w.counts() == before
    ordered(w, "DROP TRIGGER refuse ON unfolded")
    assert w.comment("head", order, "x").seq == 4


def test_a_lock_that_is_held_too_long_is_contended(w: World) -> None:
    order = doing(w)
    with stores.administrator() as administrator, administrator.transaction():
        administrator.execute("SELECT 1 FROM workflow_case WHERE id = %s FOR UPDATE", [order])

        def happens() -> None:
            with w.engine.store.begin() as tx:
                tx.run("SET LOCAL lock_timeout = '20ms'")
                tx.hold((), (order,))

        with pytest.raises(Contended):
            happens()


def test_a_failure_that_was_passed_over_is_never_taken_for_a_commit(w: World) -> None:
    # given: PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK

    def happens() -> None:
        with w.engine.store.begin() as tx:
            tx.run("INSERT INTO number_series (series, last) VALUES ('x', 1)")
            with pytest.raises(StatementRefused):
                tx.run("SELECT nothing")

    with pytest.raises(StatementRefused):
        happens()
    assert w.rows("SELECT count(*) FROM number_series") == [(0,)]


def test_a_savepoint_undoes_a_failure_and_the_rest_is_committed(w: World) -> None:
    with w.engine.store.begin() as tx:
        tx.run("INSERT INTO number_series (series, last) VALUES ('x', 1)")
        tx.run("SAVEPOINT command")
        with pytest.raises(RowRefused, match="number_series"):
            tx.run("INSERT INTO number_series (series, last) VALUES ('x', 1)")
        tx.run("ROLLBACK TO command")
        tx.run("RELEASE command")
        tx.run("INSERT INTO number_series (series, last) VALUES ('y', 1)")
    assert w.rows("SELECT series FROM number_series ORDER BY series") == [("x",), ("y",)]


def test_tables_that_were_moved_on_under_an_open_store_are_met_anew(w: World) -> None:
    # given statements that are prepared on several connections
    orders = [doing(w) for _ in range(3)]
    threads = [
        threading.Thread(target=lambda one=one: w.comment("head", one, "x")) for one in orders
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # when a column that they read takes another type
    ordered(w, "ALTER TABLE workflow_case ALTER COLUMN state TYPE text")
    # then the next command is done all the same
    assert w.comment("head", orders[0], "y").seq == 5
    w.assert_clean()


def test_an_interrupt_between_question_and_answer_gives_the_connection_up(w: World) -> None:
    order = doing(w)

    def happens() -> None:
        with w.engine.store.begin() as tx:
            tx.run("UPDATE workflow_case SET title = 'x' WHERE id = :id", {"id": order})
            wire = tx.wire  # type: ignore[attr-defined]
            wire._poll = _Interrupted()
            tx.run("SELECT pg_sleep(0.2)")

    with pytest.raises(KeyboardInterrupt):
        happens()
    assert w.case(order)["title"] != "x"
    assert w.comment("head", order, "x").seq == 4


class _Interrupted:
    """What Ctrl+C does to a wait."""

    def poll(self, _milliseconds: float) -> list[tuple[int, int]]:
        raise KeyboardInterrupt


# Time, texts, many threads.


def test_the_clock_is_the_databases_and_runs_on_while_locks_are_waited_for(tmp_path: Path) -> None:
    where = stores.place(tmp_path)
    store = stores.create(where)
    before = store.now()
    with store.begin() as tx:
        first = tx.now
        tx.run("SELECT pg_sleep(0.01)")
        assert tx.now == first
    assert before <= first <= store.now()
    assert abs(first - time.time_ns() // 1000) < 5_000_000


def test_every_stamp_is_later_than_all_before_it_also_when_the_clock_goes_back(w: World) -> None:
    order = doing(w)
    last = w.rows("SELECT max(recorded_at) FROM transition_log")[0][0]
    w.clock.move(days=-3)
    with w.engine.store.begin() as tx:
        stamps = [tx.stamp() for _ in range(3)]
    assert stamps == [last + 1, last + 2, last + 3]
    w.comment("head", order, "x")
    w.assert_clean()


def test_a_text_that_no_column_holds_finds_nothing_and_breaks_nothing(w: World) -> None:
    with w.engine.store.begin() as tx:
        assert tx.where("a\0b") is None
        assert tx.case("x" * 500) is None
        with pytest.raises(RowRefused):
            tx.run("SELECT 1 FROM store WHERE kind = :kind", {"kind": "a\0"})


def test_more_statements_than_are_kept_prepared_are_asked_all_the_same(w: World) -> None:
    with w.engine.store.begin() as tx:
        for number in range(MOST_PREPARED + 20):
            assert tx.run(f"SELECT {number}, :given", {"given": "x"}) == [(number, "x")]
        assert tx.run("SELECT 7, :given", {"given": "y"}) == [(7, "y")]


def test_twenty_threads_share_a_store(w: World) -> None:
    orders = [doing(w) for _ in range(4)]
    failed: list[BaseException] = []

    def talk(number: int) -> None:
        try:
            for turn in range(3):
                w.comment("head", orders[(number + turn) % 4], f"{number}/{turn}")
        except BaseException as why:  # noqa: BLE001 - shown by the assertion
            failed.append(why)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(len(w.log(order)) for order in orders) == 4 * 3 + 60
    w.assert_clean()


def test_a_forked_process_speaks_over_connections_of_its_own(w: World) -> None:
    order = doing(w)
    child = os.fork()
    if child == 0:
        try:
            w.comment("clerk", order, "từ tiến trình con")
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the exit code tells
            os._exit(1)
    for number in range(5):
        w.comment("head", order, str(number))
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert len(w.log(order)) == 3 + 6
    w.assert_clean()


def test_a_bulk_of_which_one_is_refused_writes_the_others(w: World) -> None:
    orders = [submitted(w), doing(w), submitted(w)]
    approvals = [Fire(principal=w.people["head"], case=one, trigger="approve") for one in orders]
    answers = execute_all(w.engine, approvals)
    assert [isinstance(one, TiendoError) for one in answers] == [False, True, False]
    assert [w.state(one) for one in orders] == ["doing"] * 3
    assert w.rows("SELECT count(*) FROM refusal") == [(1,)]
    w.assert_clean()


def test_no_password_is_shown_anywhere() -> None:
    given = "postgresql+psycopg://an:hush@db.example:6432/tiendo?sslmode=require&password=hush"
    assert shown(given) == "postgresql://an@db.example:6432/tiendo"
    store = PostgresStore("postgresql://an:hush@127.0.0.1:1/x")
    with pytest.raises(Unavailable) as why, store.begin() as tx:
        tx.run("SELECT 1")
    assert "hush" not in why.value.sentence("en") + repr(why.value.facts) + store.path
    store.close()
    with pytest.raises(Failure) as unreadable:
        address("postgresql://an:hush@127.0.0.1:port/x?what=is_this")
    assert "hush" not in str(unreadable.value)


@pytest.fixture(autouse=True)
def _no_other_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before
