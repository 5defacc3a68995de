"""The figures of a run are those of its clients together."""

from __future__ import annotations

import pytest

from tests.bench.pg_figures import Volume, quantile, run_of


def test_rates_of_clients_add_up_and_idle_tables_are_left_out() -> None:
    # given two clients, one twice as long at work as the other
    clients = [([1000.0] * 10, 1.0), ([2000.0] * 10, 2.0)]
    wrote = {"timer": Volume(7, 835), "file": Volume(0, 0)}
    # when
    run = run_of(clients, wrote, server_seconds=0.02, commands=20)
    # then
    assert run.rate == pytest.approx(15)
    assert (run.n, run.p50, run.p99) == (20, 2.0, 2.0)
    assert run.server == pytest.approx(1000)
    assert run.wrote == {"timer": Volume(7, 835)}


def test_a_transaction_of_sixteen_counts_sixteen_commands() -> None:
    run = run_of([([8000.0] * 5, 0.04)], {}, server_seconds=0.08, commands=80, together=16)
    assert run.n == 80
    assert run.rate == pytest.approx(2000)


def test_a_quantile_is_one_of_the_values() -> None:
    ordered = [float(one) for one in range(1, 101)]
    assert (quantile(ordered, 0.5), quantile(ordered, 0.99), quantile(ordered, 1.0)) == (51, 100, 100)
