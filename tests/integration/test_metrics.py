"""What Prometheus is shown: figures of the store that fit what was done, numbers of the process, never a person."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine import figures, relay, tally
from engine.errors import Refused
from handlers import metrics
from tests import stores
from tests.builders import HOUR, World, submitted, world
from tests.processes import HERE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def w(tmp_path: Path) -> World:
    return world(tmp_path)


def read(text: str) -> dict[str, float]:
    """Return every sample as `name{label=value,…}` -> number."""
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}" if labels else one.name] = one.value
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def page_of(w: World) -> Iterator[str]:
    port = free_port()
    with metrics.served(w.engine.store, port):
        yield f"http://127.0.0.1:{port}/metrics"


def fetched(address: str) -> dict[str, float]:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - the page of this test
        return read(answer.read().decode())


def test_the_page_counts_what_was_done_and_what_is_owed(w: World) -> None:
    # given a case that was submitted, and one command that was refused twice
    case = submitted(w)
    for _ in range(2):
        with pytest.raises(Refused):
            w.fire("buyer", case, "approve")
    code = w.rows("SELECT code FROM refusal")[0][0]

    # when
    found = read(metrics.page(w.engine.store))

    # then
    assert found["tiendo_store_up"] == 1
    fired = {name: count for name, count in found.items() if name.startswith("tiendo_transitions_total")}
    assert sum(fired.values()) == len(w.log(case))
    assert any("trigger=submit" in name and count == 1 for name, count in fired.items())
    assert found[f"tiendo_refusals_total{{code={code}}}"] == 2
    assert found["tiendo_outbox_rows{state=pending}"] == relay.owed(w.engine.store)
    assert sum(count for name, count in found.items() if name.startswith("tiendo_cases{")) == 1


def test_lateness_is_the_age_of_the_oldest_that_is_due(w: World) -> None:
    # given rows and timers that nobody works on
    case = submitted(w)
    first = min(one["due_at"] for one in w.timers(case))

    # when five hours pass, and then the first timer is three hours late
    w.clock.now += 5 * HOUR
    unsent = read(metrics.page(w.engine.store))["tiendo_oldest_unsent_seconds"]
    w.clock.now = first + 3 * HOUR
    found = read(metrics.page(w.engine.store))

    # then
    assert unsent == pytest.approx(5 * 3600, abs=1)
    assert found["tiendo_timer_lag_seconds"] == pytest.approx(3 * 3600, abs=1)
    assert found["tiendo_timers_due"] >= 1


def test_what_a_dead_worker_holds_counts_as_unsent_after_its_lease(w: World) -> None:
    submitted(w)
    for (row,) in w.rows("SELECT id FROM outbox"):
        relay.claim_row(w.engine.store, row, lease_seconds=60)

    assert read(metrics.page(w.engine.store))["tiendo_oldest_unsent_seconds"] == 0
    w.clock.now += HOUR
    assert read(metrics.page(w.engine.store))["tiendo_oldest_unsent_seconds"] == pytest.approx(3540, abs=1)


def test_triggers_are_counted_once_however_often_and_late_they_are_asked_for(w: World) -> None:
    # given a watch that has looked before, while entries settle and come
    watch = figures.Watch(w.engine.store)
    for hours in (0, 0, 1, 0, 2):
        submitted(w)
        w.clock.move(hours=hours)
        watch.look()
    # when
    later = watch.look().fired
    # then it says what one says that begins anew
    assert later == figures.Watch(w.engine.store).look().fired
    assert (
        sum(later.values()) == w.rows("SELECT count(*) FROM transition_log WHERE subject_kind = 'case'")[0][0]
    )


def test_an_entry_that_is_committed_late_is_counted_all_the_same(w: World) -> None:
    # given a watch that looked after the entry got its time and before it was there
    watch = figures.Watch(w.engine.store)
    w.clock.now += HOUR
    watch.look()
    w.clock.now -= HOUR // 60
    submitted(w)
    w.clock.now += HOUR

    assert watch.look().fired == figures.Watch(w.engine.store).look().fired


def test_who_waits_to_write_is_counted(w: World) -> None:
    # given a transaction that holds a case, and somebody who comes along
    case = submitted(w)
    is_embedded = stores.kind() == "sqlite"
    before = tally.counted().get(("lock_waits",), 0)
    other = w if is_embedded else w.beside()
    waiter = threading.Thread(target=lambda: other.comment("buyer", case, "x"))

    def waits() -> bool:
        store: Any = w.engine.store
        return bool(store._turns._waiting) if is_embedded else shown("tiendo_lock_waiting") == 1

    def shown(name: str) -> float:
        return read(metrics.page(w.engine.store))[name]

    # when
    with w.engine.store.begin() as tx:
        tx.run("UPDATE workflow_case SET title = title WHERE id = :id", {"id": case})
        waiter.start()
        wait_until(waits, 10, "a wait for a lock")
    waiter.join()
    # then a server tells who waits now, and a process with one writer how often it waited
    assert shown("tiendo_lock_waiting") == 0
    assert tally.counted().get(("lock_waits",), 0) == before + is_embedded


def test_the_page_is_served_on_loopback_with_the_numbers_of_the_process(w: World) -> None:
    submitted(w)
    before = tally.counted().get(("deliveries", "email", "delivered"), 0)
    tally.add("deliveries", "email", "delivered", by=3)
    with page_of(w) as address:
        found = fetched(address)

    assert found["tiendo_deliveries_total{channel=email,outcome=delivered}"] == before + 3
    assert found["tiendo_sweeps_total"] >= 0
    assert found["process_resident_memory_bytes"] > 0
    assert found["tiendo_store_up"] == 1


def test_a_store_that_cannot_be_asked_is_shown_as_down_and_the_page_still_comes(w: World) -> None:
    with page_of(w) as address:
        w.engine.store.close()
        for file in w.engine.store.path, f"{w.engine.store.path}-wal":
            with open(file, "wb") as damaged:  # noqa: PTH123 - both are texts
                damaged.write(b"\0" * 5000)
        found = fetched(address)

    assert found["tiendo_store_up"] == 0
    assert "tiendo_sweeps_total" in found
    assert "tiendo_timers_due" not in found


def test_a_port_that_is_taken_is_refused_in_words(w: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(metrics.PortTaken) as refused,
            metrics.served(w.engine.store, taken.getsockname()[1]),
        ):
            pytest.fail("it was served")

    assert str(refused.value.facts["port"]) in refused.value.sentence("en")


def test_port_0_serves_nothing(w: World) -> None:
    before = threading.active_count()
    with metrics.served(w.engine.store, 0):
        assert threading.active_count() == before


def test_each_question_goes_by_an_index(w: World) -> None:
    # when
    plans = {
        name: " ".join(
            str(row[3]) for row in w.rows(f"EXPLAIN QUERY PLAN {question}", now=1, after=1, until=2)
        )
        for name, question in vars(figures).items()
        if re.fullmatch("_[A-Z]+", name) and isinstance(question, str) and name != "_WAITING"
    }
    # then only refusals, which are capped and short, are read as they lie; cases and deliveries from an index alone
    assert len(plans) == 7
    unread = {
        name
        for name, plan in plans.items()
        if re.search(r"SCAN (?!CONSTANT|years|outbox USING INDEX|.*COVERING INDEX)", plan)
    }
    assert unread == {"_REFUSALS"}, plans
    assert "ix_transition_log_recorded_at (recorded_at>? AND recorded_at<?)" in plans["_FIRED"]


def test_no_page_names_a_person_or_a_case(w: World) -> None:
    case = submitted(w)
    shown = metrics.page(w.engine.store)

    code = w.case(case)["code"]
    assert not [word for word in (case, code, w.office, w.who("buyer"), "Người") if word in shown]


def test_a_serving_process_shows_what_it_did(tmp_path: Path) -> None:
    # given a store that owes a notice without words, and a real serving process with a port
    w = world(tmp_path, channels=("console",), now=time.time_ns() // 1000)
    submitted(w)
    w.engine.store.close()
    url = f"sqlite:///{w.where}" if isinstance(w.where, Path) else getattr(w.where, "app_url", "")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
    asked = [sys.executable, "-m", "handlers.cli", "up", "--json"]
    with subprocess.Popen(
        asked, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={
            **environment, "PYTHONPATH": str(HERE), "TIENDO_DATABASE_URL": url,
            "TIENDO_METRICS_PORT": str(port),
        },
    ) as process:  # fmt: skip
        try:
            found: dict[str, float] = {}

            def was_tried() -> bool:
                assert process.poll() is None
                with suppress(OSError):
                    found.update(fetched(f"http://127.0.0.1:{port}/metrics"))
                return found.get("tiendo_deliveries_total{channel=console,outcome=parked}", 0) == 1

            wait_until(was_tried, 30, "an attempt on the page of metrics")
            # The page asks the store first and the process after.
            found = fetched(f"http://127.0.0.1:{port}/metrics")
        finally:
            process.terminate()
            process.communicate(timeout=30)

    assert found["tiendo_sweeps_total"] > 0
    assert found["tiendo_rung_total"] > 0
    assert found["tiendo_bell_up"] == 1
    assert found["tiendo_outbox_rows{state=parked}"] == 1
    assert process.returncode == 0
