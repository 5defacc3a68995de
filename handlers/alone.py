"""A worker or ticker that was handed its settings: opens the store, serves it, says what was in the way."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import structlog

from config.handed_settings import handed
from config.logs import quieten, set_up
from engine import postgres_schema
from engine.errors import TiendoError
from engine.registry import Definitions
from handlers import build, plain_print
from handlers.engine_parts import make_engine
from handlers.faults import as_ours
from handlers.serve import serve

if TYPE_CHECKING:
    from config.handed_settings import HandedSettings
    from engine.engine import Engine
    from engine.store import Store
    from handlers.dispatch import App

_INTERRUPTED = 130


@dataclass
class Alone:
    """What a serving process has at hand; see `handlers.serve.Serves`."""

    settings: HandedSettings
    as_json: bool
    language: str

    @cached_property
    def store(self) -> Store:
        """The store on its server."""
        return postgres_schema.open_store(self.settings.database_url)

    @cached_property
    def engine(self) -> Engine:
        """The engine on that store."""
        definitions = Definitions(self.store)
        # The largest files first: what reading them took for a moment is then used again by all that follows.
        for name in definitions.names():
            with suppress(TiendoError):  # one that only a newer version can read keeps nobody from the others
                definitions.newest(name)
        return make_engine(self.settings, self.store, definitions)

    @cached_property
    def app(self) -> App:
        """What handlers work with."""
        return build.make_app(self.settings, self.engine)

    def say(self, vi: str, en: str) -> str:
        """Return one of two texts by language."""
        return en if self.language == "en" else vi

    def close(self) -> None:
        """Close the store, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()


def _give_back(_app: App) -> None:
    """Give memory back to the system that was needed only to make the app: up to 13 MB where Python had to compile."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # of glibc
        libc.malloc_trim(0)


def run(told: dict[str, Any]) -> int:
    """Serve until the end is asked for; return the exit code that the command line has for what happened.

    Shapes:
        told: {settings, language, as_json, request, works, ticks}, as handlers/serving_process.py writes it.
    """
    given = Alone(handed(told["settings"]), told["as_json"], told["language"])
    set_up(given.settings.log_format, given.settings.log_level)
    quieten()
    structlog.contextvars.bind_contextvars(request=told["request"])
    try:
        _give_back(given.app)
        serve(given, works=told["works"], ticks=told["ticks"])
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - each has its answer, and what is left is a fault of ours
        return plain_print.problem(as_ours(problem), language=given.language, json=given.as_json)
    finally:
        given.close()
    return 0
