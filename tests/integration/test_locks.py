"""Whatever a command looks at or writes, `claim` was asked to lock; SQLite would not need it, the second store will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine import requirements
from engine.cases import Case
from engine.store import Asked, LockMissing, Writing
from tests.builders import World, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def asked(**more: tuple[str, ...]) -> Asked:
    return Asked("person:p", "c", "p", "2026-11-23", **more)


def test_a_budget_line_is_not_looked_at_without_its_lock(w: World) -> None:
    case = Case("0" * 32, plan_year=2026)
    with w.engine.store.begin() as tx:
        tx.claim(asked())
        with pytest.raises(LockMissing):
            tx.plan_line("national/2026/x", "order", case)
        tx.claim(asked(locks=("plan",)))
        assert tx.plan_line("national/2026/x", "order", case) == {"budget_vnd": None, "committed_vnd": 0}


def test_what_an_establishment_got_is_not_looked_at_without_its_lock(w: World) -> None:
    with w.engine.store.begin() as tx:
        tx.claim(asked(locks=("plan",)))
        with pytest.raises(LockMissing):
            tx.supported("0" * 32, "1" * 32)
        tx.claim(asked(locks=("establishment",)))
        assert tx.supported("0" * 32, "1" * 32) == []


def test_a_case_is_not_written_without_its_lock_or_that_of_an_ancestor(w: World) -> None:
    # given a case that was read, but not claimed
    order = submitted(w)
    with w.engine.store.begin() as tx:
        case = tx.case(order)
        assert case is not None
        case.seq += 1
        writing = Writing(cases={order: (case, derived(case, w), False)})
        # when it is written, then it is refused
        with pytest.raises(LockMissing):
            tx.record(writing)
        # and with the lock of any case on its path it is written
        tx.claim(asked(cases=(order,)))
        tx.record(writing)
    assert w.case(order)["seq"] == case.seq


def derived(case: Case, w: World) -> dict[str, Any]:
    definition = w.engine.definitions.by_hash(case.definition)
    return {**requirements.summary(definition, case), "sort_text": "x"}
