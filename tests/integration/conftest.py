"""The tests of this folder run on both stores, unless tests/integration/one_store.py says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import stores
from tests.integration.one_store import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each test of the engine run on both kinds of store, the kind first in its id."""
    found = kinds(metafunc.definition.nodeid, vars(metafunc.module))
    if found and "_on_store" in metafunc.fixturenames:
        metafunc.parametrize("_on_store", found, indirect=True)


@pytest.fixture(autouse=True)
def _on_store(request: pytest.FixtureRequest) -> Iterator[None]:
    kind: Any = getattr(request, "param", "sqlite")
    with stores.running_on(kind):
        yield
