"""The machine decides, and nothing else does: what the built machine does not know can't happen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine import loader, machine
from engine.cases import Case
from engine.commands import Unmet
from engine.errors import Words
from engine.guards import Facts
from engine.loader import Known
from engine.machine import BEFORE, RequirementsUnmet, TriggerNotAllowed, build, decide, machine_of
from tests import small_definitions as small

ORDER = loader.load(small.ORDER, name="order.yaml", known=Known())
SEATS = {"buyer": "", "office.clerk": "", "office.head": "", "office.director": ""}


def facts(state: str, **more: Any) -> Facts:
    case = Case(id="c" * 32, code="DH-01", state=state, data={"subject": "Ghế", "amount_vnd": 5}, **more)
    return Facts(
        definition=ORDER, case=case, person="p" * 32, seats=SEATS, today=date(2026, 11, 23),
        rules=lambda _key: None, working_days=lambda _first, _last: 0, reason="vì thế",
    )  # fmt: skip


def test_a_trigger_leads_where_the_definition_says() -> None:
    decision = decide(ORDER, "submit", facts("draft"))

    assert (decision.to, decision.unmet) == ("review", ())


def test_a_case_that_is_not_yet_there_can_only_be_started() -> None:
    assert decide(ORDER, "open", facts("")).to == "draft"
    with pytest.raises(TriggerNotAllowed):
        decide(ORDER, "submit", facts(""))


def test_removing_one_transition_from_the_built_machine_takes_the_move_away() -> None:
    lamed = build(ORDER)
    lamed.remove_transition("submit", "draft", "review")

    with pytest.raises(TriggerNotAllowed) as found:
        decide(ORDER, "submit", facts("draft"), machine=lamed)

    assert "submit" in found.value.sentence("vi")
    assert decide(ORDER, "submit", facts("draft")).to == "review"


def test_turning_one_transition_around_in_the_built_machine_turns_the_move_around() -> None:
    turned = build(ORDER)
    turned.remove_transition("submit", "draft", "review")
    turned.add_transition("submit", "draft", "stopped")

    assert decide(ORDER, "submit", facts("draft"), machine=turned).to == "stopped"


def test_every_trigger_of_every_state_is_in_the_machine_and_nothing_more() -> None:
    built = machine_of(ORDER)
    declared = {
        (state.name, trigger.name) for state in ORDER.states.values() for trigger in state.triggers.values()
    } | {(BEFORE, "open")}

    known = {
        (source, name)
        for name, event in built.events.items()
        for source, transitions in event.transitions.items()
        if transitions
    }

    assert known == declared


def test_previous_leads_back_to_where_the_case_came_from_and_nowhere_else() -> None:
    assert decide(ORDER, "resume", facts("suspended", came_from="review")).to == "review"
    assert decide(ORDER, "resume", facts("suspended", came_from="doing")).to == "doing"
    for nowhere in (None, "nowhere", "done"):
        with pytest.raises(TriggerNotAllowed):
            decide(ORDER, "resume", facts("suspended", came_from=nowhere))


def test_same_stays() -> None:
    assert decide(ORDER, "extend", facts("doing", book={})).unmet[0].code == "extended_to"
    assert decide(ORDER, "split", facts("doing")).to == "doing"


def test_an_overlay_is_known_where_it_is_for_and_nowhere_else() -> None:
    knowing = {name for name, state in ORDER.states.items() if "suspend" in state.triggers}

    assert knowing == {"review", "doing"}
    with pytest.raises(TriggerNotAllowed):
        decide(ORDER, "suspend", facts("draft"))


def test_what_is_unmet_keeps_the_case_where_it_is() -> None:
    without = facts("draft")
    without.case.data.clear()

    decision = decide(ORDER, "submit", without)

    assert decision.to is None
    assert [one.code for one in decision.unmet] == ["subject", "amount_vnd"]


def test_a_move_that_a_parent_asks_for_is_not_asked_of_people() -> None:
    alone = facts("draft")
    alone.seats = {}
    alone.case.data.clear()

    assert decide(ORDER, "submit", alone, ask=False).to == "review"


def test_an_unknown_trigger_is_answered_with_the_nearest_word_and_those_allowed() -> None:
    with pytest.raises(TriggerNotAllowed) as found:
        decide(ORDER, "sumbit", facts("draft"))

    sentence = found.value.sentence("vi")
    assert "“submit”" in sentence
    assert "stop" in sentence


def test_a_refusal_carries_everything_that_is_missing() -> None:
    unmet = (Unmet("one", Words("một", "one")), Unmet("two", Words("hai", "two")))
    why = machine.refusal(machine.Decision(ORDER.start, None, unmet), "DH-01")

    assert isinstance(why, RequirementsUnmet)
    assert why.unmet == unmet
    assert "one, two" in why.sentence("en")


def test_deciding_leaves_the_case_alone_and_registers_no_model() -> None:
    asked = facts("draft")
    before = asked.case.projection()

    for _ in range(100):
        decide(ORDER, "submit", asked)

    assert asked.case.projection() == before
    assert machine_of(ORDER).models == []


def test_one_machine_serves_all_cases_of_a_definition() -> None:
    assert machine_of(ORDER) is machine_of(loader.load(small.ORDER, name="again.yaml", known=Known()))


def test_only_the_machine_computes_target_states() -> None:
    engine = Path(machine.__file__).parent
    # These declare, check, draw and try out definitions; none of them touches a case.
    speaking_of = (
        "machine",
        "definition",
        "loader",
        "loading",
        "lint",
        "grammar",
        "diagram",
        "difference",
        "examples",
        "language",
    )

    computing = {
        path.name
        for path in engine.glob("*.py")
        if not path.name.startswith(speaking_of)
        and ("trigger.to" in path.read_text("utf-8") or "import transitions" in path.read_text("utf-8"))
    }

    # moves.py asks whether the case stays, requirements.py whether it would end; the next state is handed to them.
    assert computing <= {"moves.py", "requirements.py"}
    lines = [line for line in (engine / "moves.py").read_text("utf-8").splitlines() if "trigger.to" in line]
    assert all("== SAME" in line for line in lines)
