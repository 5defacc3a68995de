"""From settings to an engine on a store that is open: rule packs, calendars, closed lists. Loads no kind of store."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import workflows
import workflows.guards
from engine import calendar_files, rule_packs
from engine.engine import Engine
from engine.provinces import read_provinces
from engine.register_words import PROVINCES
from engine.registry import Definitions
from engine.rules import RuleBook

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from config.handed_settings import AnySettings
    from engine.store import Store


def folders(settings: AnySettings) -> tuple[Path, ...]:
    """Return the folders of definitions, later ones override: the shipped one, the province's own."""
    own = settings.workflows_dir
    return (workflows.FOLDER, own) if own else (workflows.FOLDER,)


def make_engine(settings: AnySettings, store: Store, definitions: Definitions | None = None) -> Engine:
    """Return an engine that rings nobody.

    Shapes:
        definitions: of that store; None: each is loaded when it is first asked for.
    Errors:
        YamlRefused, PackRefused, RulesCollide …: a calendar or rule pack can't be used.
    """
    calendar = calendar_files.load_calendar(workflows.FOLDER / "calendars")
    return Engine(
        store,
        definitions or Definitions(store),
        make_rules(settings),
        calendar,
        tuple(settings.channels),
        lists=closed_list,
    )


@cache
def closed_list(name: str) -> Collection[str]:
    """Return the words of a closed list that registers may use; none for a list that is not kept.

    Errors:
        YamlRefused, ProvincesRefused: the shipped file can't be used.
    """
    if name != PROVINCES:
        return ()
    return read_provinces((workflows.FOLDER / "provinces.yaml").read_bytes()).units.keys()


def make_rules(settings: AnySettings) -> RuleBook:
    """Return the rule packs of all folders as one book.

    Errors:
        YamlRefused, PackRefused, RulesCollide, RulesDisagree: with file and line.
    """
    own = [
        folder for each in folders(settings) for folder in sorted(each.glob("**/rules")) if folder.is_dir()
    ]
    packs, vocabulary = rule_packs.read_folder(*own)
    return RuleBook.of(packs, vocabulary)
