"""Two sessions at a time: who waits sees everything that was done meanwhile, and nobody waits in a ring.

Each test holds the locks of one command in an open transaction, lets another wait for them, changes what the other is going
to look at, commits, and asks what the other decided.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from engine import files, locking, timers
from engine.commands import Attach, Comment, Edit, Fire, Register, Start
from engine.errors import TiendoError
from engine.execute import _one, execute, execute_all
from engine.machine import RequirementsUnmet
from engine.refusals import CaseUnknown, CommandIdReused, VersionConflict
from engine.store import Contended
from tests import small_definitions as small
from tests import stores
from tests.builders import ADMIN, World, codes, doing, paper, submitted, world
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.commands import Command
    from engine.store import Transaction

#: An order whose amount may be changed while its parts are done.
ORDER = small.ORDER.replace(
    "{fields: [wanted_on], in: [doing]", "{fields: [wanted_on, amount_vnd], in: [doing]"
)
#: Decided on a budget line, for an establishment that may be supported once for the same content.
GRANT = """
definition: grant
title: {vi: Hỗ trợ, en: Grant}
series: HT
language: 1
version: 1
phases:
  deciding: {vi: Xét, en: Deciding}
  ended: {vi: Xong, en: Ended}
parties:
  office:
    kind: organisation
    title: {vi: Cơ quan, en: Office}
    roles: {clerk: {vi: Văn thư, en: Clerk}, head: {vi: Trưởng phòng, en: Head}}
  farm: {kind: establishment, required: false, title: {vi: Cơ sở, en: Farm}}
fields:
  programme: {type: text, title: {vi: Chương trình, en: Programme}}
  province: {type: text, title: {vi: Tỉnh, en: Province}}
  content: {type: text, title: {vi: Nội dung, en: Content}}
  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}}
reads: [plan, establishment]
summary: {title: content, scope: province, category: content, amount: amount_vnd}
start: {trigger: ask_for, title: {vi: Đề nghị, en: Ask}, by: office.clerk, to: asked}
editable: [{fields: [province], in: [asked], by: office.clerk}]
states:
  asked:
    phase: deciding
    title: {vi: Đã đề nghị, en: Asked}
    holder: office.head
    triggers:
      grant_it:
        title: {vi: Cấp, en: Grant}
        to: granted
        by: office.head
        decides: today
        guards: [{budget_left: amount_vnd}, no_double_funding]
  granted: {phase: ended, title: {vi: Đã cấp, en: Granted}, final: accepted}
"""


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path, ORDER, small.PART, small.PIECE, GRANT)


@dataclass
class Other:
    """Another session, which carries out what it was given."""

    thread: threading.Thread
    answer: Any = None

    def join(self) -> Any:
        self.thread.join(timeout=60)
        assert not self.thread.is_alive(), "the other session never came back"
        return self.answer


def beside(w: World, ask: Callable[[World], Any]) -> Other:
    """Let another session, with a store of its own, begin to do something."""
    other = w.beside()
    found = Other(threading.Thread())

    def run() -> None:
        try:
            found.answer = ask(other)
        except TiendoError as why:
            found.answer = why

    found.thread = threading.Thread(target=run)
    found.thread.start()
    return found


def waits() -> int:
    """Return how many sessions wait for a lock."""
    with stores.administrator() as administrator:
        row = administrator.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return int(str(row[0])) if row else 0


def deadlocks() -> int:
    with stores.administrator() as administrator:
        administrator.execute("SELECT pg_stat_clear_snapshot()")
        row = administrator.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(str(row[0])) if row else 0


@contextmanager
def holding(w: World, *commands: Command) -> Iterator[Transaction]:
    """Carry commands out in a transaction that stays open: their locks are held until this is left."""
    with w.engine.store.begin() as tx:
        for command in commands:
            _one(w.engine, tx, command, [])
        yield tx


def meanwhile(w: World, held: Command, then: tuple[Command, ...], ask: Callable[[World], Any]) -> Any:
    """Hold what `held` locks, let another session run into it, do `then`, commit; return what the other was answered."""
    with w.engine.store.begin() as tx:
        locking.hold_all(w.engine, tx, (held, *then), wait=True)
        _one(w.engine, tx, held, [])
        other = beside(w, ask)
        wait_until(waits, 20, "the other session waits for a lock")
        for command in then:
            _one(w.engine, tx, command, [])
    return other.join()


def family(w: World) -> tuple[str, list[str]]:
    """Return an order that is being done and its two open parts, which cost what the order may cost at most."""
    order = doing(w)
    for _ in range(2):
        w.fire("clerk", order, "split")
    parts = w.children(order)
    for part in parts:
        w.edit("clerk", part, cost_vnd=1_000_000)
    return order, parts


def told_by(w: World, who: str, case: str, words: str = "x") -> Comment:
    return Comment(principal=w.people[who], case=case, text=words)


# Who waits sees all of it.


def test_a_waiter_sees_the_sibling_that_ended_meanwhile(w: World) -> None:
    # given the last but one part being finished in one session
    order, (one, other) = family(w)
    clerk = w.people["clerk"]
    # when another finishes the last part, and has to wait
    answer = meanwhile(
        w,
        told_by(w, "clerk", order),
        (Fire(principal=clerk, case=one, trigger="finish"),),
        lambda beside: beside.fire("clerk", other, "finish"),
    )
    # then it saw that all parts are in, and the order is done by itself
    assert answer.state == "finished"
    assert w.state(order) == "done"
    w.assert_clean()


def test_a_waiter_appends_to_the_log_as_it_is_after_the_wait_and_later_than_it(w: World) -> None:
    order = doing(w)
    # when ten entries are written while another session waits with one more
    entries = tuple(told_by(w, "head", order, str(number)) for number in range(10))
    answer = meanwhile(w, entries[0], entries[1:], lambda beside: beside.comment("clerk", order, "sau cùng"))
    # then its entry is the next one of the chain, and later than all others
    log = w.log(order)
    assert answer.seq == len(log)
    assert [entry["recorded_at"] for entry in log] == sorted(entry["recorded_at"] for entry in log)
    w.assert_clean()


def test_a_waiter_whose_role_was_taken_away_meanwhile_is_refused(w: World) -> None:
    order = submitted(w)
    seat = {"bound": w.office, "role": "head", "from": "2000-01-01", "to": "2001-01-01"}
    taken = Register(principal=ADMIN, register="person", key=w.who("head"), values={"membership.1": seat})
    # when the head's seat ends while the head's approval waits
    answer = meanwhile(
        w, told_by(w, "buyer", order), (taken,), lambda beside: beside.fire("head", order, "approve")
    )
    # then it is decided on the seats of today, not of before the wait
    assert isinstance(answer, CaseUnknown)
    assert w.state(order) == "review"
    w.assert_clean()


def test_a_waiter_who_was_told_meanwhile_is_in_the_notice(w: World) -> None:
    order = doing(w)
    draft = w.start("order", values={"subject": "Bàn", "amount_vnd": 1}).subject
    seat = {"bound": w.office, "role": "head", "from": "2000-01-01"}
    given = Register(principal=ADMIN, register="person", key=w.who("director"), values={"membership.2": seat})
    # when somebody becomes head while a submission waits that tells all heads
    meanwhile(w, told_by(w, "buyer", draft), (given,), lambda beside: beside.fire("buyer", draft, "submit"))
    # then the new one is told as well
    told = {row["person"] for row in w.notices(draft) if row["word"] == "submitted"}
    assert told == {w.who("head"), w.who("director")}
    assert w.state(order) == "doing"


def test_a_second_press_that_waits_for_the_first_gets_its_receipt(w: World) -> None:
    order = submitted(w)
    press = Fire(principal=w.people["head"], case=order, trigger="approve", id="press-1")
    answer = meanwhile(w, press, (), lambda beside: execute(beside.engine, press))
    assert answer.repeated
    assert answer.seq == len(w.log(order))
    w.assert_clean()


def test_the_same_id_with_another_body_is_refused_also_after_a_wait(w: World) -> None:
    order = submitted(w)
    press = Fire(principal=w.people["head"], case=order, trigger="approve", id="press-1")
    other = Fire(principal=w.people["head"], case=order, trigger="send_back", id="press-1", reason="thiếu")
    answer = meanwhile(w, press, (), lambda beside: execute(beside.engine, other))
    assert isinstance(answer, CommandIdReused)


def test_a_case_opened_twice_at_once_under_one_id_is_opened_once(w: World) -> None:
    # given: nothing is locked for an opening, so both find no receipt, and the second meets the first one's at writing
    start = Start(
        principal=w.people["buyer"], definition="order", id="open-1",
        parties={"buyer": w.who("buyer"), "office": w.office}, values={"subject": "Bàn", "amount_vnd": 1},
    )  # fmt: skip
    answer = meanwhile(w, start, (), lambda beside: execute(beside.engine, start))
    assert answer.repeated
    assert w.rows("SELECT count(*) FROM workflow_case") == [(1,)]
    w.assert_clean()


def test_a_waiter_that_expected_an_older_version_is_told_the_newer_one(w: World) -> None:
    order = submitted(w)
    version = w.case(order)["version"]
    sent_back = Fire(principal=w.people["head"], case=order, trigger="send_back", reason="thiếu")
    answer = meanwhile(
        w, sent_back, (), lambda beside: beside.fire("head", order, "approve", expected_version=version)
    )
    assert isinstance(answer, VersionConflict)
    assert answer.facts["found"] == version + 1


# A decision rests on rows that are held.


def test_a_child_is_decided_on_the_parent_as_it_is_after_the_wait(w: World) -> None:
    # given a part that costs less than its order may
    order, (part, _) = family(w)
    lowered = Edit(principal=w.people["head"], case=order, values={"amount_vnd": 500_000})
    # when the order is lowered below it while its end waits
    answer = meanwhile(w, lowered, (), lambda beside: beside.fire("clerk", part, "finish"))
    # then it does not end
    assert isinstance(answer, RequirementsUnmet)
    assert codes(answer) == ["within_order"]
    assert w.state(part) == "open"
    w.assert_clean()


def budget(w: World, amount: int) -> None:
    w.register("budget_line", programme="local", plan_year=2026, scope="ca_mau", amount_vnd=amount)


def grant(w: World, content: str, *, farm: str = "") -> str:
    parties = {"office": w.office, **({"farm": farm} if farm else {})}
    values = {"programme": "local", "province": "ca_mau", "content": content, "amount_vnd": 60}
    return w.start("grant", "clerk", parties=parties, values=values, plan_year=2026).subject


def test_two_projects_never_spend_the_same_budget(w: World) -> None:
    # given a line with room for one of two
    budget(w, 100)
    one, other = grant(w, "máy"), grant(w, "lò")
    granted = Fire(principal=w.people["head"], case=one, trigger="grant_it")
    # when both are granted at once
    answer = meanwhile(w, granted, (), lambda beside: beside.fire("head", other, "grant_it"))
    # then the second one sees what the first one took
    assert isinstance(answer, RequirementsUnmet)
    assert codes(answer) == ["budget_left"]
    w.assert_clean()


def test_an_establishment_is_never_supported_twice_for_the_same_content(w: World) -> None:
    budget(w, 1000)
    farm = w.register(
        "establishment", code="lo-gach", name="Lò gạch", province="ca_mau", tax_code="2000123456"
    ).subject
    one, other = grant(w, "máy", farm=farm), grant(w, "máy", farm=farm)
    granted = Fire(principal=w.people["head"], case=one, trigger="grant_it")
    answer = meanwhile(w, granted, (), lambda beside: beside.fire("head", other, "grant_it"))
    assert isinstance(answer, RequirementsUnmet)
    assert codes(answer) == ["no_double_funding"]
    w.assert_clean()


def test_projects_of_two_provinces_do_not_wait_for_each_other(w: World) -> None:
    budget(w, 1000)
    w.register("budget_line", programme="local", plan_year=2026, scope="an_giang", amount_vnd=1000)
    here = grant(w, "máy")
    there = w.start(
        "grant", "clerk", parties={"office": w.office}, plan_year=2026,
        values={"programme": "local", "province": "an_giang", "content": "máy", "amount_vnd": 60},
    ).subject  # fmt: skip
    # when one is granted in a transaction that stays open
    with holding(w, Fire(principal=w.people["head"], case=here, trigger="grant_it")):
        # then the other is granted meanwhile
        assert beside(w, lambda other: other.fire("head", there, "grant_it")).join().state == "granted"


def test_the_sweep_never_takes_a_file_that_is_being_named_just_now(w: World) -> None:
    # given an old file that nobody names yet
    order = submitted(w)
    named, orphan = (files.put(w.engine.store, content, "text/plain") for content in (b"named", b"orphan"))
    w.clock.move(days=2)
    attached = Attach(principal=w.people["buyer"], case=order, documents=(paper(file=named),))
    # when the sweep comes while a command that names it is not committed yet
    answer = meanwhile(w, attached, (), lambda beside: files.sweep_orphans(beside.engine.store))
    # then it waits, and takes the other one only
    assert answer == 1
    with w.engine.store.look() as tx:
        assert files.has(tx, named)
        assert not files.has(tx, orphan)
    w.assert_clean()


def test_the_same_file_stored_by_two_at_once_is_stored_once(w: World) -> None:
    content = bytes(range(256)) * 2000
    stored = at_once(*[lambda: files.put(w.engine.store, content, "application/pdf")] * 4)
    assert len(set(stored)) == 1
    assert b"".join(files.open(w.engine.store, stored[0])) == content


# Nobody waits in a ring.


def test_a_child_can_be_opened_while_its_parent_is_held(w: World) -> None:
    # given: a lock that stops changes of a row, but not rows that refer to it
    order, (part, _) = family(w)
    with w.engine.store.begin() as tx:
        tx.hold((), (order, part))
        with stores.administrator() as administrator:
            administrator.execute("SET lock_timeout = '5s'")
            # when another session writes a row that refers to the held one, then it does not wait
            administrator.execute(
                "INSERT INTO case_party (case_id, party, bound) VALUES (%s, 'x', 'y')", [order]
            )
        found = tx.run("SELECT bound FROM case_party WHERE case_id = :id AND party = 'x'", {"id": order})
    assert found == [("y",)]


def test_a_tick_leaves_a_case_alone_that_a_person_holds_and_fires_it_later(w: World) -> None:
    # given two orders whose deadline is near, one of them held by somebody who just approves it
    held, free = submitted(w), submitted(w)
    w.clock.move(days=4)
    with holding(w, Fire(principal=w.people["head"], case=held, trigger="approve")):
        # when the tick comes, then it does not wait: it fires the other one
        fired = beside(w, lambda other: timers.fire_due(other.engine)).join()
        assert fired == 1
    # then the approval has cancelled the held one's timers
    assert {one["state"] for one in w.timers(held, "") if one["set_by"] == 2} == {"cancelled"}
    assert [one["state"] for one in w.timers(free, "fired")] == ["fired"]
    assert timers.fire_due(w.engine) == 0
    w.assert_clean()


def test_what_a_person_held_is_fired_by_the_next_tick(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=4)
    with holding(w, told_by(w, "head", order)):
        assert beside(w, lambda other: timers.fire_due(other.engine)).join() == 0
    assert timers.fire_due(w.engine) == 1
    w.assert_clean()


def at_once(*asks: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(len(asks))
    answers: list[Any] = [None] * len(asks)

    def run(number: int) -> None:
        gate.wait()
        try:
            answers[number] = asks[number]()
        except TiendoError as why:
            answers[number] = why

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_parent_and_children_that_move_at_once_never_deadlock(w: World) -> None:
    # given an order that pulls its parts along, and parts that move on their own
    order, parts = family(w)
    other = w.beside()

    def pull() -> list[Any]:
        moved = []
        for _ in range(6):
            moved.append(w.fire("head", order, "suspend"))
            moved.append(w.fire("head", order, "resume"))
        return moved

    def move(case: str) -> Callable[[], list[Any]]:
        return lambda: [other.comment("clerk", case, str(number)) for number in range(12)]

    # when
    answers = at_once(pull, *(move(part) for part in parts))
    # then nobody was turned away and the server never had to break a ring
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert deadlocks() == 0
    w.assert_clean()


def test_two_bulks_over_the_same_cases_in_opposite_order_never_deadlock(w: World) -> None:
    budget(w, 10**9)
    cases = [submitted(w) for _ in range(8)] + [grant(w, f"n{number}") for number in range(4)]
    other = w.beside()

    def bulk(one: World, order: list[str], words: str) -> list[Any]:
        return [
            answer
            for number in range(6)
            for answer in execute_all(
                one.engine, [told_by(one, "head", case, f"{words}{number}") for case in order]
            )
        ]

    # when
    answers = at_once(lambda: bulk(w, cases, "a"), lambda: bulk(other, cases[::-1], "b"))
    # then every one of them was done
    assert all(isinstance(one, list) for one in answers), answers
    assert [one for some in answers for one in some if isinstance(one, Exception)] == []
    assert deadlocks() == 0
    w.assert_clean()


def test_two_tickers_share_the_work_and_fire_nothing_twice(w: World) -> None:
    orders = [submitted(w) for _ in range(20)]
    w.clock.move(days=4)
    other = w.beside()
    fired = at_once(
        lambda: sum(timers.fire_due(w.engine, limit=5) for _ in range(6)),
        lambda: sum(timers.fire_due(other.engine, limit=5) for _ in range(6)),
    )
    fired.append(w.tick())
    assert sum(fired) == len(orders)
    assert deadlocks() == 0
    w.assert_clean()


def test_a_ring_that_was_made_by_hand_is_broken_and_the_command_is_done_all_the_same(w: World) -> None:
    # given somebody who takes two cases in the wrong order, which the product never does
    first, second = sorted((doing(w), doing(w)))
    with stores.administrator() as administrator, administrator.transaction():
        administrator.execute("SET LOCAL deadlock_timeout = '30s'")
        administrator.execute("SELECT 1 FROM workflow_case WHERE id = %s FOR NO KEY UPDATE", [second])
        both = [told_by(w, "head", first), told_by(w, "head", second)]
        other = beside(w, lambda one: execute_all(one.engine, both))
        wait_until(waits, 20, "the bulk waits for the second case")
        # when the ring closes, then the server breaks the bulk, which begins anew
        administrator.execute("SELECT 1 FROM workflow_case WHERE id = %s FOR NO KEY UPDATE", [first])
    answers = other.join()
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert deadlocks() >= 1
    assert [len(w.log(one)) for one in (first, second)] == [4, 4]
    w.assert_clean()


def test_a_case_that_moved_to_another_line_while_its_locks_were_chosen_is_begun_anew(w: World) -> None:
    # given a transaction that looked where a case stands, and chose its locks
    grant_of = grant(w, "máy")
    with w.engine.store.begin() as tx:
        chosen = locking.asked(w.engine, tx, told_by(w, "head", grant_of))
        # when the case comes to stand elsewhere before it is locked
        with stores.administrator() as administrator:
            administrator.execute("UPDATE workflow_case SET scope = 'elsewhere' WHERE id = %s", [grant_of])
        # then what was chosen does not count
        with pytest.raises(Contended):
            tx.claim(chosen)


def test_a_command_whose_case_moved_meanwhile_chooses_its_locks_anew(w: World) -> None:
    # given an edit that takes a case to another budget line, in a transaction that stays open
    budget(w, 1000)
    moved = grant(w, "máy")
    edit = Edit(principal=w.people["clerk"], case=moved, values={"province": "an_giang"})
    # when another session waits for the case with the locks of the old line
    answer = meanwhile(w, edit, (), lambda beside: beside.comment("head", moved, "x"))
    # then it begins anew and is done
    assert answer.seq == 3
    w.assert_clean()
