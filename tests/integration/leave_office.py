"""A small office that asks for leave: a real store, the shipped definition, three people, channels that remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from config.settings import Settings
from engine import records
from engine.commands import Fire, Principal, Receipt, Register, Start, new_id
from engine.execute import execute
from handlers import build, publishing
from tests import stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.engine import Engine
    from engine.store import Store
    from handlers.channels import Message, Policy
    from handlers.dispatch import App

#: Monday 16 November 2026, 09:00 in Hanoi, in µs UTC.
MONDAY = 1_794_794_400_000_000
HOUR = 3_600_000_000
DAY = 24 * HOUR
OPERATOR = Principal("operator", "0" * 32)
PEOPLE = {
    "lan": ("Lê Thị Lan", "officer", "vi"),
    "minh": ("Trần Văn Minh", "manager", "vi"),
    "dung": ("Phạm Quốc Dũng", "director", "en"),
    "hoa": ("Ngô Thị Hoa", "deputy", "vi"),
}


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: int = MONDAY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass
class Postman:
    """A channel that keeps what it took, or answers as told."""

    name: str = "console"
    policy: Policy = "resend"
    address_word: str = ""
    answer: Callable[[Message], None] | None = None
    taken: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        if self.answer is not None:
            self.answer(message)
        self.taken.append(message)


@dataclass
class Office:
    """The office with its ids."""

    settings: Settings
    store: Store
    engine: Engine
    app: App
    clock: Any
    postman: Postman
    people: dict[str, str]
    office: str

    def ask(self, who: str = "lan", *, first: str = "2026-11-23", last: str = "2026-11-25") -> Receipt:
        """Open a leave request and submit it: the manager is to decide."""
        me = Principal("person", self.people[who])
        parties = {"requester": self.people[who], "office": self.office}
        made = execute(
            self.engine, Start(principal=me, definition="leave_request", parties=parties, plan_year=2026)
        )
        values = {"reason_text": "việc gia đình", "first_day": first, "last_day": last}
        return execute(self.engine, Fire(principal=me, case=made.subject, trigger="submit", values=values))

    def fire(self, case: str, trigger: str, who: str, **more: Any) -> Receipt:
        return execute(
            self.engine,
            Fire(principal=Principal("person", self.people[who]), case=case, trigger=trigger, **more),
        )

    def register(self, kind: str, key: str, /, **values: Any) -> Receipt:
        return execute(self.engine, Register(principal=OPERATOR, register=kind, key=key, values=values))

    def outbox(self, *, topic: str = "notice.requested") -> list[Any]:
        table = records.outbox
        with self.store.read() as connection:
            query = select(table).where(table.c.topic == topic).order_by(table.c.created_at, table.c.id)
            return list(connection.execute(query).all())

    def deliveries(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(records.delivery)).all())

    def notices(self) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(select(records.notice)).all())


def open_office(folder: Path, *, clock: Any = None, postman: Postman | None = None) -> Office:
    """Make the store, publish the shipped definition, write the people."""
    clock = clock or Clock()
    postman = postman or Postman()
    where = stores.place(folder, "office.db")
    settings = Settings(database_url=f"sqlite:///{where}" if isinstance(where, Path) else where.app_url)
    store = stores.create(where, clock=clock)
    engine = build.make_engine(settings, store)
    engine.channels = (postman.name,)
    app = build.make_app(settings, engine, {postman.name: postman})
    publishing.publish_all(settings, engine, OPERATOR, ["leave_request"])
    office, ids = new_id(), {name: new_id() for name in PEOPLE}
    found = Office(settings, store, engine, app, clock, postman, ids, office)
    found.register("organisation", office, code="SO", name="Sở Công Thương", kind="department")
    for code, (name, role, language) in PEOPLE.items():
        seat = {"bound": office, "role": role, "from": "2026-01-01"}
        found.register(
            "person", ids[code], code=code, name=name, language=language, email=f"{code}@so.example",
            **{"membership.1": seat},
        )  # fmt: skip
    return found
