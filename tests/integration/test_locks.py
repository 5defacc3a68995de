"""Whatever a command looks at or writes, `claim` was asked to lock; SQLite would not need it, the second store will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine import locking, requirements
from engine.cases import Case
from engine.commands import Edit, Register, Start
from engine.errors import TiendoError
from engine.sqlite_rows import SqliteTransaction
from engine.store import Asked, Contended, LockMissing, Writing, establishment_lock, plan_lock
from tests.bench import world as bench
from tests.builders import World, submitted, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.commands import Command
    from engine.engine import Engine
    from engine.store import Claimed


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
        tx.claim(asked(locks=(plan_lock("order", 2026, "x"),)))
        assert tx.plan_line("national/2026/x", "order", case) == {"budget_vnd": None, "committed_vnd": 0}


def test_what_an_establishment_got_is_not_looked_at_without_its_lock(w: World) -> None:
    with w.engine.store.begin() as tx:
        tx.claim(asked(locks=(establishment_lock("2" * 32),)))
        with pytest.raises(LockMissing):
            tx.supported("0" * 32, "1" * 32)
        tx.claim(asked(locks=(establishment_lock("0" * 32),)))
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


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bench.World, Engine]]:
    """Two national projects of two provinces before the minister."""
    prepared = bench.prepare(tmp_path_factory.mktemp("locks"), cases=2)
    engine = bench.open_engine(prepared.path)
    yield prepared, engine
    engine.store.close()


def wanted(engine: Engine, command: Command) -> Asked:
    with engine.store.look() as tx:
        return locking.asked(engine, tx, command)


def test_two_provinces_never_wait_for_the_same_lock(two: tuple[bench.World, Engine]) -> None:
    prepared, engine = two
    # when
    one, other = (wanted(engine, command) for command in prepared.approvals())
    # then each holds its own line, the history of its own establishment, and its own case
    first, second = bench.PROVINCES[:2]
    assert plan_lock("national_project", bench.PLAN_YEAR, first) in one.locks
    assert plan_lock("national_project", bench.PLAN_YEAR, second) in other.locks
    assert [name.partition("/")[0] for name in one.locks] == ["establishment", "plan"]
    assert not set(one.locks) & set(other.locks)
    assert not set(one.cases) & set(other.cases)


def test_a_command_that_moves_a_case_to_another_line_holds_both(two: tuple[bench.World, Engine]) -> None:
    prepared, engine = two
    first, second = bench.PROVINCES[:2]
    move = Edit(
        principal=prepared.approvals()[0].principal, case=prepared.cases[0], values={"province": second}
    )
    # when
    found = wanted(engine, move)
    # then
    lines = [name for name in found.locks if name.startswith("plan/")]
    assert lines == sorted(plan_lock("national_project", bench.PLAN_YEAR, one) for one in (first, second))


def test_a_case_that_is_opened_holds_its_line_and_its_establishment(two: tuple[bench.World, Engine]) -> None:
    _, engine = two
    opening = Start(
        principal=bench.OPERATOR, definition="national_project", plan_year=2027,
        values={"province": "ca_mau"}, parties={"beneficiary": "e" * 32},
    )  # fmt: skip
    # when
    found = wanted(engine, opening)
    # then
    assert plan_lock("national_project", 2027, "ca_mau") in found.locks
    assert establishment_lock("e" * 32) in found.locks


def test_all_that_writes_registers_holds_one_lock(two: tuple[bench.World, Engine]) -> None:
    _, engine = two
    found = wanted(engine, Register(principal=bench.OPERATOR, register="person", values={"code": "x"}))
    assert found.locks == (locking.REGISTERS,)


def test_a_look_beside_a_writer_sees_what_was_before_and_waits_for_nobody(w: World) -> None:
    # given a write that is not committed yet
    order = submitted(w)
    with w.engine.store.begin() as tx:
        tx.run("UPDATE workflow_case SET version = 77 WHERE id = :id", {"id": order})
        # when somebody looks, then the case is as it was
        with w.engine.store.look() as other:
            seen = other.case(order)
        assert seen is not None
        assert seen.version != 77


def test_what_only_looks_can_write_nothing(w: World) -> None:
    order = submitted(w)
    with pytest.raises(TiendoError), w.engine.store.look() as tx:
        tx.run("UPDATE workflow_case SET version = 77 WHERE id = :id", {"id": order})
    assert w.case(order)["version"] != 77


def test_what_is_contended_is_begun_anew_and_done_once(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a store in which the first two attempts meet somebody
    left = iter((True, True))
    claim = SqliteTransaction.claim

    def contended(tx: SqliteTransaction, asked: Asked) -> Claimed:
        if next(left, False):
            raise Contended(why="a deadlock")
        return claim(tx, asked)

    monkeypatch.setattr(SqliteTransaction, "claim", contended)
    # when
    receipt = w.start("order")
    # then
    assert len(w.log(receipt.subject)) == 1


def test_what_is_contended_for_ever_is_told_and_changes_nothing(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contended(_tx: SqliteTransaction, _asked: Asked) -> Claimed:
        raise Contended(why="a deadlock")

    monkeypatch.setattr(SqliteTransaction, "claim", contended)
    with pytest.raises(Contended, match="a deadlock"):
        w.start("order")
