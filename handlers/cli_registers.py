"""Commands for registers: person, organisation, establishment, budget; each with list, show and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import readings
from engine.case_history import history
from engine.commands import Register
from engine.names import names_of, opened
from engine.personal import is_commitment
from engine.register_words import REGISTERS
from engine.shown_values import shown
from handlers import cli_print, cli_story, cli_values, code_words, finding, words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from engine.readings import Entered
    from engine.register_words import RegisterWord

KINDS = {
    "person": ("person", "Người / people"),
    "organisation": ("organisation", "Cơ quan / organisations"),
    "establishment": ("establishment", "Cơ sở công nghiệp nông thôn / establishments"),
    "budget": ("budget_line", "Dòng kinh phí / budget lines"),
}
Key = Annotated[str, typer.Argument(metavar="CODE", help="Mã.")]


def add_to(group: typer.Typer) -> None:
    """Put a group for each register on the command line."""
    for name, (kind, title) in KINDS.items():
        one = typer.Typer(help=title, no_args_is_help=True)
        commands = Commands()
        _add_looking(commands, kind)
        _add_set(commands, kind)
        commands.add_to(one)
        group.add_typer(one, name=name)


def _plain(session: Session, row: Entered) -> dict[str, Any]:
    """Return a row with its personal values opened and its references named."""
    data = row.data
    with session.store.read() as connection:
        values = opened(connection, [one for one in data.values() if is_commitment(one)])
        ids = [inner for one in data.values() for inner in (one.values() if isinstance(one, dict) else [one])]
        named = names_of(connection, [one for one in ids if isinstance(one, str) and len(one) == 32])  # noqa: PLR2004 - an id
    found: dict[str, Any] = {"code": row.code, "id": row.id, "version": row.version}
    for word, value in data.items():
        clear = shown(value, values, session.language)
        found[word] = (
            {part: named.get(one, one) for part, one in clear.items()}
            if isinstance(clear, dict)
            else named.get(clear, clear)
        )
    return found


def _add_looking(commands: Commands, kind: str) -> None:
    @commands.add("list")
    def show_list(session: Session) -> None:
        """Danh sách / list."""
        with session.store.read() as connection:
            rows = readings.entered(connection, kind)
        plain = [_plain(session, row) for row in rows]
        heads = [session.say("Mã", "Code"), session.say("Tên", "Name"), ""]
        cli_print.show(
            session,
            plain,
            heads,
            [(one["code"], one.get("name", ""), _summary(kind, one, session)) for one in plain],
        )

    @commands.add("show")
    def show(session: Session, key: Key) -> None:
        """Xem một dòng và diễn biến của nó / one row and its story."""
        with session.store.read() as connection:
            row_id = finding.row_id(connection, kind, key)
            row = next(one for one in readings.entered(connection, kind) if one.id == row_id)
            story = history(connection, row_id, kind=kind, language=session.language)
        plain = _plain(session, row)
        if session.as_json:
            cli_print.as_json({**plain, "history": [cli_story.entry_json(one) for one in story]})
            return
        for word, value in plain.items():
            if word != "id":
                cli_print.line(f"{_title(word, session.language)}: {_said(word, value, session)}")
        for one in story:
            changed = ", ".join(_title(change.word, session.language) for change in one.changes)
            cli_print.line(f"#{one.seq}  {words.instant(one.recorded_at)}  {one.who}: {changed}")


def _title(word: str, language: str) -> str:
    """Return the words of a register's word: "membership.1" gives "Vai trò 1"."""
    head, _, number = word.partition(".")
    return " ".join(filter(None, (code_words.said(code_words.REGISTER_WORDS, head, language), number)))


def _said(word: str, value: Any, session: Session) -> str:
    """Return a value of a register as it is read."""
    language = session.language
    if isinstance(value, dict):
        role = code_words.said(code_words.ROLES, str(value.get("role", "")), language)
        days = [
            f"{session.say(*lead)} {words.day(value[part])}"
            for part, lead in (("from", ("từ", "from")), ("to", ("đến", "to")))
            if value.get(part)
        ]
        whose = str(value.get("bound") or value.get("substitute") or "")
        return " · ".join(filter(None, (role, whose, " ".join(days), str(value.get("document") or ""))))
    if isinstance(value, bool):
        return words.value("yes_no", value, language)
    if word.endswith("_vnd"):
        return words.money(value, language)
    if word in {"from", "to", "restored_on"}:
        return words.day(value)
    if word in {"province", "scope"}:
        return code_words.province(str(value))
    tables = {
        "kind": code_words.ORGANISATIONS, "legal_form": code_words.LEGAL_FORMS, "programme": code_words.PROGRAMMES,
    }  # fmt: skip
    return code_words.said(tables.get(word, {}), str(value), language)


def _summary(kind: str, row: dict[str, Any], session: Session) -> str:
    if kind == "person":
        held = [one for word, one in row.items() if word.startswith("membership.")]
        seats = [
            (code_words.said(code_words.ROLES, str(one.get("role")), session.language), one.get("bound"))
            for one in held
        ]
        return "; ".join(f"{role} · {bound}" for role, bound in seats)
    if kind == "budget_line":
        said = [
            _said(word, row.get(word), session) for word in ("programme", "plan_year", "scope", "amount_vnd")
        ]
        return " · ".join(said)
    shown_words = (word for word in ("kind", "legal_form", "province") if row.get(word))
    return " · ".join(_said(word, row[word], session) for word in shown_words)


def _add_set(commands: Commands, kind: str) -> None:
    @commands.add("set")
    def put(
        session: Session,
        *,
        key: Key,
        values: Annotated[
            list[str], typer.Argument(metavar="WORD=VALUE", help='Ví dụ name="Nguyễn Văn A".')
        ] = [],  # noqa: B006
        member: Annotated[
            list[str], typer.Option("--member", metavar="ORG:ROLE:FROM[:TO]", help="Vai trò trong cơ quan.")
        ] = [],  # noqa: B006
        substitute: Annotated[
            list[str], typer.Option("--substitute", metavar="PERSON:FROM[:TO]", help="Người thay.")
        ] = [],  # noqa: B006
        reason: Annotated[str, typer.Option("--reason", help="Lý do.")] = "",
    ) -> None:
        """Thêm hoặc sửa một dòng / write a row."""
        asked: dict[str, Any] = {
            word: _typed(kind, word, text) for word, text in cli_values.pairs(values, "", 'name="…"').items()
        }
        with session.store.read() as connection:
            row = next((one for one in readings.entered(connection, kind) if one.code == key), None)
            data: dict[str, Any] = row.data if row else {}
            for item in member:
                bound, role, *days = item.split(":")
                of = "organisation"
                period = {"bound": finding.row_id(connection, of, bound), "role": role, **_days(days)}
                asked[_next_word("membership", {**data, **asked})] = period
            for item in substitute:
                other, *days = item.split(":")
                period = {"substitute": finding.row_id(connection, "person", other), **_days(days)}
                asked[_next_word("substitution", {**data, **asked})] = period
        if row is None:
            asked["code"] = key
        asked_by = session.principal
        receipt = session.carry_out(
            Register(
                principal=asked_by, register=kind, key=row.id if row else "", values=asked, reason=reason
            )
        )
        if session.as_json:
            cli_print.as_json({name: getattr(receipt, name) for name in type(receipt).__dataclass_fields__})
        else:
            cli_print.line(session.say("Đã ghi", "Done") + f": {receipt.code} #{receipt.seq}", "bold")


def _days(days: list[str]) -> dict[str, str]:
    return {word: words.read_day(day) for word, day in zip(("from", "to"), days, strict=False) if day}


def _next_word(head: str, data: dict[str, Any]) -> str:
    taken = [int(word.partition(".")[2]) for word in data if word.startswith(f"{head}.")]
    return f"{head}.{max(taken, default=0) + 1}"


def _typed(kind: str, word: str, text: str) -> Any:
    declared: RegisterWord | None = REGISTERS[kind].get(word)
    if not text:
        return None
    if declared is None:
        return text  # the register itself knows what is near
    readers: dict[str, Any] = {
        "date": words.read_day, "integer": words.read_whole, "money": words.read_money, "yes_no": cli_values.read_yes_no,
    }  # fmt: skip
    return readers.get(declared.type, str)(text)
