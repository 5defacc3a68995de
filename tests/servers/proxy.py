"""A loopback proxy in a process of its own that looks at each message and can kill, cut, hold or slow at one of them.

Faults are reached from outside this way: the product has no points to fail at. Whoever is killed "before" a message has
sent it, and the server never sees it; "after" means that the server has it. The proxy remembers what passed, so that
whoever was killed can be asked afterwards how far it had come.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.servers.wire import WIRES, Unit, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 10
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Rule:
    """What happens at which message of a listener; once, then the rule is gone.

    Shapes:
        side: "asks" or "answers". words: pattern searched in what the message says. nth: at its nth occurrence.
        within: pattern that must have been said earlier in the same transaction, "" for anything.
        do: "kill" (the process `pid`), "cut" (both ends of the line), "hold" (nothing more passes in this direction).
        when: "before" the message is let through (it never is), or "after" it was.
    """

    side: str
    words: str
    do: str = "cut"
    when: str = "before"
    nth: int = 1
    within: str = ""
    pid: int = 0


@dataclass(frozen=True)
class Passed:
    """One message that was let through.

    Shapes:
        line: number of the connection. ids: see `tests.servers.wire.Unit`.
    """

    line: int
    side: str
    words: str
    ids: tuple[str, ...]
    at: float


class Proxy:
    """The proxy as tests speak to it. Listeners have names, and keep their port while whoever uses them comes and goes.

    Shapes:
        hits: (name of the listener, monotonic time, what was done) of each rule that was met, in order.
    """

    def __init__(self) -> None:
        self.hits: list[tuple[str, float, str]] = []
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()
        self._answered = threading.Condition()
        self._answers: dict[int, Any] = {}
        self._count = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            with self._answered:
                if "hit" in said:
                    self.hits.append((said["hit"], said["at"], said["did"]))
                else:
                    self._answers[said["id"]] = said["answer"]
                self._answered.notify_all()

    def _ask(self, what: str, **words: Any) -> Any:
        assert self._process.stdin is not None
        with self._lock:
            self._count += 1
            number = self._count
            self._process.stdin.write(json.dumps({"id": number, "what": what, **words}) + "\n")
            self._process.stdin.flush()
        with self._answered:
            if not self._answered.wait_for(
                lambda: number in self._answers, PATIENCE_SECONDS + words.get("seconds", 0)
            ):
                raise TimeoutError(f"the proxy did not answer {what}: {self._process.poll()}")
            return self._answers.pop(number)

    def open(self, name: str, wire: str, upstream: int) -> int:
        """Listen for a port of this machine; return the port to connect to instead."""
        return int(self._ask("open", name=name, wire=wire, upstream=upstream))

    def arm(self, name: str, *rules: Rule) -> None:
        """Let rules hold for a listener from now on, in place of those before."""
        self._ask("arm", name=name, rules=[asdict(rule) for rule in rules])

    def passed(self, name: str, *, forget: bool = False) -> list[Passed]:
        """Return what passed; with `forget`, once nobody is connected any more, and then forget it."""
        rows = self._ask("passed", name=name, forget=forget)
        return [Passed(line, side, words, tuple(ids), at) for line, side, words, ids, at in rows]

    def wait_until_passed(self, name: str, words: str, seconds: float) -> bool:
        """Wait until a message that says this has passed since what passed was forgotten; return whether it did."""
        return bool(self._ask("until", name=name, words=words, seconds=seconds))

    def cut(self, name: str) -> None:
        """Cut all lines of a listener."""
        self._ask("cut", name=name)

    def slow(self, name: str, seconds: float) -> None:
        """Let each message of a listener wait so long, from now on."""
        self._ask("slow", name=name, slow=seconds)

    def refuse(self, name: str, *, refused: bool = True) -> None:
        """Close new lines at once, from now on."""
        self._ask("refused", name=name, refused=refused)

    def wait_for_hit(self, name: str, seconds: float) -> bool:
        """Wait until a rule of this listener was met; return whether one was."""
        with self._answered:
            return self._answered.wait_for(lambda: any(hit[0] == name for hit in self.hits), seconds)

    def close(self) -> None:
        """End the proxy with all its lines."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Killed(Exception):
    """This direction of the line lets nothing more through."""


@dataclass
class Line:
    """One connection through the proxy."""

    number: int
    wire: Wire
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    said: list[str] = field(default_factory=list)
    pending: dict[str, Any] | None = None


@dataclass
class Listener:
    """One port, and what holds for it."""

    name: str
    wire: str
    upstream: int
    rules: list[dict[str, Any]] = field(default_factory=list)
    passed: list[tuple[int, str, str, tuple[str, ...], float]] = field(default_factory=list)
    lines: dict[int, Line] = field(default_factory=dict)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0
    slow: float = 0.0
    refused: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection from its beginning to its end."""
        if self.refused:
            writer.transport.abort()
            return
        try:
            upward, server = await asyncio.open_connection("127.0.0.1", self.upstream, limit=_CHUNK)
        except OSError:
            writer.transport.abort()
            return
        self.count += 1
        line = Line(self.count, WIRES[self.wire](), writer, server)
        self.lines[line.number] = line
        self.left.clear()
        try:
            ways = [self._carry(line, reader, server, "asks"), self._carry(line, upward, writer, "answers")]
            await asyncio.gather(*ways)
        finally:
            self.lines.pop(line.number, None)
            if not self.lines:
                self.left.set()

    async def _carry(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, side: str
    ) -> None:
        wire = line.wire.asks if side == "asks" else line.wire.answers
        with suppress(OSError, Killed):
            while data := await reader.read(_CHUNK):
                for unit in wire(data):
                    await self._let_through(line, unit, writer, side)
                if writer.is_closing():
                    break
                await writer.drain()
        # Nothing more passes; the end of whoever speaks is still waited for, and then told to the other.
        with suppress(OSError):
            while await reader.read(_CHUNK):
                pass
        writer.close()

    async def _let_through(self, line: Line, unit: Unit, writer: asyncio.StreamWriter, side: str) -> None:
        if self.slow:
            await asyncio.sleep(self.slow)
        rule = self._rule_for(line, unit, side)
        if rule is not None and rule["when"] == "before":
            self._carry_out(rule, line)
        if writer.is_closing():
            raise Killed
        writer.write(unit.raw)
        if unit.words or unit.ids:
            self.passed.append((line.number, side, unit.words, unit.ids, time.monotonic()))
            self.more.set()
        if side == "asks" and unit.words:
            if unit.words.upper().startswith("BEGIN"):
                line.said.clear()
            line.said.append(unit.words)
        if rule is not None and not unit.is_whole:
            line.pending, rule = rule, None
        if line.pending is not None and unit.is_sync:
            rule, line.pending = line.pending, None
        if rule is not None:
            await writer.drain()
            self._carry_out(rule, line)

    async def until(self, words: re.Pattern[str], seconds: float) -> bool:
        """Wait until a message that says this has passed."""
        end, looked = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            fresh, looked = self.passed[looked:], len(self.passed)
            if any(words.search(one[2]) for one in fresh):
                return True
            self.more.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.more.wait(), max(end - time.monotonic(), 0.001))
        return False

    def _rule_for(self, line: Line, unit: Unit, side: str) -> dict[str, Any] | None:
        if not unit.words:
            return None
        for rule in self.rules:
            if rule["side"] != side or not re.search(rule["words"], unit.words):
                continue
            if rule["within"] and not any(re.search(rule["within"], one) for one in line.said):
                continue
            rule["nth"] -= 1
            if rule["nth"] == 0:
                self.rules = [one for one in self.rules if one is not rule]
                return rule
        return None

    def _carry_out(self, rule: dict[str, Any], line: Line) -> None:
        if rule["do"] == "kill":
            with suppress(ProcessLookupError):
                os.kill(rule["pid"], signal.SIGKILL)
        say(hit=self.name, at=time.monotonic(), did=rule["do"])
        if rule["do"] == "cut":
            cut(line)
        if rule["do"] != "kill" or rule["when"] == "before":
            raise Killed


def cut(line: Line) -> None:
    """Close both ends of a line at once."""
    for end in (line.client, line.server):
        end.transport.abort()


def say(**words: Any) -> None:
    """Tell the test something, in one line."""
    os.write(1, json.dumps(words).encode() + b"\n")


class Board:
    """All listeners, and the orders about them."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}

    async def carry_out(self, order: dict[str, Any]) -> Any:
        """Carry out one order and return the answer."""
        name = order["name"]
        if order["what"] == "open":
            listener = self._listeners[name] = Listener(name, order["wire"], order["upstream"])
            listener.left.set()
            server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, limit=_CHUNK)
            return server.sockets[0].getsockname()[1]
        listener = self._listeners[name]
        if order["what"] == "passed":
            return await self._passed(listener, forget=order["forget"])
        if order["what"] == "until":
            return await listener.until(re.compile(order["words"]), order["seconds"])
        if order["what"] == "arm":
            listener.rules = order["rules"]
        elif order["what"] == "cut":
            for line in list(listener.lines.values()):
                cut(line)
        else:
            setattr(listener, order["what"], order[order["what"]])
        return None

    async def _passed(self, listener: Listener, *, forget: bool) -> list[Any]:
        if not forget:
            return listener.passed
        await self._gone(listener)
        found, listener.passed = listener.passed, []
        return found

    async def _gone(self, listener: Listener) -> None:
        """Wait until nobody is connected; whoever still is after a while is cut off."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(listener.left.wait(), 2)
        for line in list(listener.lines.values()):
            cut(line)


def orders(stdin: Any) -> Iterator[dict[str, Any]]:
    """Yield orders until nobody gives any more."""
    for line in stdin:
        yield json.loads(line)


async def main() -> None:
    """Serve until stdin is closed."""
    board = Board()
    loop = asyncio.get_running_loop()
    given: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def listen() -> None:
        for order in orders(sys.stdin):
            loop.call_soon_threadsafe(given.put_nowait, order)
        loop.call_soon_threadsafe(given.put_nowait, None)

    threading.Thread(target=listen, daemon=True).start()
    waiting: set[asyncio.Task[None]] = set()

    async def answer(order: dict[str, Any]) -> None:
        say(id=order["id"], answer=await board.carry_out(order))

    while (order := await given.get()) is not None:
        one = asyncio.ensure_future(answer(order))
        waiting.add(one)
        one.add_done_callback(waiting.discard)
    # Not in order: everything that hangs on its lines is to be gone with it.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
