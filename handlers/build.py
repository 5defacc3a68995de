"""From settings to real objects: the only place that makes them."""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

import workflows
import workflows.guards
from engine import calendar_files, rule_packs, schema
from engine.engine import Engine
from engine.errors import Refused, Words
from engine.registry import Definitions
from engine.rules import RuleBook
from handlers import deadlines, dispatch, notice_texts, notices  # noqa: F401 - handlers are declared by importing
from handlers.channels import Console
from handlers.mail import Mail, MailServer
from handlers.ticker import Ticker
from handlers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dramatiq

    from config.settings import Settings
    from engine.store import Store
    from handlers.channels import Channel
    from handlers.notice_texts import NoticeTexts

_SQLITE = "sqlite:///"
#: Failed messages that the broker in the process keeps to look at; the rows themselves are in the store.
_KEPT_DEAD = 100


class StoreKindNotHere(Refused):
    """The settings name a store that this version has not."""

    code = "store_kind_not_here"
    words = Words(
        "{setting} trỏ tới {kind}, phiên bản này chưa có. Dùng tệp SQLite: TIENDO_DATABASE_URL=sqlite:///var/tiendo.db, "
        "và để trống TIENDO_REDIS_URL.",
        "{setting} names {kind}, which is not in this version. Use an SQLite file "
        "(TIENDO_DATABASE_URL=sqlite:///var/tiendo.db) and leave TIENDO_REDIS_URL empty.",
    )


class StoreMissing(Refused):
    """There is no store yet."""

    code = "store_missing"
    words = Words(
        "Chưa có kho dữ liệu {path}. Tạo kho bằng `tiendo init`, hoặc chạy thử với `make run`.",
        "There is no store {path} yet. Make one with `tiendo init`, or try the sample with `make run`.",
    )


def store_path(settings: Settings) -> Path:
    """Return the file of the embedded store.

    Errors:
        StoreKindNotHere: the settings name PostgreSQL or Redis.
    """
    if settings.redis_url is not None:
        raise StoreKindNotHere(setting="TIENDO_REDIS_URL", kind="Redis")
    if not settings.database_url.startswith(_SQLITE):
        raise StoreKindNotHere(setting="TIENDO_DATABASE_URL", kind="PostgreSQL")
    return Path(settings.database_url.removeprefix(_SQLITE))


def open_store(settings: Settings) -> Store:
    """Return the store of the settings, its schema and guards checked.

    Errors:
        StoreMissing, StoreKindNotHere: nothing was made. Unavailable, Broken: the file can't be used.
    """
    path = store_path(settings)
    if not path.exists():
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
