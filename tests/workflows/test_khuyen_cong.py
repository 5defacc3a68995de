"""The khuyến công definitions: complete, cited, walked from end to end, every trigger taken at least once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from engine import canonical, civil_time, examples, records
from engine.cases import fold
from engine.commands import Fire
from engine.definition import PREVIOUS, SAME
from engine.execute import execute
from engine.machine import RequirementsUnmet
from tests.workflows.paths import PATHS
from tests.workflows.sample_store import new_engine, rules, shipped
from tests.workflows.walking import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.definition import Definition
    from tests.workflows.walking import Walk

NAMES = ("national_project", "local_project", "beneficiary_slot", "advance", "progress_report")
HISTORIES = Path(__file__).parent / "histories"
EIGHT = ("survey", "proposal", "approval", "disbursement", "monitoring", "acceptance", "settlement", "closed")


@pytest.fixture(scope="module")
def definitions() -> dict[str, Definition]:
    found, _ = shipped(rules())
    return {name: found.demand().definitions[name] for name in NAMES}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine = new_engine(tmp_path_factory.mktemp("paths") / "paths.db")
    made = World(engine, civil_time.day_at(engine.store.now()))
    yield made.settle([engine.definitions.newest(name) for name in NAMES])
    engine.store.close()


@pytest.fixture(scope="module")
def walks(world: World) -> dict[str, Walk]:
    return {
        name: world.walk(definition, path, **values) for name, (definition, values, path) in PATHS.items()
    }


def test_every_example_of_every_definition_comes_out_as_it_says(definitions: dict[str, Definition]) -> None:
    for definition in definitions.values():
        assert definition.examples, definition.name
        for example in definition.examples:
            came = examples.outcome(definition, example)
            assert came == (example.to, tuple(sorted(set(example.refused_because)))), (
                definition.name,
                example.line,
            )


def test_every_requirement_refuses_and_passes_in_an_example(definitions: dict[str, Definition]) -> None:
    for definition in definitions.values():
        refused = {code for one in definition.examples for code in one.refused_because}
        passed = {(one.given.get("state", ""), one.fire) for one in definition.examples if one.to}
        for state in definition.states.values():
            for trigger in state.triggers.values():
                for requirement in trigger.require:
                    assert requirement.id in refused, (definition.name, requirement.id)
                if trigger.require and trigger.when is None:
                    fired = {fire for _, fire in passed}
                    assert trigger.name in fired, (definition.name, state.name, trigger.name)


def test_projects_go_through_the_eight_phases_in_order(walks: dict[str, Walk], world: World) -> None:
    for name in ("national_single", "local_single"):
        walk = walks[name]
        states = world.engine.definitions.newest(walk.definition).states
        phases = list(dict.fromkeys(states[one[""]].phase for one in walk.trace))
        assert [one for one in EIGHT if one in phases] == list(EIGHT)
        assert walk.states[""] == "archived"


def test_every_deadline_says_whether_it_is_law_or_a_proposal(definitions: dict[str, Definition]) -> None:
    known = {key for pack in rules().packs for key in pack.rules}
    law = []
    for definition in definitions.values():
        for state in definition.states.values():
            for deadline in state.deadlines:
                source = deadline.source
                assert source.grade == "proposed" or source.act
                assert source.rule == "" or source.rule in known
                assert deadline.ladder, (definition.name, state.name)
                if source.act:
                    law.append((definition.name, state.name, deadline.name))
    assert ("national_project", "registered", "due") in law
    assert ("national_project", "settlement_filing", "due") in law
    assert ("national_project", "liquidation", "liquidation_day") in law
    assert ("progress_report", "due", "due") in law
    assert ("national_project", "base_appraisal", "due") not in law


def test_every_paper_that_a_rule_may_ask_for_is_declared(definitions: dict[str, Definition]) -> None:
    packs = rules().packs
    for definition in definitions.values():
        declared = {name for name, one in definition.fields.items() if one.type == "document"}
        scopes = {"national_project": "national", "advance": "national", "local_project": "local"}
        for state in definition.states.values():
            for trigger in state.triggers.values():
                for key in trigger.needs.document_rules:
                    for pack in packs:
                        programme = dict(pack.scope).get("programme", scopes[definition.name])
                        if key in pack.rules and programme == scopes[definition.name]:
                            for row in pack.rules[key].rows:
                                missing = set(row.value or ()) - declared  # type: ignore[arg-type]
                                assert not missing, (definition.name, key, missing)


def test_each_definition_decides_with_two_pairs_of_eyes_where_money_is_given(
    definitions: dict[str, Definition],
) -> None:
    for name, state, trigger in (
        ("national_project", "awaiting_minister", "approve"),
        ("national_project", "final_payment", "pay_rest"),
        ("local_project", "awaiting_approval", "approve"),
        ("local_project", "payment", "pay"),
        ("advance", "agency_checked", "send_to_treasury"),
        ("beneficiary_slot", "inspected", "accept"),
    ):
        calls = definitions[name].states[state].triggers[trigger].guards
        assert any(one.name == "not_same_person_as" for one in calls), (name, trigger)


def test_a_group_follows_its_slots(walks: dict[str, Walk]) -> None:
    for name in ("national_group", "local_group"):
        walk = walks[name]
        project = [one[""] for one in walk.trace]
        slots = [
            sum(one.get(slot) in {"accepted", "paid"} for slot in ("slot1", "slot2")) for one in walk.trace
        ]
        first, second = slots.index(1), slots.index(2)
        assert project[first - 1] == "in_progress"
        assert project[first] == "partly_accepted"
        assert project[second] in {"accepted", "payment"}


def test_every_state_and_trigger_is_reached(world: World, walks: dict[str, Walk]) -> None:
    # given the whole of what can happen, and what the paths have already done
    definitions = {name: world.engine.definitions.newest(name) for name in NAMES}
    wanted = {
        (name, state.name, trigger)
        for name, one in definitions.items()
        for state in one.states.values()
        for trigger in state.triggers
    }
    # when every trigger that no path took is fired on a fresh case that is brought there first
    for name, state, trigger in sorted(wanted - _taken(world)):
        if definitions[name].states[state].triggers[trigger].when is None:
            _bring_and_fire(world, walks, name, state, trigger)
    # then nothing is missing
    missing = sorted(wanted - _taken(world))
    print(f"reached {len(wanted) - len(missing)} of {len(wanted)}; missing: {missing}")
    assert missing == []


def _taken(world: World) -> set[tuple[str, str, str]]:
    table, cases = records.transition_log, records.workflow_case
    asked = select(cases.c.name, table.c.entry).where(
        table.c.subject_kind == "case", table.c.subject == cases.c.id, table.c.trigger.is_not(None)
    )
    with world.engine.store.read() as connection:
        rows = connection.execute(asked).all()
    found = ((name, json.loads(entry)) for name, entry in rows)
    return {(name, entry["from"], entry["trigger"]) for name, entry in found if entry["from"]}


def _bring_and_fire(world: World, walks: dict[str, Walk], name: str, state: str, trigger: str) -> None:
    """Walk a fresh case along the shortest path that passes the state, then fire; state `suspended` comes after."""
    found = _shortest(
        walks, name, "in_progress" if state == "suspended" and name.endswith("project") else state
    )
    before = ["suspend"] if state == "suspended" else []
    if found is None and state == "suspended":
        found = _shortest(walks, name, "investing" if name == "beneficiary_slot" else "requested")
    assert found is not None, (name, state)
    path, count, child = found
    definition, values, steps = PATHS[path]
    prefix = f"{child}." if child else ""
    world.walk(definition, [*steps[:count], *(prefix + one for one in (*before, trigger))], **values)


def _shortest(walks: dict[str, Walk], name: str, state: str) -> tuple[str, int, str] | None:
    found = [
        (count, path, child)
        for path, walk in walks.items()
        for count, states in enumerate(walk.trace)
        for child, now in states.items()
        if now == state and walk.cases[child][0] == name
    ]
    return (min(found)[1], min(found)[0], min(found)[2]) if found else None


def test_a_refusal_on_the_way_names_everything_with_its_article(world: World) -> None:
    # given a draft of which nothing is filled in
    walk = world.walk("national_project", ["register", "report_registration"])
    submit = Fire(principal=world.person("centre.head"), case=walk.cases[""][1], trigger="submit")
    # when it is submitted
    with pytest.raises(RequirementsUnmet) as refused:
        execute(world.engine, submit)
    # then the answer says what is missing and where that is laid down
    unmet = {one.code: one for one in refused.value.unmet}
    assert {"support_vnd", "cost_estimate", "beneficiary_request"} <= unmet.keys()
    assert unmet["counterpart_commitment"].citation.startswith("TTLT 26/2014/TTLT-BTC-BCT")
    assert unmet["counterpart_commitment"].grade == "read"
    assert unmet["annex2_papers"].grade == "inferred"
    assert unmet["beneficiary_request"].citation.startswith("TT 17/2018/TT-BCT")


def entries_of(walk: Walk) -> list[dict[str, Any]]:
    """Return the log of a project and its children, each case's own in order."""
    table = records.transition_log
    found: list[dict[str, Any]] = []
    with walk.world.engine.store.read() as connection:
        for _, case in walk.cases.values():
            asked = select(table.c.entry).where(table.c.subject == case).order_by(table.c.seq)
            found += [json.loads(entry) for (entry,) in connection.execute(asked)]
    return found


@pytest.mark.parametrize("name", ["national_single", "national_group", "local_single", "local_group"])
def test_a_recorded_history_still_replays(name: str, definitions: dict[str, Definition]) -> None:
    # given a log as it was once written
    text = (HISTORIES / f"{name}.json").read_text()
    entries = json.loads(text)
    subjects: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        subjects.setdefault(entry["subject"]["id"], []).append(entry)
    for own in subjects.values():
        # when it is read again
        words, misfits = fold(own)
        previous = ""
        for entry in own:
            assert entry["previous"] == previous
            previous = canonical.leaf(canonical.write(entry))
            # then each move is still one of the definition
            if entry["trigger"] is None or entry["from"] is None:
                continue
            trigger = definitions[entry["definition"]["name"]].trigger(entry["from"], entry["trigger"])
            assert trigger is not None, entry["trigger"]
            expected = {SAME: entry["from"], PREVIOUS: entry["to"]}.get(trigger.to, trigger.to)
            assert entry["to"] == expected
        assert misfits == []
        assert words["state"] == [one["to"] for one in own if one["to"]][-1]


def test_todays_engine_takes_the_recorded_paths_to_the_same_states(walks: dict[str, Walk]) -> None:
    for name in ("national_single", "national_group", "local_single", "local_group"):
        recorded = json.loads((HISTORIES / f"{name}.json").read_text())
        now = entries_of(walks[name])
        moves = [[(one["trigger"], one["from"], one["to"]) for one in log] for log in (recorded, now)]
        assert moves[0] == moves[1], name
