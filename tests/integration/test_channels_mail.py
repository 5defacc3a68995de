"""E-mail against a real SMTP server on loopback, well behaved and not."""

from __future__ import annotations

import email
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.policy import default as mail_policy
from io import StringIO
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from aiosmtpd.controller import Controller

from handlers.channels import ChannelRefused, ChannelUnavailable, Console, Message, OutcomeUnknown, message_id
from handlers.mail import Mail, MailServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LETTER = Message(
    id=message_id("n" * 32, "p" * 32, "email", "tiendo.example"),
    address="b@so.example",
    name="Nguyễn Thị B",
    subject="ST-2023-QG-01: sắp đến hạn 25/11/2026",
    text="Đề án “Chế biến thực phẩm” còn 3 ngày làm việc.\n.dòng bắt đầu bằng dấu chấm\n\nViệc cần làm: xác nhận.",
    html="<p>Đề án còn 3 ngày làm việc.</p>",
    language="vi",
    created_at=1_795_000_000_000_000,
)


@dataclass
class Postbox:
    """What a server was told to answer, and what it took."""

    rcpt: Callable[[str], str] = lambda _address: "250 OK"
    data: str = "250 taken"
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.rcpt(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - same
        if self.data.startswith("250"):
            self.taken.append((envelope.rcpt_tos[0], envelope.content))
        return self.data


@contextmanager
def serving(postbox: Postbox) -> Iterator[Mail]:
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mail(controller.port)
    finally:
        controller.stop()


def mail(port: int, *, timeout: float = 2.0) -> Mail:
    sender = "Tiến độ <tiendo@so.example>"
    return Mail(MailServer("127.0.0.1", port, sender, starttls=False, timeout_seconds=timeout))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_mail_arrives_whole_with_both_parts_in_vietnamese() -> None:
    # given a server that takes everything
    postbox = Postbox()

    # when one message is sent
    with serving(postbox) as channel:
        channel.send(LETTER)

    # then it reads as written, and says that a machine wrote it
    ((address, content),) = postbox.taken
    found = email.message_from_bytes(content, policy=mail_policy)
    assert address == "b@so.example"
    assert found["Message-ID"] == LETTER.id
    assert found["Subject"] == LETTER.subject
    assert found["To"].addresses[0].display_name == "Nguyễn Thị B"
    assert found["From"].addresses[0].display_name == "Tiến độ"
    assert found["Auto-Submitted"] == "auto-generated"
    plain, rich = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip() == LETTER.text
    assert "Đề án còn 3" in rich.get_content()


def test_a_second_attempt_has_the_same_message_id_and_date() -> None:
    postbox = Postbox()

    with serving(postbox) as channel:
        channel.send(LETTER)
        channel.send(LETTER)

    first, second = (email.message_from_bytes(content) for _, content in postbox.taken)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert message_id("n", "p", "email", "d") != message_id("n", "q", "email", "d")


@pytest.mark.parametrize(
    ("postbox", "expected", "said"),
    [
        (Postbox(rcpt=lambda _a: "451 try again later"), ChannelUnavailable, "451 try again"),
        (Postbox(rcpt=lambda _a: "550 no such mailbox"), ChannelRefused, "550 no such mailbox"),
        (Postbox(data="452 mailbox full"), ChannelUnavailable, "452 mailbox full"),
        (Postbox(data="554 looks like spam"), ChannelRefused, "554 looks like spam"),
    ],
)
def test_4xx_is_later_and_5xx_is_never_in_the_words_of_the_server(
    postbox: Postbox, expected: type[Exception], said: str
) -> None:
    with serving(postbox) as channel, pytest.raises(expected, match=said):
        channel.send(LETTER)
    assert postbox.taken == []


def test_greylisting_is_passed_by_trying_again() -> None:
    # given a server that sends a new pair away once
    seen: list[str] = []

    def greylist(address: str) -> str:
        seen.append(address)
        return "250 OK" if seen.count(address) > 1 else "450 greylisted, come back"

    postbox = Postbox(rcpt=greylist)
    with serving(postbox) as channel:
        # when it is tried twice
        with pytest.raises(ChannelUnavailable, match="450 greylisted"):
            channel.send(LETTER)
        channel.send(LETTER)

    # then it arrived once
    assert len(postbox.taken) == 1


def test_one_bad_receiver_does_not_hold_up_the_others() -> None:
    postbox = Postbox(rcpt=lambda address: "550 unknown" if address.startswith("x@") else "250 OK")

    with serving(postbox) as channel:
        with pytest.raises(ChannelRefused):
            channel.send(replace(LETTER, address="x@so.example"))
        channel.send(LETTER)

    assert [address for address, _ in postbox.taken] == ["b@so.example"]


@pytest.mark.parametrize(
    "address", ["", "b", "b@so.example\r\nBcc: c@d", "b@so.example, c@so.example", "bé@so.example"]
)
def test_what_is_no_address_is_refused_before_any_line_is_opened(address: str) -> None:
    with pytest.raises(ChannelRefused):
        mail(1).send(replace(LETTER, address=address))


def test_names_and_subjects_can_not_add_header_lines() -> None:
    postbox = Postbox()
    sly = replace(LETTER, name="B\r\nBcc: c@evil.example", subject="x\r\nBcc: c@evil.example")

    with serving(postbox) as channel:
        channel.send(sly)

    found = email.message_from_bytes(postbox.taken[0][1])
    assert found["Bcc"] is None


def test_no_server_is_unavailable() -> None:
    with pytest.raises(ChannelUnavailable):
        mail(free_port()).send(LETTER)


def test_a_line_cut_after_the_last_dot_leaves_the_outcome_unknown() -> None:
    with raw_server(at_dot="cut") as port, pytest.raises(OutcomeUnknown):
        mail(port).send(LETTER)


def test_silence_after_the_last_dot_leaves_the_outcome_unknown() -> None:
    with raw_server(at_dot="silent") as port, pytest.raises(OutcomeUnknown):
        mail(port, timeout=0.3).send(LETTER)


def test_a_line_cut_before_the_message_is_only_later() -> None:
    with raw_server(at_dot="", at_data="cut") as port, pytest.raises(ChannelUnavailable):
        mail(port).send(LETTER)


def test_a_silent_server_costs_one_time_out() -> None:
    with raw_server(at_dot="", at_data="silent") as port, pytest.raises(ChannelUnavailable):
        mail(port, timeout=0.3).send(LETTER)


def test_a_server_that_drips_is_cut_after_five_time_outs() -> None:
    with raw_server(at_dot="drip") as port, pytest.raises(OutcomeUnknown):
        mail(port, timeout=0.2).send(LETTER)


def test_the_answer_to_quit_can_not_undo_a_250() -> None:
    with raw_server(at_dot="250 taken") as port:
        channel = mail(port, timeout=0.3)
        assert channel.send(LETTER) is None  # type: ignore[func-returns-value]  # it must not raise


def test_the_console_shows_name_subject_and_text() -> None:
    paper = StringIO()

    Console(paper).send(LETTER)

    assert paper.getvalue().startswith("✉ Nguyễn Thị B: ST-2023-QG-01")
    assert "    Việc cần làm: xác nhận." in paper.getvalue()


def test_a_closed_console_is_unavailable() -> None:
    paper = StringIO()
    paper.close()
    with pytest.raises(ChannelUnavailable):
        Console(paper).send(LETTER)


@dataclass
class ByHand:
    """A server of one connection: `cut`, `silent`, `drip` or an answer, at DATA and after the final dot."""

    at_dot: str
    at_data: str
    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def answer(self, line: socket.socket, what: str) -> bool:
        if what == "cut":
            line.shutdown(socket.SHUT_RDWR)
        elif what == "drip":
            while not self.over.wait(0.05):
                line.sendall(b"2")
        elif what == "silent":
            self.over.wait(10)
        else:
            line.sendall(what.encode() + b"\r\n")
            return True
        return False

    def converse(self) -> None:
        line, _ = self.listener.accept()
        with line, line.makefile("rb") as lines:
            line.sendall(b"220 here\r\n")
            for said in lines:
                if said.upper().startswith(b"QUIT"):
                    return
                if not said.upper().startswith(b"DATA"):
                    line.sendall(b"250 OK\r\n")
                elif not (self.answer(line, self.at_data) and self.answer_to_dot(line, lines)):
                    return

    def answer_to_dot(self, line: socket.socket, lines: BinaryIO) -> bool:
        while lines.readline() not in {b".\r\n", b""}:
            pass
        return self.answer(line, self.at_dot)

    def run(self) -> None:
        with suppress(OSError):
            self.converse()


@contextmanager
def raw_server(*, at_dot: str, at_data: str = "354 go on") -> Iterator[int]:
    server = ByHand(at_dot, at_data)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.listener.getsockname()[1]
    finally:
        server.over.set()
        server.listener.close()
        thread.join(5)
