"""Real processes for tests: a launcher that forks ready-made serving processes, a mail server, kills from outside.

Importing the product takes longer than a process under test lives, so a launcher imports it once and forks. What it
forks is a whole process: it opens the store by itself and dies by SIGKILL like any other.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent.parent
VICTIM = HERE / "tests" / "crash" / "victim.py"


def wait_until(condition: Callable[[], object], seconds: float, what: str, *, pause: float = 0.005) -> None:
    """Wait for a condition of a real process; fail loudly with `what` was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s for: {what}")
        time.sleep(pause)


class Launcher:
    """Imports the product of a tree once and forks processes from it.

    Shapes:
        tree: the checkout whose `engine`, `handlers` … are run; tests are this one's.
        victim: the program that forks.
    """

    def __init__(self, tree: Path = HERE, victim: Path = VICTIM) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
        self._process = subprocess.Popen(
            [sys.executable, str(victim), str(tree)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree,
            env={**environment, "PYTHONPATH": f"{tree}:{HERE}", "PYTHONUTF8": "1"},
        )  # fmt: skip
        self._lock = threading.Lock()

    def ask(self, **words: Any) -> Any:
        """Give one order to the program and return what it answers."""
        with self._lock:
            if self._process.stdin is None or self._process.stdout is None:
                raise RuntimeError("the launcher has no pipes")
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the launcher ended with {self._process.wait()}")
        return json.loads(answer)

    def prepare(self, store: Path, clock_ahead: int) -> dict[str, Any]:
        """Make a store with its definition, organisation and people, and return their ids."""
        made: dict[str, Any] = self.ask(prepare=str(store), clock_ahead=clock_ahead)
        return made

    def start(self, **serve: Any) -> Serving:
        """Fork a serving process; see `serve` in tests/crash/victim.py for the words."""
        address = f"\0tiendo-{os.getpid()}-{os.urandom(6).hex()}"
        pid = self.ask(serve={**serve, "address": address})
        return Serving(self, int(pid), address)

    def attempt(self, **words: Any) -> dict[str, Any]:
        """Open a store in a process of its own, carry one command out and return the answer or the error."""
        answer: dict[str, Any] = self.ask(attempt=words)
        return answer

    def reap(self, pid: int) -> int:
        """Wait until a forked process is gone; return its exit status (negative: the signal)."""
        return int(self.ask(reap=pid))

    def close(self) -> None:
        """End the launcher; what it forked dies with it."""
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Serving:
    """A forked serving process, and what it said of itself on the line that watches it.

    Shapes:
        said: the words of the process in order: {"rung": [ids]}, {"acked": id}, {"log": …}.
    """

    launcher: Launcher
    pid: int
    address: str
    said: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    ready: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    def watch(self) -> Self:
        """Open the watching line; the process begins to work once it is there."""
        self._line = self.connect(5)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self.ready.wait(10):
            pytest.fail(f"the serving process did not get ready: {self.said[-3:]}")
        return self

    def _read(self) -> None:
        with suppress(OSError), self._line.makefile("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    self.said.append(json.loads(line))
                    self.ready.set()
        self.over.set()
        self.ready.set()

    def connect(self, seconds: float) -> socket.socket:
        """Connect a client."""
        end = time.monotonic() + seconds
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(self.address)
            except ConnectionRefusedError:
                line.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.002)
            else:
                return line

    def go(self) -> None:
        """Let worker threads and ticker begin."""
        self._line.sendall(b"go\n")

    def kill(self) -> None:
        """SIGKILL, now."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask for an orderly end."""
        self._line.sendall(b"stop\n")

    def gone(self) -> int:
        """Wait for the end, read what it said to its last byte, and return the exit status."""
        status = self.launcher.reap(self.pid)
        self._reader.join(10)
        self._line.close()
        return status

    def rung(self) -> set[str]:
        """Return the outbox rows that were rung for after a commit."""
        return {row for words in self.said for row in words.get("rung", ())}

    def acked(self) -> set[str]:
        """Return the outbox rows whose message was acknowledged to the broker."""
        return {words["acked"] for words in self.said if "acked" in words}

    def logged(self, *levels: str) -> list[dict[str, Any]]:
        """Return what the process logged at these levels."""
        return [words["log"] for words in self.said if "log" in words and words["log"]["level"] in levels]


@dataclass(frozen=True)
class Mail:
    """One message that the server took: at the final dot, whatever was answered afterwards.

    Shapes:
        by: name of the server that took it, where several tell senders apart.
    Units:
        at: when its line was opened, monotonic seconds; so it belongs to one life of the process that sent it.
    """

    at: float
    message_id: str
    address: str
    by: str = ""


@dataclass
class MailServer:
    """A mail server on loopback that remembers what it took, and can hold its answers.

    Shapes:
        on_dot, on_rcpt: called with the Message-ID (or the address) before the answer; returns the answer, or None to
            say nothing more on this line.
    """

    name: str = ""
    on_rcpt: Callable[[str], str | None] = lambda _address: "250 OK"
    on_dot: Callable[[str], str | None] = lambda _id: "250 taken"
    taken: list[Mail] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64)
    )

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self.listener.getsockname()[1])

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            line.settimeout(30)
            threading.Thread(target=self._run, args=(line,), daemon=True).start()

    def _run(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            self._converse(line)

    def _converse(self, line: socket.socket) -> None:
        address, opened = "", time.monotonic()
        with line.makefile("rb") as lines:
            line.sendall(b"220 here\r\n")
            for said in lines:
                word = said[:4].upper()
                answer: str | None = "250 OK"
                if word == b"QUIT":
                    line.sendall(b"221 bye\r\n")
                    return
                if word == b"RCPT":
                    address = said.decode().partition("<")[2].partition(">")[0]
                    answer = self.on_rcpt(address)
                elif word == b"DATA":
                    line.sendall(b"354 go on\r\n")
                    found = self._take(lines, address, opened)
                    answer = self.on_dot(found) if found else None
                if answer is None:
                    # Nothing more is said: the line stays open until the other side is gone.
                    line.recv(1)
                    return
                line.sendall(answer.encode() + b"\r\n")

    def _take(self, lines: Any, address: str, opened: float) -> str:
        """Read a message to its final dot; one that is cut short was not taken."""
        found = ""
        for said in lines:
            if said.lower().startswith(b"message-id:") and not found:
                found = said.split(b":", 1)[1].strip().decode()
            if said == b".\r\n":
                self.taken.append(Mail(opened, found, address, self.name))
                return found
        return ""


def has_strace() -> bool:
    """Return whether strace can be used here; without it a laptop skips loudly and CI fails."""
    if shutil.which("strace"):
        return True
    if os.environ.get("CI"):
        pytest.fail("strace is missing; in CI the kills at a file call must run")
    return False


class Strace:
    """Injects into the system calls of a running process from outside.

    Shapes:
        inject: as strace takes it, e.g. "pwrite64:signal=KILL:when=3"; the name of a call alone: it is only watched.
        log: what was seen, a line for each call.
    """

    def __init__(self, pid: int, *inject: str, path: Path | None = None, log: Path | None = None) -> None:
        calls = ",".join(one.partition(":")[0] for one in inject)
        words = ["strace", "-q", "-f", "-p", str(pid), "-o", str(log or "/dev/null"), "-e", f"trace={calls}"]
        for one in inject:
            words += ["-e", f"inject={one}"] if ":" in one else []
        if path is not None:
            words += ["-P", str(path)]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(
            lambda: _tracer_of(pid) or self._process.poll() is not None, 5, "strace to attach", pause=0.002
        )

    def close(self) -> None:
        """Detach, or see that it is gone with the process."""
        self._process.terminate()
        self._process.wait(5)


def _tracer_of(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("TracerPid:"):
                return int(line.split()[1])
    return 0
