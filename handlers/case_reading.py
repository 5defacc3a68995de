"""A case read from the store together with what its words need; see handlers/case_words.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.names import names_of
from engine.readings import case_by_id
from handlers.case_words import CaseWords

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from engine.engine import Engine
    from engine.readings import Connection


def look(
    engine: Engine,
    connection: Connection,
    case_id: str,
    today: date,
    language: str = "vi",
    *,
    also: Iterable[str] = (),
) -> CaseWords:
    """Read a case and what its words need.

    Shapes:
        also: ids whose names are wanted, too.
    """
    case = case_by_id(connection, case_id)
    parent = case_by_id(connection, case.parent) if case.parent else None
    names = names_of(
        connection, [case.holder_organisation, case.holder_person, *case.parties.values(), *also], language
    )
    return CaseWords(
        engine, case, engine.definitions.by_hash(case.definition), parent, names, today, language
    )
