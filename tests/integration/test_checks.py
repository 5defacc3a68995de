"""What `make check` runs: a red check makes it red, a forgotten folder stops it, time is bounded."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from scripts import check
from scripts.check import Check

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str, *good: int) -> Check:
    return Check("a check", (sys.executable, "-c", code), good or (0,))


@pytest.mark.parametrize(
    ("code", "good", "passed"),
    [("pass", (0,), True), ("raise SystemExit(1)", (0,), False), ("raise SystemExit(5)", (0, 5), True)],
)
def test_a_check_passes_by_its_exit_code_alone(code: str, good: tuple[int, ...], passed: bool) -> None:
    assert check.run(python(code, *good), 30)[0] is passed


def test_what_would_pass_the_budget_is_ended_with_all_it_started_and_counts_as_failed() -> None:
    # given: a check that starts a program of its own
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    # when
    begun = time.monotonic()
    passed, seconds = check.run(python(code), 0.5)
    # then
    assert not passed
    assert seconds >= 0.5
    assert time.monotonic() - begun < 20


def test_without_time_left_a_check_is_not_run_and_counts_as_failed() -> None:
    assert check.run(python("pass"), 0) == (False, 0.0)


def test_one_red_check_makes_the_whole_red_and_the_rest_still_runs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # given
    monkeypatch.setattr(
        check, "test_checks", lambda: [python("raise SystemExit(1)"), python("print('second')")]
    )
    # when
    code = check.main("test")
    # then
    told = capfd.readouterr().out
    assert code == 1
    assert "second" in told
    assert "FAILED" in told


def test_nothing_found_to_run_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "test_checks", list)
    assert check.main("test") == 1


def test_an_unknown_kind_is_refused() -> None:
    assert check.main("tset") == 2


def test_a_folder_of_tests_that_nobody_runs_stops_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    for folder in ("unit", "forgotten"):
        (tmp_path / "tests" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder / "test_a.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(check, "HERE", tmp_path)
    # when / then
    with pytest.raises(SystemExit, match="forgotten"):
        check.test_checks()


def test_the_whole_holds_format_lint_types_licences_and_the_tests() -> None:
    names = [each.name for each in check.static_checks() + check.test_checks()]
    assert names[:4] == ["format", "lint", "types", "licences"]
    assert "quick tests" in names
