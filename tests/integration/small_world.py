"""A store with a few organisations, people and cases for the tests of reading, written as the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from engine import register_reading, registers
from engine.commands import Principal, Register, new_id
from engine.sort_text import sort_text
from engine.store import Writing
from tests import stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.store import Store

OPERATOR = Principal("operator", "0" * 32)
TODAY = "2026-11-22"
NOW = 1_795_305_600_000_000  # 2026-11-22 00:00 UTC


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, *, hours: int) -> None:
        self.now += hours * 3_600_000_000


def new_store(folder: Path, clock: Callable[[], int] | None = None) -> Store:
    store = stores.create(stores.place(folder), clock=clock or Clock())
    with store.begin() as tx:
        tx.run(
            "INSERT INTO published (hash, kind, name, version, text, published_at)"
            " VALUES (:hash, 'definition', 'local_project', 1, '', :now)",
            {"hash": "0" * 64, "now": NOW},
        )
    return store


def register(store: Store, kind: str, key: str = "", /, **values: Any) -> registers.RegisterRow:
    """Write a row of a register as the engine does, without its log entry."""
    command = Register(principal=OPERATOR, register=kind, key=key, values=values)
    with store.begin() as tx:
        row = register_reading.row_of(tx, command)
        drafted = registers.draft(kind, row, command, register_reading.writer_of(tx, command, row, (), TODAY))
        drafted.row.seq += 1
        tx.record(
            Writing(
                registers=[(drafted.row, drafted.is_new)],
                projections=list(drafted.projections),
                openings=list(drafted.openings),
            )
        )
    return drafted.row


def organisation(store: Store, code: str, kind: str = "centre", **more: Any) -> str:
    return register(store, "organisation", code=code, name=more.pop("name", code), kind=kind, **more).id


def person(store: Store, code: str, *seats: tuple[str, str] | tuple[str, str, str, str | None]) -> str:
    """Register a person with seats (organisation, role[, from, to])."""
    memberships = {}
    for number, seat in enumerate(seats, 1):
        bound, role, start, end = seat if len(seat) == 4 else (*seat, "2020-01-01", None)
        memberships[f"membership.{number}"] = {"bound": bound, "role": role, "from": start, "to": end}
    return register(store, "person", code=code, name=f"Người {code}", **memberships).id


def case(
    store: Store,
    code: str,
    parties: dict[str, str],
    parent: dict[str, str] | None = None,
    /,
    **more: Any,
) -> dict[str, str]:
    """Write the row of a case; return its id, root and path."""
    case_id = more.pop("id", "") or new_id()
    root, path = (parent["root"], f"{parent['path']}/{case_id}") if parent else (case_id, case_id)
    title = more.pop("title", f"Đề án {code}")
    values = {
        "id": case_id, "code": code, "definition": "0" * 64, "name": "local_project", "root": root,
        "path": path,
        "parent": parent["id"] if parent else None, "depth": path.count("/"), "state": "surveying",
        "phase": "survey", "entered_on": "2026-11-01", "final": None, "holder": "centre.officer",
        "holder_organisation": parties.get("centre"), "holder_person": None, "held_since": "2026-11-01",
        "due_on": None, "decided_on": None, "plan_year": 2026, "scope": "soc_trang", "category": None,
        "amount_vnd": None, "title": title, "sort_text": sort_text(title), "version": 1, "seq": 1,
        "head": "0" * 64, "data": "{}", "parties": orjson.dumps(parties).decode(), "book": "{}", **more,
    }  # fmt: skip
    with store.begin() as tx:
        words = ", ".join(values)
        marks = ", ".join(f":{word}" for word in values)
        tx.run(f"INSERT INTO workflow_case ({words}) VALUES ({marks})", values)
        for party, bound in parties.items():
            tx.run(
                "INSERT INTO case_party (case_id, party, bound) VALUES (:case_id, :party, :bound)",
                {"case_id": case_id, "party": party, "bound": bound},
            )
    return {"id": case_id, "root": root, "path": path}


def logged(store: Store, case_id: str, seq: int, recorded_at: int, **entry: Any) -> None:
    """Write a log entry with the parts that reading looks at."""
    who = {
        "kind": "person",
        "person": "0" * 32,
        "seat": "",
        "organisation": "",
        "on_behalf_of": "",
        "via": "cli",
    }
    body = {
        "entry": 1, "seq": seq, "command": {"id": f"c{seq}", "kind": "edit"}, "trigger": None, "from": None,
        "to": None, "principal": who, "reason": None, "comment": None, "changes": {}, "guards": [],
        "rules": [], "recorded_at": recorded_at, "happened_on": None, **entry,
    }  # fmt: skip
    row = {
        "subject": case_id, "seq": seq, "hash": f"{seq:064}", "at": recorded_at, "command": f"c{seq}",
        "entry": orjson.dumps(body).decode(),
    }  # fmt: skip
    with store.begin() as tx:
        tx.run(
            "INSERT INTO transition_log"
            " (subject_kind, subject, seq, hash, recorded_at, principal, command, kind, entry)"
            " VALUES ('case', :subject, :seq, :hash, :at, 'person', :command, 'edit', :entry)",
            row,
        )
