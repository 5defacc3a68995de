"""Run the checks one after the other, each timed, and end non-zero if any failed.

`check.py test` runs the tests, `check.py all` is `make check` and what CI runs, `check.py soak` runs the slow
groups. A later check runs although an earlier one failed, so that one run shows everything. All checks
share one budget of time; what would pass it is ended and counts as failed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BUDGET_SECONDS = 28 * 60
CODE = ("engine", "workflows", "handlers", "config", "scripts", "tests")
#: The fast and pure first: whoever broke a rule of the language learns it in seconds.
QUICK = ("unit", "house")
PARALLEL = ("integration", "workflows", "acceptance")
ALONE = ("crash",)


@dataclass(frozen=True)
class Check:
    """One command, its name in the table, and the exit codes that mean success."""

    name: str
    command: tuple[str, ...]
    good: tuple[int, ...] = (0,)


def tool(name: str, *words: str) -> tuple[str, ...]:
    """Return the command that runs an installed tool with this interpreter."""
    return (sys.executable, "-m", name, *words)


def has_tests(folder: str) -> bool:
    """Return whether a folder of tests/ holds any test."""
    return any((HERE / "tests" / folder).rglob("test_*.py"))


def tests(name: str, folders: tuple[str, ...], *words: str) -> list[Check]:
    """Return one pytest run over those of the folders that hold tests; none is no check, not a green one."""
    paths = [f"tests/{folder}" for folder in folders if has_tests(folder)]
    return [Check(name, tool("pytest", "-q", *words, *paths))] if paths else []


def known_folders() -> set[str]:
    """Return the folders of tests/ that hold tests, so that a new one can't be forgotten."""
    return {found.relative_to(HERE / "tests").parts[0] for found in (HERE / "tests").rglob("test_*.py")}


def static_checks() -> list[Check]:
    """Return what needs no test run: format, lint, types, licences."""
    code = [folder for folder in CODE if any((HERE / folder).rglob("*.py"))]
    return [
        Check("format", tool("ruff", "format", "--check", "--quiet", *code)),
        Check("lint", tool("ruff", "check", "--quiet", *code)),
        Check("types", tool("mypy", *code)),
        Check("licences", (sys.executable, "scripts/licences.py")),
    ]


def test_checks() -> list[Check]:
    """Return the pytest runs of `make test`."""
    forgotten = known_folders() - set(QUICK) - set(PARALLEL) - set(ALONE) - {"bench"}
    if forgotten:
        sys.exit(f"scripts/check.py runs no tests of: {', '.join(sorted(forgotten))}")
    fast = ("-m", "not slow")
    return tests("quick tests", QUICK, *fast) + tests(
        "tests", PARALLEL, *fast, "-n", "2", "--dist", "loadfile"
    )


def crash_checks() -> list[Check]:
    """Return the tests that kill real processes: alone, because others' load would move their clocks; what they hit is shown."""
    return tests("crash tests", ALONE, "-m", "not slow", "-s")


def soak_checks() -> list[Check]:
    """Return the slow groups. A folder without any is fine (pytest's exit code 5)."""
    command = tool("pytest", "-q", "-s", "-m", "slow", "-o", "timeout=0", "tests")
    # The quick run tries few examples of a property; here it tries a hundred times as many.
    properties = ("env", "MORE_EXAMPLES=100", *tool("pytest", "-q", "-o", "timeout=0", "tests/unit"))
    return [Check("slow tests", command, good=(0, 5)), Check("properties", properties)]


def run(check: Check, seconds_left: float) -> tuple[bool, float]:
    """Run one check in a process group of its own and return (passed, seconds)."""
    print(f"\n── {check.name}", flush=True)
    begun = time.monotonic()
    if seconds_left <= 0:
        print(f"   not run: the budget of {BUDGET_SECONDS // 60} minutes is used up", flush=True)
        return False, 0.0
    process = subprocess.Popen(check.command, cwd=HERE, start_new_session=True)
    try:
        code = process.wait(timeout=seconds_left)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print("   ended: it would have passed the budget", flush=True)
        return False, time.monotonic() - begun
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        raise
    return code in check.good, time.monotonic() - begun


def main(kind: str) -> int:
    """Run the checks of `kind` (test, all, soak), print the table and return the exit code."""
    plans = {
        "test": test_checks,
        "all": lambda: static_checks() + test_checks() + crash_checks(),
        "soak": soak_checks,
    }
    if kind not in plans:
        print(f"check.py knows {', '.join(plans)}, not {kind!r}", file=sys.stderr)
        return 2
    checks = plans[kind]()
    if not checks:
        print("No check was found to run.", file=sys.stderr)
        return 1
    budget = float("inf") if kind == "soak" else float(BUDGET_SECONDS)
    outcomes: list[tuple[Check, bool, float]] = []
    for check in checks:
        spent = sum(seconds for _, _, seconds in outcomes)
        passed, seconds = run(check, budget - spent)
        outcomes.append((check, passed, seconds))
    print("\n── time per check")
    for check, passed, seconds in outcomes:
        print(f"   {check.name:<12} {seconds:7.1f} s   {'ok' if passed else 'FAILED'}")
    total = sum(seconds for _, _, seconds in outcomes)
    print(
        f"   {'total':<12} {total:7.1f} s   of {BUDGET_SECONDS} s"
        if kind != "soak"
        else f"   total {total:.1f} s"
    )
    return 0 if all(passed for _, passed, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
