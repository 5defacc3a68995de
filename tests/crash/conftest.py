"""One PostgreSQL, as safe against crashes as an installation's, and one Redis for all tests of a cluster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from engine import postgres_schema
from tests.servers.postgres import SAFE, PostgresServer
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.postgres import Database
    from tests.servers.redis import RedisServer


KILLS = pytest.StashKey[Counter[str]]()


@pytest.fixture
def count_kills(request: pytest.FixtureRequest) -> Counter[str]:
    """Kills by store, over all tests: shown in the end."""
    return request.config.stash.setdefault(KILLS, Counter())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many processes were killed in all."""
    if counted := config.stash.get(KILLS, None):
        of = ", ".join(f"{count} on {store}" for store, count in counted.most_common())
        terminalreporter.write_line(f"processes killed: {counted.total()} ({of})")


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[PostgresServer, RedisServer]]:
    server = PostgresServer.start(SAFE)
    try:
        with redis_server() as redis:
            yield server, redis
    finally:
        server.stop()


@pytest.fixture(scope="session")
def make_database(servers: tuple[PostgresServer, RedisServer]) -> Callable[[], Database]:
    """Return what makes a new, empty store."""
    server, _ = servers
    first = server.create()
    postgres_schema.create(first.owner_url, first.app_url, kind="sample").close()

    def make() -> Database:
        return server.create(template=first.name)

    return make
