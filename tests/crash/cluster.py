"""One database, one Redis, two mail boxes, and the processes between them: each killed and started again, over and over.

Every process reaches the three through lines of its own of one proxy, so that what each said is known, and each can be
killed at a message. In the end everything is let finish and is checked.
"""

from __future__ import annotations

import os
import random
import select
import signal
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import psycopg

from tests.crash import checker, postgres_tables, trails
from tests.crash.aims import AIMS, CUTS, WORK
from tests.crash.clients import Ack
from tests.crash.cluster_tally import Tally
from tests.crash.postgres_victim import read_journal
from tests.processes import HERE, Launcher, MailServer, wait_until
from tests.servers.proxy import Proxy, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.servers.postgres import Database, PostgresServer
    from tests.servers.redis import RedisServer

VICTIM = HERE / "tests" / "crash" / "postgres_victim.py"
#: A process that an aim does not meet in this time is killed where it is.
PATIENCE_SECONDS = 1.0
SETTLE_SECONDS = 60
#: By chance: at a moment up to so long after a process began to work.
CHANCE_SECONDS = {"moment": 0.3, "long": 4.0}
#: How often a line is cut on the way to a kill.
CUT_SHARE = 0.15
CREW = {"client": 3, "worker": 2, "ticker": 2}
PEOPLE = ("an", "bay", "cuc")
#: What a process says to the database once it is at work.
WORKS = {"client": "^INSERT INTO", "worker": "^UPDATE outbox", "ticker": "FROM timer t"}


@dataclass
class Slot:
    """The place of one process: its lines, its files; the process in it comes and goes.

    Shapes:
        role: "client", "worker", "ticker". words: what each new process is told.
        lives: how many were started. told: how many lines of its journal are read.
    """

    name: str
    role: str
    folder: Path
    words: dict[str, Any]
    chance: random.Random
    lives: int = 0

    @property
    def journal(self) -> Path:
        return self.folder / f"{self.name}.journal"

    @property
    def work(self) -> Path:
        return self.folder / f"{self.name}.work"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"


class Cluster:
    """Servers are handed in; lines, mail boxes and processes are its own.

    Shapes:
        tree: the product that is run. policy: of the mail channel.
        wanted: names of findings after which it ends; empty: any, and everything is checked in the end only.
        crew: role -> how many. made: ids in the database; None: a store of purchase requests is prepared.
    """

    def __init__(
        self, folder: Path, servers: tuple[PostgresServer, RedisServer], database: Database, seed: int, *,
        tree: Path = HERE, policy: str = "resend", lease: int = 5, wanted: tuple[str, ...] = (), crew: Mapping[str, int] = CREW,
        made: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.postgres, self.redis = servers
        self.database, self.policy = database, policy
        self._folder, self.seed, self._lease = folder, seed, lease
        self._ends = ExitStack()
        self.proxy = self._ends.enter_context(Proxy())
        self.launcher = self._ends.enter_context(Launcher(tree, VICTIM))
        self.boxes: dict[str, MailServer] = {}
        self.tally = Tally()
        self.findings: list[str] = []
        self.excuses: list[tuple[float, str]] = []
        self.committed: set[frozenset[str]] = set()
        self._lock = threading.Lock()
        self._calm = False
        self._wanted = frozenset(wanted)
        self._purchases = made is None
        if made is not None:
            self.launcher.ask(know_the_rules=True)
        self.made = made or self.launcher.ask(question="prepare", database=database.app_url)
        assert self.made, "the store was not prepared"
        self.slots = [self._slot(role, number) for role, count in crew.items() for number in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _slot(self, role: str, number: int) -> Slot:
        name = f"{role}{number}"
        line = {
            "database": self.proxy.open(f"{name}.db", "postgres", self.postgres.port),
            "redis": self.proxy.open(f"{name}.bell", "redis", self.redis.port),
        }
        words: dict[str, Any] = {
            "database": self.postgres.url("tiendo_app", self.database.name, port=line["database"])
            + "?sslmode=disable&gssencmode=disable",
            "redis": f"redis://127.0.0.1:{line['redis']}/0", "lease": self._lease,
        }  # fmt: skip
        seed = self.seed * 100 + len(name) * 10 + number
        slot = Slot(name, role, self._folder, words, random.Random(seed))
        if role == "client":
            who = PEOPLE[number] if self._purchases else str(number)
            words |= {"journal": str(slot.journal), "who": who, "seed": seed, "made": self.made}
        if role == "loader":
            words["work"] = str(slot.work)
        if role == "worker":
            box = self._ends.enter_context(MailServer(name=name))
            box.on_rcpt = self._receive
            self.boxes[name] = box
            words |= {"smtp": self.proxy.open(f"{name}.mail", "smtp", box.port), "policy": self.policy}
        words["log"] = str(slot.log)
        return slot

    def _receive(self, _address: str) -> str:
        """Now and then the first attempt is put off, as mail servers do."""
        if not self._calm and random.random() < 0.02:
            return "451 come back later"
        return "250 OK"

    # One life.

    def start(self, slot: Slot) -> int:
        """Start a process; return its pid."""
        slot.lives += 1
        return int(self.launcher.ask(start=slot.role, **slot.words))

    def live(self, slot: Slot, means: str) -> None:
        """Start a process, kill it by these means, and note where that landed."""
        pid = self.start(slot)
        watch = os.pidfd_open(pid)
        try:
            self._kill(slot, means, pid, watch)
        finally:
            os.close(watch)
        status = self.launcher.ask(reap=pid)
        if status != -signal.SIGKILL:
            self._find(f"process: {slot.name} ended with {status} before it was killed")
        self.excuse("" if slot.role != "worker" else slot.name, is_kill=True)
        points = self._landed(slot)
        with self._lock:
            self.tally.kills[slot.role] += 1
            self.tally.means[means] += 1
            self.tally.points.update(points)

    def _kill(self, slot: Slot, means: str, pid: int, watch: int) -> None:
        if means not in CHANCE_SECONDS:
            self._aim(slot, means, pid)
        self.proxy.wait_until_passed(f"{slot.name}.db", WORKS[slot.role], 5)
        seconds = slot.chance.random() * CHANCE_SECONDS.get(means, 0) or PATIENCE_SECONDS
        if not select.select([watch], [], [], seconds)[0]:
            os.kill(pid, signal.SIGKILL)
            select.select([watch], [], [], 10)

    def _aim(self, slot: Slot, means: str, pid: int) -> None:
        """Arm the rule that kills; sometimes one before it that only cuts a line."""
        line, aim = AIMS[slot.role][means]
        rules = {line: [Rule(**{**aim, "pid": pid, "nth": slot.chance.randint(1, WORK[means])})]}
        if slot.chance.random() < CUT_SHARE:
            where, cut = slot.chance.choice(CUTS[slot.role])
            rules.setdefault(where, []).insert(0, Rule(**cut))
        for name, armed in rules.items():
            self.proxy.arm(f"{slot.name}.{name}", *armed)

    def _landed(self, slot: Slot) -> set[str]:
        """Ask the lines of a process that is gone how far it had come, and let them forget it."""
        passed = self.proxy.passed(f"{slot.name}.db", forget=True)
        bell = self.proxy.passed(f"{slot.name}.bell", forget=True)
        with self._lock:
            self.committed |= trails.committed(passed)
        for line in ("db", "bell"):
            self.proxy.arm(f"{slot.name}.{line}")
        if slot.role == "client":
            lines = read_journal(slot.journal)
            told = max((line["at"] for line in lines if "told" in line), default=0.0)
            is_pending = bool(lines) and ("sent" in lines[-1] or "unavailable" in lines[-1]["told"])
            return trails.of_client(passed, bell, is_pending=is_pending, since=told)
        if slot.role == "ticker":
            return trails.of_ticker(passed, bell)
        mail = self.proxy.passed(f"{slot.name}.mail", forget=True)
        self.proxy.arm(f"{slot.name}.mail")
        return trails.of_worker(passed, bell, mail)

    def excuse(self, who: str, *, is_kill: bool = False) -> None:
        """Note that a sender of mail was disturbed now ("": all of them)."""
        if who or not is_kill:
            with self._lock:
                self.excuses.append((time.monotonic(), who))

    def _find(self, said: str) -> None:
        with self._lock:
            self.findings.append(said)

    # All of them at once.

    def run(
        self,
        choose: Callable[[Slot, Tally], str | None],
        weather: Callable[[Cluster, threading.Event], None] | None = None,
    ) -> None:
        """Let every slot live and die until `choose` returns None, under weather; then let everything finish."""
        over = threading.Event()
        watching = threading.Thread(target=self._watch, args=(over,))
        raised: list[BaseException] = []

        def lives(slot: Slot) -> None:
            try:
                while not self._is_found() and (means := choose(slot, self.tally)) is not None:
                    self.live(slot, means)
            except BaseException as why:  # noqa: BLE001 - raised again below, in the thread of the test
                raised.append(why)
                self._wanted = frozenset()
                self._find(f"the test itself: {type(why).__name__}: {why}")

        threads = [threading.Thread(target=lives, args=(slot,)) for slot in self.slots]

        def end() -> None:
            for thread in threads:
                thread.join()
            over.set()

        ending = threading.Thread(target=end)
        for thread in (watching, *threads, ending):
            thread.start()
        if weather is not None:
            # In this thread: a server dies with the thread that started it.
            weather(self, over)
        ending.join()
        watching.join()
        if raised:
            raise raised[0]
        self._note_cuts()
        if not self._is_found():
            self._settle()
        self._count()

    def _is_found(self) -> bool:
        """Whether what was looked for was found: anything at all, unless certain names are wanted."""
        return bool(self.named() & self._wanted if self._wanted else self.findings)

    def named(self) -> set[str]:
        """Return the names of the promises that were broken."""
        return {found.partition(":")[0] for found in self.findings}

    def _watch(self, over: threading.Event) -> None:
        """Look now and then whether leases end by the clock of the database; where something is wanted, at everything."""
        while not over.wait(0.5):
            if self._wanted:
                with suppress(psycopg.Error):
                    self.look()
            with suppress(psycopg.Error), self.postgres.superuser(self.database.name) as connection:
                rows = connection.execute(
                    "SELECT id, state, lease_until FROM outbox WHERE state = 'claimed'"
                ).fetchall()
                now = connection.execute(postgres_tables.CLOCK).fetchone()
                claimed = [dict(zip(("id", "state", "lease_until"), row, strict=True)) for row in rows]
                for found in checker.leases(claimed, int(str(now and now[0])), seconds=3600):
                    self._find(found)

    def _note_cuts(self) -> None:
        cuts = [hit for hit in self.proxy.hits if hit[2] == "cut"]
        self.tally.weather["cut lines"] += len(cuts)
        self.excuses += [(at, name.partition(".")[0]) for name, at, _ in cuts]

    def acks(self) -> list[Ack]:
        """Return what all clients were told, from their own files."""
        found = []
        for slot in self.slots:
            sent: dict[str, Any] = {}
            for line in read_journal(slot.journal) if slot.role == "client" else ():
                if "sent" in line:
                    sent = line["sent"]
                else:
                    who = f"{sent['principal']['kind']}:{sent['principal']['person']}"
                    found.append(Ack(who, sent["kind"], sent["fields"].get("case", ""), line["told"]))
        return found

    def mails(self) -> list[Any]:
        """Return what both mail boxes took."""
        return [mail for box in self.boxes.values() for mail in list(box.taken)]

    def look(self, *, is_over: bool = False) -> None:
        """Check a consistent copy of the database against what clients were told before and boxes took until now."""
        acks, committed = self.acks(), set(self.committed)
        copied = self._folder / "copy.db"
        with self.postgres.superuser(self.database.name) as connection:
            now = postgres_tables.copy(connection, copied)
        mails, excuses = self.mails(), list(self.excuses)
        found = checker.check(
            copied, acks, mails, excuses, now=now if is_over else 0, park=self.policy == "park",
            purchases=self._purchases,
        )  # fmt: skip
        found += checker.durable(copied, committed)
        for slot in self.slots:
            if slot.log.exists() and slot.log.stat().st_size:
                found.append(f"log: {slot.name}: {slot.log.read_text(encoding='utf-8')[:1500]}")
        with self._lock:
            self.findings += [one for one in found if one not in self.findings]

    def _settle(self) -> None:
        """Serve without kills until nothing is left to do, stop in good order, and check everything."""
        self._calm = True
        running = {slot.name: self.start(slot) for slot in self.slots}
        clients = [slot for slot in self.slots if slot.role == "client"]
        before = {slot.name: len(read_journal(slot.journal)) for slot in clients}
        wait_until(
            lambda: all(len(read_journal(slot.journal)) > before[slot.name] + 2 for slot in clients),
            20, "each client to be told something", pause=0.05,
        )  # fmt: skip
        self._stop(clients, running)
        self._until_quiet()
        self._stop([slot for slot in self.slots if slot.role != "client"], running)
        self.look(is_over=True)
        self.findings += [
            f"fsck: {found}" for found in self.launcher.ask(question="fsck", database=self.database.app_url)
        ]

    def _stop(self, slots: Sequence[Slot], running: dict[str, int]) -> None:
        for slot in slots:
            os.kill(running[slot.name], signal.SIGTERM)
        for slot in slots:
            status = self.launcher.ask(reap=running[slot.name])
            if status != 0:
                self._find(f"process: an orderly end of {slot.name} gave {status}")

    def _until_quiet(self) -> None:
        """Wait until nothing is left to do, as long as it becomes less."""
        least, end = len(self._left()), time.monotonic() + SETTLE_SECONDS
        while left := self._left():
            if len(left) < least:
                least, end = len(left), time.monotonic() + SETTLE_SECONDS
            if time.monotonic() > end:
                self._find(f"owed: {SETTLE_SECONDS} s without kills, and there is still left: {left[:5]}")
                return
            time.sleep(0.1)

    def _left(self) -> list[Any]:
        """Return what is still to be done."""
        with self.postgres.superuser(self.database.name) as connection:
            return connection.execute(postgres_tables.LEFT).fetchall()

    def _count(self) -> None:
        mails = self.mails()
        self.tally.acknowledged = sum(ack.is_done for ack in self.acks())
        self.tally.mails = len(mails)
        self.tally.copies = len(mails) - len({mail.message_id for mail in mails})
