"""A kill, an error of the disk or a full disk at every single file call of a command: nothing acknowledged is lost."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from tests.crash.each_call import BLOWS, Range, Struck, Tally
from tests.processes import has_strace

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)
#: What only looks is killed at every fourth call in the short run; the long one leaves none out.
LOOKS = {"pread64": 4, "fcntl": 4}
#: Other commands of the long run, and whether they begin with a recovery.
LONG = (("fire", False), ("fire", True), ("start", False), ("edit", True), ("vote", False))


def strike_all(folder: Path, kind: str, *, is_crashed: bool, is_short: bool, tally: Tally) -> None:
    """Strike one command at its calls, one process for each; `folder` is empty."""
    folder.mkdir()
    with Range(folder, kind, is_crashed=is_crashed) as shots:
        for call, blow in BLOWS:
            step = LOOKS.get(call, 1) if is_short and blow == "signal=KILL" else 1
            for struck in shots.strike(call, blow, range(1, shots.calls[call] + 1, step)):
                tally.note(struck)
                assert shots.faults(struck) == []
                assert told_rightly(struck), struck


def told_rightly(struck: Struck) -> bool:
    """Return whether the answer is of a family that fits the blow."""
    if struck.blow == "signal=KILL":
        return struck.status == -9 and struck.outcome in {"no answer", "done"}
    if struck.outcome == "broken store_corrupt":
        # SQLite can't tell a disk that fails to read from a damaged file: neither do we.
        return (struck.call, struck.blow) == ("pread64", "error=EIO")
    return struck.outcome == "done" or struck.outcome.startswith("unavailable store_")


def test_a_transition_struck_at_each_of_its_file_calls_is_whole_or_not_there(
    tmp_path: Path, count_kills: Counter[str]
) -> None:
    if not has_strace():
        warnings.warn(
            "strace is missing: file calls are not struck one by one here; CI has it",
            pytest.PytestWarning,
            stacklevel=1,
        )
        pytest.skip("strace is missing")
    # given a store, and a transition of which every file call is known
    tally = Tally()

    # when each of them is struck, then everything is as it must be after each
    strike_all(tmp_path / "fire", "fire", is_crashed=False, is_short=True, tally=tally)
    print(f"\n{tally}")
    count_kills["SQLite at each file call"] += sum(
        count for name, count in tally.blows.items() if name.endswith("signal=KILL")
    )

    # and there were many, of each kind
    assert tally.blows.total() >= 300
    assert set(tally.blows) == {f"{call} {blow}" for call, blow in BLOWS}
    assert tally.outcomes["no answer"] > 20
    assert tally.outcomes["done"] > 20


def test_a_bulk_killed_half_way_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    if not has_strace():
        warnings.warn(
            "strace is missing: no bulk is killed here; CI does", pytest.PytestWarning, stacklevel=1
        )
        pytest.skip("strace is missing")
    # given 64 cases that are moved together
    tally = Tally()
    with Range(tmp_path, "bulk") as shots:
        writes, syncs = shots.calls["pwrite64"], shots.calls["fdatasync"]
        # there is a middle to be killed in: many more writes than those of one of them
        assert writes > 150
        aims = [("pwrite64", number) for number in range(1, writes + 1, writes // 20)]
        aims += [("fdatasync", number) for number in range(1, syncs + 1)]

        # when the process is killed here and there
        for call, number in aims:
            for struck in shots.strike(call, "signal=KILL", [number]):
                tally.note(struck)

                # then all 64 are there or none, and sending them again does what is left of them
                assert struck.status == -9
                assert shots.faults(struck) == []
    print(f"\n{tally}")
    assert tally.outcomes["no answer"] > 5
    assert tally.outcomes["done"] > 2


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_commands_of_every_kind_struck_at_every_file_call_are_whole_or_not_there(tmp_path: Path) -> None:
    # given commands that open, change, move and decide a case, some after a crash
    assert has_strace(), "the long run needs strace"
    tally = Tally()

    # when every file call of each is struck, then everything is as it must be after each
    for kind, is_crashed in LONG:
        folder = tmp_path / f"{kind} {is_crashed}"
        strike_all(folder, kind, is_crashed=is_crashed, is_short=False, tally=tally)
        print(f"\nup to {kind}, {'after a crash' if is_crashed else 'in order'}: {tally.blows.total()}")
    print(f"\n{tally}")

    # and there were enough
    assert tally.blows.total() >= 2000
