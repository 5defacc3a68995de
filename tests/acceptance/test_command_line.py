"""The command line from outside: stores that are in earnest, exit codes, serving, and what a wrong word is answered."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.commands_of import PATIENCE_SECONDS, ROOT, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)
OFFICE = 'tiendo init --organisation "SCT=Sở Công Thương" --kind department --person "an=Nguyễn Văn An"'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@contextmanager
def serving(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "handlers.cli", "up"],
        cwd=shell.folder,
        env={**shell.environment(), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "Đang phục vụ" in process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)


def test_a_production_store_wants_a_named_person_and_the_operator_flag(shell: Shell) -> None:
    # given a production store with its first person
    made = shell.run(OFFICE)
    assert made.returncode == 0, made.stderr

    # when somebody tries --as, or forgets the flag, both are refused
    assert shell.run("tiendo inbox --as an").returncode == 2
    shell.export("export TIENDO_PERSON=an")
    forgotten = shell.run("tiendo publish leave_request")
    assert forgotten.returncode == 2
    assert "--operator" in forgotten.stderr

    # and with both, name and flag stand in the entry
    assert shell.run("tiendo publish leave_request --operator").returncode == 0
    added = shell.run('tiendo person set lan name="Lê Thị Lan" --member SCT:officer:01/01/2026 --operator')
    assert added.returncode == 0, added.stderr
    story = json.loads(shell.run("tiendo person show lan --json").stdout)["history"]
    assert story[0]["who"] == "Nguyễn Văn An"
    assert story[0]["via"] == "cli"


def test_a_production_store_without_its_first_person_is_not_made(shell: Shell) -> None:
    refused = shell.run_apart("tiendo init")

    assert refused.returncode == 2
    assert "--organisation, --person" in refused.stderr
    assert not (shell.folder / "var" / "tiendo.db").exists()


def test_serving_ends_on_sigterm_and_a_second_one_is_told_who_serves(shell: Shell) -> None:
    shell.run("tiendo init --sample")
    with serving(shell) as first:
        second = shell.run("tiendo up")
        assert second.returncode == 2
        assert str(first.pid) in second.stderr

        first.send_signal(signal.SIGTERM)
        said, _ = first.communicate(timeout=PATIENCE_SECONDS)

        assert first.returncode == 0
        assert "Đã dừng" in said


def test_a_killed_server_is_taken_over_at_once(shell: Shell) -> None:
    shell.run("tiendo init --sample")
    with serving(shell) as first:
        first.kill()
        first.wait(PATIENCE_SECONDS)

        with serving(shell) as second:
            assert second.poll() is None


@pytest.mark.parametrize(
    ("variable", "command", "code", "said"),
    [
        (
            "TIENDO_DATABASE_URL=postgresql://u:secret@127.0.0.1:1/x",
            "tiendo list --as an",
            75,
            "127.0.0.1:1/x",
        ),
        ("TIENDO_SWEEP_MS=soon", "tiendo list --as an", 2, "20–60000"),
        ("TIENDO_SWEP_MS=100", "tiendo list --as an", 2, "TIENDO_SWEEP_MS"),
        ("TIENDO_LANGUAGE=vi", "tiendo list --as an", 2, "tiendo init"),
        ("TIENDO_LANGUAGE=en", "tiendo list --as an", 2, "There is no store"),
        ("TIENDO_LANGUAGE=vi", "tiendo lst", 2, "lst"),
        ("TIENDO_LANGUAGE=vi", "tiendo list --limit many", 2, "limit"),
    ],
)
def test_a_wrong_word_is_answered_with_what_to_do(
    shell: Shell, variable: str, command: str, code: int, said: str
) -> None:
    shell.export(f"export {variable}")

    answer = shell.run(command)

    assert answer.returncode == code
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stderr


def test_a_damaged_store_is_broken_and_exits_70(shell: Shell) -> None:
    (shell.folder / "var").mkdir()
    (shell.folder / "var" / "tiendo.db").write_bytes(b"this is no store" * 500)

    answer = shell.run_apart("tiendo audit fsck")

    assert answer.returncode == 70
    assert "Traceback" not in answer.stderr


def test_an_error_as_json_has_code_sentence_and_what_is_missing(shell: Shell) -> None:
    answer = shell.run("tiendo list --as an --json")

    assert answer.returncode == 2
    assert json.loads(answer.stdout)["error"]["code"] == "store_missing"


def test_without_a_store_of_ones_own_the_sample_is_opened_and_said(shell: Shell) -> None:
    # given a sample where `make run` leaves it, and no other store
    shell.export("export TIENDO_DATABASE_URL=sqlite:///var/sample.db")
    assert shell.run("tiendo init --sample").returncode == 0
    shell.variables.clear()

    # when a command names no store
    opened = shell.run("tiendo audit fsck")

    # then it is the sample, and the answer says so apart from what programs read
    assert opened.returncode == 0, opened.stderr
    assert "kho mẫu var/sample.db" in opened.stderr.replace("\n", " ")
    assert shell.run("tiendo audit fsck --json").stderr == ""

    # and a store that is named, or the office's own, comes first
    shell.export("export TIENDO_DATABASE_URL=sqlite:///var/other.db")
    assert shell.run("tiendo audit fsck").returncode == 2
    shell.variables.clear()
    assert shell.run(OFFICE).returncode == 0
    assert "kho mẫu" not in shell.run("tiendo audit fsck").stderr


def test_a_file_of_ones_own_is_checked_drawn_and_published(shell: Shell) -> None:
    # given the first example of the page on definitions, copied into a file
    page = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    (shell.folder / "purchase.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert shell.run(OFFICE).returncode == 0
    shell.export("export TIENDO_PERSON=an")

    # when it goes the way that the page describes
    checked = shell.run("tiendo validate purchase.yaml")
    drawn = shell.run("tiendo diagram purchase.yaml")
    published = shell.run("tiendo publish purchase.yaml --operator")

    # then it is clean, drawn without being published, and published
    assert checked.returncode == 0, checked.stdout
    assert "Chờ duyệt" in drawn.stdout
    assert published.returncode == 0, published.stderr
    assert "đã công bố" in published.stdout
    assert "purchase" in shell.run("tiendo definitions").stdout


def test_a_calendar_that_did_not_change_moves_no_deadline(shell: Shell) -> None:
    # given a sample store without cases
    assert shell.run("tiendo init --sample").returncode == 0
    # when it is asked what the calendar moves
    asked = shell.run("tiendo calendar --recount")
    # then nothing, and it says how to go on
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "Số hạn: 0 sẽ dời; thêm --reason để dời"
