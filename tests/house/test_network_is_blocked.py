"""The net under all tests holds: nothing leaves this machine, and what is on it stays reachable."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests import conftest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.8.7", "::1", "[::1]", "localhost", "mail.localhost", "", None]
)
def test_this_machine_is_local(host: str | None) -> None:
    assert conftest.is_local(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "example.invalid", b"example.invalid"]
)
def test_another_machine_is_not_local(host: str | bytes) -> None:
    assert not conftest.is_local(host)


def test_a_connection_outside_is_refused_before_it_starts() -> None:
    # given: 192.0.2.1 is kept for documentation, nobody answers there
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 9))
    # then: the attempt is remembered, so a test that swallows the error fails; this one has asked for it
    assert noted() == ["socket.connect 192.0.2.1"]


def test_a_look_up_of_a_name_outside_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"example\.invalid"):
        socket.getaddrinfo("example.invalid", 80)
    assert noted() == ["socket.getaddrinfo example.invalid"]


def test_a_server_on_this_machine_is_reached(tmp_path: Path) -> None:
    # given
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "s"))
        door.listen()
        # when
        with socket.create_connection(server.getsockname()), socket.socket(socket.AF_UNIX) as knock:
            knock.connect(str(tmp_path / "s"))
    # then
    assert noted() == []


def noted() -> list[str]:
    """Return the attempts noted so far, and forget them."""
    attempts = list(conftest.ATTEMPTS)
    conftest.ATTEMPTS.clear()
    return attempts
