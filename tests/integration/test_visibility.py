from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from engine import records
from engine.definition import Definition, Field, Party, Phase, Trigger, Who
from engine.errors import Words
from engine.store import Seat
from engine.visibility import Viewer, hidden_words, look_as, visible
from tests.integration.small_world import TODAY, case, new_store, organisation, person, register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path)
    yield opened
    opened.close()


def seen(store: Store, who: str, today: str = TODAY) -> list[str]:
    table = records.workflow_case
    with store.read() as connection:
        viewer = look_as(connection, who, today)
        return list(
            connection.execute(select(table.c.code).where(visible(viewer)).order_by(table.c.code)).scalars()
        )


def test_a_member_sees_the_cases_of_the_own_organisation_and_their_children(store: Store) -> None:
    # given two centres with a case each, one with a child that names another organisation
    first, second = organisation(store, "c1"), organisation(store, "c2")
    officer = person(store, "p1", (first, "officer"))
    root = case(store, "A-1", {"centre": first})
    case(store, "A-1/TU1", {"centre": first, "agency": second}, root)
    case(store, "B-1", {"centre": second})
    # then
    assert seen(store, officer) == ["A-1", "A-1/TU1"]
    assert seen(store, person(store, "p2", (second, "officer"))) == ["B-1"]
    assert seen(store, "f" * 32) == []


def test_a_party_of_a_child_alone_opens_neither_child_nor_root(store: Store) -> None:
    first, second = organisation(store, "c1"), organisation(store, "c2")
    case(store, "A-1/TU1", {"agency": second}, case(store, "A-1", {"centre": first}))
    assert seen(store, person(store, "p", (second, "head"))) == []


def test_who_manages_sees_what_lies_below_and_others_do_not(store: Store) -> None:
    # given a department with a centre below it
    department = organisation(store, "d", "department")
    centre = organisation(store, "c", parent=department)
    branch = organisation(store, "b", parent=centre)
    case(store, "A-1", {"centre": branch})
    # then
    assert seen(store, person(store, "head", (department, "head"))) == ["A-1"]
    assert seen(store, person(store, "auditor", (department, "auditor"))) == ["A-1"]
    assert seen(store, person(store, "officer", (department, "officer"))) == []
    assert seen(store, person(store, "below", (branch, "officer"))) == ["A-1"]


def test_a_membership_counts_on_its_days_only(store: Store) -> None:
    centre = organisation(store, "c")
    case(store, "A-1", {"centre": centre})
    who = person(store, "p", (centre, "officer", "2026-11-10", "2026-11-20"))
    days = ["2026-11-09", "2026-11-10", "2026-11-20", "2026-11-21"]
    assert [seen(store, who, day) for day in days] == [[], ["A-1"], ["A-1"], []]


def test_a_successor_sees_its_predecessors_cases_from_the_day_after_they_ended(store: Store) -> None:
    # given the centre of Sóc Trăng, taken over by that of Cần Thơ, which a later one takes over
    latest = organisation(store, "latest")
    can_tho = organisation(store, "can_tho", to="2026-06-30", successor=latest)
    soc_trang = organisation(store, "soc_trang", to="2025-06-30", successor=can_tho)
    case(store, "ST-2023-QG-01", {"centre": soc_trang})
    who, later = person(store, "ct", (can_tho, "officer")), person(store, "later", (latest, "officer"))
    # then
    assert [seen(store, who, day) for day in ("2025-06-30", "2025-07-01")] == [[], ["ST-2023-QG-01"]]
    assert [seen(store, later, day) for day in ("2026-06-30", "2026-07-01")] == [[], ["ST-2023-QG-01"]]


def test_a_successor_without_a_date_sees_nothing(store: Store) -> None:
    successor = organisation(store, "new")
    case(store, "A-1", {"centre": organisation(store, "old", successor=successor)})
    assert seen(store, person(store, "p", (successor, "head"))) == []


def test_a_substitute_sees_what_the_absent_one_sees_while_it_lasts(store: Store) -> None:
    # given
    centre = organisation(store, "c")
    case(store, "A-1", {"centre": centre})
    absent, substitute = person(store, "absent", (centre, "officer")), person(store, "substitute")
    period = {"substitute": substitute, "from": "2026-11-20", "to": "2026-11-22", "document": "12/QĐ"}
    register(store, "person", absent, **{"substitution.1": period})
    # then
    assert [seen(store, substitute, day) for day in ("2026-11-19", TODAY, "2026-11-23")] == [[], ["A-1"], []]


def test_a_party_that_is_a_person_sees_the_own_case(store: Store) -> None:
    who = person(store, "p")
    case(store, "N-1", {"requester": who})
    assert seen(store, who) == ["N-1"]
    assert seen(store, person(store, "q")) == []


def test_an_organisation_chart_with_a_ring_ends(store: Store) -> None:
    first = organisation(store, "a")
    second = organisation(store, "b", parent=first)
    register(store, "organisation", first, parent=second, to="2026-01-01", successor=second)
    case(store, "A-1", {"centre": second})
    assert seen(store, person(store, "p", (first, "head"))) == ["A-1"]


def test_the_filter_is_answered_from_indexes(store: Store) -> None:
    # given
    who = person(store, "p", (organisation(store, "c"), "officer"))
    # when
    with store.read() as connection:
        query = select(records.workflow_case.c.id).where(visible(look_as(connection, who, TODAY)))
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    # then no table is walked through
    assert "SCAN workflow_case" not in plan
    assert "SCAN case_party" not in plan


def test_a_field_shown_to_some_is_hidden_from_the_others() -> None:
    # given
    words = Words("x", "x")
    fields = {
        "open": Field("open", "text", words),
        "closed": Field("closed", "text", words, shown_to=(Who("centre", "director"), Who("requester"))),
    }
    definition = Definition(
        "d", 1, words, (Phase("survey", words),), fields, {"centre": Party("centre", "organisation", words)},
        Trigger("begin", words, "s"), {},
    )  # fmt: skip
    parties = {"centre": "c" * 32, "requester": "a" * 32}

    def viewer(who: str, role: str) -> Viewer:
        return Viewer(who, TODAY, frozenset({who}), (Seat(who, "c" * 32, role),), frozenset())

    # then
    assert hidden_words(definition, parties, viewer("b" * 32, "officer")) == {"data.closed"}
    assert hidden_words(definition, parties, viewer("b" * 32, "director")) == frozenset()
    assert hidden_words(definition, parties, viewer("a" * 32, "officer")) == frozenset()
