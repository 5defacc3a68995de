"""E-mail by SMTP: HTML and text, one receiver each, and an honest answer about what became of it.

Source:
    RFC 5321 (4xx: try later, 5xx: never; from the final dot to the reply the outcome is unknown), RFC
    5322, RFC 3834.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from handlers.channels import ChannelRefused, ChannelUnavailable, OutcomeUnknown, Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlers.channels import Message

_PLAIN_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")
_SAID_CHARACTERS = 300
#: The whole conversation may last this many times the time-out of one step; then the line is cut.
_STEPS = 5


@dataclass(frozen=True, slots=True)
class MailServer:
    """How the outgoing mail server is reached.

    Units:
        timeout_seconds: for each step of the conversation.
    """

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    starttls: bool = True
    timeout_seconds: float = 10


class _Line(smtplib.SMTP):
    """A conversation that can be cut from another thread."""

    was_cut = False

    def cut(self) -> None:
        """End it now: whoever waits for the other side is woken."""
        self.was_cut = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # None: closed meanwhile

    def raise_if_cut(self) -> None:
        """Half an answer reads like a whole one: three digits are enough for the library."""
        if self.was_cut:
            raise smtplib.SMTPServerDisconnected("cut after the time for the whole conversation")


class Mail:
    """The channel `email`."""

    name = "email"
    address_word = "email"

    def __init__(self, server: MailServer, *, policy: Policy = "resend") -> None:
        self.policy = policy
        self._server = server

    def send(self, message: Message) -> None:
        """Hand the message to the server and wait for its word.

        Errors:
            ChannelUnavailable: 4xx, no connection, time-out, sign-in refused: nothing was taken.
            ChannelRefused: 5xx or an address that can't be one: it will never be taken.
            OutcomeUnknown: the line broke between the final dot and the reply.
        """
        if not _PLAIN_ADDRESS.fullmatch(message.address):
            raise ChannelRefused(
                channel=self.name, said=f"địa chỉ không dùng được / no usable address: {message.address!r}"
            )
        try:
            content = self._compose(message)
        except ValueError as wrong:
            raise ChannelRefused(channel=self.name, said=str(wrong)) from wrong
        with self._session() as line:
            self._expect(line.mail(parseaddr(self._server.sender)[1]), "MAIL")
            self._expect(line.rcpt(message.address), "RCPT")
            code, said = line.docmd("DATA")
            if code != 354:  # noqa: PLR2004 - "start mail input"
                self._expect((code, said), "DATA", always=True)
            line.send(content)
            self._finish(line)

    def _finish(self, line: _Line) -> None:
        # Until the final dot has left, no server can have taken the message; after it, only its reply tells.
        try:
            line.send(b".\r\n")
            reply = line.getreply()
            line.raise_if_cut()
        except (OSError, smtplib.SMTPException) as problem:
            raise OutcomeUnknown(channel=self.name, said=_said(problem)) from problem
        self._expect(reply, "DATA")
        with suppress(OSError, smtplib.SMTPException):
            line.quit()

    @contextmanager
    def _session(self) -> Iterator[_Line]:
        server = self._server
        line = _Line(timeout=server.timeout_seconds)
        # A server that drips a byte now and then would pass every single time-out: the whole has one, too.
        watch = threading.Timer(_STEPS * server.timeout_seconds, line.cut)
        watch.daemon = True
        watch.start()
        try:
            self._expect(line.connect(server.host, server.port), "CONNECT")
            line.ehlo_or_helo_if_needed()
            if server.starttls:
                line.starttls(context=ssl.create_default_context())
                line.ehlo()
            if server.user:
                line.login(server.user, server.password)
            yield line
        except smtplib.SMTPAuthenticationError as problem:
            # It is about us, not about this message: parking every notice would not help.
            raise ChannelUnavailable(channel=self.name, said=_said(problem)) from problem
        except smtplib.SMTPResponseException as problem:
            self._expect((problem.smtp_code, _bytes(problem.smtp_error)), "EHLO", always=True)
        except (OSError, smtplib.SMTPException) as problem:
            raise ChannelUnavailable(channel=self.name, said=_said(problem)) from problem
        finally:
            watch.cancel()
            line.close()

    def _expect(self, reply: tuple[int, bytes], step: str, *, always: bool = False) -> None:
        code, said = reply
        if 200 <= code < 300 and not always:  # noqa: PLR2004 - SMTP's "done"
            return
        words = f"{step}: {code} {said.decode('utf-8', 'replace')}"[:_SAID_CHARACTERS]
        if 500 <= code < 600:  # noqa: PLR2004 - SMTP's "never"
            raise ChannelRefused(channel=self.name, said=words)
        raise ChannelUnavailable(channel=self.name, said=words)

    def _compose(self, message: Message) -> bytes:
        name, address = parseaddr(self._server.sender)
        mail = EmailMessage(policy=MAIL_POLICY)
        mail["Message-ID"] = message.id
        mail["Date"] = format_datetime(
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=message.created_at)
        )
        mail["From"] = Address(name, addr_spec=address)
        mail["To"] = Address(_one_line(message.name), addr_spec=message.address)
        mail["Subject"] = _one_line(message.subject)
        mail["Content-Language"] = message.language
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="base64")
        mail.add_alternative(message.html, subtype="html", cte="base64")
        content = re.sub(rb"(?m)^\.", b"..", mail.as_bytes())
        return content if content.endswith(b"\r\n") else content + b"\r\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _said(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__)[:_SAID_CHARACTERS]
