"""Threads that take turns on one writing connection share commits; nobody is told anything before the commit."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import sqlite_turns
from engine.sqlite_turns import Turns
from engine.store import StoreBusy
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Line:
    """A file with one table, threads that write to it in turns, and what the connection was asked to do."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS kept (who INTEGER PRIMARY KEY, after INTEGER REFERENCES kept)"
        )
        self.turns = Turns(self.connection, str(path), seconds)
        self.ran: list[str] = []
        self.connection.set_trace_callback(self.ran.append)
        self.answers: dict[int, Any] = {}
        self.threads: list[threading.Thread] = []

    def write(self, who: int, inside: Callable[[], None] = lambda: None) -> None:
        """Write a row in a turn; note what another connection sees of it once the turn is over."""
        try:
            with self.turns.turn():
                self.connection.execute("INSERT INTO kept VALUES (?, NULL)", (who,))
                inside()
        except (sqlite3.Error, StoreBusy, ValueError) as why:
            self.answers[who] = why
        else:
            self.answers[who] = who in self.seen()

    def send(self, who: int, inside: Callable[[], None] = lambda: None) -> None:
        """Let a thread of its own write, and wait until it stands in the line or is at work."""
        thread = threading.Thread(target=self.write, args=(who, inside))
        standing = self.standing
        self.threads.append(thread)
        was_free = not self.turns._taken
        thread.start()
        wait_until(
            lambda: was_free or self.standing > standing or not thread.is_alive(), 10, "a thread in the line"
        )

    @property
    def standing(self) -> int:
        return len(self.turns._waiting)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive(), "a turn never ended"

    def seen(self) -> set[int]:
        """Return what another connection sees."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as other:
            return {row[0] for row in other.execute("SELECT who FROM kept")}

    def count(self, statement: str) -> int:
        return Counter(self.ran)[statement]

    def hold(self) -> threading.Event:
        """Let a thread take the turn and keep it; return what lets it go."""
        inside, go = threading.Event(), threading.Event()

        def wait() -> None:
            inside.set()
            assert go.wait(20)

        self.send(0, wait)
        assert inside.wait(10)
        return go


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(sqlite_turns, "LONGEST_ROUND_SECONDS", 30.0)
    made = Line(tmp_path / "line.db")
    yield made
    made.connection.close()


def fail() -> None:
    raise ValueError


def test_one_thread_alone_needs_no_savepoint(line: Line) -> None:
    line.write(1)
    line.write(2)

    assert [line.count(one) for one in ("BEGIN IMMEDIATE", "SAVEPOINT turn", "COMMIT")] == [2, 0, 2]
    assert line.answers == {1: True, 2: True}


def test_those_who_wait_share_one_commit_and_each_finds_its_row_when_its_turn_is_over(line: Line) -> None:
    # given a turn that lasts while seven threads come
    go = line.hold()
    for who in range(1, 8):
        line.send(who)

    # when it ends
    go.set()
    line.join()

    # then one commit carried all eight
    assert line.count("COMMIT") == 1
    assert line.answers == dict.fromkeys(range(8), True)


def test_a_block_that_raises_takes_back_its_own_and_nothing_else(line: Line) -> None:
    go = line.hold()
    for who in range(1, 6):
        line.send(who, fail if who in {2, 5} else lambda: None)

    go.set()
    line.join()

    assert line.seen() == {0, 1, 3, 4}
    assert {who for who, answer in line.answers.items() if isinstance(answer, ValueError)} == {2, 5}
    assert line.count("COMMIT") == 1


def test_when_the_first_raises_the_next_begins_anew(line: Line) -> None:
    go = threading.Event()

    def wait_and_fail() -> None:
        assert go.wait(20)
        raise ValueError

    line.send(0, wait_and_fail)
    wait_until(lambda: line.turns._round is not None, 10, "the first turn")
    line.send(1)
    go.set()
    line.join()

    assert line.seen() == {1}
    assert (line.count("ROLLBACK"), line.count("COMMIT")) == (1, 1)


def test_a_commit_that_fails_fails_for_all_who_share_it(line: Line) -> None:
    # given a turn of the round that makes its commit impossible
    def point_nowhere() -> None:
        line.connection.execute("PRAGMA defer_foreign_keys = ON")
        line.connection.execute("INSERT INTO kept VALUES (99, 100)")

    go = line.hold()
    line.send(1)
    line.send(2, point_nowhere)
    line.send(3)

    # when they commit
    go.set()
    line.join()

    # then nothing is there, everybody knows, and the next turn works
    assert line.seen() == set()
    assert all(isinstance(answer, sqlite3.IntegrityError) for answer in line.answers.values())
    line.write(9)
    assert line.answers[9] is True


def test_what_sqlite_gives_up_by_itself_is_lost_for_all_who_shared_it(line: Line) -> None:
    def give_up() -> None:
        line.connection.execute("INSERT OR ROLLBACK INTO kept VALUES (0, NULL)")

    go = line.hold()
    line.send(1)
    line.send(2, give_up)
    line.send(3)
    go.set()
    line.join()

    assert all(isinstance(line.answers[who], sqlite3.Error) for who in (0, 1, 2))
    assert line.seen() == {3}
    assert line.answers[3] is True


def test_an_old_round_takes_nobody_in(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_turns, "LONGEST_ROUND_SECONDS", 0.0)
    go = line.hold()
    for who in range(1, 4):
        line.send(who)

    go.set()
    line.join()

    assert line.count("COMMIT") == 4
    assert line.seen() == {0, 1, 2, 3}


def test_who_waits_too_long_is_told_and_leaves_the_line(tmp_path: Path) -> None:
    line = Line(tmp_path / "busy.db", seconds=0.05)
    go = line.hold()

    line.write(1)

    assert isinstance(line.answers[1], StoreBusy)
    assert line.standing == 0
    go.set()
    line.join()
    assert line.seen() == {0}
    line.connection.close()


@pytest.mark.parametrize("has_come", [False, True], ids=["still waiting", "its turn just came"])
def test_an_interrupt_while_waiting_stops_nobody_else(line: Line, has_come: bool) -> None:
    # given a waiting main thread that is interrupted, perhaps when the connection was just handed to it
    go = line.hold()

    def interrupt(*_: object) -> None:
        if has_come:
            go.set()
            wait_until(lambda: line.standing == 0, 10, "the turn to be handed on")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)

    # when
    def knock() -> None:
        wait_until(lambda: line.standing == 1, 10, "the main thread in the line")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        with pytest.raises(KeyboardInterrupt), line.turns.turn():
            pytest.fail("the turn came to somebody who was interrupted")
    finally:
        knocking.join()
        signal.signal(signal.SIGUSR1, before)

    # then the turn before is committed, and others go on
    go.set()
    line.join()
    line.write(2)
    assert line.answers == {0: True, 2: True}


def test_who_needs_the_connection_alone_finds_everything_committed(line: Line) -> None:
    # given a round that is handed on to somebody who wants no transaction
    go = line.hold()
    found = []

    def look() -> None:
        with line.turns.alone() as connection:
            found.append((connection.in_transaction, line.seen()))

    alone = threading.Thread(target=look)
    alone.start()
    wait_until(lambda: line.standing == 1, 10, "the one who wants to be alone")
    line.send(1)

    # when
    go.set()
    line.join()
    alone.join()

    # then
    assert found == [(False, {0})]
    assert line.seen() == {0, 1}


def test_a_closed_round_is_committed_before_the_next_turn(line: Line) -> None:
    go, inside = threading.Event(), threading.Event()

    def close() -> None:
        with line.turns.turn() as shared:
            line.connection.execute("INSERT INTO kept VALUES (7, NULL)")
            inside.set()
            assert go.wait(20)
            shared.close()

    closing_one = threading.Thread(target=close)
    closing_one.start()
    assert inside.wait(10)
    line.send(8, lambda: line.answers.update({80: 7 in line.seen()}))
    go.set()
    closing_one.join()
    line.join()

    assert line.answers == {8: True, 80: True}


@settings(max_examples=40, deadline=None)
@given(
    plans=st.lists(
        st.lists(st.sampled_from(["keep", "raise", "undo", "break"]), min_size=1, max_size=6),
        min_size=2,
        max_size=6,
    ),
    longest=st.sampled_from([0.0, 0.0005, 30.0]),
)
def test_whatever_threads_do_at_once_exactly_what_was_answered_is_kept(
    tmp_path_factory: pytest.TempPathFactory, plans: list[list[str]], longest: float
) -> None:
    # given threads that write in turns: some raise, some take part of it back, some break the commit
    line = Line(tmp_path_factory.mktemp("turns") / "line.db")
    gate = threading.Barrier(len(plans))
    run = line.connection.execute

    def work(number: int, plan: list[str]) -> None:
        gate.wait(10)
        for step, what in enumerate(plan):

            def inside(what: str = what, spare: int = 1000 + 100 * number + step) -> None:
                if what == "undo":
                    run("SAVEPOINT inner")
                    run("INSERT INTO kept VALUES (?, NULL)", (spare,))
                    run("ROLLBACK TO inner")
                    run("RELEASE inner")
                elif what == "break":
                    run("PRAGMA defer_foreign_keys = ON")
                    run("INSERT INTO kept VALUES (?, 99999)", (spare,))
                elif what == "raise":
                    raise ValueError

            line.write(100 * number + step, inside)

    # when all run at once
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_turns, "LONGEST_ROUND_SECONDS", longest)
        for number, plan in enumerate(plans):
            line.threads.append(threading.Thread(target=work, args=(number, plan)))
            line.threads[-1].start()
        line.join()

    # then what is there is what was answered, nobody was told too early, and who broke the commit was told
    said = {who for who, answer in line.answers.items() if answer is True}
    assert line.seen() == said
    assert len(line.answers) == sum(map(len, plans))
    assert False not in line.answers.values()
    for number, plan in enumerate(plans):
        for step, what in enumerate(plan):
            assert not (what in {"raise", "break"} and line.answers[100 * number + step] is True)
    line.connection.close()
