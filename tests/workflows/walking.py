"""Cases walked through the real engine along a path of triggers, each by a person who holds the role it asks for.

A path is a list of words. `submit` fires on the project; `slot1=beneficiary_slot` opens a child and calls it slot1;
`slot1.nominate` fires on it. Values and papers are supplied as the trigger asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import records
from engine.commands import Document, Fire, Principal, Receipt, Register, Start, Vote, new_id
from engine.execute import execute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.definition import Definition, Trigger
    from engine.engine import Engine

LOADER = Principal("import", "tests", "import")
M = 1_000_000
#: What every requirement is content with, unless a path says otherwise.
VALUES: dict[str, Any] = {
    "title": "Máy sấy nông sản", "activity": "machinery", "project_kind": "single", "province": "an_giang",
    "commune_name": "xã Thoại Sơn", "survey_on": "2026-11-01", "establishments": 1, "contents": 1,
    "support_vnd": 300 * M, "counterpart_vnd": 400 * M, "eligible_cost_vnd": 700 * M,
    "supplement_due": "2026-12-20", "approved_on": "2026-11-20",
    "contract_on": "2027-01-10", "contract_support_vnd": 300 * M, "finish_on": "2027-10-01",
    "extended_to": "2027-12-31", "review_on": "2027-06-01", "remedy_due": "2027-09-01", "accepted_on": "2026-11-21",
    "accepted_support_vnd": 300 * M, "accepted_counterpart_vnd": 400 * M, "remaining_vnd": 90 * M,
    "invoicing": "no_invoice", "paid_vnd": 300 * M, "machine_type": "Máy sấy", "parameters": "2 tấn/mẻ",
    "ready_by": "2027-06-01", "amount_vnd": 210 * M, "done_percent": 7500, "paid_on": "2026-11-21", "month": "2026-11",
}  # fmt: skip


@dataclass
class Walk:
    """One project on its way.

    Shapes:
        cases: "" -> (definition, id of the project), name -> the same of a child. states: name -> present state.
        trace: the states of all of them after each step.
    """

    world: World
    definition: str
    values: dict[str, Any]
    cases: dict[str, tuple[str, str]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    trace: list[dict[str, str]] = field(default_factory=list)

    def go(self, path: Iterable[str]) -> Walk:
        """Take each step of a path."""
        for step in path:
            if "=" in step:
                name, _, definition = step.partition("=")
                self._start(name, definition)
            else:
                name, _, trigger = step.rpartition(".")
                self._fire(name, trigger)
            self.trace.append(dict(self.states))
        return self

    def _start(self, name: str, definition: str) -> None:
        known = self.world.engine.definitions.newest(definition)
        shop = {"beneficiary": self.world.establishment()} if "beneficiary" in known.parties else {}
        above = self.cases.get("", ("", ""))[1] if name else ""
        parties = (
            {one: who for one, who in self.world.organisations.items() if one in known.parties}
            if not above
            else {}
        )
        values = self._values(name)
        values = {
            one: values[one] for one in (*known.start.needs.fields, "done_percent") if one in known.fields
        }
        who = self.world.person(str(known.start.by[0]))
        plan_year = None if above else 2027
        receipt = execute(
            self.world.engine,
            Start(
                principal=who, definition=definition, parent=above, parties=parties | shop, values=values,
                plan_year=plan_year,
            ),
        )  # fmt: skip
        self.cases[name] = (definition, receipt.subject)
        self._note()

    def _fire(self, name: str, word: str) -> Receipt:
        definition, case = self.cases[name]
        known = self.world.engine.definitions.newest(definition)
        trigger = known.states[self.states[name]].triggers[word]
        for seat in trigger.approvals.of if trigger.approvals else ():
            who = self.world.person(str(seat))
            execute(self.world.engine, Vote(principal=who, case=case, trigger=word, verdict="yes"))
        receipt = execute(
            self.world.engine,
            Fire(
                principal=self.world.person(str(trigger.by[0])), case=case, trigger=word, reason="Theo hồ sơ",
                values={one: self._values(name)[one] for one in self._asked(known, trigger)},
                documents=tuple(Document(one, "1", "2026-11-20", "x") for one in self._papers(trigger)),
            ),
        )  # fmt: skip
        self._note()
        return receipt

    def _values(self, name: str) -> dict[str, Any]:
        return self.values | self.values.get("slot", {}) if name.startswith("slot") else self.values

    def _asked(self, known: Definition, trigger: Trigger) -> list[str]:
        spoken = [*trigger.needs.fields, trigger.decides, trigger.extends_to]
        for requirement in trigger.require:
            spoken += requirement.that.paths
        fields = [
            one for one in dict.fromkeys(spoken) if one in known.fields and known.fields[one].formula is None
        ]
        return [one for one in fields if one in self.values and one not in {"project_kind", "activity"}]

    def _papers(self, trigger: Trigger) -> list[str]:
        found = dict.fromkeys(trigger.needs.documents)
        programme = {"programme": "national" if self.definition == "national_project" else "local"}
        book = self.world.engine.rules
        for key in trigger.needs.document_rules:
            value = book.resolve(key, self.values | programme, self.world.today)
            found |= dict.fromkeys(value.value or ())  # type: ignore[arg-type]
        return list(found)

    def _note(self) -> None:
        with self.world.engine.store.read() as connection:
            table = records.workflow_case
            for name, (_, case) in self.cases.items():
                self.states[name] = connection.execute(
                    select(table.c.state).where(table.c.id == case)
                ).scalar_one()


@dataclass
class World:
    """Organisations with one person for each role, all in one store."""

    engine: Engine
    today: Any
    organisations: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    shops: int = 0

    def settle(self, definitions: Sequence[Definition]) -> World:
        """Register an organisation for each party, a person for each role, and money for all."""
        for definition in definitions:
            for name, party in definition.parties.items():
                if party.kind != "organisation":
                    continue
                if name not in self.organisations:
                    row = {"code": f"org-{name}", "name": party.title.vi, "kind": "other"}
                    self.organisations[name] = self._register("organisation", row)
                for role in party.roles:
                    if f"{name}.{role}" not in self.people:
                        bound = {"bound": self.organisations[name], "role": role, "from": "2013-01-01"}
                        seat: dict[str, Any] = {
                            "code": f"p-{name}-{role}",
                            "name": f"{name} {role}",
                            "membership.1": bound,
                        }
                        self.people[f"{name}.{role}"] = self._register("person", seat)
        for programme in ("national", "local"):
            line = {"programme": programme, "scope": "an_giang", "plan_year": 2027, "amount_vnd": 10**14}
            self._register("budget_line", line)
        return self

    def person(self, seat: str) -> Principal:
        """Return whoever holds a seat."""
        return Principal("person", self.people[seat], "cli")

    def establishment(self) -> str:
        """Return an establishment that nobody has supported yet."""
        self.shops += 1
        return self._register(
            "establishment", {"code": f"shop-{self.shops}", "name": "Cơ sở mẫu", "province": "an_giang"}
        )

    def walk(self, definition: str, path: Iterable[str], **values: Any) -> Walk:
        """Open a project and take it along a path."""
        programme = definition.partition("_")[0]
        walk = Walk(self, definition, VALUES | {"programme": programme} | values)
        return walk.go([f"={definition}", *path])

    def _register(self, kind: str, values: dict[str, Any]) -> str:
        return execute(
            self.engine, Register(principal=LOADER, id=new_id(), register=kind, values=values)
        ).subject
