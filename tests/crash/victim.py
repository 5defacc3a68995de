"""The process that gets killed: a launcher that forks serving processes. Started by tests/processes.py only.

It is built of the product's own parts: engine, handlers, mail channel, broker in the process, worker threads, ticker.
Beside them it takes commands over a socket and acknowledges each, and tells a watcher when the bell was rung and when a
message was acknowledged. Those words go out by `writev`, acknowledgements by `write`, mail by `sendto`: who kills at a
system call can tell them apart.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from dramatiq import Middleware

import workflows
from config.settings import Settings
from engine import calendar_files, loader, publishing, schema
from engine.commands import KINDS, Principal, Receipt, Register
from engine.engine import Engine
from engine.errors import Refused, TiendoError, Unavailable
from engine.execute import execute
from engine.registry import Definitions
from engine.rules import RuleBook
from engine.sqlite_store import SqliteStore, system_clock
from handlers import build, mail
from handlers.dispatch import App
from handlers.ticker import Ticker
from handlers.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


CALENDAR = calendar_files.load_calendar(workflows.FOLDER / "calendars")
TEXTS = build.make_texts(Settings())
RULES = RuleBook.of([])
_NOBODY = 65534
_PR_SET_PDEATHSIG, _PR_SET_PTRACER, _ANYBODY = 1, 0x59616D61, -1


class Told(Middleware):
    """Tells the watcher which messages were acknowledged."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def after_ack(self, _broker: Any, message: Any) -> None:
        self._tell(acked=message.kwargs["outbox_id"])


def clock(ahead: int) -> Callable[[], int]:
    """Return the store's clock, `ahead` seconds before the machine's."""
    return lambda: system_clock() + ahead * 1_000_000


def make_engine(store: SqliteStore) -> Engine:
    return Engine(store, Definitions(store), RULES, CALENDAR, channels=("email",))


def prepare(path: str, ahead: int) -> dict[str, Any]:
    """Make a store: one office, its manager and director, three who ask for things."""
    operator = Principal("operator", "setup")
    store = schema.create(path, kind="sample", clock=clock(ahead))
    engine = make_engine(store)
    text = Path(__file__).with_name("purchase.yaml").read_text(encoding="utf-8")
    publishing.publish(engine, text, name="purchase.yaml", known=loader.Known(), principal=operator)

    def row(register: str, **values: Any) -> str:
        return execute(engine, Register(principal=operator, register=register, values=values)).subject

    office = row("organisation", code="office", name="Văn phòng", kind="other")
    people = {}
    for code, role in (
        ("an", "staff"),
        ("bay", "staff"),
        ("cuc", "staff"),
        ("manager", "manager"),
        ("director", "director"),
    ):
        seat = {"bound": office, "role": role, "from": "2020-01-01"}
        people[code] = row(
            "person", code=code, name=code, email=f"{code}@so.example", **{"membership.1": seat}
        )
    store.close()
    return {"office": office, **people}


def command_of(words: Mapping[str, Any]) -> Any:
    return KINDS[words["kind"]](principal=Principal(**words["principal"]), id=words["id"], **words["fields"])


def problem(identity: str, why: BaseException) -> dict[str, Any]:
    """Return an error as a client is told of it: family, code, sentence."""
    if not isinstance(why, TiendoError):
        return {"id": identity, "broken": type(why).__name__, "said": str(why)}
    family = (
        "refused" if isinstance(why, Refused) else "unavailable" if isinstance(why, Unavailable) else "broken"
    )
    return {"id": identity, family: why.code, "said": why.sentence("en")}


def answer_to(engine: Engine, words: Mapping[str, Any]) -> dict[str, Any]:
    """Carry one command out and return the acknowledgement."""
    try:
        receipt: Receipt = execute(engine, command_of(words))
    except Exception as why:  # noqa: BLE001 - whatever it is, the client must see it
        return problem(words["id"], why)
    return {
        "id": words["id"], "subject": receipt.subject, "seq": receipt.seq, "head": receipt.head,
        "state": receipt.state, "repeated": receipt.repeated,
    }  # fmt: skip


def converse(engine: Engine, line: socket.socket) -> None:
    """Answer one client, command by command."""
    with line.makefile("rb") as lines:
        for said in lines:
            os.write(line.fileno(), json.dumps(answer_to(engine, json.loads(said))).encode() + b"\n")


def watcher_of(line: socket.socket) -> Callable[..., None]:
    lock = threading.Lock()

    def tell(**words: Any) -> None:
        with lock:
            os.writev(line.fileno(), [json.dumps(words, default=str).encode() + b"\n"])

    return tell


def log_to(tell: Callable[..., None]) -> None:
    def told(_logger: Any, level: str, words: Any) -> Any:
        tell(log={"level": level, **words})
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.processors.format_exc_info, told])


def serve(
    *, address: str, store: str, port: int, lease: int = 5, clock_ahead: int = 0, policy: str = "resend",
    threads: int = 4, sweep_ms: int = 50, busy: float = 10.0,
) -> None:  # fmt: skip
    """Serve a store until killed, or until the watcher says stop."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_PTRACER, ctypes.c_ulong(_ANYBODY), 0, 0, 0)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    watcher, _ = listener.accept()
    tell = watcher_of(watcher)
    log_to(tell)
    logging.disable()
    opened = SqliteStore(store, clock=clock(clock_ahead), busy_seconds=busy)
    engine = make_engine(opened)
    server = mail.MailServer(
        "127.0.0.1", port, "Tiến độ <tiendo@so.example>", starttls=False, timeout_seconds=10
    )
    channel = mail.Mail(server, policy=policy)  # type: ignore[arg-type]  # one of the two words
    app = App(engine, {"email": channel}, TEXTS, lease_seconds=lease, mail_domain="kills.example")
    broker, bell = build.make_bell(app)
    broker.add_middleware(Told(tell))

    def ring(rows: Sequence[tuple[str, str]]) -> None:
        bell(rows)
        tell(rung=[row for _, row in rows])

    engine.ring = ring
    worker, ticker = Worker(broker, threads), Ticker(app, bell, sweep_ms=sweep_ms)
    tell(ready=os.getpid())
    orders = watcher.makefile("rb")
    if orders.readline() != b"go\n":
        return
    ticker.take()
    worker.start()
    ticker.start()
    threading.Thread(target=_accept, args=(engine, listener), daemon=True).start()
    tell(serving=True)
    orders.readline()
    ticker.stop()
    worker.stop()
    ticker.leave()
    opened.close()


def _accept(engine: Engine, listener: socket.socket) -> None:
    while True:
        line, _ = listener.accept()
        threading.Thread(target=converse, args=(engine, line), daemon=True).start()


def attempt(*, store: str, command: dict[str, Any], clock_ahead: int, unprivileged: bool) -> dict[str, Any]:
    """Open a store, carry one command out and close it; as somebody without rights, where that is asked."""
    if unprivileged and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    try:
        opened = schema.open_store(store, clock=clock(clock_ahead))
        answer = answer_to(make_engine(opened), command)
        opened.close()
    except Exception as why:  # noqa: BLE001 - it is the answer
        return problem(command["id"], why)
    return answer


def _attempt(words: dict[str, Any]) -> Any:
    """Run an attempt in a process of its own and return what it answered."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writing, json.dumps(attempt(**words)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        said = answers.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def _fork(words: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.close(0)
        os.dup2(2, 1)
        serve(**words)
        code = 0
    except BaseException as why:  # noqa: BLE001 - a forked process must end here, whatever happened
        print(f"serving process: {type(why).__name__}: {why}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def main() -> None:
    for line in sys.stdin:
        words = json.loads(line)
        if "serve" in words:
            answer: Any = _fork(words["serve"])
        elif "attempt" in words:
            answer = _attempt(words["attempt"])
        elif "prepare" in words:
            answer = prepare(words["prepare"], words["clock_ahead"])
        else:
            _, status = os.waitpid(words["reap"], 0)
            answer = os.waitstatus_to_exitcode(status)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
