"""From settings to the store and the engine on it: all that a command needs which neither delivers nor serves.

Kept apart from handlers/build.py because most commands only read, and a broker, mail and the language of notices
take longer to load than such a command runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import workflows
import workflows.guards
from engine import calendar_files, rule_packs, schema
from engine.engine import Engine
from engine.errors import Refused, Words
from engine.registry import Definitions
from engine.rules import RuleBook
from engine.sqlite_store import is_there

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.store import Store

_SQLITE = "sqlite:///"
#: Where `make run` puts the sample store.
SAMPLE = Path("var") / "sample.db"


class StoreKindNotHere(Refused):
    """The settings name a store that this version has not."""

    code = "store_kind_not_here"
    words = Words(
        "{setting} trỏ tới {kind}, phiên bản này chưa có. Dùng tệp SQLite: TIENDO_DATABASE_URL=sqlite:///var/tiendo.db.",
        "{setting} names {kind}, which is not in this version. Use an SQLite file: "
        "TIENDO_DATABASE_URL=sqlite:///var/tiendo.db.",
    )


class StoreMissing(Refused):
    """There is no store yet."""

    code = "store_missing"
    words = Words(
        "Chưa có kho dữ liệu {path}. Tạo kho bằng `tiendo init`, hoặc chạy thử với `make run`.",
        "There is no store {path} yet. Make one with `tiendo init`, or try the sample with `make run`.",
    )


def store_path(settings: Settings) -> Path:
    """Return the file of the embedded store that the settings name.

    Errors:
        StoreKindNotHere: the settings name PostgreSQL.
    """
    if not settings.database_url.startswith(_SQLITE):
        raise StoreKindNotHere(setting="TIENDO_DATABASE_URL", kind="PostgreSQL")
    return Path(settings.database_url.removeprefix(_SQLITE))


def present_path(settings: Settings) -> Path:
    """Return the file to open: the one that the settings name, or the sample where `is_fallback` says so.

    Errors:
        StoreKindNotHere: the settings name PostgreSQL.
    """
    named = store_path(settings)
    return SAMPLE if is_fallback(settings) else named


def is_fallback(settings: Settings) -> bool:
    """Whether the sample store is meant: no store is named, there is none at the usual place, and a sample is there.

    So the commands after `make run` need no setting; a store that was named is never passed over.
    """
    if "database_url" in settings.model_fields_set:
        return False
    return is_there(SAMPLE) and not is_there(store_path(settings))


def open_store(settings: Settings) -> Store:
    """Return the store of the settings, its schema and guards checked.

    Errors:
        StoreMissing, StoreKindNotHere: nothing was made. Unavailable, Broken: the file can't be used.
    """
    path = present_path(settings)
    if not is_there(path):
        raise StoreMissing(path=str(path))
    return schema.open_store(path)


def folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of definitions, later ones override: the shipped one, the province's own."""
    own = settings.workflows_dir
    return (workflows.FOLDER, own) if own else (workflows.FOLDER,)


def make_engine(settings: Settings, store: Store) -> Engine:
    """Return an engine that rings nobody.

    Errors:
        YamlRefused, PackRefused, RulesCollide …: a calendar or rule pack can't be used.
    """
    calendar = calendar_files.load_calendar(workflows.FOLDER / "calendars")
    return Engine(store, Definitions(store), make_rules(settings), calendar, tuple(settings.channels))


def make_rules(settings: Settings) -> RuleBook:
    """Return the rule packs of all folders as one book.

    Errors:
        YamlRefused, PackRefused, RulesCollide, RulesDisagree: with file and line.
    """
    own = [
        folder for each in folders(settings) for folder in sorted(each.glob("**/rules")) if folder.is_dir()
    ]
    packs, vocabulary = rule_packs.read_folder(*own)
    return RuleBook.of(packs, vocabulary)
