"""How far a killed process had come is told rightly from what passed."""

from __future__ import annotations

import pytest

from tests.crash import trails
from tests.servers.proxy import Passed

RING = "EVAL local room = tonumber(ARGV[1]) - redis.ca 2 tiendo:notices tiendo:notices.msgs 10000 x"
TAKE = "EVAL local worker, wanted, most, handled = AR 6 tiendo:notices x"
CLAIM = "UPDATE outbox SET state = 'claimed', token = $1"
FINISH = "UPDATE outbox SET state = $1, token = NULL"
ROW, TOKEN, MESSAGE = "a" * 32, "b" * 32, "c" * 36


def passed(*said: str | tuple[str, tuple[str, ...]]) -> list[Passed]:
    """Return messages in order, answers those that begin with an arrow; ids behind the words."""
    found = []
    for at, one in enumerate(said):
        words, ids = one if isinstance(one, tuple) else (one, ())
        found.append(Passed(1, "answers" if "-> " in words else "asks", words, ids, float(at)))
    return found


BEGUN = ("BEGIN", "-> BEGIN", "SELECT pg_advisory_xact_lock(name)", "-> SELECT 1")
WRITTEN = (*BEGUN, "INSERT INTO transition_log", "INSERT INTO receipt", "INSERT INTO outbox")


@pytest.mark.parametrize(
    ("said", "bell", "points"),
    [
        ((), (), {"F01", "before the lock"}),
        (("BEGIN", "-> BEGIN", "SELECT path FROM workflow_case"), (), {"F01", "before the lock"}),
        (BEGUN, (), {"F01", "locked"}),
        (WRITTEN, (), {"F01", "written"}),
        ((*WRITTEN, "COMMIT"), (), {"F02"}),
        ((*WRITTEN, "COMMIT", "-> COMMIT"), (), {"F04"}),
        ((*WRITTEN[:-1], "COMMIT", "-> COMMIT"), (), {"F03"}),
        ((*WRITTEN, "COMMIT", "-> COMMIT"), ("", "", "", "", "", "", "", "", "", RING), {"F03"}),
        ((*WRITTEN, "COMMIT", "-> ROLLBACK"), (), {"F01", "before the lock"}),
    ],
)
def test_a_client(said: tuple[str, ...], bell: tuple[str, ...], points: set[str]) -> None:
    assert trails.of_client(passed(*said), passed(*bell), is_pending=True, since=-1) == points
    assert trails.of_client(passed(*said), passed(*bell), is_pending=False, since=-1) == set()


CLAIMED = ("BEGIN", "-> BEGIN", (CLAIM, (TOKEN, ROW)), "-> UPDATE 1", "COMMIT")
TAKEN = (f"{TAKE} -> messages", (f"{ROW}:{MESSAGE}",))
DONE = (
    "BEGIN",
    "-> BEGIN",
    (FINISH, (ROW, TOKEN)),
    "-> UPDATE 1",
    "INSERT INTO delivery",
    "-> INSERT 0 1",
    "COMMIT",
)


@pytest.mark.parametrize(
    ("said", "bell", "mail", "points"),
    [
        ((), (TAKEN,), (), {"F05"}),
        (CLAIMED[:-1], (TAKEN,), (), set()),
        (CLAIMED, (TAKEN,), (), {"F06"}),
        (CLAIMED, (TAKEN,), ("DATA", "."), {"F07"}),
        ((*CLAIMED, "-> COMMIT", *DONE[:-1]), (TAKEN,), ("DATA", "."), {"F07"}),
        ((*CLAIMED, "-> COMMIT", *DONE), (TAKEN,), ("DATA", "."), {"F08"}),
        ((*CLAIMED, "-> COMMIT", *DONE), (TAKEN, (TAKE, (MESSAGE,))), ("DATA", "."), set()),
        ((*CLAIMED[:3], "-> UPDATE 0", "COMMIT"), (TAKEN,), (), set()),
    ],
)
def test_a_worker(
    said: tuple[str, ...], bell: tuple[str, ...], mail: tuple[str, ...], points: set[str]
) -> None:
    assert trails.of_worker(passed(*said), passed(*bell), passed(*mail)) == points


def test_a_ticker() -> None:
    assert trails.of_ticker(passed(*BEGUN), []) == {"F09"}
    assert trails.of_ticker(passed(*BEGUN, "COMMIT", "-> COMMIT"), []) == set()
    assert trails.of_ticker([], passed(RING)) == {"F09"}


def test_what_the_server_has_answered_is_kept_to_be_looked_for() -> None:
    receipt = (*BEGUN, ("INSERT INTO receipt", (ROW, TOKEN)), "COMMIT")
    assert trails.committed(passed(*receipt, "-> COMMIT")) == {frozenset((ROW, TOKEN))}
    assert trails.committed(passed(*receipt)) == set()
