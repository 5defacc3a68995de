"""`make run`: carry the sample to its end, show what came of it, and stay up.

The store is var/sample.db; a second run resumes it. With ONCE=1, or without a terminal, it ends after the table.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import workflows
from config import logs
from config.setting_wrong import SettingWrong
from config.settings import Settings, read_settings
from engine import audit, readings, relay, schema
from engine.commands import SYSTEM
from engine.errors import TiendoError
from handlers import build, cli, cli_print, opening, publishing, sample, words
from handlers.cli_session import Session
from handlers.serve import serve
from handlers.serving import BEAT_SECONDS, ServingSeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.dispatch import App

SAMPLE_STORE = "sqlite:///var/sample.db"
#: What is owed after the sample must have gone by then; what waits for a later day is not owed.
PATIENCE_SECONDS = 60.0


def main() -> NoReturn:
    """Run and leave with the exit code of the command line."""
    sys.exit(run())


def run() -> int:
    """Make or resume the sample store, work until nothing is owed, print the table, stay up."""
    try:
        settings = read_settings()
    except SettingWrong as wrong:
        sys.stderr.write(wrong.sentence() + "\n")
        return cli.REFUSED
    logs.set_up(settings.log_format, "warning" if settings.log_level == "info" else settings.log_level)
    if settings.database_url == Settings.model_fields["database_url"].default:
        settings = settings.model_copy(update={"database_url": SAMPLE_STORE})
    session = Session(settings, language=settings.language)
    try:
        _carry(session)
        if not ends_after_the_table():
            serve(session)
    except TiendoError as problem:
        return cli_print.problem(problem, language=settings.language, json=False)
    finally:
        session.close()
    return 0


def ends_after_the_table() -> bool:
    """Whether to stop after the table: ONCE=1 is make's own word, no setting; without a terminal nobody stops it."""
    once = os.environ.get("ONCE", "")  # noqa: TID251 - ONCE belongs to `make run`, it is no setting
    return once not in {"", "0"} or not sys.stdout.isatty()


def _carry(session: Session) -> None:
    started = time.monotonic()
    path = opening.store_path(session.settings)
    if path.exists():
        cli_print.line(session.say(f"Tiếp tục kho mẫu {path}.", f"Resuming the sample store {path}."), "bold")
    else:
        cli_print.line(session.say(f"Tạo kho mẫu {path}.", f"Making the sample store {path}."), "bold")
        schema.create(path, kind="sample").close()
    publishing.publish_all(session.settings, session.engine, SYSTEM)
    # The past is entered before anything is served: a ticker would take its deadlines for those of today.
    seat = ServingSeat(session.store)
    seat.take()
    folder = workflows.FOLDER / "khuyen_cong" / "samples"
    summary = sample.load(session.engine, folder, _progress(started, seat.beat))
    with build.serving(session.settings, session.app):
        settle(session.app)
    if summary.repeated:
        done = words.number(summary.repeated)
        cli_print.line(
            session.say(f"Đã có từ lần trước: {done} lệnh.", f"There from an earlier run: {done} commands.")
        )
    print_table(session, time.monotonic() - started)
    _print_what_to_try(session)


def _progress(started: float, beat: Callable[[], None]) -> Callable[[str, int, int], None]:
    said, beaten = (-1, -1), started

    def progress(what: str, done: int, total: int) -> None:
        nonlocal said, beaten
        if time.monotonic() - beaten > BEAT_SECONDS:
            beat()
            beaten = time.monotonic()
        tenth = done * 10 // total if total else 10
        if said != (total, tenth):
            said = (total, tenth)
            share = f" {done}/{total}" if total else ""
            cli_print.line(f"  {time.monotonic() - started:5.1f} s  {what}{share}")

    return progress


def settle(app: App) -> None:
    """Wait until every outbox row that is due has been done or parked.

    The worker threads do the work; this only looks, ten times a second, and gives up after a minute: what is
    then left stands in `tiendo stuck` and is swept by the next process that serves the store.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while readings.owed_now(app.engine.store) and time.monotonic() < until:
        time.sleep(0.1)


def print_table(session: Session, seconds: float) -> None:
    """Print cases per phase, and what was done to them."""
    found, say, store = readings.count(session.store), session.say, session.store
    names = sorted({name for name, _ in found.phases})
    definitions = {name: session.engine.definitions.newest(name) for name in names}
    phases: dict[str, str] = {}
    for one in definitions.values():
        phases.update({phase.name: phase.title.text(session.language) for phase in one.phases})
    rows = [
        [
            definitions[name].title.text(session.language),
            *(found.phases.get((name, phase)) or "" for phase in phases),
        ]
        for name in names
    ]
    cli_print.line()
    cli_print.table([say("Hồ sơ", "Cases"), *phases.values()], rows, right=range(1, len(phases) + 1))
    report = audit.fsck(store, session.engine.definitions)
    whole = (
        say("nguyên vẹn", "whole")
        if report.is_clean
        else say(f"{len(report.findings)} chỗ sai", f"{len(report.findings)} findings")
    )
    counted = {
        say("không gửi vì nhập liệu", "not sent: import"): found.suppressed,
        say("đã gửi", "sent"): found.delivered,
        say("bị kẹt", "stuck"): len(relay.stuck(store)),
    }
    told = "; ".join(f"{name}: {words.number(number)}" for name, number in counted.items())
    entries = f"{words.number(report.counts.get('entries', 0))} {say('mục', 'entries')}"
    for title, value in (
        (say("Hồ sơ", "Cases"), words.number(found.cases)),
        (say("Lượt chuyển bước", "Transitions"), words.number(found.transitions)),
        (say("Thông báo", "Notices"), f"{words.number(found.notices)} ({told})"),
        (say("Hạn và nhắc đã chạy", "Deadlines fired"), words.number(found.fired)),
        (say("Kiểm tra chuỗi nhật ký", "Chain check"), f"{whole} · {entries}"),
        (say("Thời gian", "Seconds"), f"{seconds:.1f} s"),
    ):
        cli_print.line(f"  {title}: {value}")


def _print_what_to_try(session: Session) -> None:
    """Name three commands, each as a person who has something to do."""
    with session.store.read() as connection:
        found = readings.somebody_with_work(connection, session.today.isoformat())
    if found is None:
        return
    code, who = found
    command = "tiendo" if Path(sys.prefix, "bin", "tiendo").exists() else "python -m handlers.cli"
    named = f"TIENDO_DATABASE_URL=sqlite:///{opening.store_path(session.settings)} "
    setting = "" if opening.is_fallback(read_settings()) else named
    cli_print.line("\n" + session.say("Thử ngay:", "Try:"), "bold")
    for line in (
        f"inbox --as {who}",
        f"show {code} --as {who}",
        f"due {code} --explain --as {who}",
    ):
        cli_print.line(f"  {setting}.venv/bin/{command} {line}")


if __name__ == "__main__":
    main()
