"""A store that can't be written, is held, is damaged, is cut short or has no room: the right family, nothing lost."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tempfile
import time
import warnings
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from tests.crash import checker, snapshot
from tests.crash.clients import Ack
from tests.crash.lane import AHEAD_SECONDS, store_now
from tests.crash.stage import Stage, ask
from tests.processes import Strace, has_strace, wait_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        yield made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter: temporary ones of pytest are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="tiendo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def start_command(stage: Stage) -> dict[str, Any]:
    parties = {"requester": stage.office.made["an"], "office": stage.office.made["office"]}
    values = {"wish": "giấy", "amount": 3}
    return stage.office.command("an", "start", definition="purchase", parties=parties, values=values)


def test_a_read_only_store_is_unavailable_and_works_again_once_it_may_be_written(
    stage: Stage, open_folder: Path
) -> None:
    # given a store whose file and folder may only be read
    store = open_folder / "tiendo.db"
    shutil.copyfile(stage.store, store)
    store.chmod(0o444)
    command = start_command(stage)
    words = {"store": str(store), "command": command, "clock_ahead": AHEAD_SECONDS, "unprivileged": True}

    # when a command comes
    refused = stage.launcher.attempt(**words)
    open_folder.chmod(0o777)
    store.chmod(0o666)
    done = stage.launcher.attempt(**words)

    # then it is told to wait, and the same command succeeds when writing is allowed
    assert refused.get("unavailable") in {"store_read_only", "store_unreachable"}, refused
    assert str(store) in refused["said"]
    assert done["state"] == "draft"
    assert not done["repeated"]


def test_a_store_held_by_another_process_is_unavailable_for_a_bounded_time(stage: Stage) -> None:
    # given another process that holds the store's write lock
    serving = stage.serve(busy=0.5)
    command = start_command(stage)
    with closing(sqlite3.connect(stage.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        # when a command comes
        began = time.monotonic()
        held = ask(serving, command)
        waited = time.monotonic() - began
        other.execute("ROLLBACK")

    # then it waits as long as it may, says so, and the same command succeeds afterwards
    assert held.get("unavailable") == "store_busy", held
    assert 0.4 < waited < 3
    assert ask(serving, command)["state"] == "draft"
    serving.ask_to_stop()
    assert serving.gone() == 0


@pytest.mark.parametrize("table", ["transition_log", "workflow_case", "receipt", "sqlite_schema"])
def test_a_damaged_page_is_broken_and_nothing_is_written_over_it(
    stage: Stage, tmp_path: Path, table: str
) -> None:
    # given a store of which one page is noise, and a copy from before
    serving = stage.serve()
    stage.submitted(serving)
    serving.ask_to_stop()
    serving.gone()
    good = stage.copy_of_store(tmp_path / "backup")
    with closing(sqlite3.connect(stage.store)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with stage.store.open("r+b") as file:
        file.seek(((found[0] if found else 1) - 1) * size)
        file.write(random.Random(1).randbytes(size))
    damaged = stage.store.read_bytes()
    command = start_command(stage)
    words = {"command": command, "clock_ahead": AHEAD_SECONDS, "unprivileged": False}

    # when a command comes
    answer = stage.launcher.attempt(store=str(stage.store), **words)

    # then it is called broken, the file is as it was, and the copy takes the same command
    assert answer.get("broken") == "store_corrupt", answer
    assert stage.store.read_bytes() == damaged
    assert stage.launcher.attempt(store=str(good), **words)["state"] == "draft"


def test_a_wal_that_was_taken_away_after_a_crash_is_noticed(stage: Stage, tmp_path: Path) -> None:
    # given a process that died with acknowledged commands in its write-ahead log, and that file is gone
    serving = stage.serve()
    stage.submitted(serving)
    serving.kill()
    serving.gone()
    whole = stage.copy_of_store(tmp_path / "whole")
    wal = stage.store.with_name(stage.store.name + "-wal")
    assert wal.stat().st_size > 0
    wal.unlink()
    words = {"command": start_command(stage), "clock_ahead": AHEAD_SECONDS, "unprivileged": False}

    # when it is opened again
    answer = stage.launcher.attempt(store=str(stage.store), **words)

    # then it is called broken instead of going on without what was acknowledged; with the file it goes on
    assert answer.get("broken"), answer
    assert "-wal" in answer["said"]
    assert stage.launcher.attempt(store=str(whole), **words)["state"] == "draft"


def test_no_room_on_the_disk_is_unavailable_and_the_same_process_goes_on_when_there_is_room(
    stage: Stage,
) -> None:
    if not has_strace():
        warnings.warn(
            "strace is missing: a full disk is not tried here; CI has it", pytest.PytestWarning, stacklevel=1
        )
        pytest.skip("strace is missing")
    # given a disk on which the store can grow no more
    serving = stage.serve()
    command = start_command(stage)
    full = Strace(serving.pid, "pwrite64:error=ENOSPC")

    # when a command comes, and comes again when there is room
    refused = ask(serving, command)
    full.close()
    done = ask(serving, command)

    # then it was told so, and then done, by the same process
    assert refused.get("unavailable") == "store_full", refused
    assert done["state"] == "draft"
    assert not done["repeated"]
    serving.ask_to_stop()
    assert serving.gone() == 0


#: Which file calls fail, and how. Not among them: locks, which no disk fails, and reads, which SQLite calls damage (and
#: so do we: broken, for a person to look at).
FAILURES = ("pwrite64:error=ENOSPC", "pwrite64:error=EIO", "fdatasync:error=EIO")


def test_file_calls_that_fail_one_by_one_lose_nothing(stage: Stage, tmp_path: Path) -> None:
    if not has_strace():
        warnings.warn(
            "strace is missing: failing file calls are not tried here; CI has it",
            pytest.PytestWarning,
            stacklevel=1,
        )
        pytest.skip("strace is missing")
    # given a serving process, and file calls that fail now here, now there
    seed = time.time_ns() % 100_000
    chance = random.Random(seed)
    serving = stage.serve()
    acks: list[Ack] = []

    # when commands come, each repeated until it is acknowledged; strace counts calls thread by thread, a line has one
    with serving.connect(5) as line, line.makefile("rb") as answers:
        for _ in range(30):
            trace = Strace(serving.pid, f"{chance.choice(FAILURES)}:when={chance.randint(1, 25)}")
            four_commands(stage, Line(line, answers), acks)
            trace.close()
    wait_until(
        lambda: not stage.rows("SELECT 1 FROM outbox WHERE state IN ('pending', 'claimed')"),
        30,
        "all rows",
        pause=0.1,
    )
    serving.ask_to_stop()
    serving.gone()

    # then some were told to wait, and all is as if nothing had failed
    families = {next(iter(ack.answer.keys() - {"id", "said"})) for ack in acks if not ack.is_done}
    print(
        f"\nseed {seed}: {sum(not ack.is_done for ack in acks)} of {len(acks)} answers were errors, {families}"
    )
    assert families == {"unavailable"}, [ack.answer for ack in acks if not ack.is_done][:5]
    copy = snapshot.take(stage.store, tmp_path / "copy")
    found = checker.check(copy.path, acks, stage.mail.taken, [], now=store_now())
    # A mail whose record could not be written is sent again after the lease, as after a kill between the two.
    assert not [one for one in found if not one.startswith("copies:")], found[:10]


@dataclass(frozen=True)
class Line:
    """One client's line."""

    line: socket.socket
    answers: BinaryIO

    def insist(self, words: dict[str, Any], acks: list[Ack]) -> dict[str, Any]:
        """Send a command until it is acknowledged or refused."""
        for _ in range(20):
            self.line.sendall(json.dumps(words).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self.answers.readline())
            acks.append(Ack(f"person:{words['principal']['person']}", words["kind"], "", answer))
            if "unavailable" not in answer:
                return answer
        pytest.fail(f"never acknowledged: {acks[-1].answer}")


def four_commands(stage: Stage, line: Line, acks: list[Ack]) -> None:
    case = line.insist(start_command(stage), acks)["subject"]
    for kind, more in (
        ("edit", {"values": {"amount": 7}}),
        ("fire", {"trigger": "submit"}),
        ("comment", {"text": "xem"}),
    ):
        line.insist(stage.office.command("an", kind, case=case, **more), acks)
