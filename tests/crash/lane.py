"""One store, one process after the other on it, each killed; in the end everything is let finish and checked."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.crash import checker, landing, snapshot
from tests.crash.clients import Client, Office, quiet
from tests.processes import MailServer, Strace, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.clients import Ack
    from tests.processes import Launcher, Serving

#: How a kill is brought about, and where it is likely to land. `moment` needs nothing but a clock; the others see to
#: it that the rare points are met: at a file call, at a line of the protocol, at a word of the mail.
MEANS = ("moment", "page", "sync", "record", "reply", "bell", "ring", "claim", "dot", "ack")
#: Those that reach into system calls.
TRACED = frozenset({"page", "sync", "reply", "slow", "record", "bell"})
AIMS = {
    "F01": "moment", "F02": "page", "F03": "reply", "F04": "bell", "F05": "ring", "F06": "claim", "F07": "dot", "F08": "record",
}  # fmt: skip
#: The store's clock is a day ahead of the machine's: whoever takes a time from elsewhere is a day wrong.
AHEAD_SECONDS = 26 * 3600


@dataclass
class Tally:
    """What many kills came to."""

    points: Counter[str] = field(default_factory=Counter)
    means: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    acknowledged: int = 0
    mails: int = 0
    copies: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        self.points += other.points
        self.means += other.means
        for name in ("kills", "acknowledged", "mails", "copies"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def table(self) -> str:
        lines = [(f"{self.kills} kills in {self.seconds:.0f} s, {self.acknowledged} commands acknowledged,"
                 f" {self.mails} mails taken, {self.copies} second copies")]  # fmt: skip
        lines += [
            f"  {point} {self.points[point]:4}  {'#' * min(self.points[point] // 2, 60)}"
            for point in landing.POINTS
        ]
        return "\n".join(
            [*lines, "  by: " + ", ".join(f"{name} {count}" for name, count in self.means.most_common())]
        )


def store_now() -> int:
    """Return the time of the store's clock in µs."""
    return time.time_ns() // 1000 + AHEAD_SECONDS * 1_000_000


def _nth(count: int) -> Callable[[], bool]:
    """Return what says yes the `count`-th time that it is asked."""
    asked = itertools.count(1)
    return lambda: next(asked) == count


def _killing(
    serving: Serving, is_time: Callable[[], bool], answer: str | None
) -> Callable[[str], str | None]:
    """Return what a mail server asks before it answers: when it is time, the process is killed first."""

    def reached(_: str) -> str | None:
        if not is_time():
            return "250 OK"
        serving.kill()
        return answer

    return reached


class Lane:
    """One store that is served, killed, served again.

    Shapes:
        prepared: a store made by the launcher, and the ids in it. policy: of the mail channel.
        check_each: look for findings after every kill, not only in the end.
    """

    def __init__(
        self, launcher: Launcher, folder: Path, prepared: tuple[Path, dict[str, Any]], seed: int,
        *, policy: str = "resend", lease: int = 5, check_each: bool = False,
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.store = folder / "tiendo.db"
        shutil.copyfile(prepared[0], self.store)
        self._launcher, self._folder = launcher, folder
        self._policy, self._lease, self._check_each = policy, lease, check_each
        self._chance = random.Random(seed)
        office = Office(prepared[1])
        self._clients = [
            Client(office, who, seed + number) for number, who in enumerate(("an", "bay", "cuc"))
        ]
        self._before = snapshot.take(self.store, folder / "copies")
        self._kills: list[tuple[float, str]] = []
        self._calm = False
        self.mail = MailServer()
        self.tally = Tally()
        self.findings: list[str] = []

    def run(
        self, kills: int, choose: Callable[[random.Random], str], *, until: Callable[[], bool] = lambda: False
    ) -> None:
        """Kill so many times, each by the means that `choose` names, then let everything finish and check it."""
        with self.mail:
            for _ in range(kills):
                self._life(choose(self._chance))
                if self.findings or until():
                    break
            if not self.findings:
                self._settle()
        self.tally.acknowledged = sum(ack.is_done for client in self._clients for ack in client.acks)
        self.tally.mails = len(self.mail.taken)
        self.tally.copies = self.tally.mails - len({mail.message_id for mail in self.mail.taken})

    def _start(self) -> Serving:
        return self._launcher.start(
            store=str(self.store), port=self.mail.port, lease=self._lease, clock_ahead=AHEAD_SECONDS, policy=self._policy,
        ).watch()  # fmt: skip

    def _life(self, means: str) -> None:
        serving = self._start()
        traces = [Strace(serving.pid, *inject[:1], path=inject[1]) for inject in self._traced(means)]
        self._arm(means, serving)
        serving.go()
        for client in self._clients[: 1 if means == "bell" else 3]:
            client.begin(serving)
        self._wait(means, serving)
        serving.kill()
        status = serving.gone()
        self._kills.append((time.monotonic(), ""))
        for trace in traces:
            trace.close()
        for client in self._clients:
            client.join()
            client.on_ack = quiet
        self.mail.on_dot, self.mail.on_rcpt = self._take, self._receive
        if status != -signal.SIGKILL:
            self.findings.append(f"process: it ended with {status} before it was killed: {serving.said[-2:]}")
        self._look(means, serving)

    def _traced(self, means: str) -> list[tuple[str, Path | None]]:
        """Return what is to be injected into system calls, each with the file it is limited to."""
        count = self._chance.randint(1, 40)
        if means == "page":
            wal = self.store.with_name(self.store.name + "-wal")
            return [(f"pwrite64:signal=KILL:when={self._chance.randint(1, 300)}", wal)]
        if means == "sync":
            return [(f"fdatasync:signal=KILL:when={count}", None)]
        if means == "reply":
            return [(f"write:signal=KILL:when={count // 2 + 1}", None)]
        # A disk that takes its time: a kill then mostly finds a commit that is written and not yet answered.
        # Slower where a record is aimed at: threads share a commit, so there are few of them.
        delay = 50000 if means == "record" else 15000
        return [(f"fdatasync:delay_enter={delay}", None)] if means in TRACED else []

    def _arm(self, means: str, serving: Serving) -> None:
        """Set what kills at a word of the mail or at an acknowledgement."""
        is_time = _nth(self._chance.randint(1, 10))

        def bell(ack: Ack) -> None:
            if ack.kind == "edit":
                # The submission comes next: it promises a notice.
                threading.Timer(0.004 + self._chance.random() * 0.012, serving.kill).start()

        def acknowledged(_ack: Ack) -> None:
            if is_time():
                serving.kill()

        if means == "claim":
            self.mail.on_rcpt = _killing(serving, is_time, None)
        elif means == "dot":
            self.mail.on_dot = _killing(serving, is_time, self._chance.choice(["250 taken", None]))
        if means in {"ring", "bell"}:
            # A slow mail server keeps the worker threads off the store.
            self.mail.on_rcpt = lambda _address: (serving.over.wait(0.05), "250 OK")[1]
        for client in self._clients:
            client.on_ack = {"ack": acknowledged, "bell": bell}.get(means, quiet)

    def _wait(self, means: str, serving: Serving) -> None:
        """Return when it is time to kill; where something else kills, after it did."""
        if means == "moment":
            self._until_work(serving)
            serving.over.wait(self._chance.random() * 0.15)
        elif means == "slow":
            self._until_work(serving)
            serving.over.wait(self._chance.random() * 0.5)
        elif means == "record":
            # Let promises pile up, then only worker threads write: claims and records.
            self._until_work(serving)
            serving.over.wait(0.3)
            for client in self._clients:
                client.finish()
            serving.over.wait(self._chance.random() * 0.1)
        elif means == "ring":
            # The mail server is slow: rows are rung for that no thread has claimed yet.
            count, end = self._chance.randint(5, 12), time.monotonic() + 1
            while len(serving.rung()) < count and time.monotonic() < end:
                serving.over.wait(0.005)
        else:
            serving.over.wait(1.0)

    def _until_work(self, serving: Serving) -> None:
        begun = sum(len(client.acks) for client in self._clients)
        end = time.monotonic() + 1
        while sum(len(client.acks) for client in self._clients) == begun and time.monotonic() < end:
            serving.over.wait(0.005)

    def _look(self, means: str, serving: Serving) -> None:
        now = store_now()
        after = snapshot.take(self.store, self._folder / "copies")
        self.tally.kills += 1
        self.tally.means[means] += 1
        for point in landing.landed(self._before, after, self._clients, serving, self.mail.taken):
            self.tally.points[point] += 1
        held = [
            row
            for key, row in after.outbox.items()
            if row["token"] != self._before.outbox.get(key, {}).get("token")
        ]
        self.findings += checker.leases(held, now)
        for words in serving.logged("error", "exception", "critical"):
            self.findings.append(f"log: {words}")
        if self._check_each and not self.findings:
            self._check(after, 0)
        self._before = after

    def _check(self, after: snapshot.Snapshot, now: int) -> None:
        acks = [ack for client in self._clients for ack in client.acks]
        self.findings += checker.check(
            after.path, acks, self.mail.taken, self._kills, now=now, park=self._policy == "park"
        )

    def _take(self, _message_id: str) -> str:
        return "250 taken"

    def _receive(self, _address: str) -> str:
        """Now and then the first attempt is put off, as mail servers do."""
        if not self._calm and self._chance.random() < 0.02:
            return "451 come back later"
        return "250 OK"

    def _settle(self) -> None:
        """Serve without kills until nothing is left to do, stop in good order, and check everything."""
        self._calm = True
        serving = self._start()
        serving.go()
        for client in self._clients:
            client.begin(serving)
        self._until_work(serving)
        for client in self._clients:
            client.finish()
        folder = self._folder / "copies"
        wait_until(self._is_quiet, 60, "outbox and timers to be done", pause=0.05)
        serving.ask_to_stop()
        status = serving.gone()
        if status != 0:
            self.findings.append(f"process: an orderly end gave {status}: {serving.said[-2:]}")
        self._check(snapshot.take(self.store, folder), store_now())

    def _is_quiet(self) -> bool:
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
            left = connection.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed', 'in_flight'))"
                " + (SELECT count(*) FROM timer WHERE state = 'waiting' AND due_at <= ?)",
                (store_now(),),
            ).fetchone()[0]
        return bool(left == 0)


def run_lanes(lanes: list[Callable[[], None]]) -> None:
    """Run lanes at the same time; what one raises is raised here."""
    raised: list[BaseException] = []

    def guarded(lane: Callable[[], None]) -> None:
        try:
            lane()
        except BaseException as why:  # noqa: BLE001 - raised again below, in the thread of the test
            raised.append(why)

    threads = [threading.Thread(target=guarded, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
