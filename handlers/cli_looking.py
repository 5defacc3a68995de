"""Commands that only look: show, history, list, board, inbox, due, agenda, report."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine import queries, timers
from engine.case_history import history
from engine.case_rows import Filter
from engine.civil_time import words_left
from engine.readings import case_by_id
from engine.visibility import hidden_words
from handlers import cli_print, cli_show, cli_story, finding, words
from handlers.cli_session import Commands, Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.case_rows import CaseRow

Code = Annotated[str, typer.Argument(metavar="CODE", help="Mã hồ sơ, ví dụ ST-2023-QG-01.")]
Year = Annotated[int, typer.Option("--year", help="Năm kế hoạch; 0: mọi năm.")]
_PAGE = 500
#: So much of a title fits two lines of a list on a screen of 100 columns.
_TITLE = 48


def four_facts(session: Session, case: str) -> None:
    """Print where a case is, who holds it, by when, and what comes next."""
    cli_show.print_facts(session, cli_show.look(session, case))


def all_open(session: Session, definition: str) -> list[CaseRow]:
    """Return every visible open case of a definition."""
    found: list[CaseRow] = []
    with session.reading() as connection:
        narrowed = Filter(name=definition, open=True)
        while True:
            page = queries.listing(connection, session.viewer, narrowed, limit=_PAGE, offset=len(found))
            found.extend(page.rows)
            if len(found) >= page.total or not page.rows:
                return found


def case_json(row: CaseRow) -> dict[str, Any]:
    """Return a row of a list as plain data, unset words left out."""
    names = (
        "code", "name", "title", "state", "phase", "final", "holder", "holder_name", "held_since", "due_on", "plan_year",
        "scope", "category", "amount_vnd", "version",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names if getattr(row, name) not in {"", None}}


def case_cells(session: Session, row: CaseRow) -> tuple[str, ...]:
    """Return code, title, state, holder, due in words, money in millions."""
    definition = session.engine.definitions.by_hash(row.definition)
    due = ""
    if row.due_on:
        left = words_left(
            session.today, session.today.fromisoformat(row.due_on), session.engine.calendar, session.language
        )
        due = f"{words.day(row.due_on)}\n{left}"
    state = definition.states[row.state].title.text(session.language)
    title = row.title if len(row.title) <= _TITLE else row.title[: _TITLE - 1].rstrip() + "…"
    return (
        row.code,
        title,
        state,
        _holder(session, row),
        due,
        words.millions(row.amount_vnd, session.language),
    )


def _holder(session: Session, row: CaseRow) -> str:
    """Return who holds a case, short enough for a list: the person where one is named, else the role."""
    if row.holder_person:
        return row.holder_name
    party, _, role = row.holder.partition(".")
    known = session.engine.definitions.by_hash(row.definition).parties.get(party)
    return known.roles[role].text(session.language) if known and role in known.roles else row.holder_name


def _head(session: Session) -> list[str]:
    if session.language == "en":
        return ["Case", "Title", "State", "Held by", "Due", "Million đồng"]
    return ["Mã", "Tên", "Đang ở", "Người giữ", "Hạn", "Triệu đồng"]


def print_cases(session: Session, rows: Iterable[CaseRow], *, empty: str = "") -> None:
    """Print a list of cases."""
    listed = list(rows)
    if session.as_json:
        cli_print.as_json([case_json(row) for row in listed])
    elif listed:
        cli_print.table(_head(session), [case_cells(session, row) for row in listed], right=(5,))
    else:
        cli_print.line(empty or session.say("Không có hồ sơ nào.", "No cases."))


commands = Commands()


@commands.add("show")
def show(
    session: Session, *, code: Code,
    every: Annotated[bool, typer.Option("--all", help="Cả các bước chung (tạm dừng, rút …) và dữ liệu.")] = False,
) -> None:  # fmt: skip
    """Hồ sơ đang ở đâu, ai giữ, hạn nào, còn thiếu gì / where, who, when, what is missing."""
    cli_show.show(session, session.case(code).id, every=every)


@commands.add("history")
def show_history(session: Session, *, code: Code) -> None:
    """Diễn biến của hồ sơ / the story of a case."""
    row = session.case(code)
    definition = session.engine.definitions.by_hash(row.definition)
    with session.reading() as connection:
        parties = case_by_id(connection, row.id).parties
        hidden = hidden_words(definition, parties, session.viewer)
        entries = history(connection, row.id, hidden=hidden, language=session.language)
    if session.as_json:
        cli_print.as_json([cli_story.entry_json(one) for one in entries])
        return
    for one in entries:
        for text in cli_story.entry_lines(session, definition, one):
            cli_print.line(text)


@commands.add("list")
def show_list(
    session: Session,
    *,
    find: Annotated[
        str, typer.Argument(metavar="[WORDS]", help="Từ cần tìm, có dấu hay không đều được.")
    ] = "",
    definition: Annotated[str, typer.Option("--definition", help="Chỉ một quy trình.")] = "",
    year: Year = 0,
    phase: Annotated[str, typer.Option("--phase", help="Chỉ một giai đoạn.")] = "",
    state: Annotated[str, typer.Option("--state", help="Chỉ một trạng thái.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="Chỉ một tỉnh (mã).")] = "",
    root: Annotated[str, typer.Option("--root", help="Mã hồ sơ gốc: cả các hồ sơ con.")] = "",
    late: Annotated[bool, typer.Option("--late", help="Chỉ hồ sơ quá hạn.")] = False,
    is_open: Annotated[bool, typer.Option("--open", help="Chỉ hồ sơ chưa kết thúc.")] = False,
    sort: Annotated[
        str, typer.Option("--sort", help="code, title, due_on, held_since, amount_vnd, plan_year.")
    ] = "code",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Số dòng nhiều nhất.")] = 50,
) -> None:
    """Danh sách hồ sơ / list cases."""
    narrowed = Filter(
        plan_year=year or None, name=definition or None, phase=phase or None, state=state or None,
        scope=scope or None, root=session.case(root).root if root else None, late=late,
        open=True if is_open else None, words=find,
    )  # fmt: skip
    with session.reading() as connection:
        page = queries.listing(
            connection, session.viewer, narrowed, sort=cli_show.sort_word(sort), limit=limit
        )
    if not page.total:
        finding.check_narrowing(session.engine.definitions, definition=definition, phase=phase, state=state)
    print_cases(session, page.rows)
    if not session.as_json and page.total > len(page.rows):
        left = page.total - len(page.rows)
        cli_print.line(session.say(f"… và {left} hồ sơ nữa (--limit)", f"… and {left} more (--limit)"))


@commands.add("board")
def board(
    session: Session, *, year: Year = 0,
    definition: Annotated[str, typer.Option("--definition", help="Chỉ một quy trình.")] = "",
) -> None:  # fmt: skip
    """Bảng tiến độ theo giai đoạn / cases, money and lateness by phase."""
    with session.reading() as connection:
        cells = queries.board(connection, session.viewer, year or None, definition or None)
    titled = [(one, *cli_show.phase_place(session, one.name, one.phase)) for one in cells]
    titled.sort(key=lambda each: (each[0].name, each[2]))
    found = [
        {
            "definition": one.name,
            "phase": one.phase,
            "cases": one.cases,
            "amount_vnd": one.amount_vnd,
            "late": one.late,
        }
        for one, _, _ in titled
    ]
    if session.as_json:
        cli_print.as_json(found)
        return
    heads = session.say(
        "Quy trình|Giai đoạn|Hồ sơ|Triệu đồng|Quá hạn", "Definition|Phase|Cases|Million đồng|Late"
    ).split("|")
    cells_shown = [
        (
            session.engine.definitions.newest(one.name).title.text(session.language),
            title,
            one.cases,
            words.millions(one.amount_vnd, session.language),
            one.late,
        )
        for one, title, _ in titled
    ]
    cli_print.table(heads, cells_shown, right=(2, 3, 4))
    if session.is_sample and any(one.late for one in cells):
        cli_print.line(
            session.say(
                "Kho mẫu: số liệu mẫu của những năm đã qua. Quá hạn tính đến hôm nay, nên đề án mẫu còn mở đều quá hạn.",
                "Sample store: sample figures of past years. Lateness is counted to today, so any open sample project is late.",
            )
        )


@commands.add("inbox")
def inbox(session: Session) -> None:
    """Việc của tôi / what waits for me."""
    with session.reading() as connection:
        found = queries.inbox(connection, session.viewer)
        told = queries.notices(connection, session.viewer, unread_only=True, limit=20)
    parts = {
        "overdue": (session.say("Quá hạn", "Overdue"), found.overdue),
        "today": (session.say("Hôm nay", "Today"), found.today),
        "this_week": (session.say("Tuần này", "This week"), found.this_week),
        "later": (session.say("Sau đó, hoặc không có hạn", "Later, or without a due date"), found.later),
        "waiting": (session.say("Đang chờ người khác", "Waiting for others"), found.waiting),
    }
    if session.as_json:
        plain: dict[str, Any] = {name: [case_json(row) for row in rows] for name, (_, rows) in parts.items()}
        plain["notices"] = [
            {"code": one.code, "word": one.word, "at": words.iso_instant(one.created_at)} for one in told
        ]
        cli_print.as_json(plain)
        return
    for name, (title, rows) in parts.items():
        count = found.waiting_total if name == "waiting" else len(rows)
        cli_print.line(f"{title} · {count}", "bold")
        if rows:
            cli_print.table(_head(session), [case_cells(session, row) for row in rows], right=(5,))
    cli_print.line(session.say("Thông báo mới", "Notices") + f" · {len(told)}", "bold")
    for one in told:
        cli_print.line(
            f"  {words.instant(one.created_at)}  {one.code}  {cli_show.notice_subject(session, one)}"
        )


@commands.add("due")
def due(
    session: Session,
    *,
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="Mã hồ sơ; bỏ trống: mọi hồ sơ sắp đến hạn.")
    ] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Bảng đếm ngày: ngày nào tính, vì sao.")] = False,
    days: Annotated[int, typer.Option("--days", min=0, max=3660, help="Trong bao nhiêu ngày tới.")] = 14,
) -> None:
    """Hạn của hồ sơ, và vì sao / due dates, and why."""
    if code:
        cli_show.due_of(session, session.case(code).id, explain=explain)
        return
    until = (session.today + timedelta(days=days)).isoformat()
    with session.reading() as connection:
        rows = queries.due(connection, session.viewer, until)
    print_cases(
        session,
        rows,
        empty=session.say(f"Không có hạn nào trong {days} ngày tới.", f"Nothing is due in {days} days."),
    )


@commands.add("agenda")
def agenda(
    session: Session,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Số ngày tới.")] = 14,
) -> None:
    """Sẽ nhắc ai, việc gì, khi nào / what will be sent to whom."""
    found = timers.agenda(session.engine, days=days)
    cli_show.print_agenda(session, found)


def add_to(group: typer.Typer) -> None:
    """Put these commands on the command line."""
    commands.add_to(group)
