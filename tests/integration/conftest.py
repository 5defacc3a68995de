"""The tests of this folder run on both stores, unless tests/integration/one_store.py says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import stores
from tests.integration.one_store import kinds
from tests.servers.redis import RedisServer, redis_server

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


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis of the module's own."""
    with redis_server() as found:
        yield found


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    """That Redis with nothing in it."""
    server.client.flushall()
    return server
