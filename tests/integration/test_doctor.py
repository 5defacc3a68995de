"""The doctor: each fault is told on a line of its own with what to do, and no fault keeps the other lines from coming."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from config.settings import Settings
from engine import schema
from engine.sqlite_store import SqliteStore
from handlers import cli, doctor, doctor_bell, doctor_machine, doctor_settings
from handlers.cli_session import Session
from handlers.serving import ServingSeat
from tests.servers.redis import RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from handlers.doctor_lines import Line

LOOKS = {look.code: look for look in doctor.LOOKS}
#: All but those that read every shipped file.
QUICK = [look for look in doctor.LOOKS if look.code not in {"calendars", "definitions", "texts"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an embedded store in earnest, with nothing in it."""
    found = tmp_path / "tiendo.db"
    schema.create(found, kind="production").close()
    return found


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def session(path: Path, **settings: Any) -> Session:
    return Session(Settings(database_url=f"sqlite:///{path}", **settings), language="en")


def lines(asked: Session, *codes: str) -> list[Line]:
    """Return the lines of some looks, or of all."""
    try:
        return [line for _, line in doctor.examine(asked, [LOOKS[code] for code in codes] or doctor.LOOKS)]
    finally:
        asked.close()


def worst(asked: Session, code: str) -> Line:
    """Return the worst line of one look."""
    order = ("ok", "warn", "bad")
    return max(lines(asked, code), key=lambda line: order.index(line.verdict))


def test_a_fresh_installation_has_nothing_bad_but_that_nobody_serves(path: Path) -> None:
    found = doctor.examine(asked := session(path))
    asked.close()

    assert {look.code for look, line in found if line.verdict == "bad"} == {"serving"}
    assert {look.code for look, _ in found} == LOOKS.keys()


def test_every_line_that_is_not_in_order_says_what_to_do_in_both_languages(path: Path) -> None:
    weak = session(
        path, public_url="http://so.example.vn", channels=("console", "email"), smtp_host="mail.example.vn", smtp_user="an",
        smtp_starttls=False,
    )  # fmt: skip
    for line in lines(weak):
        assert line.seen.vi
        assert line.seen.en
        if line.verdict != "ok":
            assert line.todo is not None
            assert line.todo.vi
            assert line.todo.en


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "guards", "newer", "folder"])
def test_no_fault_of_the_store_keeps_the_other_lines_from_coming(path: Path, damage: str) -> None:
    # given
    if damage in {"missing", "folder"}:
        path.unlink()
    if damage == "folder":
        path.mkdir()
    if damage == "empty":
        path.write_bytes(b"")
    if damage == "garbage":
        path.write_bytes(b"not a database at all" * 500)
    if damage in {"guards", "newer"}:
        with sqlite3.connect(path) as connection:
            connection.execute(
                "DROP TRIGGER guard_receipt_update"
                if damage == "guards"
                else "UPDATE alembic_version SET version_num = '9999'"
            )
        connection.close()
    # when
    found = doctor.examine(asked := session(path), QUICK)
    asked.close()
    # then
    assert [look.code for look in QUICK] == list(dict.fromkeys(look.code for look, _ in found))
    store = [line for look, line in found if look.code == "store"]
    assert [line.verdict for line in store] == ["bad"]
    assert str(path) in store[0].seen.en
    unseen = {look.code for look, line in found if line.seen.en.startswith("not looked at")}
    assert {"clock", "serving", "outbox", "timers", "roles", "durability"} <= unseen


def test_a_look_that_breaks_says_so_without_what_it_read(path: Path) -> None:
    def break_down(_session: Session) -> list[Line]:
        raise ValueError("Nguyễn Văn An")

    look = doctor.Look("broken", LOOKS["store"].title, break_down)
    ((_, line),) = doctor.examine(asked := session(path), [look])
    asked.close()

    assert line.verdict == "bad"
    assert "ValueError" in line.seen.vi
    assert "Nguyễn" not in line.seen.vi


def test_who_serves_is_told_until_its_heart_stands_still(path: Path) -> None:
    store = schema.open_store(path)
    ServingSeat(store).take()
    assert worst(session(path), "serving").verdict == "ok"
    with store.begin() as tx:
        tx.run("UPDATE serving SET beat_at = beat_at - 60000000")
    store.close()

    line = worst(session(path), "serving")
    assert line.verdict == "bad"
    assert "last beat 60 s ago" in line.seen.en


@pytest.mark.parametrize(("seconds", "verdict"), [(5, "ok"), (120, "warn"), (7200, "bad")])
def test_what_waits_too_long_to_be_sent_is_told_by_its_age(path: Path, seconds: int, verdict: str) -> None:
    owe(path, "pending", due=-seconds)

    line = lines(session(path), "outbox")[0]

    assert line.verdict == verdict
    assert f"for {seconds} s" in line.seen.en


def test_parked_rows_and_rows_of_dead_workers_are_told(path: Path) -> None:
    owe(path, "parked", due=0)
    owe(path, "claimed", due=0, lease=-60)

    said = [line.seen.en for line in lines(session(path), "outbox") if line.verdict == "warn"]

    assert said == ["1 rows left by a dead worker, to be claimed anew", "1 rows parked"]


def owe(path: Path, state: str, *, due: int, lease: int = 0) -> None:
    """Write an outbox row that is due so many seconds from now."""
    now = time.time_ns() // 1000
    store = SqliteStore(path)
    with store.begin() as tx:
        tx.run(
            "INSERT INTO outbox (id, topic, subject, channel, state, due_at, attempts, lease_until, created_at)"
            " VALUES (:id, 'notice.requested', :id, 'email', :state, :due, 1, :lease, :now)",
            {
                "id": state.ljust(32, "0"),
                "state": state,
                "due": now + due * 10**6,
                "lease": now + lease * 10**6,
                "now": now,
            },
        )
    store.close()


def test_a_clock_behind_the_log_is_told(path: Path) -> None:
    ahead = Session(Settings(database_url=f"sqlite:///{path}"))
    late = SqliteStore(path, clock=lambda: time.time_ns() // 1000 - 3600 * 10**6)
    ahead.__dict__["store"] = late

    found = lines(ahead, "clock")
    late.close()

    assert [line.verdict for line in found] == ["bad", "bad"]
    assert "-3600.0" in found[0].seen.en
    assert "in the future" in found[1].seen.en


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o600, "ok"), (0o640, "warn"), (0o644, "warn"), (0o666, "bad")]
)
def test_a_store_that_others_may_read_or_write_is_told(path: Path, mode: int, verdict: str) -> None:
    path.chmod(mode)

    line = worst(session(path), "files")

    assert line.verdict == verdict
    assert line.todo is None or line.todo.en == f"chmod 600 {path}"


def test_a_folder_that_anybody_may_write_is_told(path: Path) -> None:
    path.parent.chmod(0o777)
    line = worst(session(path), "files")
    path.parent.chmod(0o700)

    assert line.verdict == "bad"
    assert line.todo is not None
    assert line.todo.en == f"chmod o-w {path.parent}"


def test_little_room_is_told_before_there_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, verdict in ((10 << 20, "bad"), (500 << 20, "warn"), (50 << 30, "ok")):
        monkeypatch.setattr(doctor_machine, "_free", lambda _folder, free=free: free)
        assert worst(session(path), "disk").verdict == verdict


@pytest.mark.parametrize(
    ("settings", "code", "verdict", "said"),
    [
        ({"public_url": "http://so.example.vn"}, "settings", "bad", "TIENDO_PUBLIC_URL"),
        ({"public_url": "https://so.example.vn"}, "settings", "ok", "none of them weak"),
        ({"public_url": "http://127.0.0.1:8000"}, "settings", "ok", "none of them weak"),
        ({"channels": ("console",)}, "channels", "warn", "production"),
        ({"channels": ("email",), "smtp_host": "127.0.0.1", "smtp_starttls": False}, "channels", "ok", "email"),
        ({"channels": ("email",), "smtp_host": "mail.vn", "smtp_starttls": False}, "channels", "warn", "STARTTLS"),
        (
            {"channels": ("email",), "smtp_host": "mail.vn", "smtp_starttls": False, "smtp_user": "an"}, "channels", "bad",
            "STARTTLS",
        ),
    ],
)  # fmt: skip
def test_weak_settings_are_told(
    path: Path, settings: dict[str, Any], code: str, verdict: str, said: str
) -> None:
    line = worst(session(path, **settings), code)

    assert line.verdict == verdict
    assert said in line.seen.en


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("postgresql://tiendo_app:x@127.0.0.1/t", "ok"),
        ("postgresql://tiendo_app@/t?host=/run/postgresql", "ok"),
        ("postgresql://tiendo_app:x@db.example.vn/t", "warn"),
        ("postgresql://tiendo_app:x@db.example.vn/t?sslmode=require", "warn"),
        ("postgresql://tiendo_app:x@db.example.vn/t?sslmode=verify-full", "ok"),
    ],
)
def test_a_line_to_the_database_that_others_can_read_is_told(url: str, verdict: str) -> None:
    found = list(doctor_settings.settings(Session(Settings(database_url=url))))

    assert [line.verdict for line in found] == [verdict]
    assert "x@" not in found[0].seen.en


def test_a_year_without_a_calendar_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import date  # noqa: PLC0415 - days of this test only

    monkeypatch.setattr(doctor_settings, "_today", lambda _session: date(2028, 3, 1))
    assert "no calendar of 2029" in [
        line.seen.en for line in lines(session(path), "calendars") if line.verdict == "warn"
    ]
    monkeypatch.setattr(doctor_settings, "_today", lambda _session: date(2028, 10, 1))
    assert "no calendar of 2029" in [
        line.seen.en for line in lines(session(path), "calendars") if line.verdict == "bad"
    ]


def test_the_command_ends_with_2_when_something_is_bad_and_speaks_json(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    monkeypatch.setenv("TIENDO_DATABASE_URL", f"sqlite:///{path}")
    # when
    code = cli.run(["doctor", "--json", "--lang", "en"])
    # then
    found = json.loads(capsys.readouterr().out)
    assert code == 2
    assert {one["look"] for one in found} == LOOKS.keys()
    assert {one["verdict"] for one in found} <= {"ok", "warn", "bad"}
    assert all(set(one) == {"look", "verdict", "seen", "todo"} for one in found)
    # and on a screen each line has its mark
    assert cli.run(["doctor"]) == 2
    assert "✗ Phục vụ" in capsys.readouterr().out


def test_a_setting_that_stops_every_command_stops_the_doctor_with_its_words(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIENDO_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("TIENDO_CHANELS", "email")

    assert cli.run(["doctor", "--json", "--lang", "en"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["code"] == "setting_wrong"
    assert "Did you mean TIENDO_CHANNELS?" in told["sentence"]


# The bell, on a real Redis.


def bell(path: Path, url: str) -> list[tuple[str, str]]:
    return [(line.verdict, line.seen.en) for line in lines(session(path, redis_url=SecretStr(url)), "bell")]


def test_a_redis_of_ones_own_is_in_order(path: Path, redis: RedisServer) -> None:
    redis.client.flushall()
    redis.client.zadd("tiendo:__heartbeats__", {"a": 1})

    found = bell(path, redis.url)

    assert found[-1] == ("ok", "1 keys, all of tiendo")
    assert not [one for one in found if one[0] == "bad"]


def test_a_redis_that_forgets_is_told(path: Path, redis: RedisServer) -> None:
    redis.client.config_set("maxmemory", 100 << 20)
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = bell(path, redis.url)
    finally:
        redis.client.config_set("maxmemory-policy", "noeviction")
        redis.client.config_set("maxmemory", 0)

    assert any(verdict == "bad" and "allkeys-lru" in seen for verdict, seen in found)


def test_keys_of_somebody_else_and_messages_set_aside_are_counted_not_shown(
    path: Path, redis: RedisServer
) -> None:
    redis.client.flushall()
    redis.client.set("session:nguyen.van.an", "x")
    redis.client.zadd("tiendo:notices.XQ", {"a": 1, "b": 2})
    try:
        found = bell(path, redis.url)
    finally:
        redis.client.flushall()

    assert ("warn", "1 keys of somebody else") in found
    assert ("warn", "2 messages were set aside as unreadable") in found
    assert "nguyen" not in str(found)


@pytest.mark.parametrize(
    ("bind", "protected", "password", "is_open"),
    [
        ("127.0.0.1 -::1", "no", "", False),
        ("* -::*", "no", "", True),
        ("", "no", "", True),
        ("127.0.0.1 10.0.0.5", "no", "", True),
        ("10.0.0.5", "yes", "", False),
        ("10.0.0.5", "no", "hush", False),
    ],
)
def test_a_redis_open_to_the_network_is_known_by_its_settings(
    bind: str, protected: str, password: str, is_open: bool
) -> None:
    found = {"bind": bind, "protected-mode": protected, "requirepass": password}

    assert doctor_bell.is_open(found) is is_open


def test_a_redis_of_this_machine_only_is_not_told_as_open(path: Path, redis: RedisServer) -> None:
    redis.client.config_set("protected-mode", "no")
    try:
        found = bell(path, redis.url)
    finally:
        redis.client.config_set("protected-mode", "yes")

    assert not [seen for _, seen in found if "protected-mode" in seen]


def test_an_account_with_narrow_rights_is_in_order_and_told_what_it_cannot_see(
    path: Path, redis: RedisServer
) -> None:
    redis.client.execute_command(
        "ACL",
        "SETUSER",
        "narrow",
        "on",
        ">secret-of-narrow",
        "~tiendo:*",
        "-@all",
        "+ping",
        "+hello",
        "+auth",
        "+select",
    )
    url = redis.url.replace("redis://", "redis://narrow:secret-of-narrow@")
    try:
        found = bell(path, url)
    finally:
        redis.client.execute_command("ACL", "DELUSER", "narrow")

    assert ("warn", "this account may not ask INFO") in found
    assert not [one for one in found if one[0] == "bad"]


def test_a_redis_that_is_not_there_or_refuses_is_told_without_its_password(
    path: Path, redis: RedisServer
) -> None:
    for url in (
        "redis://tiendo:hush@127.0.0.1:1/0",
        redis.url.replace("redis://", "redis://nobody:hush@"),
        "unix:///nowhere/redis.sock?password=hush",
    ):
        ((verdict, seen),) = bell(path, url)
        assert verdict == "bad"
        assert "hush" not in seen


@pytest.mark.parametrize(
    ("info", "verdict"),
    [
        ({"redis_version": "7.2.4"}, "warn"),
        ({"redis_version": "7.2.11"}, "ok"),
        ({"redis_version": "8.2.1"}, "warn"),
        ({"redis_version": "8.4.0"}, "ok"),
        ({"redis_version": "7.0.15"}, "warn"),
        ({"redis_version": "7.2.4", "valkey_version": "8.1.4"}, "ok"),
        ({"redis_version": "7.2.4", "valkey_version": "9.0.0"}, "ok"),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.1"}, "warn"),
    ],
)
def test_a_server_without_the_patch_is_told(info: dict[str, Any], verdict: str) -> None:
    assert doctor_bell._version(info).verdict == verdict


def test_workers_are_counted_by_their_heartbeats_on_the_clock_of_redis(redis: RedisServer) -> None:
    redis.client.flushall()
    seconds, _ = redis.client.time()
    redis.client.zadd("tiendo:__heartbeats__", {"alive": seconds * 1000, "dead": (seconds - 60) * 1000})

    assert doctor_bell.workers_heard(redis.url, 15) == 1
