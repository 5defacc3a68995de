"""Commands that change a case: start, fire, edit, attach, detach, comment, assign, vote; and cases move."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read at run time, with the types of the options
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from engine import files, machine
from engine.commands import (
    Assign,
    Attach,
    Comment,
    Detach,
    Document,
    Edit,
    Fire,
    Migrate,
    Receipt,
    Start,
    Vote,
)
from engine.errors import Refused, Words
from engine.readings import case_by_id
from handlers import cli_looking, cli_print, cli_show, cli_values, finding, words
from handlers.cli_session import Commands, Session
from handlers.faults import EXIT_CODES

if TYPE_CHECKING:
    from engine.commands import Command
    from engine.definition import Definition

Code = Annotated[str, typer.Argument(metavar="CODE", help="Mã hồ sơ, ví dụ ST-2023-QG-01.")]
Set = Annotated[
    list[str], typer.Option("--set", metavar="FIELD=VALUE", help='Giá trị, ví dụ support_vnd="300 triệu".')
]
Papers = Annotated[
    list[str],
    typer.Option("--document", metavar="WORD:SỐ,NGÀY,NGƯỜI KÝ", help="Giấy tờ kèm theo; lặp lại được."),
]
Reason = Annotated[str, typer.Option("--reason", help="Lý do.")]
Expected = Annotated[
    int, typer.Option("--expect", help="Phiên bản đã xem; khác đi thì từ chối. 0: không xét.")
]
Id = Annotated[str, typer.Option("--id", help="Mã lệnh tự chọn: gửi lại cùng mã thì chỉ làm một lần.")]
_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


class FileMissing(Refused):
    """The file to attach is not there."""

    code = "file_missing"
    words = Words("Không có tệp {path}. Kiểm tra đường dẫn.", "There is no file {path}. Check the path.")


class VerdictUnclear(Refused):
    """A vote that is neither yes, no nor taken back."""

    code = "verdict_unclear"
    words = Words(
        'Phiếu "{given}" không hợp lệ. Viết yes, no hoặc back (rút phiếu).',
        'No such vote: "{given}". Write yes, no or back.',
    )


def _definition(session: Session, case: str) -> Definition:
    with session.store.read() as connection:
        return session.engine.definitions.by_hash(case_by_id(connection, case).definition)


def _common(id_: str, expected: int, reason: str) -> dict[str, Any]:
    given = {"id": id_, "expected_version": expected}
    return {"reason": reason, **{word: value for word, value in given.items() if value}}


def _done(session: Session, asked: Command) -> None:
    """Carry a command out and say what came of it."""
    try:
        receipt = session.carry_out(asked)
    except machine.RequirementsUnmet as why:
        if session.as_json or not isinstance(asked, Fire):
            raise
        raise _explained(session, asked, why) from why
    if session.as_json:
        cli_print.as_json(receipt_json(receipt))
        return
    repeated = (
        session.say(" (lệnh này đã làm rồi, không làm lại)", " (done before; not done again)")
        if receipt.repeated
        else ""
    )
    cli_print.line(
        session.say("Đã ghi", "Done") + f": {receipt.code or receipt.subject} #{receipt.seq}{repeated}",
        "bold",
    )
    if receipt.subject_kind == "case":
        cli_looking.four_facts(session, receipt.subject)


def _explained(session: Session, asked: Fire, why: machine.RequirementsUnmet) -> typer.Exit:
    """Say everything that is missing, and by whose and which command line it is supplied."""
    view = cli_show.look(session, asked.case)
    trigger = view.definition.trigger(view.case.state, asked.trigger)
    console = cli_print.screen(error=True)
    console.print(Text(why.sentence(session.language), style="bold"))
    for text in cli_show.missing_lines(session, view, trigger, why.unmet) if trigger else ():
        console.print(Text(text))
    return typer.Exit(EXIT_CODES[Refused])


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as plain data."""
    return {name: getattr(receipt, name) for name in Receipt.__dataclass_fields__}


commands = Commands()


@commands.add("start")
def start(
    session: Session,
    *,
    definition: Annotated[str, typer.Argument(help="Tên quy trình, ví dụ national_project.")],
    values: Set = [],  # noqa: B006 - Typer copies it
    party: Annotated[list[str], typer.Option("--party", metavar="PARTY=CODE", help="Các bên.")] = [],  # noqa: B006
    document: Papers = [],  # noqa: B006
    parent: Annotated[str, typer.Option("--parent", help="Mã hồ sơ mẹ.")] = "",
    plan_year: Annotated[int, typer.Option("--year", help="Năm kế hoạch (hồ sơ gốc); mặc định năm nay.")] = 0,
    reason: Reason = "",
    command_id: Id = "",
) -> None:
    """Mở hồ sơ mới / open a case."""
    found = session.engine.definitions.newest(definition)
    _done(
        session,
        Start(
            principal=session.principal,
            definition=found.name,
            parent=session.case_id(parent) if parent else "",
            parties=cli_values.parties(session, found, party),
            values=cli_values.field_values(session, found, values),
            documents=cli_values.documents(document),
            plan_year=(plan_year or session.today.year) if found.is_root else None,
            **_common(command_id, 0, reason),
        ),
    )


@commands.add("fire")
def fire(
    session: Session,
    *,
    code: Code,
    trigger: Annotated[str, typer.Argument(help="Bước cần làm, ví dụ submit (xem tiendo show).")],
    values: Set = [],  # noqa: B006
    document: Papers = [],  # noqa: B006
    reason: Reason = "",
    expected: Expected = 0,
    command_id: Id = "",
) -> None:
    """Chuyển bước / fire a trigger."""
    case = session.case_id(code)
    definition = _definition(session, case)
    _done(
        session,
        Fire(
            principal=session.principal,
            case=case,
            trigger=trigger,
            values=cli_values.field_values(session, definition, values),
            documents=cli_values.documents(document),
            **_common(command_id, expected, reason),
        ),
    )


@commands.add("edit")
def edit(
    session: Session,
    *,
    code: Code,
    values: Set = [],  # noqa: B006
    rule: Annotated[
        list[str], typer.Option("--rule", metavar="KEY=VALUE", help="Giá trị chưa xác minh.")
    ] = [],  # noqa: B006
    source: Annotated[str, typer.Option("--source", help="Căn cứ của giá trị nêu ở --rule.")] = "",
    reason: Reason = "",
    expected: Expected = 0,
    command_id: Id = "",
) -> None:
    """Sửa trường dữ liệu / change fields."""
    case = session.case_id(code)
    definition = _definition(session, case)
    asked = cli_values.pairs(rule, "--rule", "advance_rate=70%")
    rules = {key: {"value": _rule_value(session, key, text), "source": source} for key, text in asked.items()}
    found = cli_values.field_values(session, definition, values)
    _done(
        session,
        Edit(
            principal=session.principal,
            case=case,
            values=found,
            rules=rules,
            **_common(command_id, expected, reason),
        ),
    )


@commands.add("attach")
def attach(
    session: Session,
    *,
    code: Code,
    document: Annotated[str, typer.Argument(help="Loại giấy tờ, ví dụ signed_contract.")],
    number: Annotated[str, typer.Option("--number", help="Số văn bản.")] = "",
    signed_on: Annotated[str, typer.Option("--signed-on", help="Ngày ký, dd/MM/yyyy.")] = "",
    signer: Annotated[str, typer.Option("--signer", help="Người ký.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="Tệp đính kèm, tối đa 25 MB.")] = None,
    copy: Annotated[
        str, typer.Option("--copy", help="original, certified, true_copy hoặc plain.")
    ] = "original",
    title: Annotated[str, typer.Option("--title", help="Trích yếu.")] = "",
    command_id: Id = "",
) -> None:
    """Đính kèm giấy tờ / put a paper on the case."""
    case = session.case_id(code)
    signed = words.read_day(signed_on) if signed_on else ""
    paper = Document(document, number, signed, signer, _stored(session, file), copy, title)
    _done(
        session,
        Attach(principal=session.principal, case=case, documents=(paper,), **_common(command_id, 0, "")),
    )


@commands.add("detach")
def detach(
    session: Session,
    *,
    code: Code,
    document: Annotated[str, typer.Argument(help="Loại giấy tờ.")],
    number: Annotated[int, typer.Argument(help="Thứ tự trong loại đó, từ 1.")] = 1,
    reason: Reason = "",
    command_id: Id = "",
) -> None:
    """Gỡ giấy tờ / take a paper off (the log keeps it)."""
    case = session.case_id(code)
    _done(
        session,
        Detach(
            principal=session.principal,
            case=case,
            type=document,
            number=number,
            **_common(command_id, 0, reason),
        ),
    )


@commands.add("comment")
def comment(
    session: Session,
    *,
    code: Code,
    text: Annotated[str, typer.Argument(help="Lời ghi.")],
    command_id: Id = "",
) -> None:
    """Ghi ý kiến / say something on the case."""
    case = session.case_id(code)
    _done(session, Comment(principal=session.principal, case=case, text=text, **_common(command_id, 0, "")))


@commands.add("assign")
def assign(
    session: Session,
    *,
    code: Code,
    to: Annotated[str, typer.Option("--to", help="Mã hoặc họ tên người nhận; bỏ trống: thôi giao.")] = "",
    party: Annotated[list[str], typer.Option("--party", metavar="PARTY=CODE", help="Gắn lại bên.")] = [],  # noqa: B006
    command_id: Id = "",
) -> None:
    """Giao hồ sơ cho một người / name the person who holds it."""
    case = session.case_id(code)
    bound = cli_values.parties(session, _definition(session, case), party)
    with session.store.read() as connection:
        person = finding.row_id(connection, "person", to) if to else ""
    named = _common(command_id, 0, "")
    _done(session, Assign(principal=session.principal, case=case, person=person, parties=bound, **named))


@commands.add("vote")
def vote(
    session: Session,
    *,
    code: Code,
    trigger: Annotated[str, typer.Argument(help="Bước cần biểu quyết.")],
    verdict: Annotated[str, typer.Argument(help="yes, no hoặc back (rút phiếu).")],
    reason: Reason = "",
    command_id: Id = "",
) -> None:
    """Biểu quyết / vote on a trigger."""
    known = {"yes": "yes", "no": "no", "back": "", "có": "yes", "không": "no"}
    if verdict.lower() not in known:
        raise VerdictUnclear(given=verdict)
    found: Any = known[verdict.lower()]
    _done(
        session,
        Vote(
            principal=session.principal,
            case=session.case_id(code),
            trigger=trigger,
            verdict=found,
            **_common(command_id, 0, reason),
        ),
    )


moving = Commands()


@moving.add("move")
def move(
    session: Session,
    *,
    definition: Annotated[str, typer.Option("--definition", help="Tên quy trình.")],
    to: Annotated[int, typer.Option("--to", help="Phiên bản mới.")],
    renamed: Annotated[list[str], typer.Option("--map", metavar="OLD:NEW", help="Trạng thái đổi tên.")] = [],  # noqa: B006
    yes: Annotated[bool, typer.Option("--yes", help="Thực hiện; không có thì chỉ xem trước.")] = False,
) -> None:
    """Chuyển hồ sơ đang chạy sang phiên bản mới / move running cases to another version."""
    states = {old: new for old, _, new in (item.partition(":") for item in renamed)}
    target = session.engine.definitions.version(definition, to)
    rows = []
    for row in cli_looking.all_open(session, definition):
        if row.definition == target.hash:
            continue
        state = states.get(row.state, row.state)
        answer = (
            session.say("được", "fits")
            if state in target.states
            else session.say("không có trạng thái này", "no such state")
        )
        if yes:
            answer = _moved(session, row.id, to, states)
        rows.append({"code": row.code, "state": row.state, "to_state": state, "answer": answer})
    cli_print.show(
        session,
        rows,
        [session.say("Hồ sơ", "Case"), session.say("Đang ở", "State"), session.say("Sẽ ở", "Then"), ""],
        [tuple(row.values()) for row in rows],
        empty=session.say("Không có hồ sơ nào phải chuyển.", "No case to move."),
    )


def _moved(session: Session, case: str, to: int, states: dict[str, str]) -> str:
    try:
        receipt = session.carry_out(Migrate(principal=session.principal, case=case, to=to, states=states))
    except Refused as why:
        return why.sentence(session.language)
    return f"✓ #{receipt.seq}"


def _rule_value(session: Session, key: str, text: str) -> Any:
    unit = session.engine.rules.rule(key).unit
    if unit == "money":
        return words.read_money(text)
    if unit in {"percent", "factor"}:
        return words.read_percent(text)
    if unit in {"count", "days"}:
        return words.read_whole(text)
    if unit in {"words", "documents"}:
        return [word.strip() for word in text.split(",") if word.strip()]
    return cli_values.read_yes_no(text) if unit == "yes_no" else text


def _stored(session: Session, file: Path | None) -> str:
    if file is None:
        return ""
    try:
        content = file.read_bytes()
    except OSError as why:
        raise FileMissing(path=str(file)) from why
    return files.put(session.store, content, _TYPES.get(file.suffix.lower(), "application/octet-stream"))


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line, and the group `cases`."""
    commands.add_to(group)
    many = typer.Typer(help="Chuyển phiên bản hàng loạt / many cases at once", callback=_many)
    moving.add_to(many)
    group.add_typer(many, name="cases")


def _many() -> None:
    """Make `cases` a group although it has one command so far."""
