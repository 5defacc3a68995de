"""A small office that is made once for each kind of store and copied for each test, under the store's own clock."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.settings import Settings
from engine.engine import Engine
from engine.registry import Definitions
from engine.sqlite_store import system_clock
from tests import stores
from tests.integration.leave_office import Office, Postman, open_office

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def _first(kind: str, channel: str) -> tuple[Office, stores.Place]:
    """Return an office and its store, to be copied: reading the rule packs takes longer than most tests."""
    folder = Path(tempfile.mkdtemp(prefix="tiendo-office-"))
    with stores.running_on(kind):
        made = open_office(folder, postman=Postman(name=channel))
        made.store.close()
        if kind == "sqlite":
            return made, folder / "office.db"
        return made, stores.server().create(urlsplit(made.settings.database_url).path.removeprefix("/"))


def copied_office(folder: Path, *, channel: str = "console") -> Office:
    """Return an office of its own; its notices go out by one channel, and its clock is the store's."""
    made, place = _first(stores.kind(), channel)
    where = stores.copied(place, folder, "office.db")
    clock: Callable[[], int] | None = system_clock if isinstance(where, Path) else None
    store = stores.reopen(where, clock=clock)
    settings = Settings(database_url=f"sqlite:///{where}" if isinstance(where, Path) else where.app_url)
    old, postman = made.engine, Postman(name=channel)
    engine = Engine(store, Definitions(store), old.rules, old.calendar, old.channels)
    app = replace(made.app, engine=engine, channels={postman.name: postman})
    return replace(made, settings=settings, store=store, engine=engine, app=app, postman=postman)
