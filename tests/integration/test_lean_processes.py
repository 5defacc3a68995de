"""`tiendo worker` and `tiendo ticker` as an operator starts them: the same number, little memory, the same answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from config.handed_settings import HandedSettings, handed, plain
from config.settings import Settings
from tests.integration.prepared_office import copied_office
from tests.processes import wait_until
from tests.servers.redis import redis_server
from tests.stores import running_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.leave_office import Office

HERE = Path(__file__).resolve().parent.parent.parent
MOST_MB = 60
PATIENCE_SECONDS = 60


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_on("postgresql"):
        yield copied_office(tmp_path)


def start(word: str, office: Office, redis_url: str, folder: Path) -> subprocess.Popen[str]:
    given = {
        name: value for name, value in os.environ.items() if not name.startswith(("TIENDO_", "PYTHONPATH"))
    }
    given |= {
        "TIENDO_DATABASE_URL": office.settings.database_url, "TIENDO_REDIS_URL": redis_url, "PYTHONPATH": str(HERE),
    }  # fmt: skip
    # Not in the checkout: what the process becomes must not look for our modules where somebody happens to stand.
    return subprocess.Popen(
        [sys.executable, "-m", "handlers.cli", word, "--json"], cwd=folder, env=given, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def answer(process: subprocess.Popen[str]) -> Any:
    """Return the JSON that a process says first."""
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] and lines[-1] != "}\n":
        lines.append(process.stdout.readline())
    return json.loads("".join(lines))


def resident(pid: int) -> float:
    found = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").split("VmRSS:")[1].split()
    return int(found[0]) / 1024


@pytest.mark.timeout(180)
@pytest.mark.parametrize("word", ["worker", "ticker"])
def test_a_serving_process_is_small_and_holds_no_command_line(
    word: str, office: Office, tmp_path: Path
) -> None:
    # given one that serves, and work for it
    with redis_server() as redis:
        process = start(word, office, redis.url, tmp_path)
        said = answer(process)
        assert said == {
            "serving": said["serving"], "works": word == "worker", "ticks": word == "ticker", "bell": "redis",
        }  # fmt: skip
        for _ in range(12):
            case = office.ask(first="2030-01-07", last="2030-01-08").subject
            office.fire(case, "reject", "minh", reason="bận")
        if word == "worker":
            wait_until(
                lambda: sum(row.state == "done" for row in office.outbox(topic="notice.requested")) >= 12,
                PATIENCE_SECONDS, "12 notices", pause=0.05,
            )  # fmt: skip

        # then it is small, nothing of what read its settings is in it, and no secret stands in its command line
        maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        words = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8").split("\0")
        assert resident(process.pid) <= MOST_MB
        assert not [library for library in ("pydantic_core", "sqlalchemy") if library in maps]
        assert words[1:5] == ["-P", "-m", "handlers.serving_process", word]

        # and it ends when it is asked to
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0


@pytest.mark.timeout(180)
def test_what_is_in_the_way_is_told_as_the_command_line_tells_it(office: Office, tmp_path: Path) -> None:
    # when nobody listens where the bell should be
    process = start("worker", office, "redis://:geheim@127.0.0.1:9/0", tmp_path)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)

    # then the answer has our code, the exit code says that it may be tried again, and nobody reads the password
    assert process.returncode == 75
    assert json.loads(out)["error"]["code"] == "bell_unreachable"
    assert "geheim" not in out + err


def test_settings_are_handed_over_as_they_were_read(tmp_path: Path) -> None:
    # given settings with secrets, a folder and several channels
    given = Settings(
        database_url="postgresql://a:b@c/d", redis_url=SecretStr("redis://x"), workflows_dir=tmp_path,
        channels=("email", "console"), smtp_host="post.example", smtp_password=SecretStr("p"), worker_threads=3,
    )  # fmt: skip

    # when they go over as JSON
    found = handed(json.loads(json.dumps(plain(given))))

    # then each is what it was, and a secret is not shown
    for field in fields(HandedSettings):
        was, now = getattr(given, field.name), getattr(found, field.name)
        if isinstance(was, SecretStr):
            assert now.get_secret_value() == was.get_secret_value()
            assert was.get_secret_value() not in repr(now)
        else:
            assert now == was
