"""The means by which a notice leaves the house, each with one method: send one message to one address.

A channel ends in one of four ways, and what the row does next follows from which: it returns (sent),
`Unavailable` (later), `Refused` (never, a person must look), `OutcomeUnknown` (the line broke when the
message may already have been taken; what then is the channel's policy: `resend` risks a second copy with
the same Message-ID, `park` asks a person).
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from engine.errors import Refused, Unavailable, Words

if TYPE_CHECKING:
    from typing import TextIO

Policy = Literal["resend", "park"]


class ChannelUnavailable(Unavailable):
    """The channel can't take it now."""

    code = "channel_unavailable"
    words = Words(
        "Kênh {channel} chưa gửi được: {said}. Thông báo được giữ lại và sẽ tự gửi lại.",
        "Channel {channel} can't send now: {said}. The notice is kept and will be sent again.",
    )


class ChannelRefused(Refused):
    """The channel will never take this message."""

    code = "channel_refused"
    words = Words(
        "Kênh {channel} từ chối thông báo: {said}. Sửa địa chỉ hoặc nội dung rồi chạy `tiendo retry`.",
        "Channel {channel} refuses the notice: {said}. Correct the address or text, then run `tiendo retry`.",
    )


class OutcomeUnknown(Unavailable):
    """Nobody can say whether the message was taken."""

    code = "outcome_unknown"
    words = Words(
        "Kênh {channel} ngắt khi đang nhận thông báo: {said}. Không rõ đã gửi hay chưa.",
        "Channel {channel} broke off while taking the notice: {said}. Whether it was sent is unknown.",
    )


@dataclass(frozen=True, slots=True)
class Message:
    """A notice ready to leave.

    Shapes:
        id: the same for each attempt: `<hash of notice, person and channel @ domain>`.
        address: where the channel sends it, e.g. a mail address; name: whom it greets.
        language: "vi" or "en". created_at: µs since 1970 UTC, of the notice.
    """

    id: str
    address: str
    name: str
    subject: str
    text: str
    html: str
    language: str
    created_at: int


class Channel(Protocol):
    """One means.

    Shapes:
        name: as in the settings and the outbox rows. policy: for an unknown outcome.
        address_word: word of a person's register row that holds the address, or "" when none is needed.
    """

    name: str
    policy: Policy
    address_word: str

    def send(self, message: Message) -> None:
        """Send it.

        Errors:
            Unavailable, Refused: it was not taken. OutcomeUnknown: it may have been.
        """


def message_id(notice: str, person: str, channel: str, domain: str) -> str:
    """Return the Message-ID of a delivery; a second attempt has the same: mailboxes drop the copy."""
    digest = hashlib.sha256(f"{notice}\n{person}\n{channel}".encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"


class Console:
    """Writes notices to a stream: for a laptop and for the first run."""

    name = "console"
    policy: Policy = "resend"
    address_word = ""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message) -> None:
        """Write it in one piece.

        Errors:
            ChannelUnavailable: the stream is closed.
        """
        indented = re.sub(r"(?m)^", "    ", message.text.rstrip())
        try:
            stream = self._stream or sys.stderr
            stream.write(f"✉ {message.name}: {message.subject}\n{indented}\n")
            stream.flush()
        except (OSError, ValueError) as problem:
            raise ChannelUnavailable(channel=self.name, said=str(problem)) from problem
