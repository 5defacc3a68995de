"""Deadlines of a running case: planned, paused, resumed, extended, started anew; rungs leave once; months repeat."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine import civil_time, timers
from engine.commands import Fire, Principal, Start
from engine.execute import execute_all
from tests import small_definitions as small
from tests.builders import ADMIN, World, codes, doing, refused, submitted, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
def contract(tmp_path: Path) -> World:
    return world(tmp_path, small.CONTRACT, small.REPORT)


def running(w: World, **more: Any) -> str:
    case = w.start("contract", by="clerk", **more).subject
    w.fire("clerk", case, "begin")
    return case


def book(w: World, case: str, name: str = "due") -> dict[str, Any]:
    found: dict[str, Any] = w.case(case)["book"][f"deadline.{name}"]
    return found


def days(w: World, case: str, state: str = "waiting") -> list[tuple[str, str, int]]:
    return [
        (civil_time.day_at(timer["due_at"]).isoformat(), timer["kind"], timer["rung"])
        for timer in w.timers(case, state)
    ]


def reminders(w: World, case: str) -> list[tuple[str, bool]]:
    return [
        (one["word"], one["facts"]["late"]) for one in w.notices(case) if one["word"].startswith("deadline")
    ]


# planning


def test_entering_a_state_plans_its_deadline_and_every_rung(w: World) -> None:
    order = submitted(w)

    # Monday the 23rd is not counted: five working days end on Monday the 30th.
    assert w.case(order)["due_on"] == "2026-11-30"
    assert days(w, order) == [
        ("2026-11-27", "rung", 0),
        ("2026-11-30", "rung", 100),
        ("2026-12-02", "rung", 200),
    ]
    assert {timer["due_at"] % 86_400_000_000 for timer in w.timers(order)} == {3_600_000_000}
    w.assert_clean()


def test_due_on_is_the_earliest_of_those_that_run(w: World) -> None:
    order = doing(w, wanted_on="2026-12-01")
    assert w.case(order)["due_on"] == "2026-12-01"

    w.edit("head", order, wanted_on="2026-12-31")

    assert w.case(order)["due_on"] == "2026-12-03"
    w.assert_clean()


def test_a_deadline_on_a_date_waits_until_the_date_is_known(w: World) -> None:
    order = doing(w)
    assert "deadline.finish" not in w.case(order)["book"]

    w.edit("head", order, wanted_on="2026-12-01")
    assert book(w, order, "finish")["due"] == "2026-12-01"

    w.edit("head", order, wanted_on=None)
    assert "deadline.finish" not in w.case(order)["book"]
    assert not [timer for timer in w.timers(order) if timer["deadline"] == "finish"]
    w.assert_clean()


def test_leaving_a_state_cancels_what_waited_for_it(w: World) -> None:
    order = submitted(w)

    w.fire("head", order, "approve")

    assert {timer["deadline"] for timer in w.timers(order)} == {"answer"}
    assert len(w.timers(order, "cancelled")) == 3
    w.assert_clean()


def test_entering_again_after_a_return_starts_anew_and_counts_the_returns(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=3)
    w.fire("head", order, "send_back", reason="thiếu")
    w.clock.move(days=1)

    w.fire("buyer", order, "submit")

    assert w.case(order)["book"]["returns"] == 1
    assert w.case(order)["due_on"] == "2026-12-04"
    assert (book(w, order)["start"], book(w, order)["pauses"]) == ("2026-11-27", [])
    assert len(w.timers(order)) == 3
    w.assert_clean()


# the ladder


def test_each_rung_leaves_once_at_eight_in_the_morning(w: World) -> None:
    order = submitted(w)
    fired = []
    for _ in range(24 * 12):
        w.clock.move(hours=1)
        if count := w.tick():
            fired.append((civil_time.day_at(w.clock.now).isoformat(), count))

    assert fired == [("2026-11-27", 1), ("2026-11-30", 1), ("2026-12-02", 1)]
    told = [(one["word"], one["person"]) for one in w.notices(order)]
    assert told == [
        ("submitted", w.who("head")), ("deadline_near", w.who("head")), ("deadline_today", w.who("head")),
        ("deadline_passed", w.who("head")), ("deadline_passed", w.who("director")),
    ]  # fmt: skip
    assert [late for _, late in reminders(w, order)] == [False] * 4
    w.assert_clean()


def test_after_three_days_asleep_each_rung_leaves_once_and_says_that_it_is_late(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=10)

    assert w.tick() == 3
    assert w.tick() == 0
    assert reminders(w, order) == [
        ("deadline_near", True), ("deadline_today", True), ("deadline_passed", True), ("deadline_passed", True),
    ]  # fmt: skip
    w.assert_clean()


def test_only_a_rung_that_says_so_writes_an_entry(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=10)

    w.tick()

    assert [entry["command"]["kind"] for entry in w.log(order)] == ["start", "fire", "remind"]
    assert w.case(order)["version"] == 2
    w.assert_clean()


def test_the_holder_of_the_moment_is_told(w: World) -> None:
    order = submitted(w)
    boss = w.person("boss", "head")
    w.assign("head", order, person=boss.person)
    w.clock.move(days=4)

    w.tick()

    assert {one["person"] for one in w.notices(order) if one["word"] == "deadline_near"} == {boss.person}


def test_two_ticks_at_once_fire_each_timer_once(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=10)
    with w.engine.store.begin() as tx:
        due = tx.run(f"{timers._DUE} ORDER BY t.due_at", {"until": tx.now})

    fired = [timers._fire(w.engine, due, via="timer") for _ in range(2)]

    assert fired == [3, 0]
    assert {timer["state"] for timer in w.timers(order, "")} == {"fired"}
    assert len(reminders(w, order)) == 4
    w.assert_clean()


# pausing


def test_a_pause_stops_the_clock_and_resuming_leaves_what_was_left(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=2)
    w.fire("head", order, "suspend")
    assert (w.case(order)["due_on"], w.timers(order)) == (None, [])
    assert len(w.timers(order, "paused")) == 3

    w.clock.move(days=14)
    assert w.tick() == 0
    w.fire("head", order, "resume")

    # Two working days were used up (24th and, on the day of the pause, none): the rest runs from the 9th of December.
    row = book(w, order)
    assert row["pauses"] == [["2026-11-25", "2026-12-09"]]
    assert w.case(order)["due_on"] == row["due"] == "2026-12-14"
    assert row["generation"] == 2
    assert [rung for _, _, rung in days(w, order)] == [0, 100, 200]
    w.assert_clean()


def test_a_pause_within_one_day_sends_no_rung_again(w: World) -> None:
    order = submitted(w)
    w.clock.move(days=4)
    w.tick()
    sent = reminders(w, order)

    w.fire("head", order, "suspend")
    w.fire("head", order, "resume")
    w.tick()

    assert reminders(w, order) == sent
    assert [rung for _, _, rung in days(w, order)] == [100, 200]
    assert book(w, order)["generation"] == 1
    w.assert_clean()


def test_a_fixed_date_is_not_moved_by_a_pause_and_its_rungs_leave_once(w: World) -> None:
    order = doing(w, wanted_on="2026-12-01")
    w.clock.move(days=1)
    w.fire("head", order, "suspend")
    w.clock.move(days=5)

    w.fire("head", order, "resume")
    w.clock.move(days=5)
    w.tick()

    assert book(w, order, "finish")["due"] == "2026-12-01"
    finish = [timer for timer in w.timers(order, "") if timer["deadline"] == "finish"]
    assert [(timer["rung"], timer["state"], timer["generation"]) for timer in finish] == [
        (0, "fired", 1), (100, "fired", 1),
    ]  # fmt: skip
    w.assert_clean()


@pytest.mark.parametrize("jump", [-1, -3650])
def test_a_clock_that_jumps_back_during_a_pause_does_not_lock_the_case_up(w: World, jump: int) -> None:
    order = submitted(w)
    due = w.case(order)["due_on"]
    w.fire("head", order, "suspend")
    w.clock.move(days=jump)

    w.fire("head", order, "resume")

    assert w.case(order)["due_on"] == due
    assert len(w.timers(order)) == 3
    w.assert_clean()


def test_a_case_that_is_stopped_while_paused_keeps_no_timer(w: World) -> None:
    order = submitted(w)
    w.fire("head", order, "suspend")

    w.fire("head", order, "stop", reason="thôi")

    assert w.timers(order) == w.timers(order, "paused") == []
    assert not [word for word in w.case(order)["book"] if word.startswith("deadline.")]
    w.assert_clean()


# extending


def test_an_extension_needs_reason_and_day_and_makes_a_new_generation_only_if_the_day_moved(w: World) -> None:
    order = doing(w)
    lacking = refused(w, lambda: w.fire("head", order, "extend"))

    w.fire("head", order, "extend", values={"extended_to": "2026-12-10"}, reason="chờ hàng")
    first = book(w, order, "answer")
    w.fire("head", order, "extend", values={"extended_to": "2026-12-10"}, reason="chờ hàng")

    assert codes(lacking) == ["reason", "extended_to"]
    assert (first["due"], first["generation"]) == ("2026-12-10", 2)
    assert book(w, order, "answer") == first
    assert w.case(order)["due_on"] == "2026-12-10"
    assert len([timer for timer in w.timers(order) if timer["deadline"] == "answer"]) == 1
    w.assert_clean()


# the end of a deadline fires a trigger


FIRING = small.ORDER.replace(
    "        - {at: 2 wd, to: [holder, office.director], log: true}\n",
    "        - {at: 2 wd, to: [holder, office.director], log: true}\n      fires: give_up\n",
).replace(
    "      send_back:\n",
    "      give_up: {title: {vi: Hết hạn, en: Too late}, to: stopped, needs: {fields: [subject]}}\n      send_back:\n",
)


def test_the_end_of_a_deadline_fires_its_trigger_through_execute(tmp_path: Path) -> None:
    w = world(tmp_path, FIRING, small.PART, small.PIECE)
    order = submitted(w)
    w.clock.move(days=7)
    assert w.state(order) == "review"

    w.clock.move(days=1)
    w.tick()

    last = w.log(order)[-1]
    assert (w.state(order), last["trigger"], last["principal"]["kind"]) == ("stopped", "give_up", "timer")
    assert w.timers(order) == []
    assert w.rows("SELECT count(*) FROM receipt WHERE principal = 'timer:timer'")[0][0] >= 3
    w.assert_clean()


def test_a_person_can_not_fire_what_only_the_deadline_fires(tmp_path: Path) -> None:
    w = world(tmp_path, FIRING, small.PART, small.PIECE)
    order = submitted(w)

    assert codes(refused(w, lambda: w.fire("head", order, "give_up"))) == ["not_permitted"]


def test_a_trigger_that_is_refused_closes_its_timer_where_a_person_sees_it(tmp_path: Path) -> None:
    lacking = FIRING.replace("needs: {fields: [subject]}}", "needs: {fields: [colour]}}")
    w = world(tmp_path, lacking, small.PART, small.PIECE)
    order = submitted(w)
    w.clock.move(days=8)

    w.tick()

    assert w.state(order) == "review"
    found = w.rows("SELECT kind, state, why FROM timer WHERE state = 'refused'")
    assert found == [("end", "refused", "colour")]
    assert w.tick() == 0
    w.assert_clean()


def test_a_timer_that_came_too_late_is_nobodys_business(tmp_path: Path) -> None:
    w = world(tmp_path, FIRING, small.PART, small.PIECE)
    order = submitted(w)
    w.clock.move(days=8)
    with w.engine.store.begin() as tx:
        due = tx.run(f"{timers._DUE} ORDER BY t.due_at", {"until": tx.now})
    w.fire("head", order, "approve")

    timers._fire(w.engine, due, via="timer")

    assert w.state(order) == "doing"
    assert {timer["state"] for timer in w.timers(order, "") if timer["deadline"] == "due"} == {"cancelled"}
    w.assert_clean()


def test_a_timer_that_breaks_does_not_hold_up_the_others(tmp_path: Path) -> None:
    ring = FIRING.replace(
        "give_up: {title: {vi: Hết hạn, en: Too late}, to: stopped, needs: {fields: [subject]}}",
        "give_up: {title: {vi: Hết hạn, en: Too late}, to: doing}",
    ).replace(
        "      finish_it:",
        "      spin: {title: {vi: Vòng, en: Spin}, to: $same, when: urgent == true}\n      finish_it:",
    )
    w = world(tmp_path, ring, small.PART, small.PIECE)
    good, bad, better = submitted(w), submitted(w, urgent=True), submitted(w)
    w.clock.move(days=8)

    w.tick()

    assert [w.state(one) for one in (good, bad, better)] == ["doing", "review", "doing"]
    assert w.rows("SELECT state, why FROM timer WHERE case_id = :id AND kind = 'end'", id=bad) == [
        ("refused", "automatic_ring")
    ]
    assert w.tick() == 0
    w.assert_clean()


# months


def test_a_monthly_deadline_repeats_with_its_successor(contract: World) -> None:
    w = contract
    case = running(w)
    first = book(w, case, "payment")
    assert (first["due"], first["period"]) == ("2026-11-24", "2026-11")

    periods = []
    for _ in range(40):
        w.clock.move(days=1)
        w.tick()
        periods.append((book(w, case, "payment")["period"], book(w, case, "payment")["due"]))

    assert sorted(set(periods)) == [
        ("2026-11", "2026-11-24"), ("2026-12", "2026-12-24"), ("2027-01", "2027-01-24"),
    ]  # fmt: skip
    w.assert_clean()


def test_meeting_a_monthly_deadline_goes_on_to_the_next_month(contract: World) -> None:
    w = contract
    case = running(w)

    w.fire("clerk", case, "pay")

    assert book(w, case, "payment")["due"] == "2026-12-24"
    assert {timer["period"] for timer in w.timers(case) if timer["deadline"] == "payment"} == {"2026-12"}
    w.assert_clean()


def test_the_deadline_of_one_month_stays_past_its_day_and_its_late_rungs_are_sent(tmp_path: Path) -> None:
    # given a report of one month, whose deadline does not go on to the next
    late = (
        "    deadline: {monthly: {before: 25, once: true}, source: proposed,"
        " ladder: [{at: 0, to: holder}, {at: 1 d, to: holder}, {at: 3 wd, to: holder}]}\n"
    )
    report = small.REPORT.replace("    triggers:\n      file_it", f"{late}    triggers:\n      file_it")
    w = world(tmp_path, small.CONTRACT, report)
    case = running(w)
    w.tick()
    (child,) = w.children(case)
    assert book(w, child)["due"] == "2026-11-24"

    # when its day passes, and two months more
    for _ in range(60):
        w.clock.move(days=1)
        w.tick()

    # then it is late by that day, and each rung was sent once
    assert w.case(child)["due_on"] == book(w, child)["due"] == "2026-11-24"
    assert [word for word, _ in reminders(w, child)] == [
        "deadline_today",
        "deadline_passed",
        "deadline_passed",
    ]
    assert days(w, child) == []
    w.fire("clerk", child, "file_it")
    w.assert_clean()


def test_three_months_asleep_fire_one_period_and_go_on_from_today(contract: World) -> None:
    w = contract
    case = running(w)
    w.clock.move(days=90)

    w.tick()

    assert book(w, case, "payment")["due"] == "2027-02-24"
    assert len({(t["period"], t["rung"]) for t in w.timers(case, "") if t["deadline"] == "payment"}) == len(
        [t for t in w.timers(case, "") if t["deadline"] == "payment"]
    )
    w.assert_clean()


def test_a_child_is_opened_each_month_and_missed_months_are_not(contract: World) -> None:
    w = contract
    case = running(w)
    w.tick()
    assert [w.case(child)["data"]["month"] for child in w.children(case)] == ["2026-11"]

    w.clock.move(days=10)
    w.tick()
    w.clock.move(days=75)
    w.tick()

    assert [w.case(child)["data"]["month"] for child in w.children(case)] == ["2026-11", "2026-12", "2027-02"]
    assert len([timer for timer in w.timers(case) if timer["deadline"] == "$starts"]) == 1
    w.assert_clean()


def test_suspending_and_resuming_in_one_month_opens_no_second_child(contract: World) -> None:
    w = contract
    case = running(w)
    w.tick()

    w.fire("head", case, "suspend")
    w.clock.move(days=1)
    assert w.tick() == 0
    w.fire("head", case, "resume")
    w.tick()

    assert len(w.children(case)) == 1
    assert [timer["period"] for timer in w.timers(case) if timer["deadline"] == "$starts"] == ["2026-12"]
    w.assert_clean()


def test_no_month_is_opened_after_the_end(contract: World) -> None:
    w = contract
    case = running(w)
    w.tick()
    w.fire("clerk", w.children(case)[0], "file_it")
    w.fire("clerk", case, "finish")

    w.clock.move(days=40)

    assert w.tick() == 0
    assert w.timers(case) == []
    assert len(w.children(case)) == 1
    w.assert_clean()


# importing the past


def test_an_import_fires_the_past_in_order_and_owes_nobody_a_notice(tmp_path: Path) -> None:
    w = world(tmp_path, small.CONTRACT, small.REPORT)
    clerk = Principal("person", w.who("clerk"), "import")
    start = Start(
        principal=clerk, definition="contract", parties={"buyer": w.who("buyer"), "office": w.office},
        happened_on="2025-03-03", plan_year=2025,
    )  # fmt: skip
    case = w.do(start).subject
    w.do(Fire(principal=clerk, case=case, trigger="begin", happened_on="2025-03-10"))

    fired = timers.fire_past(w.engine, [case], date(2025, 6, 30))

    months = [w.case(child)["data"]["month"] for child in w.children(case)]
    assert months == ["2025-03", "2025-04", "2025-05", "2025-06"]
    assert fired >= 4 + 4 + 8
    assert book(w, case, "payment")["due"] == "2025-07-24"
    assert {one["suppressed"] for one in w.notices()} == {"import"}
    assert w.rows("SELECT count(*) FROM outbox") == [(0,)]
    happened = [entry["happened_on"] for entry in w.log(case)]
    assert happened == sorted(happened)
    w.assert_clean()


def test_firing_the_past_of_one_case_is_not_hidden_by_those_of_many_others(w: World) -> None:
    mine = submitted(w)
    buyer = w.people["buyer"]
    parties = {"buyer": w.who("buyer"), "office": w.office}
    with w.engine.store.begin() as tx:
        tx.run("UPDATE timer SET due_at = due_at + 1000000", {})
    for _ in range(100):
        started = execute_all(
            w.engine,
            [
                Start(
                    principal=buyer,
                    definition="order",
                    parties=parties,
                    values={"subject": "x", "amount_vnd": 1},
                )
            ],
        )[0]
        assert not isinstance(started, Exception)
        w.fire("buyer", started.subject, "submit")
    w.clock.move(days=30)

    fired = timers.fire_past(w.engine, [mine], civil_time.day_at(w.clock.now) - timedelta(days=1))

    assert fired == 3
    assert w.rows("SELECT count(*) FROM timer WHERE state = 'fired'") == [(3,)]


# clocks that jump


@pytest.mark.parametrize("jumps", [[1, -1], [-1, 1], [-3650, 3650], [-3650, 1, 3649], [30, -30]])
def test_a_jumping_clock_keeps_the_log_in_order_and_sends_no_rung_twice(w: World, jumps: list[int]) -> None:
    order = submitted(w)
    for jump in jumps:
        w.clock.move(days=jump)
        w.comment("head", order, f"nhảy {jump}")
        w.tick()
    w.clock.move(days=12)
    w.tick()

    rows = w.rows("SELECT recorded_at FROM transition_log WHERE subject = :id ORDER BY seq", id=order)
    assert rows == sorted(rows)
    assert len(set(rows)) == len(rows)
    told = [(one["word"], one["person"]) for one in w.notices(order)]
    assert len(told) == len(set(told))
    assert {timer["state"] for timer in w.timers(order, "")} == {"fired"}
    w.assert_clean()


def test_what_is_coming_is_listed_with_whom_it_reaches(w: World) -> None:
    order = submitted(w)

    planned = timers.agenda(w.engine, days=14)

    assert [(one.on.isoformat(), one.what, one.to) for one in planned] == [
        ("2026-11-27", "deadline_near", (w.who("head"),)),
        ("2026-11-30", "deadline_today", (w.who("head"),)),
        ("2026-12-02", "deadline_passed", (w.who("head"), w.who("director"))),
    ]
    assert {one.case for one in planned} == {order}
    assert ADMIN.kind == "operator"
