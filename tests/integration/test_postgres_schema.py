"""The schema on PostgreSQL: the same migrations, two roles, guards in the catalogue, and what is not opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from engine import postgres_guards, postgres_roles, postgres_schema, records, schema
from engine.append_only import GuardsMissing
from engine.postgres_errors import LoginRefused, RoleTooWeak
from engine.postgres_roles import EncodingWrong, RolesMissing, RoleTooStrong
from engine.postgres_schema import OwnerElsewhere
from engine.schema import SchemaNew, SchemaOld, StoreExists
from engine.store import StoreForeign, StoreUnreachable
from engine.table_names import APPEND_ONLY
from tests import stores
from tests.builders import World, submitted, world
from tests.servers.postgres import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.errors import Refused, Unavailable


@pytest.fixture
def place(tmp_path: Path) -> Database:
    """A database with our schema, not yet born."""
    found = stores.place(tmp_path)
    assert isinstance(found, Database)
    return found


@pytest.fixture
def empty() -> Iterator[Database]:
    """A database as an operator makes it."""
    made = stores.server().create()
    yield made
    stores.server().drop(made)


@pytest.fixture
def w(tmp_path: Path) -> World:
    made = world(tmp_path)
    submitted(made, phone="0912345678")
    return made


def both_say(why: Any) -> None:
    for language in ("vi", "en"):
        assert len(why.sentence(language)) > 20
        assert "{" not in why.sentence(language)


def test_everything_runs_as_a_role_that_is_neither_superuser_nor_owner_nor_above_row_security(
    w: World,
) -> None:
    found = w.rows(
        "SELECT current_user::text, session_user::text, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
        " FROM pg_roles WHERE rolname = current_user"
    )
    assert found == [("tiendo_app", "tiendo_app", False, False, False, False)]
    owners = w.rows("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [("tiendo_owner",)]
    guarded = w.rows("SELECT relname::text FROM pg_class WHERE relrowsecurity ORDER BY relname")
    assert guarded == [("file",), ("file_chunk",), ("transition_log",), ("workflow_case",)]
    assert w.rows("SHOW row_security") == [("on",)]


def test_migrations_from_empty_give_the_tables_of_the_code(place: Database) -> None:
    with postgres_schema._owner(place.owner_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), records.metadata) == []


def test_every_text_sorts_by_code_point_however_the_database_sorts(place: Database) -> None:
    with postgres_schema._owner(place.owner_url) as connection:
        left = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
        ).all()
    assert left == []


def test_down_and_up_again_gives_a_store_that_opens(empty: Database) -> None:
    postgres_schema.upgrade(empty.owner_url, empty.app_url)
    postgres_schema.downgrade(empty.owner_url, empty.app_url, "base")
    with pytest.raises((SchemaOld, RoleTooWeak, StoreForeign)):
        postgres_schema.open_store(empty.app_url)
    postgres_schema.upgrade(empty.owner_url, empty.app_url)
    postgres_schema.open_store(empty.app_url).close()


def test_a_store_is_made_once_and_knows_its_kind(empty: Database) -> None:
    store = postgres_schema.create(empty.owner_url, empty.app_url, kind="production")
    with store.begin() as tx:
        assert tx.run("SELECT kind FROM store") == [("production",)]
        assert tx.run("SELECT subject_kind, seq FROM transition_log") == [("store", 1)]
    store.close()
    with pytest.raises(StoreExists) as why:
        postgres_schema.create(empty.owner_url, empty.app_url, kind="sample")
    both_say(why.value)


def test_a_birth_that_failed_is_tried_again(empty: Database) -> None:
    # given a schema that was made, and then the power went
    postgres_schema.upgrade(empty.owner_url, empty.app_url)
    # when
    postgres_schema.create(empty.owner_url, empty.app_url, kind="sample").close()
    # then
    opened = postgres_schema.open_store(empty.app_url)
    with opened.look() as tx:
        assert tx.run("SELECT kind FROM store") == [("sample",)]
    opened.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
@pytest.mark.parametrize("role", ["tiendo_app", "tiendo_owner", "postgres"])
def test_what_is_written_once_is_neither_changed_nor_taken_away(
    w: World, table: str, statement: str, role: str
) -> None:
    column = next(iter(records.metadata.tables[table].columns)).name
    assert isinstance(w.where, Database)
    expected = psycopg.errors.InsufficientPrivilege if role == "tiendo_app" else psycopg.IntegrityError
    with (
        psycopg.connect(
            stores.server().url(role, w.where.name), options="-c tiendo.reads=engine"
        ) as connection,
        pytest.raises((expected, psycopg.errors.InsufficientPrivilege)),
    ):
        # An owner who may not see past row security would change no row, and so meet no guard: it is one that may.
        connection.execute(statement.format(t=table, c=column))
    assert w.rows(f"SELECT count(*) FROM {table}")[0][0] > 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM personal_value",
        "UPDATE personal_value SET value = '\"x\"'",
        "UPDATE personal_value SET subject = 'x', value = NULL, salt = NULL",
        "UPDATE personal_value SET commitment = 'x', value = NULL, salt = NULL",
    ],
)
def test_a_personal_value_is_only_ever_erased(w: World, statement: str) -> None:
    with (
        stores.administrator() as administrator,
        pytest.raises(psycopg.IntegrityError, match="personal_value"),
    ):
        administrator.execute(statement)
    assert w.rows("SELECT count(*) FROM personal_value WHERE value IS NOT NULL")[0][0] > 0


#: What somebody changed as the owner -> what of it is named.
TAMPERED = {
    "DROP TRIGGER guard_transition_log_delete ON transition_log": "guard_transition_log_delete",
    "ALTER TABLE receipt DISABLE TRIGGER guard_receipt_update": "guard_receipt_update",
    "CREATE OR REPLACE FUNCTION tiendo_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'": (
        "tiendo_append_only"
    ),
    "DROP POLICY seen ON transition_log": "transition_log",
    "ALTER TABLE workflow_case DISABLE ROW LEVEL SECURITY": "workflow_case",
    "CREATE POLICY more ON workflow_case USING (true)": "workflow_case",
    "ALTER POLICY seen ON file USING (true)": "file",
    "CREATE TRIGGER extra BEFORE INSERT ON transition_log FOR EACH ROW EXECUTE FUNCTION tiendo_append_only()": "extra",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_a_store_whose_guards_were_changed_is_not_opened_until_they_are_made_anew(
    w: World, statement: str
) -> None:
    assert isinstance(w.where, Database)
    with stores.administrator() as administrator:
        administrator.execute(statement)
    # when it is opened, then what was changed is named
    with pytest.raises(GuardsMissing) as why:
        postgres_schema.open_store(w.where.app_url)
    assert TAMPERED[statement] in why.value.sentence("en")
    both_say(why.value)


def test_the_guards_are_made_anew_by_the_next_upgrade(place: Database) -> None:
    with stores.administrator() as administrator:
        administrator.execute("DROP TRIGGER guard_transition_log_delete ON transition_log")
        administrator.execute("DROP POLICY seen ON transition_log")
        administrator.execute("GRANT DELETE ON transition_log TO tiendo_app")
    with pytest.raises((GuardsMissing, RoleTooStrong)):
        postgres_schema.open_store(place.app_url)
    postgres_schema.upgrade(place.owner_url, place.app_url)
    postgres_schema.open_store(place.app_url).close()


@pytest.mark.parametrize(
    ("statement", "error", "word"),
    [
        ("GRANT DELETE ON transition_log TO tiendo_app", RoleTooStrong, "append-only"),
        ("GRANT TRUNCATE ON receipt TO tiendo_app", RoleTooStrong, "append-only"),
        ("ALTER TABLE notice OWNER TO tiendo_app", RoleTooStrong, "owns"),
        ("REVOKE INSERT ON transition_log FROM tiendo_app", RoleTooWeak, "INSERT transition_log"),
        ("REVOKE ALL ON outbox FROM tiendo_app", RoleTooWeak, "outbox"),
        ("REVOKE ALL ON alembic_version FROM tiendo_app", RoleTooWeak, "alembic_version"),
    ],
)
def test_a_working_role_that_is_too_strong_or_too_weak_is_not_let_in(
    place: Database, statement: str, error: type[Refused], word: str
) -> None:
    with stores.administrator() as administrator:
        administrator.execute(statement)
    with pytest.raises(error) as why:
        postgres_schema.open_store(place.app_url)
    assert word in why.value.sentence("en")
    both_say(why.value)


@pytest.mark.parametrize(("role", "word"), [("postgres", "superuser"), ("tiendo_owner", "owns")])
def test_neither_superuser_nor_owner_may_be_the_working_role(place: Database, role: str, word: str) -> None:
    with pytest.raises(RoleTooStrong, match=word):
        postgres_schema.open_store(stores.server().url(role, place.name))


def test_a_role_above_row_security_may_not_be_the_working_role(place: Database) -> None:
    with stores.administrator() as administrator:
        administrator.execute("CREATE ROLE passing LOGIN BYPASSRLS IN ROLE tiendo_app")
        try:
            with pytest.raises(RoleTooStrong, match="row security"):
                postgres_schema.open_store(place.app_url.replace("tiendo_app@", "passing@"))
        finally:
            administrator.execute("DROP ROLE passing")


def test_old_new_foreign_and_empty_databases_are_not_opened(place: Database, empty: Database) -> None:
    with stores.administrator() as administrator:
        administrator.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaNew) as new:
        postgres_schema.open_store(place.app_url)
    with pytest.raises(SchemaNew):
        postgres_schema.check_move(place.owner_url)
    with stores.administrator() as administrator:
        administrator.execute("DELETE FROM alembic_version")
    with pytest.raises(SchemaOld) as old:
        postgres_schema.open_store(place.app_url)
    with pytest.raises(StoreForeign) as foreign:
        postgres_schema.open_store(empty.app_url)
    for why in (new, old, foreign):
        both_say(why.value)


def test_a_database_of_somebody_else_is_left_alone(empty: Database) -> None:
    with psycopg.connect(empty.owner_url) as connection:
        connection.execute("CREATE TABLE theirs (id int)")
    for ask in (
        lambda: postgres_schema.create(empty.owner_url, empty.app_url, kind="sample"),
        lambda: postgres_schema.upgrade(empty.owner_url, empty.app_url),
        lambda: postgres_schema.check_move(empty.owner_url),
    ):
        with pytest.raises(StoreForeign):
            ask()
    with psycopg.connect(empty.owner_url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert found == [("theirs",)]


def test_a_migration_that_fails_leaves_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_connection: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(postgres_guards, "install", broken)
    with pytest.raises(RuntimeError):
        postgres_schema.upgrade(empty.owner_url, empty.app_url)
    assert postgres_schema.exists(empty.owner_url) is False


def test_an_encoding_that_lacks_letters_is_refused() -> None:
    server = stores.server()
    with server.superuser() as administrator:
        administrator.execute(
            "CREATE DATABASE latin OWNER tiendo_owner TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
    made = server.database("latin")
    try:
        with pytest.raises(EncodingWrong) as why:
            postgres_schema.create(made.owner_url, made.app_url, kind="sample")
        both_say(why.value)
    finally:
        server.drop(made)


def test_without_the_working_role_the_owner_is_told_what_to_run(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a cluster without the role: here another name stands for it, which nobody made
    monkeypatch.setattr(postgres_guards, "APP", "tiendo_other")
    # when the owner may not make it, then the statement to run is named and nothing was made
    with pytest.raises(RolesMissing) as why:
        postgres_schema.upgrade(empty.owner_url, empty.app_url)
    assert "CREATE ROLE tiendo_other" in why.value.sentence("vi")
    assert postgres_schema.exists(empty.owner_url) is False
    # and who may make it makes it, with the password of the URL
    strong = stores.server().url("postgres", empty.name)
    with postgres_schema._owner(strong) as connection:
        postgres_roles.make(connection, "postgresql://tiendo_other:a'b%25c@127.0.0.1/x")
        found = connection.exec_driver_sql(
            "SELECT rolsuper, rolbypassrls, rolcanlogin, rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'tiendo_other'"
        ).one()
    assert tuple(found) == (False, False, True, True)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://tiendo_app@127.0.0.1:1/x", StoreUnreachable),
        ("postgresql://tiendo_app:wrong@127.0.0.1:{port}/{name}", LoginRefused),
        ("postgresql://nobody_here@/{name}?host={folder}&port={port}", LoginRefused),
        ("postgresql://tiendo_app@/not_there?host={folder}&port={port}", LoginRefused),
        ("postgresql://tiendo_app@/x?host={folder}&port=1", StoreUnreachable),
        ("postgresql://tiendo_app@127.0.0.1:abc/x", StoreUnreachable),
    ],
)
def test_an_address_that_leads_nowhere_is_told_in_words_and_without_its_password(
    place: Database, url: str, error: type[Refused | Unavailable]
) -> None:
    server = stores.server()
    given = url.format(port=server.port, name=place.name, folder=server.folder)
    with pytest.raises(error) as why:
        postgres_schema.open_store(given)
    both_say(why.value)
    assert "wrong" not in why.value.sentence("en")


def test_owner_and_working_role_must_mean_one_database(place: Database, empty: Database) -> None:
    with pytest.raises(OwnerElsewhere):
        postgres_schema.upgrade(place.owner_url, empty.app_url)
    assert schema.head() == postgres_schema.number_in(place.app_url)
