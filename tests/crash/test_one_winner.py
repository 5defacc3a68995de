"""Eight clients press "approve" on the same cases at the same instant: two processes with four threads each, both stores."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from engine import schema
from tests.crash.cluster import VICTIM
from tests.processes import HERE, Launcher, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

CASES = 150


@pytest.fixture(params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: tuple[PostgresServer, RedisServer],
    make_database: Callable[[], Database],
) -> str:
    """A new, empty store."""
    if request.param == "postgresql":
        return make_database().app_url
    schema.create(tmp_path / "tiendo.db", kind="sample").close()
    return str(tmp_path / "tiendo.db")


def test_eight_clients_in_two_processes_approve_the_same_cases_and_each_has_one_winner(
    tmp_path: Path, address: str
) -> None:
    with ExitStack() as ends:
        first, second = (ends.enter_context(Launcher(HERE, VICTIM)) for _ in range(2))

        # given cases that wait for a decision
        made = first.ask(question="prepare", database=address)
        cases = first.ask(question="submit", database=address, made=made, cases=CASES)

        # when eight clients press at the same time
        gate, answered = tmp_path / "gate", list[dict[str, Any]]()

        def press(launcher: Launcher) -> None:
            answered.extend(
                launcher.ask(question="press", database=address, made=made, cases=cases, gate=str(gate))
            )

        threads = [threading.Thread(target=press, args=(launcher,)) for launcher in (first, second)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(list(tmp_path.glob("gate.*"))) == 2, 20, "both processes to be ready")
        gate.touch()
        begun = time.monotonic()
        for thread in threads:
            thread.join(100)

        # then each case has one winner, everybody else a refusal that says why, and nobody an error
        words = Counter("done" if "head" in one else one.get("refused", str(one)) for one in answered)
        print(f"\n{dict(words)} in {time.monotonic() - begun:.1f} s")
        assert words == {"done": CASES, "trigger_not_allowed": 7 * CASES}
        assert sorted(one["subject"] for one in answered if "head" in one) == sorted(cases)
        assert first.ask(question="fsck", database=address) == []
