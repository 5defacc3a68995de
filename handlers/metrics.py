"""What Prometheus is shown: figures of the store, and numbers of this process.

Figures of the store are the same in whichever process they are asked for: take them from one (`max by`), don't add them
up. Numbers of a process are its own and are added up. The page is served on loopback only, to whoever watches this
machine; it holds codes, words of definitions and counts, never ids, names or what people wrote.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from config.log_privacy import harmless
from engine import tally
from engine.errors import Refused, Words
from engine.figures import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

    from engine.store import Store

log = structlog.get_logger()

ADDRESS = "127.0.0.1"
#: What a process counts of itself: name -> (labels, what it means).
COUNTED: dict[str, tuple[tuple[str, ...], str]] = {
    "deliveries": (("channel", "outcome"), "Attempts of this process to deliver a notice"),
    "sweeps": ((), "Passes of this process's ticker that asked the store anything"),
    "timers_fired": ((), "Timers fired by this process"),
    "tick_failures": ((), "Passes of this process's ticker that failed"),
    "rung": ((), "Outbox rows this process rang for"),
    "bell_failures": ((), "Times the bell did not take what this process rang"),
    "set_aside": (("reason",), "Messages this process could not read and set aside"),
    "contended": ((), "Transactions this process began anew because others held or changed what it rests on"),
    "lock_waits": ((), "Transactions of this process that waited for others to write"),
    "lock_wait_seconds": ((), "Seconds this process waited for others to write"),
}
_BELL_UP = "Whether the bell took what this process last rang or asked (1), or not (0)"


class PortTaken(Refused):
    """Something else listens where the metrics should be served."""

    code = "metrics_port_taken"
    words = Words(
        "Cổng {port} (TIENDO_METRICS_PORT) đã có chương trình khác dùng. Mỗi tiến trình cần một cổng riêng; để 0 thì tắt.",
        "Port {port} (TIENDO_METRICS_PORT) is in use. Each process needs a port of its own; 0 switches it off.",
    )


class StoreFigures(Collector):
    """The figures of a store, asked anew for each page."""

    def __init__(self, store: Store) -> None:
        self._watch = Watch(store)

    def collect(self) -> Iterator[Metric]:
        """Yield all figures; of a store that can't be asked only that it can't."""
        up = GaugeMetricFamily("tiendo_store_up", "Whether the store could be asked (1) or not (0)")
        try:
            found = self._watch.look()
        except Exception as problem:  # noqa: BLE001 - a page without the store is worth more than no page
            log.warning("figures_failed", error=harmless(problem))
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield _counter("transitions", "Log entries of cases", ("definition", "kind", "trigger"), found.fired)
        yield _counter("refusals", "Commands refused", ("code",), _keyed(found.refused))
        yield _counter("notices_delivered", "Notices delivered", ("channel",), _keyed(found.delivered))
        yield _gauge("cases", "Cases", ("definition", "phase"), found.cases)
        yield _gauge("outbox_rows", "Outbox rows that are not done", ("state",), _keyed(found.outbox))
        for name, about, level in (
            ("oldest_unsent_seconds", "Age of the oldest outbox row that is due", found.unsent_seconds),
            ("lock_waiting", "Transactions that wait for a lock just now (PostgreSQL)", found.waiting),
            ("timers_due", "Timers whose time has come", found.timers_due),
            ("timer_lag_seconds", "How long the oldest due timer has waited", found.timer_lag_seconds),
        ):
            yield GaugeMetricFamily(f"tiendo_{name}", about, value=level)


class OwnNumbers(Collector):
    """The numbers of this process."""

    def collect(self) -> Iterator[Metric]:
        """Yield every number of COUNTED, from 0, and how the bell stands where that is known."""
        held: dict[str, dict[tuple[str, ...], float]] = {
            name: {} if labels else {(): 0.0} for name, (labels, _) in COUNTED.items()
        }
        for (name, *values), count in tally.counted().items():
            if name in held:
                held[name][tuple(values)] = count
        for name, (labels, about) in COUNTED.items():
            yield _counter(name, about, labels, held[name])
        bell = tally.levels().get("bell_up")
        if bell is not None:
            yield GaugeMetricFamily("tiendo_bell_up", _BELL_UP, value=bell)


def page(store: Store) -> str:
    """Return the figures of a store as Prometheus reads them, for its textfile collector."""
    registry = CollectorRegistry()
    registry.register(StoreFigures(store))
    return generate_latest(registry).decode()


@contextmanager
def served(store: Store, port: int) -> Iterator[None]:
    """Serve the page at 127.0.0.1 while the block runs; port 0 serves nothing.

    Errors:
        PortTaken: nothing was started.
    """
    if not port:
        yield
        return
    registry = CollectorRegistry()
    registry.register(StoreFigures(store))
    registry.register(OwnNumbers())
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, addr=ADDRESS, registry=registry)
    except OSError as why:
        raise PortTaken(port=port) from why
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _keyed(found: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): count for name, count in found.items()}


def _counter(
    name: str, about: str, labels: tuple[str, ...], found: Mapping[tuple[str, ...], float]
) -> Metric:
    family = CounterMetricFamily(f"tiendo_{name}", about, labels=labels)
    for values, count in sorted(found.items()):
        family.add_metric(values, count)
    return family


def _gauge(name: str, about: str, labels: tuple[str, ...], found: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(f"tiendo_{name}", about, labels=labels)
    for values, level in sorted(found.items()):
        family.add_metric(values, level)
    return family
