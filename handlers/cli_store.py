"""Commands about the store and the processes on it: init, up, worker, ticker, schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine import schema
from engine.commands import Principal, Register, new_id
from engine.errors import Refused, Words
from engine.execute import execute
from handlers import cli_print, opening, serving_process
from handlers.cli_session import Commands, Session
from handlers.serve import serve

if TYPE_CHECKING:
    from engine.engine import Engine


class InitIncomplete(Refused):
    """A production store needs a first organisation and a first person."""

    code = "init_incomplete"
    words = Words(
        'Thiếu {missing}. Ví dụ: tiendo init --organisation "TTKC-ST=Trung tâm Khuyến công Sóc Trăng" --kind centre '
        '--person "an.nv=Nguyễn Văn An".',
        'Missing: {missing}. E.g. tiendo init --organisation "TTKC-ST=Trung tâm Khuyến công Sóc Trăng" --kind centre '
        '--person "an.nv=Nguyễn Văn An".',
    )


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
    path = opening.create_store(session.settings, kind="sample" if sample else "production")
    if office and who:
        set_up(session.engine, office, kind, province, who, session.today.isoformat())
    if session.as_json:
        cli_print.as_json({"path": path, "kind": "sample" if sample else "production"})
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
    serving_process.begin(session, works=True, ticks=False)


@commands.add("ticker")
def ticker(session: Session) -> None:
    """Chỉ xét hạn, không gửi / fire timers only, deliver nothing."""
    serving_process.begin(session, works=False, ticks=True)


@commands.add("schema")
def show_schema(
    session: Session,
    *,
    what: Annotated[str, typer.Argument(metavar="[upgrade]", help="upgrade: nâng lược đồ của kho.")] = "",
) -> None:
    """Lược đồ của kho / the schema of the store."""
    if what == "upgrade":
        opening.upgrade_schema(session.settings)
    path, found = opening.schema_number(session.settings)
    plain = {"path": path, "found": found, "newest": schema.head()}
    if session.as_json:
        cli_print.as_json(plain)
    else:
        fits = (
            session.say("đúng phiên bản", "up to date") if found == schema.head() else "tiendo schema upgrade"
        )
        cli_print.line(f"{path}: {found or '—'} / {schema.head()} ({fits})")


def _pair(given: str) -> tuple[str, str] | None:
    code, equals, name = given.partition("=")
    return (code.strip(), name.strip()) if equals and code.strip() and name.strip() else None


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    commands.add_to(group)
