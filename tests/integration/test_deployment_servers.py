"""The files of an installation on real servers: the roles as roles.sql makes them, the bell's account as users.acl says."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from pydantic import SecretStr

from config.settings import Settings
from engine import postgres_schema
from engine.postgres_store import PostgresStore
from handlers import doctor, doctor_store
from handlers.cli_session import Session
from handlers.redis_bell import RedisBell
from tests.processes import HERE
from tests.servers.postgres import SAFE, PostgresServer
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = HERE / "config" / "deploy"
LOOKS = {look.code: look for look in doctor.LOOKS}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Return a server as an administrator finds it: without our roles, writing for good."""
    found = PostgresServer.start(SAFE)
    try:
        with found.superuser() as connection:
            connection.execute("DROP ROLE tiendo_owner")
            connection.execute("DROP ROLE tiendo_app")
        run_roles(found)
        postgres_schema.create(
            found.url("tiendo_owner", "tiendo"), found.url("tiendo_app", "tiendo"), kind="production"
        ).close()
        yield found
    finally:
        found.stop()


def run_roles(server: PostgresServer) -> None:
    """Run roles.sql as the manual says, with the passwords in the environment."""
    program = next(
        filter(None, (shutil.which("psql", path=str(server.programs)), shutil.which("psql"))), None
    )
    assert program is not None, "psql is missing: it comes with the server"
    done = subprocess.run(
        [program, "-X", "-v", "ON_ERROR_STOP=1", "-f", str(DEPLOY / "roles.sql"), server.url("postgres", "postgres")],
        check=False, capture_output=True, text=True,
        env={
            **os.environ, "TIENDO_OWNER_PASSWORD": server.passwords["tiendo_owner"],
            "TIENDO_APP_PASSWORD": server.passwords["tiendo_app"],
        },
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def lines(url: str, *codes: str) -> list[tuple[str, str]]:
    asked = Session(Settings(database_url=url), language="en")
    try:
        return [
            (line.verdict, line.seen.en) for _, line in doctor.examine(asked, [LOOKS[code] for code in codes])
        ]
    finally:
        asked.close()


def test_the_roles_of_the_file_fit_what_the_migrations_grant_and_the_doctor_wants(
    server: PostgresServer,
) -> None:
    # when, as the working role, over the network with its password
    found = lines(
        server.url("tiendo_app", "tiendo", tcp=True), "store", "roles", "durability", "clock", "serving"
    )
    # then
    assert [verdict for verdict, _ in found] == ["ok"] * 5, found
    assert "PostgreSQL" in found[0][1]
    assert "tiendo_app: not the owner, bypasses nothing, can't change the log" in found[1][1]


def test_the_file_of_roles_may_be_run_again(server: PostgresServer) -> None:
    run_roles(server)

    assert lines(server.url("tiendo_app", "tiendo", tcp=True), "roles")[0][0] == "ok"


def test_nobody_gets_in_without_the_password_of_the_file(server: PostgresServer) -> None:
    address = server.url("tiendo_app", "tiendo", tcp=True).replace(server.passwords["tiendo_app"], "wrong")

    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(address)
    ((verdict, said),) = lines(address, "store")
    assert verdict == "bad"
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ALTER ROLE tiendo_app CREATEDB", "CREATEDB"),
        ("GRANT tiendo_owner TO tiendo_app", "is a member of tiendo_owner"),
        ("GRANT DELETE ON transition_log TO tiendo_app", "may DELETE transition_log"),
    ],
)
def test_a_role_that_is_too_strong_is_told(server: PostgresServer, given: str, said: str) -> None:
    # given a role that was made stronger after the store was opened
    store = PostgresStore(server.url("tiendo_app", "tiendo"))
    asked = Session(Settings(database_url=server.url("tiendo_app", "tiendo")), language="en")
    asked.__dict__["store"] = store
    taken = given.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").replace("CREATEDB", "NOCREATEDB")
    with server.superuser("tiendo") as connection:
        connection.execute(given)
        # when
        try:
            found = [(line.verdict, line.seen.en) for line in doctor_store.roles(asked)]
        finally:
            connection.execute(taken)
            store.close()
    # then
    assert any(verdict == "bad" and said in seen for verdict, seen in found), found


def test_the_owner_as_working_role_is_told(server: PostgresServer) -> None:
    ((verdict, said),) = lines(server.url("tiendo_owner", "tiendo"), "store")

    assert verdict == "bad"
    assert "tiendo_owner" in said


def test_a_server_that_does_not_write_for_good_is_told(server: PostgresServer) -> None:
    with server.superuser("tiendo") as connection:
        connection.execute("ALTER ROLE tiendo_app SET synchronous_commit = off")
        try:
            found = lines(server.url("tiendo_app", "tiendo"), "durability")
        finally:
            connection.execute("ALTER ROLE tiendo_app RESET synchronous_commit")

    assert found == [("bad", "synchronous_commit = off")]


def test_a_server_that_is_gone_is_told_and_the_other_lines_still_come(server: PostgresServer) -> None:
    address = server.url("tiendo_app", "tiendo", tcp=True).replace(f":{server.port}/", ":1/")
    asked = Session(Settings(database_url=address), language="en")
    found = doctor.examine(asked)

    assert {look.code for look, _ in found} == LOOKS.keys()
    assert [line.verdict for look, line in found if look.code == "store"] == ["bad"]
    assert server.passwords["tiendo_app"] not in str(found)


def test_the_account_of_the_file_does_all_that_the_bell_and_the_doctor_ask_and_no_more() -> None:
    with redis_server() as redis:
        # given the accounts of the file, with a password
        for line in (DEPLOY / "users.acl").read_text(encoding="utf-8").splitlines():
            _, name, *rules = line.split()
            if name == "tiendo":
                redis.client.execute_command("ACL", "SETUSER", name, *rules, ">hush")
        address = redis.url.replace("redis://", "redis://tiendo:hush@")
        # when
        bell = RedisBell(address)
        bell.redis.try_it()
        bell.close()
        asked = Session(
            Settings(database_url="postgresql://a@127.0.0.1:1/b", redis_url=SecretStr(address)), language="en"
        )
        found = [(line.verdict, line.seen.en) for _, line in doctor.examine(asked, [LOOKS["bell"]])]
        # then nothing but CONFIG, which shows passwords, was denied
        denied = {one["object"] for one in redis.client.acl_log() if one["username"] == "tiendo"}
        assert denied <= {"config|get"}
        assert not [one for one in found if one[0] == "bad"], found
        assert found[-1][1].endswith("keys, all of tiendo")
