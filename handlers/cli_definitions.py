"""Commands about what cases run under: validate, publish, definitions, diagram; calendar and rules."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import library, recounting
from engine.diagram import mermaid, svg
from engine.errors import Refused, Words
from engine.linter import validate as validate_text
from engine.rule_rows import Unverified
from engine.rule_units import show
from handlers import build, cli_print, code_words, publishing, words
from handlers.case_words import source_words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from engine.definition import Definition
    from engine.findings import Finding
    from engine.rule_rows import Value
    from engine.rules import RuleBook


class FolderFileMissing(Refused):
    """The file to look at is not there."""

    code = "definition_file_missing"
    words = Words("Không có tệp {path}. Kiểm tra đường dẫn.", "There is no file {path}. Check the path.")


def _rules(session: Session) -> RuleBook:
    return build.make_rules(session.settings)


commands = Commands()


@commands.add("validate")
def validate(
    session: Session,
    *,
    files: Annotated[
        list[Path], typer.Argument(help="Tệp quy trình; bỏ trống: mọi tệp của các thư mục.")
    ] = [],  # noqa: B006
) -> None:
    """Soát quy trình: mọi chỗ cần sửa, kèm tệp, dòng, cột / check definitions."""
    book = _rules(session)
    known = publishing.known_beside(session.settings, book)
    shelf = library.read_library(build.folders(session.settings), known)
    found: list[Finding] = list(shelf.findings)
    checked = len(shelf.files)
    if files:
        known = replace(known, definitions=shelf.outlines)
        found = []
        checked = len(files)
        for file in files:
            if not file.is_file():
                raise FolderFileMissing(path=str(file))
            found.extend(validate_text(file.read_bytes(), name=str(file), known=known)[1])
    if session.as_json:
        cli_print.as_json([_finding_json(one, session.language) for one in found])
    else:
        for one in found:
            hint = f"  → {one.suggestion}?" if one.suggestion else ""
            cli_print.line(
                f"{one.file}:{one.line}:{one.column}: {one.words.text(session.language)} [{one.code}]{hint}"
            )
        count = session.say(
            f"{checked} quy trình, {len(found)} chỗ cần sửa.",
            f"{checked} {'definition' if checked == 1 else 'definitions'}, "
            f"{len(found)} {'finding' if len(found) == 1 else 'findings'}.",
        )
        cli_print.line(count, "bold")
    if found:
        raise typer.Exit(2)


@commands.add("publish")
def publish(
    session: Session,
    *,
    names: Annotated[list[str], typer.Argument(help="Tên hoặc tệp quy trình; bỏ trống: mọi quy trình.")] = [],  # noqa: B006
) -> None:
    """Công bố quy trình vào kho / publish definitions."""
    done = publishing.publish_all(session.settings, session.engine, session.principal, names)
    plain = [
        {
            "definition": one.definition.name, "version": one.definition.version, "hash": one.definition.hash,
            "published": one.receipt is not None,
            "changes": one.changes(session.language),
        }
        for one in done
    ]  # fmt: skip
    if session.as_json:
        cli_print.as_json(plain)
        return
    for each in done:
        verb = (
            session.say("đã công bố", "published")
            if each.receipt is not None
            else session.say("đã có, không đổi", "there already")
        )
        found = each.definition
        cli_print.line(f"{found.name} v{found.version} {found.hash[:12]}: {verb}")
        for line in each.changes(session.language):
            cli_print.line(f"    {line}")


@commands.add("definitions")
def definitions(
    session: Session,
    *,
    name: Annotated[str, typer.Argument(help="Tên quy trình; bỏ trống: danh sách.")] = "",
) -> None:
    """Các quy trình đã công bố, và từng quy trình gồm gì / what is published."""
    if name:
        _one_definition(session, name)
        return
    found = [session.engine.definitions.newest(one) for one in session.engine.definitions.names()]
    plain = [{"definition": one.name, "version": one.version, "title": one.title.text(session.language), "hash": one.hash,
              "states": len(one.states), "parents": list(one.parents)} for one in found]  # fmt: skip
    heads = session.say(
        "Quy trình|Phiên bản|Tên|Trạng thái|Hồ sơ mẹ", "Definition|Version|Title|States|Parents"
    ).split("|")
    rows = [
        (one.name, one.version, one.title.text(session.language), len(one.states), ", ".join(one.parents))
        for one in found
    ]
    empty = session.say(
        "Chưa công bố quy trình nào: tiendo publish", "Nothing is published yet: tiendo publish"
    )
    cli_print.show(session, plain, heads, rows, empty=empty)


@commands.add("diagram")
def diagram(
    session: Session,
    *,
    name: Annotated[
        str, typer.Argument(help="Tên hoặc tệp quy trình, hoặc mã hồ sơ để tô trạng thái hiện tại.")
    ],
    svg_form: Annotated[bool, typer.Option("--svg", help="Ảnh SVG thay cho Mermaid.")] = False,
) -> None:
    """Sơ đồ quy trình (Mermaid hoặc SVG) / draw a definition."""
    state, definition = None, None
    if Path(name).is_file():
        definition = publishing.read_file(session.settings, _rules(session), Path(name))
    elif name in session.engine.definitions.names():
        definition = session.engine.definitions.newest(name)
    else:
        row = session.case(name)
        definition, state = session.engine.definitions.by_hash(row.definition), row.state
    draw = svg if svg_form else mermaid
    sys.stdout.write(draw(definition, state=state, language=session.language).rstrip() + "\n")


@commands.add("calendar")
def calendar(
    session: Session,
    *,
    day: Annotated[str, typer.Argument(help="Ngày dd/MM/yyyy; bỏ trống: hôm nay.")] = "",
    recount: Annotated[
        bool, typer.Option("--recount", help="Lịch đã đổi: các hạn sắp tới dời đi đâu.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Nêu lý do thì các hạn được dời thật.")] = "",
) -> None:
    """Ngày làm việc hay ngày nghỉ, vì sao / is it a working day, and why."""
    if recount:
        _recount(session, reason)
        return
    found = session.today.fromisoformat(words.read_day(day)) if day else session.today
    known = session.engine.calendar
    note = known.why(found)
    plain = {
        "day": found.isoformat(), "working": known.is_working(found), "kind": note.kind,
        "title": note.title.text(session.language), "status": note.status, "source": note.source,
        "next_working": known.next_working(found).isoformat(),
    }  # fmt: skip
    if session.as_json:
        cli_print.as_json(plain)
        return
    verdict = (
        session.say("ngày làm việc", "a working day")
        if plain["working"]
        else session.say("ngày nghỉ", "a day off")
    )
    how = code_words.said(code_words.CALENDAR_STATUSES, note.status, session.language)
    status = f" [{how}: {note.source}]" if note.source else ""
    cli_print.line(f"{words.day(found)}: {verdict} — {plain['title']}{status}")
    cli_print.line(
        session.say("Ngày làm việc kế tiếp", "Next working day")
        + f": {words.day(str(plain['next_working']))}"
    )


def _recount(session: Session, reason: str) -> None:
    """Show which deadlines to come a changed calendar moves; with a reason, move them."""
    moved = (
        recounting.recount(session.engine, session.principal, reason=reason)
        if reason
        else recounting.preview(session.engine)
    )
    if session.as_json:
        cli_print.as_json([
            {"code": one.code, "deadline": one.deadline, "before": one.before.isoformat(),
             "after": one.after.isoformat(), "moved": bool(reason)}
            for one in moved
        ])  # fmt: skip
        return
    for one in moved:
        cli_print.line(f"{one.code} ({one.deadline}): {words.day(one.before)} → {words.day(one.after)}")
    done = (
        session.say("đã dời", "moved")
        if reason
        else session.say("sẽ dời; thêm --reason để dời", "would move; add --reason")
    )
    cli_print.line(session.say("Số hạn", "Deadlines") + f": {len(moved)} {done}")


@commands.add("rules")
def rules(
    session: Session,
    *,
    key: Annotated[str, typer.Argument(help="Khoá, ví dụ advance_rate; bỏ trống: danh sách.")] = "",
    when: Annotated[
        list[str], typer.Option("--when", metavar="DIMENSION=WORD", help="Ví dụ activity=machinery.")
    ] = [],  # noqa: B006
    on: Annotated[str, typer.Option("--on", help="Ngày áp dụng, dd/MM/yyyy; mặc định hôm nay.")] = "",
) -> None:
    """Giá trị của bộ quy tắc, kèm căn cứ / values of the rule packs with their source."""
    from handlers import cli_values  # noqa: PLC0415 - a ring otherwise

    book = _rules(session)
    dimensions = cli_values.pairs(when, "--when", "activity=machinery")
    today = session.today.fromisoformat(words.read_day(on)) if on else words.today()
    keys = (key,) if key else book.keys
    found: list[Value] = [book.resolve(one, dimensions, today) for one in keys]
    plain = [_value_json(one, session.language) for one in found]
    if session.as_json:
        cli_print.as_json(plain)
        return
    if key and not found[0].verified:
        cli_print.line(found[0].sentence(session.language))
        for line in _rows(book, key, dimensions, today, session.language):
            cli_print.line(f"  {line}")
        return
    heads = session.say("Khoá|Nghĩa|Giá trị|Căn cứ", "Key|Meaning|Value|Source").split("|")
    cli_print.table(heads, [_value_cells(session, one) for one in found])


def _rows(book: RuleBook, key: str, given: Mapping[str, str], on: date, language: str) -> list[str]:
    """Return the rows of a key that could answer on that day: those that no given dimension rules out."""
    lines = []
    for pack, row in book.rows(key):
        if not row.holds_on(on) or any(given.get(name, words[0]) not in words for name, words in row.when):
            continue
        when = ", ".join(f"{name}={'|'.join(found)}" for name, found in row.when) or "—"
        held = show(row.unit, row.value, unlimited=row.unlimited, language=language)
        source = source_words(str(row.cite or ""), row.grade, language)
        lines.append(f"{pack.title.text(language)}: {when} → {held}  [{source}]")
    return lines


def _value_cells(session: Session, one: Value) -> tuple[str, str, str, str]:
    """Return key, title, value, source; what depends on a word nobody gave says which, not that nobody knows."""
    language = session.language
    missing = ", ".join(one.missing) if isinstance(one, Unverified) else ""
    if missing:
        return (one.key, one.title.text(language), session.say(f"tùy {missing}", f"by {missing}"), "--when …")
    source = source_words(str(one.cite or ""), one.grade, language)
    return (one.key, one.title.text(language), one.shown(language), source)


def _value_json(one: Value, language: str) -> dict[str, Any]:
    return {
        "key": one.key, "title": one.title.text(language), "unit": one.unit, "value": one.value,
        "shown": one.shown(language), "grade": one.grade, "pack": one.pack_name,
        "source": source_words(str(one.cite or ""), one.grade, language),
    }  # fmt: skip


def _finding_json(one: Finding, language: str) -> dict[str, Any]:
    return {
        "file": one.file, "line": one.line, "column": one.column, "code": one.code,
        "words": one.words.text(language), "suggestion": one.suggestion,
    }  # fmt: skip


def _target(found: Definition, to: str, language: str) -> str:
    """Return the title of the state that a trigger leads to; words for `$same` and `$previous`."""
    if to in found.states:
        return found.states[to].title.text(language)
    same = Words("vẫn ở đó", "stays there")
    return (same if to == "$same" else Words("trở lại bước trước", "back to where it was")).text(language)


def _one_definition(session: Session, name: str) -> None:
    found, language = session.engine.definitions.newest(name), session.language
    if session.as_json:
        cli_print.as_json({
            "definition": found.name, "version": found.version, "hash": found.hash, "title": found.title.text(language),
            "parties": {one.name: {"kind": one.kind, "roles": list(one.roles)} for one in found.parties.values()},
            "fields": {one.name: one.type for one in found.fields.values()},
            "states": {one.name: {"phase": one.phase, "triggers": list(one.triggers)} for one in found.states.values()},
        })  # fmt: skip
        return
    cli_print.line(f"{found.name} v{found.version}: {found.title.text(language)}", "bold")
    for party in found.parties.values():
        roles = ", ".join(f"{role} ({title.text(language)})" for role, title in party.roles.items())
        cli_print.line(
            f"  {session.say('bên', 'party')} {party.name}: {party.title.text(language)}"
            + (f" — {roles}" if roles else "")
        )
    for field in found.fields.values():
        choices = f" [{', '.join(field.choices)}]" if field.choices else ""
        cli_print.line(
            f"  {session.say('trường', 'field')} {field.name} "
            f"({code_words.said(code_words.FIELD_TYPES, field.type, language)}): {field.title.text(language)}{choices}"
        )
    phases = {one.name: one.title.text(language) for one in found.phases}
    for state in found.states.values():
        triggers = "; ".join(
            f"{one.title.text(language)} ({one.name}) → {_target(found, one.to, language)}"
            for one in state.triggers.values()
            if not one.overlay
        )
        cli_print.line(
            f"  {phases[state.phase]} · {state.title.text(language)} ({state.name})"
            + (f" — {triggers}" if triggers else "")
        )


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    commands.add_to(group)
