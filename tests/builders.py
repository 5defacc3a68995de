"""Short builders for tests of the engine: a store with an office and its people, and commands in one line.

A prepared store is made once for each set of definitions and copied for each test, because copying is far faster than
migrating an empty one. Which kind of store it is, the test that runs decides (tests/stores.py).
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from engine import audit, publishing, records, registry, timers
from engine.calendar_files import load_calendar
from engine.commands import (
    Assign,
    Attach,
    Command,
    Comment,
    Detach,
    Document,
    Edit,
    Fire,
    Principal,
    Receipt,
    Register,
    Start,
    Unmet,
    Vote,
)
from engine.engine import Engine
from engine.errors import Refused
from engine.execute import execute
from engine.loader import Known
from engine.rules import RuleBook
from tests import small_definitions as small
from tests import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.working_calendar import WorkingCalendar

ADMIN = Principal("operator", "admin", "cli")
HOUR = 3_600_000_000
DAY = 24 * HOUR
#: Monday, 23 November 2026, 09:00 in Vietnam.
MONDAY = 1_795_399_200_000_000
FAMILY = (small.ORDER, small.PART, small.PIECE)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self, now: int = MONDAY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, *, days: int = 0, hours: int = 0) -> None:
        self.now += days * DAY + hours * HOUR


@dataclass
class World:
    """A store with one office: clerk, head, director; a buyer; and somebody who has no seat.

    Shapes:
        people: code -> principal. office: id of the organisation.
    """

    engine: Engine
    clock: Clock
    people: dict[str, Principal] = field(default_factory=dict)
    office: str = ""
    where: stores.Place | None = None
    rung: list[tuple[str, str]] = field(default_factory=list)

    def beside(self) -> World:
        """Return another process's look at the same store: an engine and a store of its own."""
        if self.where is None:
            raise RuntimeError("this world has no place of its own")
        return World(engine_on(self.where, self.clock), self.clock, self.people, self.office, self.where)

    def who(self, code: str) -> str:
        """Return the id of a person."""
        return self.people[code].person

    def do(self, command: Command) -> Receipt:
        return execute(self.engine, command)

    def start(self, definition: str, by: str = "buyer", **more: Any) -> Receipt:
        parties = {"buyer": self.who("buyer"), "office": self.office} if "parent" not in more else {}
        return self.do(
            Start(principal=self.people[by], definition=definition, **{"parties": parties, **more})
        )

    def fire(self, by: str, case: str, trigger: str, **more: Any) -> Receipt:
        return self.do(Fire(principal=self.people[by], case=case, trigger=trigger, **more))

    def edit(self, by: str, case: str, **values: Any) -> Receipt:
        return self.do(Edit(principal=self.people[by], case=case, values=values))

    def attach(self, by: str, case: str, *documents: Document) -> Receipt:
        return self.do(Attach(principal=self.people[by], case=case, documents=documents))

    def detach(self, by: str, case: str, kind: str, number: int) -> Receipt:
        return self.do(Detach(principal=self.people[by], case=case, type=kind, number=number))

    def comment(self, by: str, case: str, words: str) -> Receipt:
        return self.do(Comment(principal=self.people[by], case=case, text=words))

    def assign(self, by: str, case: str, **more: Any) -> Receipt:
        return self.do(Assign(principal=self.people[by], case=case, **more))

    def vote(self, by: str, case: str, trigger: str, verdict: Any = "yes", **more: Any) -> Receipt:
        return self.do(Vote(principal=self.people[by], case=case, trigger=trigger, verdict=verdict, **more))

    def register(self, register: str, key: str = "", **values: Any) -> Receipt:
        return self.do(Register(principal=ADMIN, register=register, key=key, values=values))

    def person(self, code: str, *roles: str, office: str = "") -> Principal:
        """Register a person with roles in an office, since 2020."""
        seats = {
            f"membership.{number}": {"bound": office or self.office, "role": role, "from": "2000-01-01"}
            for number, role in enumerate(roles, 1)
        }
        row = self.do(
            Register(
                principal=ADMIN, register="person", values={"code": code, "name": f"Người {code}", **seats}
            )
        )
        self.people[code] = Principal("person", row.subject)
        return self.people[code]

    def publish(self, *texts: str) -> None:
        for one in texts:
            publishing.publish(self.engine, one, name="test.yaml", known=Known(), principal=ADMIN)

    # what the store says

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.store.read() as connection:
            return [tuple(map(_stored, row)) for row in connection.execute(text(sql), values)]

    def case(self, case: str) -> Any:
        """Return the row of a case, with `data`, `parties` and `book` as dicts."""
        with self.engine.store.read() as connection:
            row = dict(
                connection.execute(text("SELECT * FROM workflow_case WHERE id = :id"), {"id": case})
                .mappings()
                .one()
            )
        for name in ("data", "parties", "book"):
            row[name] = orjson.loads(_stored(row[name]))
        return row

    def state(self, case: str) -> str:
        return str(self.case(case)["state"])

    def children(self, case: str) -> list[str]:
        return [
            row[0]
            for row in self.rows("SELECT id FROM workflow_case WHERE parent = :id ORDER BY id", id=case)
        ]

    def log(self, case: str) -> list[dict[str, Any]]:
        """Return the parsed entries of a subject, oldest first."""
        found = self.rows("SELECT entry FROM transition_log WHERE subject = :id ORDER BY seq", id=case)
        return [orjson.loads(row[0]) for row in found]

    def timers(self, case: str, state: str = "waiting") -> list[dict[str, Any]]:
        names = ("kind", "deadline", "generation", "period", "rung", "due_at", "state", "set_by")
        found = self.rows(
            f"SELECT {', '.join(names)} FROM timer WHERE case_id = :id"
            " AND (:state = '' OR state = :state) ORDER BY due_at, kind, rung",
            id=case, state=state,
        )  # fmt: skip
        return [dict(zip(names, row, strict=True)) for row in found]

    def notices(self, case: str = "") -> list[dict[str, Any]]:
        found = self.rows(
            "SELECT word, person, facts, suppressed FROM notice WHERE :id = '' OR case_id = :id ORDER BY id",
            id=case,
        )
        return [
            {"word": word, "person": person, "facts": orjson.loads(facts), "suppressed": suppressed}
            for word, person, facts, suppressed in found
        ]

    def tick(self) -> int:
        """Fire what is due until nothing is."""
        fired = 0
        while now := timers.fire_due(self.engine):
            fired += now
        return fired

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has, refusals left out."""
        names = sorted(records.metadata.tables)
        return {name: self.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names if name != "refusal"}

    def assert_clean(self) -> None:
        report = audit.fsck(self.engine.store, self.engine.definitions)
        assert not report.findings, report.findings


def _stored(value: Any) -> Any:
    """Return a value as it is stored: one of the drivers reads JSON, the other gives its text."""
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def engine_on(
    where: stores.Place, clock: Clock, rules: RuleBook | None = None, channels: tuple[str, ...] = ("email",)
) -> Engine:
    store = stores.reopen(where, clock=clock)
    return Engine(store, registry.Definitions(store), rules or RuleBook.of([]), calendar(), channels=channels)


@cache
def calendar() -> WorkingCalendar:
    return load_calendar(Path(__file__).parents[1] / "workflows" / "calendars")


@cache
def _prepared(kind: str, texts: tuple[str, ...]) -> tuple[stores.Place, Mapping[str, Principal], str]:
    """Return the place of a store with office, people and definitions, made once."""
    folder = Path(tempfile.mkdtemp(prefix="tiendo-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    where, clock = stores.place(folder, "prepared.db", lasting=True), Clock(MONDAY - DAY)
    stores.create(where, clock=clock).close()
    made = World(engine_on(where, clock), clock)
    made.office = made.register("organisation", code="vp", name="Văn phòng", kind="other").subject
    for code, roles in (
        ("buyer", ()), ("clerk", ("clerk",)), ("head", ("head",)), ("director", ("director",)), ("stranger", ()),
    ):  # fmt: skip
        made.person(code, *roles)
    made.publish(*texts)
    made.engine.store.close()
    return where, dict(made.people), made.office


def world(
    folder: Path,
    *texts: str,
    rules: RuleBook | None = None,
    channels: Iterable[str] = ("email",),
    now: int = MONDAY,
) -> World:
    """Return a world of one's own in `folder` with these definitions published."""
    prepared, people, office = _prepared(stores.kind(), texts or FAMILY)
    where, clock = stores.copied(prepared, folder), Clock(now)
    made = World(engine_on(where, clock, rules, tuple(channels)), clock, dict(people), office, where)
    made.engine.ring = made.rung.extend
    return made


def paper(kind: str = "quote", number: str = "1", **more: str) -> Document:
    """Return a paper that counts."""
    return Document(kind, **{"number": number, "signed_on": "2026-11-20", "signer": "Nguyễn Văn A", **more})


def submitted(w: World, **values: Any) -> str:
    """Return an order in review."""
    order = w.start("order", values={"subject": "Ghế", "amount_vnd": 5_000_000, **values}).subject
    w.fire("buyer", order, "submit")
    return order


def doing(w: World, **values: Any) -> str:
    """Return an order that is being done."""
    order = submitted(w, **values)
    w.fire("head", order, "approve")
    return order


def contents(w: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table but that of refusals."""
    return {name: sorted(w.rows(f"SELECT * FROM {name}"), key=repr) for name in w.counts()}


def refused(w: World, ask: Callable[[], object]) -> Refused:
    """Return the refusal that `ask` meets, after making sure that it left no trace and speaks both languages."""
    before = contents(w)
    try:
        ask()
    except Refused as why:
        for language in ("vi", "en"):
            sentence = why.sentence(language)
            assert len(sentence) > 20, sentence
            assert not re.search(r"\{[a-z_]+\}", sentence), sentence
        assert contents(w) == before
        return why
    raise AssertionError("it was not refused")


def codes(why: Refused) -> list[str]:
    """Return the codes of everything that a refusal lists."""
    return [one.code for one in unmet(why)]


def unmet(why: Refused) -> list[Unmet]:
    """Return everything that a refusal lists."""
    return list(getattr(why, "unmet", ()))
