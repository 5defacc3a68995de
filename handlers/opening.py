"""From settings to the store and the engine on it: all that a command needs which neither delivers nor serves.

Kept apart from handlers/build.py because most commands only read, and a broker, mail and the language of notices
take longer to load than such a command runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine import schema
from engine.errors import Refused, Words
from engine.sqlite_store import is_there
from handlers.engine_parts import closed_list, folders, make_engine, make_rules

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.store import Store

__all__ = [
    "OwnerUnknown", "StoreKindNotHere", "StoreMissing", "closed_list", "create_store", "folders", "is_fallback",
    "is_server", "make_engine", "make_rules", "open_store", "owner_of", "present_path", "schema_number", "store_path",
    "upgrade_schema",
]  # fmt: skip
_SQLITE = "sqlite:///"
#: Where `make run` puts the sample store.
SAMPLE = Path("var") / "sample.db"


class StoreKindNotHere(Refused):
    """What was asked works on an SQLite file, and the settings name a server."""

    code = "store_kind_not_here"
    words = Words(
        "{setting} trỏ tới {kind}, còn lệnh này chạy trên tệp SQLite. Dùng TIENDO_DATABASE_URL=sqlite:///var/sample.db.",
        "{setting} names {kind}, and this command works on an SQLite file. Use TIENDO_DATABASE_URL=sqlite:///var/sample.db.",
    )


class OwnerUnknown(Refused):
    """Making or moving a PostgreSQL store needs its owner."""

    code = "owner_unknown"
    words = Words(
        "Tạo hoặc nâng lược đồ PostgreSQL cần TIENDO_OWNER_URL=postgresql://tiendo_owner:…@{path}. Chỉ đặt khi chạy lệnh này, "
        "đừng để trong thiết lập của dịch vụ.",
        "Making or moving a PostgreSQL schema needs TIENDO_OWNER_URL=postgresql://tiendo_owner:…@{path}. Set it for this "
        "command only, not in the settings of the service.",
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


def is_server(settings: Settings) -> bool:
    """Whether the settings name a PostgreSQL database, not a file."""
    return not settings.database_url.startswith(_SQLITE)


def open_store(settings: Settings) -> Store:
    """Return the store of the settings, its schema and guards checked.

    Errors:
        StoreMissing, RoleTooStrong …: nothing was made. Unavailable, Broken: the store can't be used.
    """
    if is_server(settings):
        from engine import postgres_schema  # noqa: PLC0415 - its driver costs 60 ms; few commands have such a store

        return postgres_schema.open_store(settings.database_url)
    path = present_path(settings)
    if not is_there(path):
        raise StoreMissing(path=str(path))
    return schema.open_store(path)


def create_store(settings: Settings, *, kind: str) -> str:
    """Make the store that the settings name, empty; return where it is, as people may see it.

    Shapes:
        kind: "sample" or "production".
    Errors:
        StoreExists, StoreForeign, OwnerUnknown, RolesMissing: nothing was made. Unavailable: nothing half-made is left.
    """
    if is_server(settings):
        from engine import postgres_schema  # noqa: PLC0415 - as above

        made: Store = postgres_schema.create(owner_of(settings), settings.database_url, kind=kind)
    else:
        made = schema.create(store_path(settings), kind=kind)
    made.close()
    return made.path


def upgrade_schema(settings: Settings) -> None:
    """Bring the schema of the store to this version.

    Errors:
        StoreMissing, StoreForeign, SchemaNew, OwnerUnknown: nothing was done. Unavailable: nothing was changed.
    """
    if is_server(settings):
        from engine import postgres_schema  # noqa: PLC0415 - as above

        owner = owner_of(settings)
        postgres_schema.check_move(owner)
        postgres_schema.upgrade(owner, settings.database_url)
        return
    path = _file(settings)
    schema.check_move(path)
    schema.upgrade(path)


def schema_number(settings: Settings) -> tuple[str, str]:
    """Return where the store is, as people may see it, and the number of its last migration ("" where none ever ran).

    Errors:
        StoreMissing, StoreForeign, Unavailable: it can't be told.
    """
    if is_server(settings):
        from engine import postgres_errors, postgres_schema  # noqa: PLC0415 - as above

        return postgres_errors.shown(settings.database_url), postgres_schema.number_in(settings.database_url)
    path = _file(settings)
    return str(path), schema.number_in(path)


def _file(settings: Settings) -> Path:
    path = present_path(settings)
    if not is_there(path):
        raise StoreMissing(path=str(path))
    return path


def owner_of(settings: Settings) -> str:
    """Return the URL of the owner of the PostgreSQL store.

    Errors:
        OwnerUnknown: the settings name none.
    """
    if settings.owner_url is None:
        from engine import postgres_errors  # noqa: PLC0415 - as above

        raise OwnerUnknown(path=postgres_errors.shown(settings.database_url).rpartition("@")[2])
    return settings.owner_url.get_secret_value()
