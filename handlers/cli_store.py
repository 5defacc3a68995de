"""Commands about the store and the processes on it: init, up, worker, ticker, schema, doctor."""

from __future__ import annotations

import platform
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import readings, relay, schema
from engine.commands import Principal, Register, new_id
from engine.errors import Refused, TiendoError, Words
from engine.execute import execute
from engine.sqlite_store import is_there
from handlers import build, cli_print, code_words, opening, publishing, words
from handlers.cli_session import Commands, Session
from handlers.serving import STALE_SECONDS, holder_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.engine import Engine
    from handlers.ticker import Ticker


class InitIncomplete(Refused):
    """A production store needs a first organisation and a first person."""

    code = "init_incomplete"
    words = Words(
        'Thiếu {missing}. Ví dụ: tiendo init --organisation "TTKC-ST=Trung tâm Khuyến công Sóc Trăng" --kind centre '
        '--person "an.nv=Nguyễn Văn An".',
        'Missing: {missing}. E.g. tiendo init --organisation "TTKC-ST=Trung tâm Khuyến công Sóc Trăng" --kind centre '
        '--person "an.nv=Nguyễn Văn An".',
    )


def serve(session: Session, *, works: bool = True, ticks: bool = True) -> None:
    """Serve the store until SIGTERM or SIGINT, or until another process took it over.

    Errors:
        AlreadyServed: nothing was started. ServingLost: another process serves the store now.
    """
    with build.serving(session.settings, session.app, works=works, ticks=ticks) as ticker:
        _stop_on_signals(ticker)
        cli_print.line(session.say("Đang phục vụ", "Serving") + f" {session.store.path} (Ctrl+C)", "bold")
        ticker.wait()
    if ticker.lost is not None:
        raise ticker.lost
    cli_print.line(session.say("Đã dừng.", "Stopped."))


def _stop_on_signals(ticker: Ticker) -> None:
    def stop(_number: int, _frame: Any) -> None:
        ticker.ask_to_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def set_up(
    engine: Engine,
    organisation: tuple[str, str],
    kind: str,
    province: str,
    person: tuple[str, str],
    today: str,
) -> str:
    """Write the first organisation and its administrator into an empty store; return the person's id.

    Errors:
        RegisterRefused: everything that is wrong; nothing of that row was written.
    """
    office, first = new_id(), new_id()
    operator = Principal("operator", first, "cli")
    about = {"code": organisation[0], "name": organisation[1], "kind": kind, "from": today}
    if province:
        about["province"] = province
    execute(engine, Register(principal=operator, register="organisation", key=office, values=about))
    seat = {"bound": office, "role": "administrator", "from": today}
    who = {"code": person[0], "name": person[1], "membership.1": seat}
    execute(engine, Register(principal=operator, register="person", key=first, values=who))
    return first


commands = Commands()


@commands.add("init")
def init(
    session: Session,
    *,
    sample: Annotated[bool, typer.Option("--sample", help="Kho mẫu để thử: dùng được --as.")] = False,
    organisation: Annotated[
        str, typer.Option("--organisation", metavar="MÃ=TÊN", help="Cơ quan đầu tiên.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="Loại cơ quan: centre, department, agency …")
    ] = "centre",
    province: Annotated[str, typer.Option("--province", help="Mã tỉnh của cơ quan.")] = "",
    person: Annotated[
        str, typer.Option("--person", metavar="MÃ=HỌ TÊN", help="Người quản trị đầu tiên.")
    ] = "",
) -> None:
    """Tạo kho dữ liệu mới / make a new store."""
    office, who = _pair(organisation), _pair(person)
    if not sample and not (office and who):
        missing = [option for option, given in (("--organisation", office), ("--person", who)) if not given]
        raise InitIncomplete(missing=", ".join(missing))
    path = build.store_path(session.settings)
    schema.create(path, kind="sample" if sample else "production").close()
    if office and who:
        set_up(session.engine, office, kind, province, who, session.today.isoformat())
    if session.as_json:
        cli_print.as_json({"path": str(path), "kind": "sample" if sample else "production"})
        return
    born = (
        session.say("kho mẫu", "sample store")
        if sample
        else session.say("kho chính thức", "production store")
    )
    cli_print.line(f"{path}: {born}", "bold")
    flag = f"--as {who[0]}" if sample and who else f"TIENDO_PERSON={who[0]} … --operator" if who else ""
    cli_print.line(session.say("Tiếp theo", "Next") + f": tiendo publish {flag}")


@commands.add("up")
def up(session: Session) -> None:
    """Phục vụ kho: gửi thông báo, xét hạn / serve the store: worker and ticker in one process."""
    serve(session)


@commands.add("worker")
def worker(session: Session) -> None:
    """Chỉ gửi thông báo, không xét hạn / deliver only, fire no timers."""
    serve(session, ticks=False)


@commands.add("ticker")
def ticker(session: Session) -> None:
    """Chỉ xét hạn, không gửi / fire timers only, deliver nothing."""
    serve(session, works=False)


@commands.add("schema")
def show_schema(
    session: Session,
    *,
    what: Annotated[str, typer.Argument(metavar="[upgrade]", help="upgrade: nâng lược đồ của kho.")] = "",
) -> None:
    """Lược đồ của kho / the schema of the store."""
    path = opening.present_path(session.settings)
    if not is_there(path):
        raise build.StoreMissing(path=str(path))
    if what == "upgrade":
        schema.check_move(path)
        schema.upgrade(path)
    found = schema.number_in(path)
    plain = {"path": str(path), "found": found, "newest": schema.head()}
    if session.as_json:
        cli_print.as_json(plain)
    else:
        fits = (
            session.say("đúng phiên bản", "up to date") if found == schema.head() else "tiendo schema upgrade"
        )
        cli_print.line(f"{path}: {found or '—'} / {schema.head()} ({fits})")


@commands.add("doctor")
def doctor(session: Session) -> None:
    """Kho và thiết lập có ổn không / is everything in order."""
    looks = _looks(session)
    plain = [{"look": name, "ok": ok, "said": said} for name, ok, said in looks]
    if session.as_json:
        cli_print.as_json(plain)
    else:
        for name, ok, said in looks:
            cli_print.line(f"{'✓' if ok else '✗'} {name}: {said}")
    if not all(ok for _, ok, _ in looks):
        raise typer.Exit(2)


def _pair(given: str) -> tuple[str, str] | None:
    code, equals, name = given.partition("=")
    return (code.strip(), name.strip()) if equals and code.strip() and name.strip() else None


def _looks(session: Session) -> list[tuple[str, bool, str]]:
    say = session.say
    found = [("Python", True, platform.python_version())]
    try:
        store = session.store
    except TiendoError as problem:
        return [*found, (say("Kho", "Store"), False, problem.sentence(session.language))]
    born = code_words.said(code_words.STORE_KINDS, readings.kind_of(store), session.language)
    number = f"{say('lược đồ', 'schema')} {schema.head()}"
    found.append((say("Kho", "Store"), True, f"{store.path} ({born}, {number})"))
    held = holder_of(store)
    if held is None:
        found.append(
            (say("Phục vụ", "Serving"), False, say("chưa có tiến trình nào: tiendo up", "nobody: tiendo up"))
        )
    else:
        age = max(0, (store.now() - held[2]) // 1_000_000)
        found.append(
            (
                say("Phục vụ", "Serving"),
                age < STALE_SECONDS,
                f"{held[0]}:{held[1]}, {say('nhịp cách đây', 'last beat')} {age} s",
            )
        )
    parked = [row for row in relay.stuck(store) if _state(row) == "parked"]
    found.append(
        (
            say("Gửi bị dừng", "Parked"),
            not parked,
            str(len(parked)) + ("" if not parked else " (tiendo stuck)"),
        )
    )
    looks: dict[str, Callable[[Session], tuple[bool, str]]] = {
        say("Quy trình", "Definitions"): _definitions,
        say("Lịch", "Calendar"): _calendar,
        say("Lời thông báo", "Notice texts"): lambda each: (True, str(len(each.app.texts.texts))),
    }
    for name, look in looks.items():
        try:
            ok, said = look(session)
        except TiendoError as problem:
            ok, said = False, problem.sentence(session.language)
        found.append((name, ok, said))
    return found


def _calendar(session: Session) -> tuple[bool, str]:
    note = session.engine.calendar.why(session.today)
    return True, f"{words.day(session.today)}: {note.title.text(session.language)}"


def _definitions(session: Session) -> tuple[bool, str]:
    files = publishing.read_all(session.settings, session.engine.rules)
    held = session.engine.definitions
    waiting = [
        name
        for name, one in files.definitions.items()
        if name not in held.names() or held.newest(name).hash != one.hash
    ]
    if files.findings:
        return False, session.say(
            f"{len(files.findings)} chỗ cần sửa: tiendo validate",
            f"{len(files.findings)} findings: tiendo validate",
        )
    said = session.say(f"{len(held.names())} đã công bố", f"{len(held.names())} published")
    return True, said + (
        session.say(f", chờ công bố: {', '.join(waiting)}", f", to be published: {', '.join(waiting)}")
        if waiting
        else ""
    )


def _state(row: Any) -> str:
    return str(row["state"] if isinstance(row, dict) else row.state)


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    commands.add_to(group)
