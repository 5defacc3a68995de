"""What several children of a project ask for together stays within what the project has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from engine import civil_time, records
from engine.machine import RequirementsUnmet
from tests.workflows.paths import PATHS
from tests.workflows.sample_store import new_engine
from tests.workflows.walking import World

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("national_project", "local_project", "beneficiary_slot", "advance", "progress_report")
ADVANCE = ["confirm", "check", "send_to_treasury", "pay"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine = new_engine(tmp_path_factory.mktemp("sums") / "sums.db")
    made = World(engine, civil_time.day_at(engine.store.now()))
    yield made.settle([engine.definitions.newest(name) for name in NAMES])
    engine.store.close()


def _until(path: str, word: str) -> list[str]:
    steps = PATHS[path][2]
    return steps[: steps.index(word) + 1]


def test_two_advances_together_never_exceed_the_rate(world: World) -> None:
    # given a project whose first advance has taken the whole 70 %
    path = [*_until("national_single", "sign_contract"), "one=advance", *(f"one.{word}" for word in ADVANCE)]
    walk = world.walk("national_project", path)
    # when a second one of the same amount is to be confirmed
    walk.go(["two=advance"])
    with pytest.raises(RequirementsUnmet) as refused:
        walk.go(["two.confirm"])
    # then it is refused for the sum, though alone it would be within the rate
    assert [one.code for one in refused.value.unmet] == ["advances_within_rate"]
    assert "420.000.000" in refused.value.unmet[0].words.vi
    assert "210.000.000" in refused.value.unmet[0].words.vi
    # and once it is refused, it counts no more
    walk.go(["two.refuse", "three=advance"])
    assert walk.states["three"] == "requested"


def test_a_slot_opened_after_the_contract_is_held_to_the_same_sum(world: World) -> None:
    # given a group under contract whose two slots share all of its support
    definition, values, _ = PATHS["national_group"]
    walk = world.walk(definition, _until("national_group", "sign_contract"), **values)
    # when a third slot is opened beside them
    walk.go(["slot3=beneficiary_slot"])
    with pytest.raises(RequirementsUnmet) as refused:
        walk.go(["slot3.nominate"])
    assert [one.code for one in refused.value.unmet] == ["slots_within_project"]
    # then it fits only when another has made room
    walk.go(["slot2.replace", "slot3.nominate"])
    assert walk.states["slot3"] == "nominated"


def test_a_refused_group_takes_its_slots_along(world: World) -> None:
    # given a machinery group whose slots had to be named before the appraisal
    definition, values, _ = PATHS["national_group"]
    walk = world.walk(definition, _until("national_group", "accept_file"), **values)
    # when the department rejects it
    walk.go(["reject_base"])
    # then nothing stands in the way, and the slots have ended with it
    assert walk.states == {"": "base_rejected", "slot1": "dropped", "slot2": "dropped"}


def test_a_year_ends_for_the_agency_and_goes_on_for_the_minister_only(world: World) -> None:
    for asked, trigger, other in (
        ("2027-12-31", "extend", "extend_to_next_year"),
        ("2028-01-01", "extend_to_next_year", "extend"),
    ):
        # given a project of 2027 under contract, to be extended
        walk = world.walk("national_project", _until("national_single", "sign_contract"), extended_to=asked)
        # when the wrong one decides
        with pytest.raises(RequirementsUnmet) as refused:
            walk.go([other])
        # then it is refused for the year alone
        assert [one.code for one in refused.value.unmet] == [
            "extension_past_year" if other == "extend_to_next_year" else "extension_within_year"
        ]
        # and the right one may
        walk.go([trigger])
        assert walk.states[""] == "in_progress"


def test_the_agency_hears_of_a_replaced_beneficiary_where_the_money_is_national(world: World) -> None:
    for path, word, expected in (
        ("national_group", "sign_contract", {"centre.officer", "agency.officer"}),
        ("local_group", "begin_work", {"centre.officer"}),
    ):
        # given a group under way
        definition, values, _ = PATHS[path]
        walk = world.walk(definition, _until(path, word), **values)
        # when the department replaces a beneficiary
        walk.go(["slot2.replace"])
        # then a copy of the decision is known to the agency, if it has a part in the project
        with world.engine.store.read() as connection:
            table = records.notice
            asked = select(table.c.person).where(
                table.c.case_id == walk.cases["slot2"][1], table.c.word == "slot_replaced"
            )
            told = set(connection.execute(asked).scalars())
        assert told == {world.people[one] for one in expected}
