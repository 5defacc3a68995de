"""Serving a store until somebody asks for the end, whoever began it: the command line, or a process of its own."""

from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from config import logs
from handlers import build, plain_print

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from config.handed_settings import HandedSettings
    from config.settings import Settings
    from engine.store import Store
    from handlers.dispatch import App


class Serves(Protocol):
    """What a serving process has at hand; a session of the command line does.

    Shapes:
        as_json: whether whoever started this reads JSON, the log included.
    """

    as_json: bool

    @property
    def settings(self) -> Settings | HandedSettings:
        """The settings."""

    @property
    def store(self) -> Store:
        """The store that is served."""

    @property
    def app(self) -> App:
        """What handlers work with."""

    def say(self, vi: str, en: str) -> str:
        """Return one of two texts by language."""


def serve(given: Serves, *, works: bool = True, ticks: bool = True) -> None:
    """Serve the store until SIGTERM or SIGINT, or until another process took it over; with --json the log is JSON too.

    Errors:
        AlreadyServed, OneServerOnly, BellUnreachable, BellRefused, PortTaken: nothing was started.
        ServingLost: another process serves the store now.
    """
    if given.as_json:
        logs.set_up("json", given.settings.log_level)
    with _watched(given), build.serving(given.settings, given.app, works=works, ticks=ticks) as found:
        _stop_on_signals(found)
        _say_serving(given, found, works=works, ticks=ticks)
        found.wait()
    if found.lost is not None:
        raise found.lost
    if not given.as_json:
        plain_print.line(given.say("Đã dừng.", "Stopped."))


def _watched(given: Serves) -> AbstractContextManager[None]:
    """Serve the metrics where a port is set."""
    port = given.settings.metrics_port
    if not port:
        return nullcontext()
    from handlers import metrics  # noqa: PLC0415 - 5 MB that a process without a port does without

    return metrics.served(given.store, port)


def _say_serving(given: Serves, found: build.Serving, *, works: bool, ticks: bool) -> None:
    path = given.store.path
    if given.as_json:
        plain_print.as_json({"serving": path, "works": works, "ticks": ticks, "bell": found.bell})
        sys.stdout.flush()  # whoever started this reads a pipe, and waits for the word
        return
    bells = {
        "redis": given.say(", chuông Redis", ", bell on Redis"),
        "none": given.say(
            ", không có chuông: tự tìm việc trong kho", ", no bell: looking into the store itself"
        ),
    }
    plain_print.line(given.say("Đang phục vụ", "Serving") + f" {path}{bells.get(found.bell, '')} (Ctrl+C)")


def _stop_on_signals(found: build.Serving) -> None:
    def stop(_number: int, _frame: Any) -> None:
        found.ask_to_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
