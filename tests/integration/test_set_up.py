"""Set-up as a stranger meets it: what is missing is said in words, and what is there isn't made twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent.parent
NEEDED = ("sh", "cat", "cksum", "dirname", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what set-up reads, in a folder with a space and a Vietnamese letter in its name."""
    root = tmp_path / "đề án 1"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(HERE / "scripts" / "set_up.sh", root / "scripts")
    shutil.copy(HERE / "pyproject.toml", root)
    shutil.copytree(HERE / "config" / "locks", root / "config" / "locks")
    return root


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder with the few programs that set-up needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def asked(checkout: Path) -> list[str]:
    return (checkout / ".venv" / "bin" / "asked").read_text(encoding="utf-8").splitlines()


def set_up(checkout: Path, tools: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(checkout / "scripts" / "set_up.sh"), "run"],
        env={"PATH": str(tools), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_any_python_it_says_what_to_install(checkout: Path, tools: Path) -> None:
    # when
    answered = set_up(checkout, tools)
    # then
    assert answered.returncode == 69
    assert "tiendo needs Python 3.11, 3.12 or 3.13" in answered.stderr
    assert "apt-get install python3 python3-venv" in answered.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_or_does_not_start_is_passed_over(checkout: Path, tools: Path) -> None:
    # given: a name without a program behind it, as version switchers leave, and one of the wrong version
    program(tools / "python3.13", "exit 127")
    program(tools / "python3", "exit 1")
    # when
    answered = set_up(checkout, tools)
    # then
    assert answered.returncode == 69
    assert "none of python3.13, python3.12, python3.11, python3 fits" in answered.stderr


def test_a_wrong_named_python_is_told_and_nothing_else_is_tried(checkout: Path, tools: Path) -> None:
    # given
    program(tools / "python3", f'exec "{sys.executable}" "$@"')
    # when
    answered = set_up(checkout, tools, PYTHON="python2.7")
    # then
    assert answered.returncode == 69
    assert "PYTHON=python2.7 is not a Python 3.11, 3.12 or 3.13" in answered.stderr


def test_a_python_without_venv_names_the_package_that_is_missing(checkout: Path, tools: Path) -> None:
    # given: Debian's python3 without python3-venv
    program(
        tools / "python3",
        f'case "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"',
    )
    # when
    answered = set_up(checkout, tools)
    # then
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert answered.returncode == 69
    assert f"apt-get install python{version}-venv" in answered.stderr


def test_a_newer_python_without_venv_gives_way_to_an_older_one_that_has_it(
    checkout: Path, tools: Path
) -> None:
    # given: the older one is reached and writes its name; what it would make is not the point here
    program(tools / "python3.13", f'case "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"')
    program(tools / "python3.11", f'case "$*" in "-m venv"*) exit 3;; esac\nexec "{sys.executable}" "$@"')
    # when
    answered = set_up(checkout, tools)
    # then
    assert answered.returncode == 3
    assert "Making .venv" in answered.stderr


def test_it_installs_once_by_hash_only_and_again_only_when_a_lock_changed(
    checkout: Path, tools: Path
) -> None:
    # given: an environment whose Python writes down what pip is asked, so that no package is fetched here
    record = 'case "$*" in "-m pip install"*) echo "$*" >>"$(dirname "$0")/asked"; exit 0;; esac'
    program(checkout / ".venv" / "bin" / "python", f'{record}\nexec "{sys.executable}" "$@"')
    # when
    first = set_up(checkout, tools)
    second = set_up(checkout, tools)
    # then
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert second.stderr == ""
    lines = asked(checkout)
    assert len(lines) == 2
    assert "--require-hashes --requirement config/locks/run.lock" in lines[0]
    assert "--no-index --no-build-isolation --no-deps" in lines[1]
    # and when a lock changes, or the checkout moves (the scripts in .venv name its place)
    lock = checkout / "config" / "locks" / "run.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "# new\n", encoding="utf-8")
    set_up(checkout, tools)
    assert len(asked(checkout)) == 4
    moved = checkout.rename(checkout.with_name("đề án 2"))
    set_up(moved, tools)
    # then
    assert len(asked(moved)) == 6
    assert (moved / ".venv" / ".installed-run").is_file()
    assert not (moved / ".venv" / ".installed-test").exists()


def test_a_failed_install_is_not_taken_for_a_finished_one(checkout: Path, tools: Path) -> None:
    # given
    failing = 'case "$*" in "-m pip install"*) echo "no route" >&2; exit 1;; esac'
    program(checkout / ".venv" / "bin" / "python", f'{failing}\nexec "{sys.executable}" "$@"')
    # when
    answered = set_up(checkout, tools)
    # then
    assert answered.returncode == 75
    assert "run the same command again" in answered.stderr
    assert not (checkout / ".venv" / ".installed-run").exists()


def test_make_help_says_a_sentence_for_each_target() -> None:
    # given
    makefile = (HERE / "Makefile").read_text(encoding="utf-8")
    targets = makefile.split(".PHONY:", 1)[1].split("\n", 1)[0].split()
    # when
    shown = subprocess.run(
        ["make", "-C", str(HERE), "help"], capture_output=True, text=True, check=True
    ).stdout
    # then
    for target in targets:
        lines = [line for line in shown.splitlines() if line.startswith(f"make {target} ")]
        assert len(lines) == 1, target
        assert lines[0].rstrip().endswith((".", ").")), lines[0]
