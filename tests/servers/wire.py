"""What passes on a line, message by message: just enough of three protocols to say what is being asked and answered.

A `Unit` is what is let through or kept back as one: a statement with its values, a command, a mail to its dot, an answer.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = 200
_SSL, _GSS = 80877103, 80877104
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
#: A message on the bell: its row, and the id that it is acknowledged by.
_RUNG = re.compile(rb'"outbox_id":\s?"([0-9a-f]{32})".*?"message_id":\s?"([0-9a-f-]{36})"', re.DOTALL)
_MESSAGE = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece that passes as one.

    Shapes:
        raw: its bytes. words: what it says, "" when it says nothing of interest; an answer begins with what it answers.
        ids: ids in it, in order; of a message on the bell "row:message".
        is_whole: False for a statement that is carried out for good only with the Sync that follows.
        is_sync: that Sync.
    """

    raw: bytes
    words: str = ""
    ids: tuple[str, ...] = ()
    is_whole: bool = True
    is_sync: bool = False


class Wire(Protocol):
    """One line between two sides; both methods take bytes as they come and give whole units."""

    def asks(self, data: bytes) -> Iterator[Unit]:
        """Take what the client said."""

    def answers(self, data: bytes) -> Iterator[Unit]:
        """Take what the server said."""


def _said(raw: bytes) -> str:
    return " ".join(raw[: 2 * _WORDS].decode("utf-8", "replace").split())[:_WORDS]


def _command(words: list[bytes]) -> str:
    """Return a command with its first arguments; of a script its beginning."""
    if words[0].upper() == b"EVAL":
        return f"{_said(words[0])} {_said(words[1])[:40]} {_said(b' '.join(words[2:6]))}"
    return _said(b" ".join(words[:8]))


def _ids(raw: bytes) -> tuple[str, ...]:
    return tuple(found.decode() for found in _ID.findall(raw))


class PostgresWire:
    """PostgreSQL, protocol 3: statements with their text, also where a prepared one is only called by its name.

    Source:
        the PostgreSQL manual, "Frontend/Backend Protocol", message formats.
    """

    def __init__(self) -> None:
        self._asked, self._answered = b"", b""
        self._is_open = False
        self._letters = 0
        self._texts: dict[bytes, bytes] = {}
        self._kept: list[bytes] = []
        self._text, self._values = b"", b""

    def asks(self, data: bytes) -> Iterator[Unit]:
        self._asked += data
        while not self._is_open:
            if len(self._asked) < 8 or len(self._asked) < (size := struct.unpack("!i", self._asked[:4])[0]):
                return
            raw, self._asked = self._asked[:size], self._asked[size:]
            if struct.unpack("!i", raw[4:8])[0] in {_SSL, _GSS}:
                self._letters += 1
            else:
                self._is_open = True
            yield Unit(raw)
        while len(self._asked) >= 5:
            size = 1 + struct.unpack("!i", self._asked[1:5])[0]
            if len(self._asked) < size:
                return
            raw, self._asked = self._asked[:size], self._asked[size:]
            yield from self._ask(raw[:1], raw)

    def _ask(self, kind: bytes, raw: bytes) -> Iterator[Unit]:
        if kind == b"Q":
            yield Unit(raw, _said(raw[5:-1]), _ids(raw))
            return
        self._kept.append(raw)
        if kind == b"P":
            name, text, _ = raw[5:].split(b"\0", 2)
            self._texts[name] = self._text = text
        elif kind == b"B":
            _, name, self._values = raw[5:].split(b"\0", 2)
            self._text = self._texts.get(name, b"?")
        elif kind not in {b"D", b"C"}:
            whole, self._kept = b"".join(self._kept), []
            if kind == b"E":
                yield Unit(whole, _said(self._text), _ids(self._values), is_whole=False)
            else:
                yield Unit(whole, is_sync=kind == b"S")

    def answers(self, data: bytes) -> Iterator[Unit]:
        self._answered += data
        plain = b""
        while self._answered:
            if self._letters:
                self._letters -= 1
                plain, self._answered = plain + self._answered[:1], self._answered[1:]
                continue
            if len(self._answered) < 5:
                break
            size = 1 + struct.unpack("!i", self._answered[1:5])[0]
            if len(self._answered) < size:
                break
            raw, self._answered = self._answered[:size], self._answered[size:]
            if raw[:1] == b"C":
                if plain:
                    yield Unit(plain)
                    plain = b""
                yield Unit(raw, f"-> {_said(raw[5:-1])}")
            else:
                plain += raw
        if plain:
            yield Unit(plain)


class RedisWire:
    """Redis: commands with their first arguments. An answer is what came in one piece, with the command it follows.

    Source:
        the Redis serialization protocol (RESP): arrays of bulk strings.
    """

    def __init__(self) -> None:
        self._asked = b""
        self._last = ""

    def asks(self, data: bytes) -> Iterator[Unit]:
        self._asked += data
        while self._asked:
            found = self._whole()
            if found is None:
                return
            size, words = found
            raw, self._asked = self._asked[:size], self._asked[size:]
            self._last = _command(words)
            ids = [*dict.fromkeys(_ids(raw)), *dict.fromkeys(one.decode() for one in _MESSAGE.findall(raw))]
            yield Unit(raw, self._last, tuple(ids))

    def _whole(self) -> tuple[int, list[bytes]] | None:
        """Return length and words of the first command, if all of it is here."""
        at = self._asked.find(b"\r\n")
        if at < 0:
            return None
        words = []
        count = int(self._asked[1:at])
        at += 2
        for _ in range(count):
            end = self._asked.find(b"\r\n", at)
            if end < 0:
                return None
            size = int(self._asked[at + 1 : end])
            at = end + 2 + size + 2
            if at > len(self._asked):
                return None
            words.append(self._asked[end + 2 : end + 2 + size])
        return at, words

    def answers(self, data: bytes) -> Iterator[Unit]:
        ids = tuple(f"{row.decode()}:{message.decode()}" for row, message in _RUNG.findall(data))
        yield Unit(data, f"{self._last} -> {'messages' if ids else _said(data[:60])}", ids)


class SmtpWire:
    """SMTP: one command a line; a mail is one unit to its final dot, called ".".

    Source:
        RFC 5321, 4.1.1.4 and 4.5.2.
    """

    def __init__(self) -> None:
        self._asked, self._answered = b"", b""
        self._is_mail = False
        self._words: deque[str] = deque(["hello"])

    def asks(self, data: bytes) -> Iterator[Unit]:
        self._asked += data
        while True:
            end = b"\r\n.\r\n" if self._is_mail else b"\r\n"
            at = self._asked.find(end)
            if at < 0:
                return
            raw, self._asked = self._asked[: at + len(end)], self._asked[at + len(end) :]
            words = "." if self._is_mail else _said(raw)
            self._is_mail = not self._is_mail and words.upper() == "DATA"
            self._words.append(words)
            yield Unit(raw, words)

    def answers(self, data: bytes) -> Iterator[Unit]:
        self._answered += data
        while (at := self._answered.find(b"\r\n")) >= 0:
            raw, self._answered = self._answered[: at + 2], self._answered[at + 2 :]
            asked = self._words[0] if self._words else ""
            if raw[3:4] != b"-" and self._words:
                self._words.popleft()
            yield Unit(raw, f"{asked} -> {_said(raw)}")


class PlainWire:
    """Any protocol: what came in one piece passes as one."""

    def asks(self, data: bytes) -> Iterator[Unit]:
        yield Unit(data, "asks")

    def answers(self, data: bytes) -> Iterator[Unit]:
        yield Unit(data, "answers")


WIRES: dict[str, type[Wire]] = {
    "postgres": PostgresWire, "redis": RedisWire, "smtp": SmtpWire, "plain": PlainWire,
}  # fmt: skip
