"""What a stranger does: the README's commands and the walkthrough's, for real, in one folder, in order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.commands_of import Shell, shown_in

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("first_run")]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, str]:
    """The folder after `make run`, and what it printed."""
    shell = Shell(tmp_path_factory.mktemp("một thư mục"))
    done = shell.run_apart("make run")
    assert done.returncode == 0, done.stdout + done.stderr
    return shell, done.stdout


def asked(shell: Shell, line: str) -> Any:
    done = shell.run(f"{line} --json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_make_run_carries_the_sample_to_its_end_and_says_what_came_of_it(first: tuple[Shell, str]) -> None:
    _, printed = first

    assert "Đề án khuyến công quốc gia" in printed
    assert "Đề án khuyến công địa phương" in printed.replace("\n", " ") or "địa" in printed
    assert "nguyên vẹn" in printed
    tried = [line.strip() for line in printed.splitlines() if line.startswith("  .venv/bin/")]
    assert len(tried) == 3
    assert "không dùng được" not in printed


def test_a_second_run_resumes_the_store_and_changes_nothing(first: tuple[Shell, str]) -> None:
    shell, printed = first
    counted = [line for line in printed.splitlines() if "Hồ sơ:" in line or "Lượt chuyển" in line]

    again = shell.run_apart("make run")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "Tiếp tục kho mẫu" in again.stdout
    assert [
        line for line in again.stdout.splitlines() if "Hồ sơ:" in line or "Lượt chuyển" in line
    ] == counted


def test_the_commands_of_the_readme_work_as_they_stand(first: tuple[Shell, str]) -> None:
    shell, _ = first
    done = 0
    for shown in shown_in("README.md"):
        if shown.line.startswith("export "):
            shell.export(shown.line)
        elif shown.line.startswith("tiendo "):
            answer = shell.run(shown.line)
            assert answer.returncode == shown.code, shown.line + answer.stdout + answer.stderr
            assert answer.stdout.strip()
            assert "Traceback" not in answer.stderr
            done += 1
    assert done >= 7


def test_the_walkthrough_carries_a_project_from_survey_to_closed(first: tuple[Shell, str]) -> None:
    # given the sample, and the commands of the document
    shell, _ = first
    commands = shown_in("docs/walkthrough.md")

    # when each is run as it stands
    for shown in commands:
        if shown.line.startswith("export "):
            shell.export(shown.line)
            continue
        answer = shell.run(shown.line)
        assert answer.returncode == shown.code, shown.line + "\n" + answer.stdout + answer.stderr

    # then the project is archived, its advance is paid, and the log is whole
    project = asked(shell, "tiendo show ST-2027-QG-01 --as st-gd")
    advance = asked(shell, "tiendo show ST-2027-QG-01/TU1 --as st-gd")
    assert (project["state"], project["phase"], project["final"]) == ("archived", "closed", "accepted")
    assert advance["state"] == "paid"
    assert asked(shell, "tiendo audit fsck")["findings"] == []


def test_a_refusal_names_article_grade_and_the_command_that_supplies_it(first: tuple[Shell, str]) -> None:
    # given a fresh case of which nothing is known yet, of an establishment of its own
    shell, _ = first
    lines = [one.line.replace("st-cs-900", "st-cs-901") for one in shown_in("docs/walkthrough.md")]
    entered = shell.run(next(line for line in lines if line.startswith("tiendo establishment set")))
    assert entered.returncode == 0, entered.stderr
    code = asked(shell, next(line for line in lines if line.startswith("tiendo start national")))["code"]

    # when it is registered all the same
    refused = shell.run(f"tiendo fire {code} register --as st-cv1")
    plain = shell.run(f"tiendo fire {code} register --as st-cv1 --json")

    # then each line says what, by which article, how well known, and what to type
    assert refused.returncode == plain.returncode == 2
    assert "TT 17/2018/TT-BCT" in refused.stderr
    assert "đã đọc văn bản" in refused.stderr
    assert f"tiendo attach {code} registration_letter" in refused.stderr
    assert f"tiendo edit {code} --set survey_on=" in refused.stderr
    unmet = json.loads(plain.stdout)["error"]["unmet"]
    assert {"survey_on", "survey_record", "registration_letter"} <= {one["code"] for one in unmet}
    assert all(one["words"] and one["place"] for one in unmet)
