"""Faults that are staged step by step: late workers, handlers that kill, promises nobody was rung for, eight at once."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash import planted
from tests.crash.stage import Stage
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def late_worker(stage: Stage) -> list[str]:
    """Let a worker sleep past its lease until another has taken over, then let it go on; return what it could write."""
    release_first, release_second = threading.Event(), threading.Event()
    order = Counter[str]()

    def hold(_message_id: str) -> str:
        order["dot"] += 1
        (release_first if order["dot"] == 1 else release_second).wait(20)
        return "250 taken"

    stage.mail.on_dot = hold
    serving = stage.serve()
    stage.submitted(serving)
    wait_until(lambda: order["dot"] == 2, 12, "a second worker to take over after the lease")
    second = dict(stage.notice_row())
    release_first.set()
    wait_until(
        lambda: any(words["event"] in {"notice_fenced", "notice_delivered"} for words in serving.logged("info", "warning")),
        5, "the late worker to come back",
    )  # fmt: skip
    found = dict(stage.notice_row())
    release_second.set()
    wait_until(lambda: stage.notice_row()["state"] == "done", 10, "the second worker to finish")
    deliveries = stage.rows("SELECT count(*) AS count FROM delivery")[0]["count"]
    serving.ask_to_stop()
    serving.gone()
    findings = []
    if (found["state"], found["token"]) != ("claimed", second["token"]):
        findings.append(f"fence: a late worker made the row {found['state']} although another held it")
    if deliveries != 1:
        findings.append(f"fence: {deliveries} deliveries")
    return findings


def test_a_worker_that_was_asleep_past_its_lease_records_nothing(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        assert late_worker(stage) == []


def test_a_product_without_fencing_is_named(tmp_path: Path) -> None:
    with Stage(tmp_path, planted.plant(planted.NO_FENCING, tmp_path)) as stage:
        findings = late_worker(stage)

    assert {found.partition(":")[0] for found in findings} == {"fence"}, findings


def test_a_notice_that_kills_its_worker_three_times_is_parked_and_others_go_on(tmp_path: Path) -> None:
    # given a notice during whose sending the process dies
    with Stage(tmp_path) as stage:
        serving = stage.serve()
        killer: Callable[[str], str | None] = lambda _address: serving.kill()  # noqa: E731 - it changes with each life
        stage.mail.on_rcpt = killer
        stage.submitted(serving)
        assert serving.gone() == -9
        for _ in range(2):
            serving = stage.serve()
            assert serving.gone() == -9

        # when a process comes up for the fourth time, with another notice to send
        stage.mail.on_rcpt = lambda _address: "250 OK"
        first = stage.notice_row()
        serving = stage.serve()
        stage.submitted(serving)
        wait_until(
            lambda: not stage.rows("SELECT 1 FROM outbox WHERE state IN ('pending', 'claimed')"),
            12,
            "all rows",
        )
        serving.ask_to_stop()
        serving.gone()

        # then the one that kills is parked with its reason, and the other went out
        parked = stage.rows("SELECT * FROM outbox WHERE id = ?", first["id"])[0]
        assert (parked["state"], parked["attempts"]) == ("parked", 4)
        assert parked["error"] == "3 claims in a row ended without a word"
        assert stage.notice_row()["state"] == "done"
        assert len(stage.mail.taken) == 1


def test_promises_nobody_was_rung_for_are_kept_within_two_seconds_of_the_restart(tmp_path: Path) -> None:
    # given a process that dies when its promise is made and nothing was claimed: the mail server lets nobody through
    with Stage(tmp_path) as stage:
        serving = stage.serve(threads=1)
        held = threading.Event()
        stage.mail.on_rcpt = lambda _address: (held.wait(20), "250 OK")[1]
        for _ in range(3):
            stage.submitted(serving)
        serving.kill()
        serving.gone()
        held.set()
        unclaimed = [
            row["id"] for row in stage.rows("SELECT id FROM outbox WHERE state = 'pending' AND attempts = 0")
        ]
        assert unclaimed

        # when the next process comes up
        began = time.monotonic()
        serving = stage.serve()

        # then the sweep rings for them
        marks = ", ".join("?" * len(unclaimed))
        sql = f"SELECT 1 FROM outbox WHERE id IN ({marks}) AND state <> 'done'"
        wait_until(lambda: not stage.rows(sql, *unclaimed), 2, "the sweep to ring")
        print(f"\nsent {time.monotonic() - began:.2f} s after the restart")
        serving.ask_to_stop()
        assert serving.gone() == 0


def test_a_line_cut_between_the_mail_and_its_answer_is_parked_where_a_second_copy_is_unwanted(
    tmp_path: Path,
) -> None:
    # given a channel that must not send twice, and a process that dies when the server has taken the mail
    with Stage(tmp_path) as stage:
        serving = stage.serve(policy="park")
        stage.mail.on_dot = lambda _id: serving.kill()
        stage.submitted(serving)
        serving.gone()
        assert stage.notice_row()["state"] == "in_flight"

        # when the next process serves
        stage.mail.on_dot = lambda _id: "250 taken"
        serving = stage.serve(policy="park")
        wait_until(
            lambda: stage.notice_row()["state"] == "parked", 3, "the row to be shown, at most lease + 2 s"
        )
        serving.ask_to_stop()
        serving.gone()

        # then nothing was sent again, and a person is told that the outcome is unknown
        assert stage.notice_row()["error"] == "outcome unknown"
        assert len(stage.mail.taken) == 1


@pytest.mark.parametrize("cases", [200])
def test_eight_clients_approve_the_same_cases_at_once_and_each_has_one_winner(
    tmp_path: Path, cases: int
) -> None:
    # given cases that wait for a decision
    with Stage(tmp_path) as stage:
        serving = stage.serve()
        with serving.connect(5) as line, line.makefile("rb") as answers:
            waiting = [started(stage, line, answers) for _ in range(cases)]
        answered: list[dict[str, Any]] = []
        together = threading.Barrier(8)

        def press() -> None:
            with serving.connect(5) as line, line.makefile("rb") as answers:
                together.wait(10)
                answered.extend(
                    talk(line, answers, stage.office.command("manager", "fire", case=case, trigger="approve"))
                    for case in waiting
                )

        # when eight clients press at the same time
        began = time.monotonic()
        threads = [threading.Thread(target=press) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        serving.kill()
        serving.gone()

        # then each case has one winner, and everybody else a refusal that says why
        words = Counter("done" if "head" in answer else answer.get("refused", "error") for answer in answered)
        print(f"\n{dict(words)} in {time.monotonic() - began:.1f} s")
        assert words == {"done": cases, "trigger_not_allowed": 7 * cases}
        moves = stage.rows("SELECT count(*) AS count FROM transition_log WHERE trigger = 'approve'")
        assert moves[0]["count"] == cases
        assert len({answer["subject"] for answer in answered if "head" in answer}) == cases


def started(stage: Stage, line: Any, answers: Any) -> str:
    parties = {"requester": stage.office.made["an"], "office": stage.office.made["office"]}
    values = {"wish": "giấy", "amount": 3}
    answer = talk(
        line,
        answers,
        stage.office.command("an", "start", definition="purchase", parties=parties, values=values),
    )
    talk(line, answers, stage.office.command("an", "fire", case=answer["subject"], trigger="submit"))
    return str(answer["subject"])


def talk(line: Any, answers: Any, words: dict[str, Any]) -> dict[str, Any]:
    line.sendall(json.dumps(words).encode() + b"\n")
    answer: dict[str, Any] = json.loads(answers.readline())
    return answer
