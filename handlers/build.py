"""From settings to real objects: what delivers and serves; store and engine are made in handlers/opening.py."""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from handlers import deadlines, dispatch, notice_texts, notices  # noqa: F401 - handlers are declared by importing
from handlers.channels import Console
from handlers.mail import Mail, MailServer
from handlers.opening import (
    StoreKindNotHere,
    StoreMissing,
    folders,
    make_engine,
    make_rules,
    open_store,
    store_path,
)
from handlers.ticker import Ticker
from handlers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dramatiq

    from config.settings import Settings
    from engine.engine import Engine
    from handlers.channels import Channel
    from handlers.notice_texts import NoticeTexts

__all__ = [
    "StoreKindNotHere", "StoreMissing", "folders", "make_app", "make_bell", "make_broker", "make_channels", "make_engine",
    "make_rules", "make_texts", "open_store", "serving", "store_path",
]  # fmt: skip
#: Failed messages that the broker in the process keeps to look at; the rows themselves are in the store.
_KEPT_DEAD = 100


def make_texts(settings: Settings) -> NoticeTexts:
    """Return the words of notices of all folders.

    Errors:
        YamlRefused, NoticeTextRefused: a file can't be used.
    """
    return notice_texts.load(
        file for folder in folders(settings) for file in sorted(folder.glob("**/notices.yaml"))
    )


def make_channels(settings: Settings) -> dict[str, Channel]:
    """Return the channels that are switched on, by name."""
    made: dict[str, Channel] = {}
    for name in settings.channels:
        if name == "console":
            made[name] = Console()
        else:
            secret = settings.smtp_password
            made[name] = Mail(
                MailServer(
                    host=settings.smtp_host or "",
                    port=settings.smtp_port,
                    sender=settings.smtp_from,
                    user=settings.smtp_user or "",
                    password=secret.get_secret_value() if secret else "",
                    starttls=settings.smtp_starttls,
                    timeout_seconds=settings.smtp_timeout_seconds,
                )
            )
    return made


def make_app(settings: Settings, engine: Engine, channels: dict[str, Channel] | None = None) -> dispatch.App:
    """Return what handlers work with."""
    return dispatch.App(
        engine=engine,
        channels=make_channels(settings) if channels is None else channels,
        texts=make_texts(settings),
        lease_seconds=settings.lease_seconds,
        public_url=settings.public_url,
        mail_domain=settings.mail_domain,
    )


def make_broker() -> dramatiq.Broker:
    """Return the broker in this process: no retries, no time limits, no delays; a bell and nothing more."""
    broker = StubBroker(middleware=[Retries(max_retries=0)])
    kept: Any = defaultdict(lambda: deque(maxlen=_KEPT_DEAD))
    broker.dead_letters_by_queue = kept
    return broker


def make_bell(app: dispatch.App) -> tuple[dramatiq.Broker, Callable[[Sequence[tuple[str, str]]], None]]:
    """Return a broker with an actor for each topic, and its bell; the engine rings it from now on."""
    broker = make_broker()
    dispatch.declare_all(broker, app)
    ring = dispatch.bell(broker)
    app.engine.ring = ring
    return broker, ring


@contextmanager
def serving(
    settings: Settings, app: dispatch.App, *, works: bool = True, ticks: bool = True
) -> Iterator[Ticker]:
    """Serve a store in this process while the block runs: worker threads and ticker, one server for each file.

    Errors:
        AlreadyServed: another process serves this store.
    """
    broker, ring = make_bell(app)
    worker = Worker(broker, settings.worker_threads)
    ticker = Ticker(app, ring, sweep_ms=settings.sweep_ms, fires=ticks)
    ticker.take()
    if works:
        worker.start()
    ticker.start()
    try:
        yield ticker
    finally:
        ticker.stop()
        if works:
            worker.stop()
        ticker.leave()
