"""The schema: made by migrations, equal to the tables that the code reads, guarded against changing the log."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from engine import append_only, records, schema, schema_moves
from engine.append_only import GuardsMissing
from engine.commands import Erase
from engine.schema import SchemaNew, SchemaOld, StoreExists
from engine.store import StoreCorrupt, StoreForeign, StoreUnreachable
from engine.table_names import APPEND_ONLY
from tests.builders import ADMIN, World, engine_on, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    made = world(tmp_path)
    submitted(made, phone="0912345678")
    return made


def raw(w: World) -> sqlite3.Connection:
    connection = sqlite3.connect(w.engine.store.path, isolation_level=None)
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


def test_migrations_from_empty_give_the_tables_of_the_code(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    schema.create(path, kind="sample").close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), records.metadata)
    engine.dispose()

    assert found == []


def test_down_and_up_again_gives_the_same_schema(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    path.touch()
    schema.upgrade(path)
    before = _shape(path)

    schema.downgrade(path, "base")
    empty = _shape(path)
    schema.upgrade(path)

    assert [name for name, _ in empty] in ([], ["alembic_version"])
    assert _shape(path) == before
    assert len(before) > 30


def _shape(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "INSERT OR REPLACE INTO {t} SELECT * FROM {t}"],
)
def test_what_is_written_once_is_neither_changed_nor_taken_away(w: World, table: str, statement: str) -> None:
    connection = raw(w)
    before = connection.execute(f"SELECT * FROM {table}").fetchall()
    column = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement.format(t=table, c=column))

    assert before
    assert connection.execute(f"SELECT * FROM {table}").fetchall() == before
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM personal_value",
        "UPDATE personal_value SET value = '\"x\"'",
        "UPDATE personal_value SET subject = 'x', value = NULL, salt = NULL",
        "UPDATE personal_value SET commitment = 'x', value = NULL, salt = NULL",
    ],
)
def test_a_personal_value_can_be_erased_and_nothing_else(w: World, statement: str) -> None:
    connection = raw(w)

    with pytest.raises(sqlite3.IntegrityError, match="personal_value"):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("name", sorted(append_only.wanted()))
def test_a_store_without_one_of_its_guards_is_not_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new.db"
    schema.create(path, kind="sample").close()
    connection = sqlite3.connect(path)
    connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()

    with pytest.raises(GuardsMissing) as found:
        schema.open_store(path)

    assert name in found.value.sentence("vi")


def test_a_store_with_a_weakened_or_foreign_trigger_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    schema.create(path, kind="sample").close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TRIGGER guard_receipt_delete;"
        "CREATE TRIGGER guard_receipt_delete BEFORE DELETE ON receipt WHEN 0 BEGIN SELECT RAISE(ABORT, 'no'); END;"
        "CREATE TRIGGER helpful AFTER INSERT ON receipt BEGIN DELETE FROM notice; END;"
    )
    connection.close()

    with pytest.raises(GuardsMissing) as found:
        schema.open_store(path)

    assert "guard_receipt_delete, helpful" in found.value.sentence("en")


def test_upgrading_puts_missing_guards_back(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    schema.create(path, kind="sample").close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER guard_transition_log_update")
    connection.commit()
    connection.close()

    schema.upgrade(path)

    schema.open_store(path).close()
    connection = sqlite3.connect(path)
    kept = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    connection.close()
    assert "guard_transition_log_update" in kept


def test_an_old_a_new_and_a_foreign_file_are_told_apart(tmp_path: Path) -> None:
    old, new, foreign, empty = (tmp_path / name for name in ("old.db", "new.db", "foreign.db", "empty.db"))
    schema.create(old, kind="sample").close()
    shutil.copy(old, new)
    for path, version in ((old, None), (new, "9999")):
        connection = sqlite3.connect(path)
        connection.execute("DELETE FROM alembic_version")
        if version:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
        connection.commit()
        connection.close()
    foreign.write_bytes(b"This is no database at all, only a text. " * 200)
    empty.touch()

    with pytest.raises(SchemaOld):
        schema.open_store(old)
    with pytest.raises(SchemaNew):
        schema.open_store(new)
    with pytest.raises(StoreCorrupt):
        schema.open_store(foreign)
    with pytest.raises(StoreForeign):
        schema.open_store(empty)
    with pytest.raises(StoreUnreachable):
        schema.open_store(tmp_path / "nowhere.db")


def test_a_store_is_never_made_over_something_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "there.db"
    path.write_text("mine")

    with pytest.raises(StoreExists):
        schema.create(path, kind="sample")

    assert path.read_text() == "mine"


def test_a_store_is_born_once_and_its_kind_is_in_its_log(tmp_path: Path) -> None:
    store = schema.create(tmp_path / "a.db", kind="production")
    with store.read() as connection:
        kind = connection.exec_driver_sql("SELECT kind FROM store").scalar()
        entry = connection.exec_driver_sql(
            "SELECT entry FROM transition_log WHERE subject_kind = 'store'"
        ).scalar()
    store.close()

    assert kind == "production"
    assert '"kind":[null,"production"]' in str(entry)
    assert (tmp_path / "a.db").stat().st_mode & 0o077 == 0


def test_a_store_of_no_known_kind_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        schema.create(tmp_path / "a.db", kind="test")


def test_an_erased_value_is_in_no_file_any_more(tmp_path: Path) -> None:
    w = world(tmp_path)
    secret = "0912-KHONG-AI-BIET"
    cases = [w.start("order", values={"phone": secret}).subject for _ in range(2)]
    first, second = (w.case(case)["data"]["phone"] for case in cases)
    w.edit("buyer", cases[0], phone=secret + "-2")
    assert _bytes(tmp_path).count(secret.encode()) >= 3

    for case in cases:
        w.do(Erase(principal=ADMIN, subject_kind="case", subject=case, word="phone"))

    assert first != second
    assert _bytes(tmp_path).count(secret.encode()) == 0
    w.assert_clean()
    w.engine.store.close()
    assert _bytes(tmp_path).count(secret.encode()) == 0
    again = engine_on(tmp_path / "tiendo.db", w.clock)
    assert World(again, w.clock).log(cases[0])[0]["changes"]["data.phone"] == [None, first]
    again.store.close()


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("tiendo.db*")))


def test_the_files_of_migrations_begin_with_their_numbers() -> None:
    # given what Alembic reads in the files, newest first
    read = [one.revision for one in ScriptDirectory.from_config(schema_moves.config()).walk_revisions()]

    # then the numbers of the file names, which every opening goes by, say the same
    assert schema.numbers() == read[::-1]
    assert schema.head() == read[0]
