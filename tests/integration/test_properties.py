"""Whatever people, timers and clocks do to whatever definition: what the log proves stays true."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import deadlines
from engine.commands import (
    Assign,
    Attach,
    Command,
    Comment,
    Detach,
    Edit,
    Erase,
    Fire,
    Migrate,
    Principal,
    Start,
    Vote,
)
from engine.errors import Refused
from engine.execute import execute_all, preview
from engine.family import AutomaticRing
from engine.linter import validate
from engine.loader import Known
from tests import small_definitions as small
from tests import stores
from tests.builders import ADMIN, World, paper, world

if TYPE_CHECKING:
    from collections.abc import Callable

WHO = ("office.clerk", "office.head", "office.director", "buyer")
PEOPLE = ("buyer", "clerk", "head", "director", "stranger", "deputy")


def random_definition(seed: int) -> str:
    """Return a definition that loads: a few states, random moves, deadlines, automatic moves, a pause."""
    dice = random.Random(seed)
    count = dice.randint(2, 5)
    lines = [
        "definition: chance", "title: {vi: May rủi, en: Chance}", "series: MR", small.ORDER.split("series: DH\n")[1]
        .split("fields:")[0], "fields:",
        "  amount_vnd: {type: money, title: {vi: Số tiền, en: Amount}}",
        "  wanted_on: {type: date, title: {vi: Ngày cần, en: Wanted on}}",
        "  phone: {type: text, personal: true, title: {vi: Điện thoại, en: Phone}}",
        "  quote: {type: document, title: {vi: Báo giá, en: Quote}}",
        "start: {trigger: open, title: {vi: Mở, en: Open}, by: [buyer, office.clerk], to: s0}",
        "editable: [{fields: [amount_vnd, wanted_on, phone], in: [writing, deciding], by: [buyer, office.clerk, office.head]}]",
        "states:",
    ]  # fmt: skip
    for number in range(count):
        lines += [f"  s{number}:", f"    phase: {dice.choice(['writing', 'deciding'])}",
                  f"    title: {{vi: Bước {number}, en: Step {number}}}", f"    holder: {dice.choice(WHO)}"]  # fmt: skip
        lines += _deadlines(dice)
        lines.append("    triggers:")
        for trigger in range(dice.randint(1, 3)):
            lines.append(_trigger(dice, number, trigger, count))
    lines += [
        "  resting:", "    phase: doing", "    title: {vi: Nghỉ, en: Resting}", "    holder: office.head",
        "    pauses_clock: true", "    triggers:",
        "      wake: {title: {vi: Dậy, en: Wake}, to: $previous, by: office.head}",
        "  done: {phase: ended, title: {vi: Xong, en: Done}, final: accepted}",
        "  stopped: {phase: ended, title: {vi: Dừng, en: Stopped}, final: stopped}",
        "overlays:",
        "  rest: {title: {vi: Nghỉ, en: Rest}, to: resting, by: office.head, anywhere_in: [writing, deciding]}",
        "  stop: {title: {vi: Dừng, en: Stop}, to: stopped, by: office.head, anywhere_in: [writing, deciding, doing]}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _deadlines(dice: random.Random) -> list[str]:
    found = ["    deadlines:"]
    for name, rule in dice.sample(
        [
            ("near", "within: 3 wd"), ("far", "within: 20 d"), ("wanted", "on: wanted_on"), ("paid", "monthly: {before: 25}"),
            ("plan", "by: {day: 12-30, year: plan}"),
        ],
        dice.randint(0, 3),
    ):  # fmt: skip
        ladder = dice.choice(
            [
                "[{at: -2 wd, to: holder}, {at: 0, to: holder}]",
                "[{at: 1 d, every: 2 d, times: 3, to: holder, log: true}]",
            ]
        )
        fires = ", fires: t0" if dice.random() < 0.4 and not rule.startswith("monthly") else ""
        found.append(f"      {name}: {{{rule}, source: proposed, ladder: {ladder}{fires}}}")
    return found if len(found) > 1 else []


def _trigger(dice: random.Random, state: int, number: int, count: int) -> str:
    to = dice.choice([f"s{dice.randrange(count)}", "$same", "done", f"s{(state + 1) % count}"])
    more = ""
    if number and dice.random() < 0.3:
        more = f", when: amount_vnd > {dice.randint(1, 9)} && amount_vnd < {dice.randint(5, 20)}"
    else:
        more = f", by: {dice.choice(WHO)}"
        if dice.random() < 0.3:
            more += ", approvals: {of: [office.clerk, office.head, office.director], need: 2}"
        if dice.random() < 0.3:
            more += ", needs: {reason: true, fields: [amount_vnd]}"
        if dice.random() < 0.3:
            more += ", guards: [{not_same_person_as: [open]}]"
    if dice.random() < 0.3:
        more += ", return: true"
    if dice.random() < 0.3:
        more += f", sets: {{amount_vnd: {dice.choice(['amount_vnd + 3', '7', 'amount_vnd - 8'])}}}"
    return f"      t{number}: {{title: {{vi: Bước, en: Move}}, to: {to}{more}}}"


VALUES: tuple[dict[str, Any], ...] = (
    {}, {}, {"amount_vnd": 4}, {"amount_vnd": 11}, {"amount_vnd": 10**16}, {"wanted_on": "2026-11-24"},
    {"wanted_on": "2026-12-20"}, {"wanted_on": "2026-02-30"}, {"wanted_on": None}, {"phone": "0912"}, {"subject": "Ghế"},
    {"nowhere": 1}, {"cost_vnd": 2}, {"extended_to": "2027-01-05"},
)  # fmt: skip


def likely(dice: random.Random, w: World, case: str, names: list[str]) -> tuple[str, str]:
    """Return who fires what: mostly something that only lacks little, sometimes anything."""
    if dice.random() < 0.7:
        tried = [(who, step) for who in PEOPLE[:4] for step in preview(w.engine, case, w.who(who))]
        open_now = [(who, step.trigger.name) for who, step in tried if len(step.unmet) < 2]
        if open_now:
            return dice.choice(open_now)
    return dice.choice(PEOPLE), dice.choice(names)


def command(dice: random.Random, w: World, cases: list[str]) -> Command:
    """Return a random command: often sensible, sometimes not."""
    who = w.people[dice.choice(PEOPLE)]
    if not cases or dice.random() < 0.06:
        definitions = w.engine.definitions
        name = dice.choice([one for one in definitions.names() if definitions.newest(one).is_root])
        return Start(principal=who, definition=name, parties={"buyer": w.who("buyer"), "office": w.office})
    still_open = [row[0] for row in w.rows("SELECT id FROM workflow_case WHERE final IS NULL ORDER BY id")]
    case = dice.choice(still_open if still_open and dice.random() < 0.9 else cases)
    row = w.case(case)
    definition = w.engine.definitions.by_hash(row["definition"])
    names = sorted({name for state in definition.states.values() for name in state.triggers})
    firing, trigger = likely(dice, w, case, names)
    values = dice.choice(VALUES) if dice.random() < 0.4 else {}
    common: dict[str, Any] = {"principal": who, "case": case, "reason": dice.choice(["", "vì thế"])}
    if dice.random() < 0.1:
        common["expected_version"] = row["version"] - dice.randint(0, 1)
    verdict: Any = dice.choice(["yes", "yes", "no", ""])
    child = dice.choice(sorted(definition.children) or ["part"])
    makes: list[tuple[int, Callable[[], Command]]] = [
        (45, lambda: Fire(**{**common, "principal": w.people[firing]}, trigger=trigger, values=values)),
        (15, lambda: Edit(**common, values=values)),
        (12, lambda: Vote(**common, trigger=trigger, verdict=verdict)),
        (6, lambda: Attach(**common, documents=(paper("quote"),))),
        (3, lambda: Detach(**common, type="quote", number=1)),
        (3, lambda: Comment(**common, text="ừ")),
        (5, lambda: Assign(**common, person=w.who(dice.choice(PEOPLE)))),
        (3, lambda: Migrate(principal=ADMIN, case=case, to=1)),
        (3, lambda: Erase(principal=ADMIN, subject_kind="case", subject=case, word="phone")),
        (5, lambda: Start(principal=who, definition=child, parent=case)),
    ]
    return dice.choices([make for _, make in makes], [weight for weight, _ in makes])[0]()


#: What a person may be told in such a life; anything else is a fault of ours.
EXPECTED = {
    "requirements_unmet", "case_unknown", "trigger_not_allowed", "vote_refused", "field_unknown", "case_ended",
    "version_conflict", "document_wrong", "erase_wrong", "definition_unknown", "not_permitted", "assign_wrong",
    "not_canonical", "not_editable", "parent_wrong", "timer_closed", "field_value_wrong", "command_id_reused",
    "migration_wrong", "party_wrong",
}  # fmt: skip


def live(w: World, dice: random.Random, steps: int) -> None:
    for _ in range(steps):
        cases = [row[0] for row in w.rows("SELECT id FROM workflow_case ORDER BY id")]
        if dice.random() < 0.15:
            w.clock.move(days=dice.choice([1, 1, 2, 5, 30, -1, -3650, 3650]) if dice.random() < 0.9 else 0)
            w.clock.now = min(max(w.clock.now, 1_480_000_000_000_000), 1_830_000_000_000_000)
            for _ in range(3):
                w.tick()
            continue
        sent = [command(dice, w, cases) for _ in range(dice.choice([1, 1, 1, 3]))]
        if dice.random() < 0.1:
            sent.append(sent[0])
        try:
            answers = execute_all(w.engine, sent)
        except AutomaticRing:
            continue
        for one in answers:
            assert not isinstance(one, Exception) or isinstance(one, Refused), one


def assert_it_holds(w: World) -> None:
    """What must be true of a store at any moment."""
    w.assert_clean()
    for (case,) in w.rows("SELECT id FROM workflow_case"):
        row = w.case(case)
        log = w.log(case)
        assert [entry["seq"] for entry in log] == list(range(1, row["seq"] + 1))
        assert row["final"] is not None or row["holder"]
        running = [
            one["due"]
            for word, one in row["book"].items()
            if word.startswith("deadline.") and not one["paused"]
        ]
        assert row["due_on"] == min(running, default=None)
        waiting = w.timers(case)
        if row["final"] is not None:
            assert not waiting
            assert not w.timers(case, "paused")
            assert not running
        for timer in waiting:
            book = row["book"].get(f"deadline.{timer['deadline']}")
            assert timer["deadline"] == deadlines.STARTS or (
                book and book["generation"] == timer["generation"]
            )
        states = {entry["to"] for entry in log if entry["to"]}
        assert row["state"] in states
        if row["parent"] and row["final"] is None:
            assert w.case(row["parent"])["final"] is None
    times = w.rows("SELECT recorded_at FROM transition_log ORDER BY recorded_at")
    assert times == sorted(set(times))
    assert {row[0] for row in w.rows("SELECT DISTINCT code FROM refusal")} <= EXPECTED
    assert not w.rows("SELECT why FROM timer WHERE state = 'refused' AND why LIKE '%Error%'")
    commands = w.rows("SELECT principal, command FROM receipt")
    assert len(commands) == len(set(commands))
    votes = [
        (entry["subject"]["id"], orjson.dumps(after))
        for (case,) in w.rows("SELECT id FROM workflow_case")
        for entry in w.log(case)
        for word, (_, after) in entry["changes"].items()
        if word.startswith("vote.") and after and after["person"] == w.who("stranger")
    ]
    assert not votes
    numbers = w.rows("SELECT code FROM workflow_case WHERE parent IS NULL ORDER BY code")
    assert len(numbers) == sum(
        row[0] for row in w.rows("SELECT last FROM number_series WHERE series NOT LIKE '%/%'")
    )


QUICK = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@QUICK
@given(st.integers(0, 10**9))
def test_the_shipped_shapes_survive_any_life(seed: int) -> None:
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, stores.running_on(stores.kind()):
        w = world(Path(folder), *small.FAMILY_AND_MORE)
        w.person("deputy")
        w.register(
            "person",
            w.who("head"),
            **{"substitution.1": {"substitute": w.who("deputy"), "from": "2000-01-01", "to": None}},
        )
        live(w, dice, 40)
        assert_it_holds(w)
        w.engine.store.close()


@QUICK
@given(st.integers(0, 10**9))
def test_random_definitions_survive_any_life(seed: int) -> None:
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, stores.running_on(stores.kind()):
        w = world(Path(folder), small.PIECE, channels=())
        w.person("deputy", "clerk")
        w.publish(random_definition(seed))
        live(w, dice, 40)
        assert_it_holds(w)
        w.engine.store.close()


@pytest.mark.parametrize("seed", range(5))
def test_the_linter_reads_every_random_definition(seed: int) -> None:
    definition, findings = validate(random_definition(seed), name="chance.yaml", known=Known())

    assert definition is not None
    assert not [one for one in findings if one.code.startswith(("yaml", "unknown", "wrong"))]


def test_a_repeat_of_a_whole_life_changes_nothing(tmp_path: Path) -> None:
    w = world(tmp_path)
    buyer, head = w.people["buyer"], w.people["head"]
    start = Start(principal=buyer, definition="order", parties={"buyer": w.who("buyer"), "office": w.office},
                  values={"subject": "x", "amount_vnd": 1})  # fmt: skip
    case = w.do(start).subject
    commands: list[Command] = [
        start, Fire(principal=buyer, case=case, trigger="submit"), Fire(principal=head, case=case, trigger="approve"),
        Comment(principal=Principal("person", w.who("clerk")), case=case, text="ừ"),
    ]  # fmt: skip
    for one in commands:
        w.do(one)
    before = w.counts()

    for one in commands * 3:
        assert w.do(one).repeated

    assert w.counts() == before
