"""No secret and nothing of a person stands in the technical log, whatever is typed and however it fails."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from handlers import cli
from tests.acceptance.canary_run import CANARIES
from tests.acceptance.commands_of import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope
    from aiosmtpd.smtp import Session as Line


class Gossip:
    """A mail server that says who it is talking about whenever it says no."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _line: Line, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address == CANARIES["refused_mail"]:
            return f"550 5.1.1 <{address}> ({CANARIES['smtp_password']}) does not live here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _line: Line, envelope: Envelope) -> str:  # noqa: N802 - as above
        return f"250 taken for {envelope.rcpt_tos}"


@dataclass
class Ran:
    """What a session left behind: the lines of the log, everything else on standard error, and how commands ended."""

    log: list[dict[str, Any]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder: Path = tmp_path_factory.mktemp("canaries")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    mail = Controller(Gossip(), hostname="127.0.0.1", port=port)
    mail.start()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.acceptance.canary_run"], cwd=folder, capture_output=True, text=True, check=False,
            timeout=110,
            env={
                **kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TIENDO_LOG_FORMAT": "json", "TIENDO_LOG_LEVEL": "debug",
                "TIENDO_CHANNELS": "email", "TIENDO_SMTP_HOST": "127.0.0.1", "TIENDO_SMTP_STARTTLS": "false",
                "TIENDO_SMTP_PORT": str(port), "TIENDO_SWEEP_MS": "50",
                "TIENDO_SMTP_PASSWORD": CANARIES["smtp_password"],
            },
        )  # fmt: skip
    finally:
        mail.stop()
    assert done.returncode == 0, done.stderr[-3000:]
    found = Ran(told=json.loads(done.stdout.splitlines()[-1]))
    for line in done.stderr.splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            entry = None
        if isinstance(entry, dict) and "event" in entry:
            found.log.append(entry)
        else:
            found.rest.append(line)
    return found


def test_the_session_did_what_it_was_to_do(ran: Ran) -> None:
    # then all that should succeed did, every command was typed, and failing came in each of its kinds
    assert ran.told["unlike"] == []
    typed = {line.split()[0] for line in ran.told["ended"]} | {
        "init",
        "publish",
        "start",
        "fire",
        "edit",
        "comment",
        "person",
    }
    left_out = {word for words in cli.PLACES.values() for word in words} - typed
    assert left_out <= {"ticker", "copy-store"}, left_out
    assert {0, 2, 70, 75} <= set(ran.told["ended"].values())
    seen = {entry["event"] for entry in ran.log}
    wanted = {
        "command_done",
        "command_refused",
        "notice_delivered",
        "notice_parked",
        "uncaught",
        "tick_failed",
    }
    assert wanted <= seen, seen


@pytest.mark.parametrize("kind", CANARIES)
def test_it_stands_in_no_line_of_the_log(ran: Ran, kind: str) -> None:
    written = [json.dumps(entry, ensure_ascii=False) for entry in ran.log]

    assert len(written) > 30
    assert not [
        line[:400] for line in written if CANARIES[kind] in line or CANARIES[kind].replace(" ", "") in line
    ]


def test_parts_of_names_and_numbers_do_not_stand_there_either(ran: Ran) -> None:
    written = json.dumps(ran.log, ensure_ascii=False)

    assert not [
        part
        for part in ("Chim", "chim.", "654 321", "Đoàn", "vào viện", "canary-of", "riêng")
        if part in written
    ]


def test_no_traceback_takes_another_way(ran: Ran) -> None:
    assert not [line for line in ran.rest if "Traceback" in line or line.startswith("  File ")]
    assert not [entry for entry in ran.log if "\n" in json.dumps(entry)]


def test_each_line_says_to_which_run_command_or_row_it_belongs(ran: Ran) -> None:
    for entry in ran.log:
        if entry["event"].startswith("command_"):
            assert {"request", "command", "kind"} <= entry.keys(), entry
        if entry["event"].startswith("notice_"):
            assert {"topic", "outbox_id", "notice"} <= entry.keys(), entry
    of_cases = [entry for entry in ran.log if entry["event"] == "command_done" and entry["kind"] == "fire"]
    assert set(ran.told["codes"].values()) == {str(entry.get("case_code")) for entry in of_cases}


def test_an_error_that_nobody_caught_takes_the_same_steps() -> None:
    # given: a process of its own, because the hooks are the interpreter's
    asked = (
        "import threading; from config.logs import set_up; set_up('json')\n"
        "def fail(): raise ValueError(''.join(['hu', 'sh']))\n"
        "one = threading.Thread(target=fail); one.start(); one.join(); fail()"
    )
    # when
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # then
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [one["event"] for one in found] == ["uncaught", "uncaught"]
    assert all(one["exception"].endswith("ValueError") for one in found)
    assert "hush" not in done.stderr
