"""A store that moves from a file to a server: every row, compared one by one, or nothing at all."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import select

from engine import audit, copying, files, postgres_schema, records, schema
from engine.commands import Comment
from engine.copying import CopyDiffers, CopyTargetTaken
from engine.errors import Refused
from engine.execute import execute
from engine.postgres_store import PostgresStore
from engine.registry import Definitions
from tests import stores
from tests.builders import World, doing, engine_on, submitted, world
from tests.house.sources import HERE
from tests.servers.postgres import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> World:
    """A file with a life in it: cases, children, votes of people, personal values, a file, a refusal, a parked row."""
    with stores.running_on("sqlite"):
        made = world(tmp_path)
        order = doing(made, phone="0912345678", subject="Ghế “gỗ” \\ \n\t'%s' {1,2} é – 木")
        made.fire("clerk", order, "split")
        made.tick()
        files.put(made.engine.store, os.urandom(600_000), "application/pdf")
        submitted(made)
        made.clock.move(days=30)
        made.tick()
        with pytest.raises(Refused):
            made.fire("stranger", order, "finish_it")
        with made.engine.store.begin() as tx:
            tx.run("UPDATE outbox SET state = 'parked', error = 'x' WHERE id = (SELECT min(id) FROM outbox)")
    return made


@pytest.fixture
def target(tmp_path: Path) -> Database:
    found = stores.place(tmp_path)
    assert isinstance(found, Database)
    return found


def rows_of(store: Any) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in records.metadata.sorted_tables
        }


def test_every_row_arrives_and_the_copy_goes_on_where_the_file_ended(source: World, target: Database) -> None:
    # given
    made = postgres_schema.open_store(target.app_url)
    # when
    copied = copying.copy(source.engine.store, made)  # type: ignore[arg-type]
    # then every row is the same, and both logs are
    assert rows_of(made) == rows_of(source.engine.store)
    assert copied.entries == source.rows("SELECT count(*) FROM transition_log")[0][0] > 10
    assert copied.rows["file_chunk"] == 3
    assert audit.fsck(made, Definitions(made)).is_clean
    # and a command that the file has answered gets its receipt, a new one its entry
    made.close()
    engine = engine_on(target, source.clock)
    principal, command = source.rows(
        "SELECT principal, command FROM receipt WHERE principal LIKE 'person:%' LIMIT 1"
    )[0]
    with engine.store.begin() as tx:
        assert tx.run(
            "SELECT 1 FROM receipt WHERE principal = :p AND command = :c", {"p": principal, "c": command}
        )
    order = source.rows("SELECT id, seq FROM workflow_case WHERE parent IS NULL ORDER BY id")[0]
    said = execute(engine, Comment(principal=source.people["clerk"], case=order[0], text="trên máy chủ"))
    assert said.seq == order[1] + 1
    assert audit.fsck(engine.store, Definitions(engine.store)).is_clean


def test_a_target_that_holds_anything_is_left_alone(source: World, target: Database) -> None:
    made = postgres_schema.open_store(target.app_url)
    copying.copy(source.engine.store, made)  # type: ignore[arg-type]
    before = rows_of(made)
    with pytest.raises(CopyTargetTaken) as why:
        copying.copy(source.engine.store, made)  # type: ignore[arg-type]
    assert "{" not in why.value.sentence("vi")
    assert rows_of(made) == before
    made.close()


@pytest.mark.parametrize("table", ["transition_log", "workflow_case", "receipt", "personal_value"])
def test_a_copy_that_differs_in_one_value_is_dropped(source: World, target: Database, table: str) -> None:
    # given a server that changes one value on the way
    column = {
        "transition_log": "entry",
        "workflow_case": "title",
        "receipt": "body",
        "personal_value": "context",
    }[table]
    with stores.administrator() as administrator:
        administrator.execute(
            "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN NEW.{column} := NEW.{column} || ' '; RETURN NEW; END $$"
        )
        administrator.execute(
            f"CREATE TRIGGER change BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION change()"
        )
    made = PostgresStore(target.app_url)
    # when it is copied, then the table is named and nothing is left there
    with pytest.raises(CopyDiffers, match=table):
        copying.copy(source.engine.store, made)  # type: ignore[arg-type]
    assert not any(rows_of(made).values())
    made.close()


def test_a_copy_that_breaks_off_leaves_nothing_and_is_done_by_the_next_try(
    source: World, target: Database
) -> None:
    made = postgres_schema.open_store(target.app_url)

    def breaks(table: str, _rows: int) -> None:
        if table == "receipt":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy(source.engine.store, made, progress=breaks)  # type: ignore[arg-type]
    assert not any(rows_of(made).values())
    # when
    copying.copy(source.engine.store, made)  # type: ignore[arg-type]
    # then
    assert rows_of(made) == rows_of(source.engine.store)
    made.close()


def told(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
    return subprocess.run(
        [sys.executable, "-m", "handlers.cli", *words],
        check=False, cwd=folder, capture_output=True, text=True, timeout=60,
        env={**environment, "PYTHONPATH": str(HERE), "PYTHONUTF8": "1", **settings},
    )  # fmt: skip


def test_the_command_copies_into_an_empty_database_and_says_what_to_do_next(
    source: World, tmp_path: Path
) -> None:
    # given a database as an operator makes it
    source.engine.store.close()
    server = stores.server()
    empty = server.create()
    urls = {"TIENDO_DATABASE_URL": empty.app_url, "TIENDO_OWNER_URL": empty.owner_url}
    try:
        # when
        done = told(tmp_path, "copy-store", "tiendo.db", "--json", **urls)
        # then
        assert done.returncode == 0, done.stdout + done.stderr
        answer = orjson.loads(done.stdout)
        assert answer["entries"] > 10
        clean = told(tmp_path, "audit", "fsck", TIENDO_DATABASE_URL=empty.app_url)
        assert clean.returncode == 0, clean.stdout + clean.stderr
        # and a second time it is refused
        again = told(tmp_path, "copy-store", "tiendo.db", **urls)
        assert again.returncode == 2, again.stdout + again.stderr
        # as is a target that is no server, a file that is not there, and a damaged source
        assert told(tmp_path, "copy-store", "tiendo.db").returncode == 2
        assert told(tmp_path, "copy-store", "nowhere.db", **urls).returncode == 2
    finally:
        server.drop(empty)


def test_an_unsound_store_is_not_carried_along(source: World, tmp_path: Path, target: Database) -> None:
    with source.engine.store.begin() as tx:
        tx.run("UPDATE workflow_case SET state = 'done' WHERE parent IS NULL")
    source.engine.store.close()
    done = told(tmp_path, "copy-store", "tiendo.db", TIENDO_DATABASE_URL=target.app_url)
    assert done.returncode == 70, done.stdout + done.stderr
    made = postgres_schema.open_store(target.app_url)
    assert not any(rows_of(made).values())
    made.close()
    assert schema.number_in(tmp_path / "tiendo.db") == schema.head()
