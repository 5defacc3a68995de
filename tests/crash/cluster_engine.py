"""The engine as the processes of a cluster have it: made once in their launcher, on a store that each opens for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import workflows
from config.settings import Settings
from engine import calendar_files, postgres_schema, schema
from engine.commands import KINDS, Principal
from engine.engine import Engine
from engine.errors import Refused, TiendoError, Unavailable
from engine.execute import execute
from engine.registry import Definitions
from engine.rules import RuleBook
from handlers import opening

if TYPE_CHECKING:
    from collections.abc import Mapping

CALENDAR = calendar_files.load_calendar(workflows.FOLDER / "calendars")
SAMPLES = workflows.FOLDER / "khuyen_cong" / "samples"
RULES = RuleBook.of([])


def make_engine(store: Any) -> Engine:
    return Engine(store, Definitions(store), RULES, CALENDAR, channels=("email",))


def know_the_rules() -> None:
    """Read the shipped rule packs, for the cases of the sample; all processes forked afterwards know them."""
    global RULES  # noqa: PLW0603 - what the launcher forks is a copy of it
    RULES = opening.make_rules(Settings())


def open_any(database: str) -> Any:
    """Open a store by its address: a file, or a database on a server."""
    return postgres_schema.open_store(database) if "://" in database else schema.open_store(database)


def answer_to(engine: Engine, words: Mapping[str, Any]) -> dict[str, Any]:
    """Carry one command out and return what its sender is told: a receipt, or family, code and sentence of an error."""
    command = KINDS[words["kind"]](
        principal=Principal(**words["principal"]), id=words["id"], **words["fields"]
    )
    try:
        receipt = execute(engine, command)
    except TiendoError as why:
        family = (
            "refused"
            if isinstance(why, Refused)
            else "unavailable"
            if isinstance(why, Unavailable)
            else "broken"
        )
        return {"id": words["id"], family: why.code, "said": why.sentence("en")}
    except Exception as why:  # noqa: BLE001 - whatever it is, the client must see it
        return {"id": words["id"], "broken": type(why).__name__, "said": str(why)}
    return {
        "id": words["id"], "subject": receipt.subject, "seq": receipt.seq, "head": receipt.head,
        "state": receipt.state, "repeated": receipt.repeated,
    }  # fmt: skip
