"""Timers are commands: what may send them, what they leave behind, and how an import is different."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from engine import timers
from engine.commands import TIMER, Fire, Migrate, Principal, Remind, Start
from tests import small_definitions as small
from tests.builders import ADMIN, World, refused, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def ids(w: World, case: str) -> list[str]:
    return [row[0] for row in w.rows("SELECT id FROM timer WHERE case_id = :id ORDER BY due_at", id=case)]


def test_the_command_of_a_timer_has_the_timers_id(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=10)

    w.tick()

    sent = {row[0] for row in w.rows("SELECT command FROM receipt WHERE principal = 'timer:timer'")}
    assert sent == set(ids(w, order))


def test_a_timer_does_nothing_on_another_case(w: World) -> None:
    one, two = submitted(w), submitted(w)
    (first, *_) = ids(w, one)

    assert (
        refused(w, lambda: w.do(Remind(principal=TIMER, id=first, case=two, timer=first))).code
        == "timer_closed"
    )


def test_a_timer_fires_no_other_trigger_than_its_own(w: World) -> None:
    order = submitted(w)
    (first, *_) = ids(w, order)

    why = refused(w, lambda: w.do(Fire(principal=TIMER, id=first, case=order, trigger="approve")))

    assert why.code == "timer_closed"


def test_a_person_who_knows_a_timers_id_can_not_use_it(w: World) -> None:
    order = submitted(w)
    (first, *_) = ids(w, order)

    why = refused(w, lambda: w.do(Remind(principal=w.people["head"], id=first, case=order, timer=first)))

    assert why.code == "case_unknown"
    w.clock.move(days=10)
    assert w.tick() == 3


def test_what_was_due_when_it_was_planned_fires_at_once_on_that_case_only(w: World) -> None:
    late = w.start("order", values={"subject": "x", "amount_vnd": 1, "wanted_on": "2026-11-20"}).subject
    w.fire("buyer", late, "submit")
    w.fire("head", late, "approve")
    other = submitted(w)

    fired = timers.fire_of_case(w.engine, late)

    # The date has passed already: of all its rungs the latest one says so.
    assert fired == 1
    assert [one["word"] for one in w.notices(late)][-1] == "deadline_today"
    assert {timer["state"] for timer in w.timers(other, "")} == {"waiting"}
    w.assert_clean()


def test_a_limit_leaves_the_rest_for_the_next_tick(w: World) -> None:
    for _ in range(4):
        submitted(w)
    w.clock.move(days=10)

    assert [timers.fire_due(w.engine, limit=5) for _ in range(4)] == [5, 5, 2, 0]
    w.assert_clean()


def test_timers_fire_in_the_order_of_their_time(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=10)

    w.tick()

    words = [one["word"] for one in w.notices(order)]
    assert words == ["submitted", "deadline_near", "deadline_today", "deadline_passed", "deadline_passed"]


def test_rungs_of_the_past_tell_whoever_held_the_role_then(w: World) -> None:
    clerk = Principal("person", w.who("clerk"), "import")
    w.register(
        "person",
        w.who("head"),
        **{"membership.1": {"bound": w.office, "role": "head", "from": "2026-01-01", "to": None}},
    )
    was = w.person("was_head")
    w.register(
        "person", was.person,
        **{"membership.1": {"bound": w.office, "role": "head", "from": "2020-01-01", "to": "2025-12-31"}},
    )  # fmt: skip
    order = w.do(
        Start(
            principal=clerk, definition="order", parties={"buyer": w.who("buyer"), "office": w.office},
            values={"subject": "x", "amount_vnd": 1}, plan_year=2025, happened_on="2025-05-05",
        )
    ).subject  # fmt: skip
    w.do(Fire(principal=clerk, case=order, trigger="submit", happened_on="2025-05-06"))

    timers.fire_past(w.engine, [order], date(2025, 6, 1))

    told = {one["person"] for one in w.notices(order) if one["word"].startswith("deadline")}
    assert told == {was.person, w.who("director")}
    assert {one["suppressed"] for one in w.notices(order)} == {"import"}
    assert w.rows("SELECT count(*) FROM outbox") == [(0,)]
    w.assert_clean()


def test_the_past_is_fired_up_to_its_end_and_the_rest_waits(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=30)

    fired = timers.fire_past(w.engine, [], date(2026, 11, 30))

    assert fired == 2
    assert [timer["rung"] for timer in w.timers(order)] == [200]
    assert w.tick() == 1
    w.assert_clean()


def test_a_reminder_that_reaches_nobody_is_done_all_the_same(w: World) -> None:
    order = submitted(w)
    for who in ("head", "director"):
        w.register("person", w.who(who), **{"membership.1": None})
    w.clock.move(days=10)

    assert w.tick() == 3
    assert [one["word"] for one in w.notices(order)] == ["submitted"]
    assert w.tick() == 0
    w.assert_clean()


def test_a_migration_to_another_ladder_lets_the_old_timers_go(w: World) -> None:
    order = submitted(w)
    shorter = small.ORDER.replace("version: 1", "version: 2", 1).replace(
        "        - {at: -1 wd, to: [holder]}\n", "", 1
    )
    w.publish(shorter)

    w.do(Migrate(principal=ADMIN, case=order, to=2))
    w.clock.move(days=10)

    assert w.tick() == 2
    assert len(w.timers(order, "cancelled")) == 3
    w.assert_clean()
