"""What holds for every test: no network but this machine's own, and wrong attempts are never swallowed."""

from __future__ import annotations

import ipaddress
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tests.sql_watch import _only_execute_writes_its_tables  # noqa: F401 - a fixture for every test

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCHED = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}
ATTEMPTS: list[str] = []


class NetworkBlocked(RuntimeError):
    """A test reached for a host that is not this machine."""


def is_local(host: object) -> bool:
    """Return whether a host is this machine: loopback, unspecified, or no host at all."""
    if host is None or isinstance(host, bytes):
        host = (host or b"").decode()
    name = str(host).strip("[]").lower()
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _host(audited: str, arguments: tuple[Any, ...]) -> object:
    if audited == "socket.getaddrinfo":
        return arguments[0]
    address = arguments[1]
    # Unix sockets have a path (text or bytes); internet ones a tuple, the host first.
    return address[0] if isinstance(address, tuple) else None


def _watch(audited: str, arguments: tuple[Any, ...]) -> None:
    if audited in _WATCHED and not is_local(_host(audited, arguments)):
        host = f"{audited} {_host(audited, arguments)}"
        ATTEMPTS.append(host)
        raise NetworkBlocked(host)


# An audit hook sees every socket of this process, also of libraries; it can't be taken off again.
sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _the_technical_log_is_given_back() -> Iterator[None]:
    """Take the log set-up of a test back: it writes to what the test ran captures, and that is closed after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _network_is_blocked() -> Iterator[None]:
    """Fail the test during which something reached outside, even if the error was caught on the way."""
    ATTEMPTS.clear()
    yield
    outside = list(ATTEMPTS)
    ATTEMPTS.clear()
    assert not outside, f"reached outside this machine: {outside}"
