"""A store with the shipped definitions and rules, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import workflows
import workflows.guards
from engine import calendar_files, library, rule_packs, schema
from engine.commands import Principal
from engine.engine import Engine
from engine.loading import Known
from engine.publishing import publish
from engine.registry import Definitions
from engine.rules import RuleBook
from handlers import notice_texts

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = workflows.FOLDER / "khuyen_cong" / "samples"


def rules() -> RuleBook:
    """Return the shipped rule packs."""
    folders = [folder for folder in sorted(workflows.FOLDER.glob("**/rules")) if folder.is_dir()]
    return RuleBook.of(*rule_packs.read_folder(*folders))


def shipped(book: RuleBook) -> tuple[library.Library, Known]:
    """Return the shipped definitions, and what is known when one of them is loaded."""
    texts = notice_texts.load(sorted(workflows.FOLDER.glob("**/notices.yaml")))
    known = Known(rules=library.rule_types(book), notices=frozenset(texts.texts))
    found = library.read_library([workflows.FOLDER], known)
    return found, Known(definitions=found.outlines, rules=known.rules, notices=known.notices)


def new_engine(path: Path) -> Engine:
    """Return an engine on a new sample store in which the shipped definitions are published."""
    store = schema.create(path, kind="sample")
    book = rules()
    calendar = calendar_files.load_calendar(workflows.FOLDER / "calendars")
    engine = Engine(store, Definitions(store), book, calendar)
    found, known = shipped(book)
    for name, file in found.demand().files.items():
        publish(
            engine,
            file.read_text(),
            name=f"{name}.yaml",
            known=known,
            principal=Principal("import", "sample", "import"),
        )
    return engine
