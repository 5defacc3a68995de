"""What no planted fault of the product leads to is done to the tables by hand: the checker must name that as well."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.crash import checker
from tests.crash.lane import store_now
from tests.crash.stage import Stage, ask
from tests.processes import Mail, wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Mail]]:
    """A store with one case carried to its end, and the mails that it sent."""
    folder = tmp_path_factory.mktemp("settled")
    with Stage(folder) as stage:
        serving = stage.serve()
        case = stage.submitted(serving)
        ask(serving, stage.office.command("manager", "fire", case=case, trigger="approve"))
        for who in ("manager", "director"):
            ask(serving, stage.office.command(who, "vote", case=case, trigger="settle", verdict="yes"))
        wait_until(lambda: not stage.rows("SELECT 1 FROM outbox WHERE state <> 'done'"), 10, "all rows")
        serving.ask_to_stop()
        serving.gone()
        return stage.store, list(stage.mail.taken)


def test_a_store_that_nobody_touched_is_clean(settled: tuple[Path, list[Mail]]) -> None:
    store, mails = settled
    assert checker.check(store, [], mails, [], now=store_now()) == []


@pytest.mark.parametrize(
    ("named", "deed"),
    [
        ("chain", "DELETE FROM transition_log WHERE subject_kind = 'case' AND seq = 2"),
        ("chain", "DELETE FROM transition_log WHERE subject_kind = 'case' AND trigger = 'settle'"),
        (
            "chain",
            "UPDATE transition_log SET entry = replace(entry, 'draft', 'drift') WHERE kind = 'start'",
        ),
        ("chain", "UPDATE workflow_case SET seq = seq + 1"),
        ("fold", "UPDATE workflow_case SET state = 'voting'"),
        ("fold", "UPDATE workflow_case SET data = json_set(data, '$.amount', 4)"),
        ("promise", "DELETE FROM outbox WHERE topic = 'notice.requested'"),
        ("promise", "DELETE FROM notice WHERE word = 'closed'"),
        (
            "owed",
            "UPDATE outbox SET state = 'claimed', token = 'x', lease_until = 1 WHERE topic = 'notice.requested'",
        ),
        ("owed", "UPDATE outbox SET state = 'pending', due_at = 1"),
        ("phantom", "UPDATE notice SET person = id"),
        ("delivery", "DELETE FROM delivery"),
        (
            "seat",
            (
                "INSERT INTO transition_log SELECT subject_kind, subject, seq + 100, hash, recorded_at, principal, command,"
                " kind, trigger, entry FROM transition_log WHERE trigger = 'approve' OR kind = 'vote' AND trigger IS NULL"
            ),
        ),
    ],
)
def test_what_is_done_to_the_tables_is_named(
    settled: tuple[Path, list[Mail]], tmp_path: Path, named: str, deed: str
) -> None:
    # given a copy of a good store without its guards
    store, mails = settled
    copy = tmp_path / "copy.db"
    shutil.copyfile(store, copy)
    with closing(sqlite3.connect(copy)) as connection:
        for (guard,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {guard}")

        # when somebody changes what it says
        assert connection.execute(deed).rowcount > 0
        connection.commit()

    # then it is called by its name
    found = checker.check(copy, [], mails, [], now=store_now())
    assert named in {one.partition(":")[0] for one in found}, found[:10]


def test_a_second_copy_is_named_unless_a_process_was_killed_between(settled: tuple[Path, list[Mail]]) -> None:
    # given a mail that was taken twice
    store, mails = settled
    twice = [*mails, Mail(mails[0].at + 2, mails[0].message_id, mails[0].address)]

    # when nothing was killed between, and when something was
    without = checker.check(store, [], twice, [])
    between = checker.check(store, [], twice, [(mails[0].at + 1, "")])
    another = checker.check(store, [], twice, [(mails[0].at + 1, "another worker")])
    parked = checker.check(store, [], twice, [(mails[0].at + 1, "")], park=True)

    # then only a kill of who sent it excuses it, and nothing does where a second copy is unwanted
    assert [one.partition(":")[0] for one in without] == ["copies"]
    assert [one.partition(":")[0] for one in another] == ["copies"]
    assert between == []
    assert [one.partition(":")[0] for one in parked] == ["copies"]
