"""Clients of a serving process that dies again and again: each sends one command after the other, waits for the
acknowledgement, and repeats what was not acknowledged with the same id once the process is back."""

from __future__ import annotations

import json
import random
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.processes import Serving

OVERDUE = "2026-01-05"


@dataclass(frozen=True)
class Ack:
    """What a client was told: the answer to one command, as it read it."""

    principal: str
    kind: str
    case: str
    answer: dict[str, Any]

    @property
    def command(self) -> str:
        return str(self.answer["id"])

    @property
    def is_done(self) -> bool:
        return "head" in self.answer


class Office:
    """Who sends what; what the clients share.

    Shapes:
        made: ids of the office and its people, by code. shared: the case that everybody comments on.
    """

    def __init__(self, made: dict[str, Any]) -> None:
        self.made = made
        self.shared = ""
        self.lock = threading.Lock()

    def command(self, who: str, kind: str, **fields: Any) -> dict[str, Any]:
        principal = {"kind": "person", "person": self.made[who], "via": "api"}
        return {"id": uuid.uuid4().hex, "kind": kind, "principal": principal, "fields": fields}

    def walk(self, who: str, chance: random.Random) -> Generator[dict[str, Any], dict[str, Any], None]:
        """Yield the commands of one case after the other; takes each answer by `send`."""
        while True:
            asked = {"asked_on": OVERDUE} if chance.random() < 0.6 else {}
            answer = yield self.command(
                who, "start", definition="purchase",
                parties={"requester": self.made[who], "office": self.made["office"]},
                values={"wish": f"giấy {chance.random()}", "amount": 1, **asked},
            )  # fmt: skip
            case = answer.get("subject", "")
            if not case:
                continue
            with self.lock:
                self.shared = self.shared or case
            yield self.command(who, "edit", case=case, values={"amount": chance.randint(2, 99)})
            yield self.command(who, "fire", case=case, trigger="submit")
            yield self.command("manager", "comment", case=self.shared, text=f"xem {chance.random()}")
            # The deadline may pass the case on meanwhile: then the manager is refused, and the director goes on.
            answer = yield self.command("manager", "fire", case=case, trigger="approve")
            if "refused" in answer:
                yield self.command("director", "fire", case=case, trigger="approve")
            yield self.command("manager", "vote", case=case, trigger="settle", verdict="yes")
            yield self.command("director", "vote", case=case, trigger="settle", verdict="yes")


class Projects(Office):
    """Projects of the sample that go on: each is suspended, with a review that is overdue at once, and resumed.

    Shapes:
        made: {"projects": [[case, person who heads its department]], …}.
    """

    def walk(self, who: str, chance: random.Random) -> Generator[dict[str, Any], dict[str, Any], None]:
        """Yield the commands of one project after the other; `who` is the number of a client."""
        mine = self.made["projects"][int(who) :: self.made["clients"]]
        while True:
            case, head = chance.choice(mine)
            self.made[case] = head
            yield self.command(
                case, "fire", case=case, trigger="suspend", reason=f"dừng {chance.random()}",
                values={"review_on": OVERDUE},
            )  # fmt: skip
            yield self.command(case, "fire", case=case, trigger="resume", reason=f"tiếp {chance.random()}")


def quiet(_ack: Ack) -> None:
    """Do nothing at an acknowledgement."""


class Client:
    """One client, in a thread of its own.

    Shapes:
        pending: sent or about to be sent, not acknowledged. acks: all that it was told, in order.
        on_ack: called after each acknowledgement.
    """

    def __init__(self, office: Office, who: str, seed: int) -> None:
        self._walk = office.walk(who, random.Random(seed))
        self.pending: dict[str, Any] | None = next(self._walk)
        self.sent = False
        self.acks: list[Ack] = []
        self.on_ack: Callable[[Ack], None] = quiet
        self._thread: threading.Thread | None = None
        self._stop = False

    def begin(self, serving: Serving) -> None:
        """Talk to this process until it is gone or `finish` is called."""
        self._stop = False
        self._thread = threading.Thread(target=self._talk, args=(serving,), daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Send no new command; return when the one under way is acknowledged or the process is gone."""
        self._stop = True
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def join(self) -> None:
        """Return when the process is gone and all that it said is read."""
        if self._thread is not None:
            self._thread.join(30)
            self._thread = None

    def _talk(self, serving: Serving) -> None:
        self.sent = False
        with suppress(OSError):
            line = serving.connect(5)
            with line, line.makefile("rb") as answers:
                while not self._stop:
                    words = self.pending
                    if words is None:
                        return
                    line.sendall(json.dumps(words).encode() + b"\n")
                    self.sent = True
                    said = answers.readline()
                    if not said.endswith(b"\n"):
                        return
                    self._take(words, json.loads(said))

    def _take(self, words: dict[str, Any], answer: dict[str, Any]) -> None:
        principal = f"{words['principal']['kind']}:{words['principal']['person']}"
        ack = Ack(principal, words["kind"], words["fields"].get("case", ""), answer)
        self.acks.append(ack)
        self.sent = False
        # "Unavailable" says: whether it happened is asked with the same id.
        if "unavailable" not in answer:
            self.pending = self._walk.send(answer)
        self.on_ack(ack)
