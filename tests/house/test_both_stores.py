"""The conformance suite: every test of the engine runs on both stores, as one set of names, and nothing is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

from tests import stores
from tests.house.sources import HERE
from tests.integration import one_store

_KIND = re.compile(rf"\[({'|'.join(stores.KINDS)})(?=[\]-])")
#: Fewer would mean that something switched the second store off.
_AT_LEAST = 250


@cache
def collected() -> tuple[str, ...]:
    """Return the ids of all tests of tests/integration, asked of pytest itself."""
    told = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/integration"],
        check=False, cwd=HERE, env=told, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return tuple(line for line in done.stdout.splitlines() if "::" in line)


def on(kind: str, *, server: bool) -> set[str]:
    """Return the ids of the tests that run on a kind of store, without the kind."""
    return {
        _KIND.sub("[*", one)
        for one in collected()
        if (found := _KIND.search(one)) and found[1] == kind and (one_store.SERVER in one) == server
    }


def test_every_test_of_the_engine_runs_on_both_stores() -> None:
    # given the tests that are about neither store in particular
    alone = {
        one
        for one in on("sqlite", server=False)
        if _file(one) in one_store.ONLY or _name(one) in one_store.ONLY
    }
    # when
    embedded, cluster = on("sqlite", server=False) - alone, on("postgresql", server=False)
    # then
    assert embedded == cluster, sorted(embedded ^ cluster)[:10]
    assert len(embedded) >= _AT_LEAST
    more = len(on("postgresql", server=True))
    print(
        f"\n{len(embedded)} tests × {{{', '.join(stores.KINDS)}}}; SQLite alone {len(alone)}, PostgreSQL alone {more}"
    )


def test_what_runs_on_one_store_only_exists_and_says_why() -> None:
    for one, why in one_store.ONLY.items():
        file, _, name = one.partition("::")
        text = (HERE / "tests" / "integration" / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text if name else text
        assert len(why) > 10


def test_the_second_store_is_tried_as_the_working_role() -> None:
    found = [one for one in collected() if "neither_superuser_nor_owner_nor_above_row_security" in one]
    assert [_KIND.search(one) is not None for one in found] == [True]


def _file(one: str) -> str:
    return one.rpartition("/")[2].partition("::")[0]


def _name(one: str) -> str:
    return one.rpartition("/")[2].partition("[")[0]
