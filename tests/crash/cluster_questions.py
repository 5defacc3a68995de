"""What a launcher of a cluster is asked beside starting processes; each question is answered by a process of its own."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from config.settings import Settings
from engine import audit, loader, publishing, reports
from engine.commands import SYSTEM, Principal, Register
from engine.execute import execute
from engine.registry import Definitions
from handlers import publishing as publishing_all
from tests.crash.clients import Office
from tests.crash.cluster_engine import SAMPLES, answer_to, make_engine, open_any

if TYPE_CHECKING:
    from collections.abc import Callable


def prepare(*, database: str) -> dict[str, Any]:
    """Fill a new store: one office, its people, and one case that everybody comments on; return their ids."""
    operator = Principal("operator", "setup")
    store = open_any(database)
    engine = make_engine(store)
    definition = Path(__file__).with_name("purchase.yaml").read_text(encoding="utf-8")
    publishing.publish(engine, definition, name="purchase.yaml", known=loader.Known(), principal=operator)

    def row(register: str, **values: Any) -> str:
        return execute(engine, Register(principal=operator, register=register, values=values)).subject

    made = {"office": row("organisation", code="office", name="Văn phòng", kind="other")}
    roles = {"an": "staff", "bay": "staff", "cuc": "staff", "manager": "manager", "director": "director"}
    for code, role in roles.items():
        seat = {"bound": made["office"], "role": role, "from": "2020-01-01"}
        made[code] = row("person", code=code, name=code, email=f"{code}@so.example", **{"membership.1": seat})
    shared = answer_to(
        engine,
        Office(made).command(
            "an", "start", definition="purchase", parties={"requester": made["an"], "office": made["office"]},
            values={"wish": "chung", "amount": 1},
        ),
    )  # fmt: skip
    store.close()
    return {**made, "shared": shared["subject"]}


def prepare_sample(*, database: str) -> dict[str, Any]:
    """Publish the shipped definitions into a new store."""
    store = open_any(database)
    publishing_all.publish_all(Settings(database_url=database), make_engine(store), SYSTEM)
    store.close()
    return {"published": True}


def residents(*, database: str, clients: int) -> dict[str, Any]:
    """Give everybody a mail box; return the projects that are under way, each with who heads its department."""
    store = open_any(database)
    engine, operator = make_engine(store), Principal("operator", "setup")
    with store.read() as connection:
        people = connection.execute(
            text("SELECT id, code FROM register_row WHERE kind = 'person' ORDER BY id")
        ).all()
        projects = connection.execute(
            text(
                "SELECT DISTINCT ON (c.id) c.id, m.person FROM workflow_case c"
                " JOIN case_party p ON p.case_id = c.id AND p.party = 'department'"
                " JOIN membership m ON m.bound = p.bound AND m.role = 'head' AND m.to_on IS NULL"
                " WHERE c.final IS NULL AND c.name = 'local_project' ORDER BY c.id, m.person"
            )
        ).all()
    for person, code in people:
        execute(
            engine,
            Register(
                principal=operator, register="person", key=person, values={"email": f"{code}@so.example"}
            ),
        )
    store.close()
    return {"projects": [list(row) for row in projects], "clients": clients}


def figures(*, database: str) -> list[str]:
    """Return the published figures that the sample does not meet within their tolerance."""
    store = open_any(database)
    rows = reports.compare(reports.read_figures(SAMPLES / "figures.yaml"), reports.case_rows(store))
    found = [row.id for row in rows if not row.within] if len(rows) > 50 else ["there are too few figures"]
    store.close()
    return found


def fsck(*, database: str) -> list[str]:
    """Ask the product's own check."""
    store = open_any(database)
    found = [str(one) for one in audit.fsck(store, Definitions(store)).findings]
    store.close()
    return found


def submit(*, database: str, made: dict[str, Any], cases: int) -> list[str]:
    """Open cases and submit them, so that each tells one person and waits for a decision; return their ids."""
    store = open_any(database)
    engine, office = make_engine(store), Office(made)
    found = []
    for _ in range(cases):
        words = {
            "parties": {"requester": made["an"], "office": made["office"]},
            "values": {"wish": "giấy", "amount": 3},
        }
        case = answer_to(engine, office.command("an", "start", definition="purchase", **words))["subject"]
        answer_to(engine, office.command("an", "fire", case=case, trigger="submit"))
        found.append(case)
    store.close()
    return found


def press(*, database: str, made: dict[str, Any], cases: list[str], gate: str) -> list[dict[str, Any]]:
    """Approve the same cases in four threads, once the gate is there."""
    store = open_any(database)
    engine = make_engine(store)
    answers: list[dict[str, Any]] = []

    def approve() -> None:
        answers.extend(
            answer_to(engine, Office(made).command("manager", "fire", case=case, trigger="approve"))
            for case in cases
        )

    threads = [threading.Thread(target=approve) for _ in range(4)]
    Path(f"{gate}.{os.getpid()}").touch()
    while not Path(gate).exists():
        time.sleep(0.001)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return answers


QUESTIONS: dict[str, Callable[..., Any]] = {
    "prepare": prepare, "prepare_sample": prepare_sample, "residents": residents, "figures": figures, "fsck": fsck,
    "submit": submit, "press": press,
}  # fmt: skip
