"""From settings to real objects: what delivers and serves; the store is opened in handlers/opening.py."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from handlers import deadlines, dispatch, notice_texts, notices  # noqa: F401 - handlers are declared by importing
from handlers.bell_errors import OneServerOnly
from handlers.channels import Console
from handlers.engine_parts import folders, make_engine, make_rules
from handlers.own_sweep import OwnSweep
from handlers.ringing import Ringer
from handlers.ticker import Ticker
from handlers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dramatiq

    from config.handed_settings import AnySettings
    from engine.engine import Engine
    from handlers.channels import Channel
    from handlers.notice_texts import NoticeTexts
    from handlers.redis_bell import RedisBell
    from handlers.serving import ServingLost

__all__ = [
    "Serving", "folders", "make_app", "make_bell", "make_broker", "make_channels", "make_engine", "make_rules",
    "make_texts", "serving",
]  # fmt: skip
#: Failed messages that the broker in the process keeps to look at; the rows themselves are in the store.
_KEPT_DEAD = 100


def make_texts(settings: AnySettings) -> NoticeTexts:
    """Return the words of notices of all folders.

    Errors:
        YamlRefused, NoticeTextRefused: a file can't be used.
    """
    return notice_texts.load(
        file for folder in folders(settings) for file in sorted(folder.glob("**/notices.yaml"))
    )


def make_channels(settings: AnySettings) -> dict[str, Channel]:
    """Return the channels that are switched on, by name."""
    made: dict[str, Channel] = {}
    for name in settings.channels:
        if name == "console":
            made[name] = Console()
        else:
            from handlers.mail import Mail, MailServer  # noqa: PLC0415 - 2 MB that only mail needs

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


def make_app(
    settings: AnySettings, engine: Engine, channels: dict[str, Channel] | None = None
) -> dispatch.App:
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


def make_bell(
    app: dispatch.App, redis_url: str = ""
) -> tuple[dramatiq.Broker, Callable[[Sequence[tuple[str, str]]], None]]:
    """Return a broker with an actor for each topic, and its bell; the engine rings it from now on.

    Shapes:
        redis_url: "" makes a broker in this process.
    Errors:
        BellRefused: the address can't be read.
    """
    broker: dramatiq.Broker = _on_redis(redis_url) if redis_url else make_broker()
    dispatch.declare_all(broker, app)
    ring = dispatch.bell(broker)
    app.engine.ring = ring
    return broker, ring


def _on_redis(url: str) -> RedisBell:
    from handlers.redis_bell import RedisBell  # noqa: PLC0415 - its driver: only for processes that have a bell there

    return RedisBell(url)


@dataclass
class Serving:
    """What serves a store in this process; whoever started it waits here for its end.

    Shapes:
        bell: "process", "redis", or "none" where a worker finds its rows by looking.
    """

    bell: str
    over: threading.Event
    ticker: Ticker | None = None
    own_sweep: OwnSweep | None = None

    @property
    def lost(self) -> ServingLost | None:
        """Who took the store over, if somebody did."""
        return self.ticker.lost if self.ticker else None

    def ask_to_stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self.over.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the end is asked for; return whether it was."""
        return self.over.wait(seconds)


@contextmanager
def serving(
    settings: AnySettings, app: dispatch.App, *, works: bool = True, ticks: bool = True
) -> Iterator[Serving]:
    """Serve a store in this process while the block runs: worker threads, ticker, or both.

    An embedded store has one serving process, which does both. A store on a server has any number of either. Without Redis
    the bell rings in this process only, and a worker of its own looks into the store.

    Errors:
        OneServerOnly, AlreadyServed: another process serves this store, or could.
        BellUnreachable, BellRefused: Redis can't be used now; nothing was started.
    """
    with app.engine.store.look() as tx:
        is_embedded = tx.serial
    if is_embedded and not (works and ticks):
        raise OneServerOnly(path=app.engine.store.path)
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    found = Serving("redis" if url else "process" if ticks else "none", threading.Event())
    with ExitStack() as ends:
        broker, ring = make_bell(app, url)
        bell = cast("RedisBell", broker) if url else None
        if bell is not None:
            ends.callback(bell.close)
            bell.redis.try_it()
            ring = _ringing_aside(app, ring, ends)
        if ticks:
            found.ticker = Ticker(
                app,
                ring,
                sweep_ms=settings.sweep_ms,
                sweeps=bool(works or url),
                has_seat=is_embedded,
                over=found.over,
            )
            found.ticker.take()
            ends.callback(found.ticker.leave)
        if works and found.bell != "none":
            worker = Worker(broker, settings.worker_threads)
            worker.start()
            ends.callback(worker.stop)
        if works and found.bell != "process":
            found.own_sweep = _own_sweep(settings, app, bell)
            found.own_sweep.start()
            ends.callback(found.own_sweep.stop)
        if found.ticker:
            found.ticker.start()
            ends.callback(found.ticker.stop)
        yield found


def _ringing_aside(
    app: dispatch.App, ring: Callable[[Sequence[tuple[str, str]]], None], ends: ExitStack
) -> Callable[[Sequence[tuple[str, str]]], None]:
    """Let a thread do the ringing; a commit that waited for Redis would be as slow as Redis is ill."""
    ringer = Ringer(ring)
    ringer.start()
    ends.callback(ringer.stop)
    app.engine.ring = ringer.ring
    return ringer.ring


def _own_sweep(settings: AnySettings, app: dispatch.App, bell: RedisBell | None) -> OwnSweep:
    return OwnSweep(
        app,
        heard_at=(lambda: bell.redis.heard_at) if bell else (lambda: 0.0),
        is_alone=(lambda: bell.redis.is_down) if bell else (lambda: True),
        silent_seconds=settings.own_sweep_seconds,
        threads=settings.worker_threads,
    )
