"""The processes of a cluster that get killed: a launcher that forks clients, workers and tickers.

Each is built of the product's own parts and dies like any other process. A client sends commands to the engine in its own
process, as a page or the command line does, and writes into its own file what it is about to send and what it was told;
what it was told is on the disk before it goes on. Workers and tickers are those of `tiendo worker` and `tiendo ticker`.

The clock of all these processes is a day wrong: whoever takes a time from elsewhere than the store is found out.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import create_engine

from config.settings import Settings
from engine.errors import Unavailable
from handlers import build, mail, redis_bell, sample  # noqa: F401 - loaded once here, or every process would load it anew
from handlers.dispatch import App
from tests.crash import cluster_engine
from tests.crash.clients import Office, Projects
from tests.crash.cluster_engine import SAMPLES, answer_to, make_engine, open_any
from tests.crash.cluster_questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BEHIND_SECONDS = 26 * 3600
MOST_BYTES_OF_LOG = 4000
TEXTS = build.make_texts(Settings())
_PR_SET_PDEATHSIG = 1
_REAL = time.time_ns


def settings_of(words: Mapping[str, Any]) -> Settings:
    return Settings(
        database_url=words["database"], redis_url=words["redis"], lease_seconds=max(words["lease"], 5), sweep_ms=50,
        worker_threads=4, own_sweep_seconds=1,
    )  # fmt: skip


def patient(attempt: Callable[[], Any], over: threading.Event) -> Any:
    """Try until what is needed is there, as a supervisor would start the process again."""
    while not over.is_set():
        try:
            return attempt()
        except Unavailable:
            over.wait(0.05)
    return None


class Stopping(threading.Event):
    """Set when somebody asks for an orderly end."""

    def __init__(self) -> None:
        super().__init__()
        signal.signal(signal.SIGTERM, lambda *_: self.set())


class Journal:
    """What a client is about to send and what it was told, line by line; a torn last line was never written."""

    def __init__(self, path: Path) -> None:
        self.lines = read_journal(path)
        whole = b"".join(json.dumps(line).encode() + b"\n" for line in self.lines)
        if path.exists() and path.stat().st_size != len(whole):
            path.write_bytes(whole)
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def write(self, *, safe: bool, **line: Any) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")
        if safe:
            os.fdatasync(self._file)


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal; [{"sent": words} or {"told": answer, "at": monotonic s}]."""
    with suppress(FileNotFoundError):
        return [
            json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")
        ]
    return []


def resumed(
    office: Office, who: str, seed: int, lines: list[dict[str, Any]]
) -> tuple[Any, dict[str, Any], bool]:
    """Walk again as far as the journal goes; return the walk, the next command, and whether it was sent before."""
    walk = office.walk(who, random.Random(seed))
    pending, was_sent = next(walk), False
    for line in lines:
        if "sent" in line:
            pending, was_sent = line["sent"], True
        elif "unavailable" not in line["told"]:
            pending, was_sent = walk.send(line["told"]), False
    return walk, pending, was_sent


def client(*, journal: str, who: str, seed: int, made: dict[str, Any], **words: Any) -> None:
    """Send one command after the other until asked to stop; what was sent and not answered comes first."""
    over = Stopping()
    book = Journal(Path(journal))
    office = Projects(made) if "projects" in made else Office(made)
    office.shared = made.get("shared", "")
    settings = settings_of(words)
    engine = patient(lambda: make_engine(open_any(settings.database_url)), over)
    if engine is not None:
        app = App(engine, {}, TEXTS, mail_domain="kills.example")
        build.make_bell(app, words["redis"])
    walk, pending, was_sent = resumed(office, who, seed, book.lines)
    while not over.is_set() or was_sent:
        if not was_sent:
            book.write(safe=False, sent=pending)
        answer = answer_to(engine, pending)
        book.write(safe=True, told=answer, at=time.monotonic())
        if "unavailable" in answer:
            was_sent = True
            time.sleep(0.02)
        else:
            pending, was_sent = walk.send(answer), False


def serve(*, works: bool, smtp: int = 0, policy: str = "resend", **words: Any) -> None:
    """Be a worker or a ticker until asked to stop."""
    over = Stopping()
    settings = settings_of(words)
    server = mail.MailServer(
        "127.0.0.1", smtp, "Tiến độ <tiendo@so.example>", starttls=False, timeout_seconds=10
    )
    channel = mail.Mail(server, policy=policy)  # type: ignore[arg-type]  # one of the two words

    def attempt() -> None:
        store = open_any(settings.database_url)
        app = App(
            make_engine(store), {"email": channel}, TEXTS, lease_seconds=words["lease"],
            mail_domain="kills.example",
        )  # fmt: skip
        with build.serving(settings, app, works=works, ticks=not works):
            over.wait()
        store.close()

    patient(attempt, over)


def worker(**words: Any) -> None:
    serve(works=True, **words)


def ticker(**words: Any) -> None:
    serve(works=False, **words)


def loader(*, work: str, **words: Any) -> None:
    """Carry the sample to its end, or finish what an earlier loader began; say in a file how far it is."""
    over = Stopping()
    engine = patient(lambda: make_engine(open_any(settings_of(words).database_url)), over)

    def told(_what: str, done: int, total: int) -> None:
        Path(work).write_text(f"{done} {total}", encoding="utf-8")

    def attempt() -> None:
        sample.load(engine, SAMPLES, told)

    patient(attempt, over)


def log_to(path: str) -> None:
    """Keep what no process should ever have to say: an error that is not of a store or bell that is away."""
    said = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def told(_logger: Any, level: str, words: Any) -> Any:
        why = words.get("exc_info")
        why = sys.exc_info()[1] if why is True else why
        if level in {"error", "exception", "critical"} and not isinstance(why, Unavailable):
            words = structlog.processors.format_exc_info(None, level, words)
            os.write(
                said, json.dumps({"level": level, **words}, default=str)[:MOST_BYTES_OF_LOG].encode() + b"\n"
            )
        raise structlog.DropEvent

    structlog.configure(processors=[told])
    logging.disable()


ROLES: dict[str, Callable[..., None]] = {
    "client": client,
    "worker": worker,
    "ticker": ticker,
    "loader": loader,
}


def _fork(role: str, words: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.close(0)
        os.dup2(2, 1)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        time.time_ns = lambda: _REAL() - BEHIND_SECONDS * 1_000_000_000
        time.time = lambda: time.time_ns() / 1e9
        log_to(words.pop("log"))
        ROLES[role](**words)
        code = 0
    except BaseException as why:  # noqa: BLE001 - a forked process must end here, whatever happened
        print(f"{role}: {type(why).__name__}: {why}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _answer(words: dict[str, Any]) -> Any:
    """Answer a question in a process of its own, so that the launcher stays as it was."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            with os.fdopen(writing, "wb") as told:
                told.write(json.dumps(QUESTIONS[words.pop("question")](**words)).encode())
        except BaseException as why:  # noqa: BLE001 - the launcher says that there was no answer
            print(f"no answer: {type(why).__name__}: {why}", file=sys.stderr, flush=True)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        said = answers.read()
    os.waitpid(pid, 0)
    return json.loads(said) if said else None


def main() -> None:
    create_engine("postgresql+psycopg://", creator=lambda: None).dispose()  # loads the dialect
    gc.freeze()  # what was loaded is not looked through in every process, and so not copied
    for line in sys.stdin:
        words = json.loads(line)
        if "start" in words:
            answer: Any = _fork(words.pop("start"), words)
        elif "know_the_rules" in words:
            cluster_engine.know_the_rules()
            answer = None
        elif "reap" in words:
            answer = os.waitstatus_to_exitcode(os.waitpid(words["reap"], 0)[1])
        else:
            answer = _answer(words)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
