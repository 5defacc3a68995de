"""From the folders of definitions to the store: what is there, what is new, and publishing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine import library
from engine.difference import differences
from engine.errors import Refused, Words, perhaps
from engine.loader import load
from engine.loading import Known
from engine.publishing import publish as publish_one
from handlers import build

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.settings import Settings
    from engine.commands import Principal, Receipt
    from engine.definition import Definition
    from engine.engine import Engine
    from engine.library import Library
    from engine.rules import RuleBook


class DefinitionFileUnknown(Refused):
    """No file of the folders holds this definition."""

    code = "definition_file_unknown"
    words = Words(
        'Không có tệp quy trình "{name}" trong thư mục.{hint}Có: {known}.',
        'No file of the folders holds the definition "{name}".{hint}There are: {known}.',
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A definition of the folders beside what the store holds.

    Shapes:
        before: the newest published version, or None. receipt: of publishing it now; None when it was
        there already.
    """

    definition: Definition
    before: Definition | None
    receipt: Receipt | None = None

    def changes(self, language: str) -> list[str]:
        """Return in words what the new version changes; nothing for a first one."""
        if self.before is None:
            return []
        return [one.text(language) for one in differences(self.before, self.definition)]


def known_beside(settings: Settings, rules: RuleBook) -> Known:
    """Return what the names in a definition are checked against, beside the other definitions."""
    return Known(
        rules=library.rule_types(rules),
        notices=frozenset(build.make_texts(settings).texts),
        papers=library.rule_papers(rules),
    )


def read_all(settings: Settings, rules: RuleBook) -> Library:
    """Return the definitions of all folders with everything that is to be corrected."""
    return library.read_library(build.folders(settings), known_beside(settings, rules))


def read_file(settings: Settings, rules: RuleBook, file: Path) -> Definition:
    """Return the definition of a file that stands anywhere; nothing is published.

    Errors:
        DefinitionRefused: it is to be corrected first.
    """
    known = replace(known_beside(settings, rules), definitions=read_all(settings, rules).outlines)
    return load(file.read_bytes(), name=file.name, known=known)


def publish_all(
    settings: Settings, engine: Engine, principal: Principal, names: Iterable[str] = ()
) -> list[Published]:
    """Publish the definitions of the folders, or only those named; the very same ones again change nothing.

    Shapes:
        names: of definitions of the folders, or paths of files that stand anywhere.
    Errors:
        DefinitionRefused: a file of the folders is to be corrected first; nothing was published.
        DefinitionFileUnknown; VersionTaken: earlier ones of the list are published.
    """
    found = read_all(settings, engine.rules).demand()
    wanted = tuple(names) or tuple(found.definitions)
    known = replace(known_beside(settings, engine.rules), definitions=found.outlines)
    files: dict[str, Path] = {}
    for name in wanted:
        if name in found.definitions:
            files[name] = found.files[name]
        elif Path(name).is_file():
            files[name] = Path(name)
        else:
            hint = perhaps(name, found.definitions)
            raise DefinitionFileUnknown(name=name, hint=hint, known=", ".join(found.definitions))
    done = []
    for name, file in files.items():
        definition = found.definitions.get(name) or load(file.read_bytes(), name=file.name, known=known)
        is_known = definition.name in engine.definitions.names()
        before = engine.definitions.newest(definition.name) if is_known else None
        if before is not None and before.hash == definition.hash:
            done.append(Published(definition, before))
            continue
        text = file.read_text(encoding="utf-8")
        receipt = publish_one(engine, text, name=file.name, known=known, principal=principal)
        done.append(Published(definition, before, receipt))
    return done
