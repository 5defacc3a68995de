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

import workflows
from config.settings import Settings
from engine import audit, calendar_files, loader, postgres_schema, publishing, schema
from engine.commands import KINDS, Principal, Register
from engine.engine import Engine
from engine.errors import Refused, TiendoError, Unavailable
from engine.execute import execute
from engine.registry import Definitions
from engine.rules import RuleBook
from handlers import build, mail, redis_bell  # noqa: F401 - loaded once here, or every process would load it anew
from handlers.dispatch import App
from tests.crash.clients import Office

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BEHIND_SECONDS = 26 * 3600
MOST_BYTES_OF_LOG = 4000
CALENDAR = calendar_files.load_calendar(workflows.FOLDER / "calendars")
TEXTS = build.make_texts(Settings())
RULES = RuleBook.of([])
_PR_SET_PDEATHSIG = 1
_REAL = time.time_ns


def make_engine(store: Any) -> Engine:
    return Engine(store, Definitions(store), RULES, CALENDAR, channels=("email",))


def open_any(database: str) -> Any:
    """Open a store by its address: a file, or a database on a server."""
    return postgres_schema.open_store(database) if "://" in database else schema.open_store(database)


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
    office = Office(made)
    office.shared = made["shared"]
    settings = settings_of(words)
    engine = patient(lambda: make_engine(postgres_schema.open_store(settings.database_url)), over)
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


def answer_to(engine: Engine, words: Mapping[str, Any]) -> dict[str, Any]:
    """Carry one command out and return what its sender is told: a receipt, or family, code and sentence of an error."""
    command = KINDS[words["kind"]](
        principal=Principal(**words["principal"]), id=words["id"], **words["fields"]
    )
    try:
        receipt = execute(engine, command)
    except TiendoError as why:
        family = (
            "refused"
            if isinstance(why, Refused)
            else "unavailable"
            if isinstance(why, Unavailable)
            else "broken"
        )
        return {"id": words["id"], family: why.code, "said": why.sentence("en")}
    except Exception as why:  # noqa: BLE001 - whatever it is, the client must see it
        return {"id": words["id"], "broken": type(why).__name__, "said": str(why)}
    return {
        "id": words["id"], "subject": receipt.subject, "seq": receipt.seq, "head": receipt.head,
        "state": receipt.state, "repeated": receipt.repeated,
    }  # fmt: skip


def serve(*, works: bool, smtp: int = 0, policy: str = "resend", **words: Any) -> None:
    """Be a worker or a ticker until asked to stop."""
    over = Stopping()
    settings = settings_of(words)
    server = mail.MailServer(
        "127.0.0.1", smtp, "Tiến độ <tiendo@so.example>", starttls=False, timeout_seconds=10
    )
    channel = mail.Mail(server, policy=policy)  # type: ignore[arg-type]  # one of the two words

    def attempt() -> None:
        store = postgres_schema.open_store(settings.database_url)
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


def prepare(*, database: str) -> dict[str, Any]:
    """Fill a new store: one office, its people, and one case that everybody comments on; return their ids."""
    operator = Principal("operator", "setup")
    store = open_any(database)
    engine = make_engine(store)
    text = Path(__file__).with_name("purchase.yaml").read_text(encoding="utf-8")
    publishing.publish(engine, text, name="purchase.yaml", known=loader.Known(), principal=operator)

    def row(register: str, **values: Any) -> str:
        return execute(engine, Register(principal=operator, register=register, values=values)).subject

    made = {"office": row("organisation", code="office", name="Văn phòng", kind="other")}
    roles = {"an": "staff", "bay": "staff", "cuc": "staff", "manager": "manager", "director": "director"}
    for code, role in roles.items():
        seat = {"bound": made["office"], "role": role, "from": "2020-01-01"}
        made[code] = row("person", code=code, name=code, email=f"{code}@so.example", **{"membership.1": seat})
    shared = answer_to(
        engine,
        Office(made).command(
            "an", "start", definition="purchase", parties={"requester": made["an"], "office": made["office"]},
            values={"wish": "chung", "amount": 1},
        ),
    )  # fmt: skip
    store.close()
    return {**made, "shared": shared["subject"]}


def fsck(*, database: str) -> list[str]:
    """Ask the product's own check."""
    store = open_any(database)
    found = [str(one) for one in audit.fsck(store, Definitions(store)).findings]
    store.close()
    return found


def submit(*, database: str, made: dict[str, Any], cases: int) -> list[str]:
    """Open cases and submit them, so that each tells one person and waits for a decision; return their ids."""
    store = open_any(database)
    engine, office = make_engine(store), Office(made)
    found = []
    for _ in range(cases):
        words = {
            "parties": {"requester": made["an"], "office": made["office"]},
            "values": {"wish": "giấy", "amount": 3},
        }
        case = answer_to(engine, office.command("an", "start", definition="purchase", **words))["subject"]
        answer_to(engine, office.command("an", "fire", case=case, trigger="submit"))
        found.append(case)
    store.close()
    return found


def press(*, database: str, made: dict[str, Any], cases: list[str], gate: str) -> list[dict[str, Any]]:
    """Approve the same cases in four threads, once the gate is there."""
    store = open_any(database)
    engine = make_engine(store)
    answers: list[dict[str, Any]] = []

    def approve() -> None:
        answers.extend(
            answer_to(engine, Office(made).command("manager", "fire", case=case, trigger="approve"))
            for case in cases
        )

    threads = [threading.Thread(target=approve) for _ in range(4)]
    Path(f"{gate}.{os.getpid()}").touch()
    while not Path(gate).exists():
        time.sleep(0.001)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return answers


ROLES: dict[str, Callable[..., None]] = {"client": client, "worker": worker, "ticker": ticker}
QUESTIONS: dict[str, Callable[..., Any]] = {
    "prepare": prepare,
    "fsck": fsck,
    "submit": submit,
    "press": press,
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
        elif "reap" in words:
            answer = os.waitstatus_to_exitcode(os.waitpid(words["reap"], 0)[1])
        else:
            answer = _answer(words)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
