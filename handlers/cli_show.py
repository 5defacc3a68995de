"""One case on the command line: four facts, the checklist of each next step, due dates counted out, its story."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from engine import deadlines, legal_clock, readings
from engine.execute import preview
from engine.names import names_of, opened
from engine.personal import is_commitment
from engine.shown_values import shown
from engine.visibility import hidden_words
from handlers import case_reading, cli_print, cli_story, code_words, words

if TYPE_CHECKING:
    from engine.case_rows import NoticeRow, SortWord
    from engine.commands import Unmet
    from engine.definition import Trigger
    from engine.execute import Step
    from engine.timers import Planned
    from handlers.case_words import CaseWords
    from handlers.cli_session import Session

_MOST_PEOPLE = 3
SORTS = ("code", "title", "due_on", "held_since", "amount_vnd", "plan_year")


def sort_word(given: str) -> SortWord:
    """Return the column to sort by; what is none sorts by code."""
    return cast("SortWord", given) if given in SORTS else "code"


def look(session: Session, case: str) -> CaseWords:
    """Read a case for the screen."""
    with session.reading() as connection:
        return case_reading.look(session.engine, connection, case, session.today, session.language)


def print_facts(session: Session, view: CaseWords) -> None:
    """Print the four facts of a case, in the order of every screen."""
    case, say = view.case, session.say
    phases = [one.title.text(view.language) for one in view.definition.phases]
    here = [one.name for one in view.definition.phases].index(view.state.phase)
    path = " ─ ".join(
        f"● {title}" if number == here else f"{title} ✓" if number < here else title
        for number, title in enumerate(phases)
    )
    amount = case.data.get(view.definition.summary.get("amount", ""))
    extra = " · ".join(
        filter(
            None,
            (str(case.plan_year or ""), words.money(amount, view.language) if amount is not None else ""),
        )
    )
    cli_print.line(f"{case.code}  {view.title}" + (f"  ({extra})" if extra else ""), "bold")
    cli_print.line(f"  {path}")
    cli_print.line(
        f"  {say('Đang ở', 'State')}: {view.phase} · {view.state.title.text(view.language)} ({case.state})"
    )
    cli_print.line(
        f"  {say('Người giữ', 'Held by')}: {view.holder}"
        + (f" · {view.held_since}" if view.held_since else "")
    )
    due = f"{words.day(case.due_on)} ({view.left()})" if case.due_on else say("không có hạn", "no due date")
    cli_print.line(f"  {say('Hạn', 'Due')}: {due}")
    steps = [
        f"{one.title.text(view.language)} ({one.name})"
        for one in view.state.triggers.values() if one.when is None and one.by and not one.overlay
    ]  # fmt: skip
    cli_print.line(f"  {say('Bước tiếp theo', 'Next step')}: {'; '.join(steps) or '—'}")


def show(session: Session, case: str, *, every: bool) -> None:
    """Print a case with the whole checklist of each next step."""
    view = look(session, case)
    steps = preview(session.engine, case, session.person) if view.case.final is None else ()
    if session.as_json:
        cli_print.as_json(_json(session, view, steps))
        return
    print_facts(session, view)
    others = [step for step in steps if step.trigger.overlay]
    for step in steps:
        if step.trigger.by and (every or not step.trigger.overlay):
            _print_step(session, view, step)
    if others and not every:
        listed = "; ".join(f"{one.trigger.title.text(view.language)} ({one.trigger.name})" for one in others)
        cli_print.line(
            session.say(f"Ngoài ra: {listed}. Xem đủ: --all", f"Besides: {listed}. All of it: --all")
        )
    if every:
        _print_data(session, view)
    _print_children(session, view, every=every)


def _print_step(session: Session, view: CaseWords, step: Step) -> None:
    title = f"{step.trigger.title.text(view.language)} ({step.trigger.name})"
    code = shlex.quote(view.case.code)
    if step.allowed:
        cli_print.line(f"\n✓ {title}", "bold")
        flag = f"--as {_own_code(session)}" if session.is_sample else "--operator"
        cli_print.line(f"      tiendo fire {code} {step.trigger.name} {flag}")
        return
    missing = session.say(f"còn thiếu {len(step.unmet)}", f"{len(step.unmet)} missing")
    source = view.source(step.trigger.source)
    cli_print.line(f"\n○ {title} — {missing}" + (f"  [{source}]" if source else ""), "bold")
    for text in missing_lines(session, view, step.trigger, step.unmet):
        cli_print.line(text)


def missing_lines(session: Session, view: CaseWords, trigger: Trigger, unmet: tuple[Unmet, ...]) -> list[str]:
    """Return what a trigger lacks, each with the very command line that supplies it."""
    people = seat_people(session, view, trigger)
    me = f" --as {_own_code(session)}" if session.is_sample else " --operator"
    return cli_print.unmet_lines(unmet, view.language, view.case.code, trigger.name, people=people, me=me)


def _own_code(session: Session) -> str:
    with session.store.read() as connection:
        found = readings.entered_as(connection, "person", session.person)
    return shlex.quote(found.code if found else session.person)


def seat_people(session: Session, view: CaseWords, trigger: Trigger) -> tuple[str, ...]:
    """Return codes of people who may fire a trigger today, or vote on it, a few of them."""
    wanted = [*trigger.by, *(trigger.approvals.of if trigger.approvals else ())]
    found: list[str] = []
    with session.store.read() as connection:
        for who in wanted:
            bound, role = view.bound(who)
            if role:
                found += readings.sitting(
                    connection, bound, role, session.today.isoformat(), limit=_MOST_PEOPLE
                )
            elif person := readings.entered_as(connection, "person", bound):
                found.append(person.code)
    return tuple(dict.fromkeys(found))


def _json(session: Session, view: CaseWords, steps: tuple[Step, ...]) -> dict[str, Any]:
    case = view.case
    return {
        "code": case.code, "definition": view.definition.name, "definition_version": view.definition.version,
        "title": view.title, "state": case.state, "phase": view.state.phase, "final": case.final,
        "holder": case.holder, "held_since": case.held_since, "due_on": case.due_on, "plan_year": case.plan_year,
        "version": case.version, "seq": case.seq, "head": case.head,
        "data": _data(session, view), "documents": _opened(session, case.below("document")),
        "steps": [
            {"trigger": step.trigger.name, "allowed": step.allowed, "unmet": cli_print.unmet_json(step.unmet, view.language)}
            for step in steps
        ],
    }  # fmt: skip


def _data(session: Session, view: CaseWords) -> dict[str, Any]:
    """Return the fields that this viewer may see, personal ones opened."""
    hidden = hidden_words(view.definition, view.case.parties, session.viewer)
    return _opened(
        session, {name: value for name, value in view.case.data.items() if f"data.{name}" not in hidden}
    )


def _opened(session: Session, held: dict[str, Any]) -> dict[str, Any]:
    from_personal = [value for value in held.values() if is_commitment(value)]
    nested = [
        one
        for value in held.values()
        if isinstance(value, dict)
        for one in value.values()
        if is_commitment(one)
    ]
    with session.store.read() as connection:
        values = opened(connection, [*from_personal, *nested])
    return {name: shown(value, values, session.language) for name, value in held.items()}


def _print_data(session: Session, view: CaseWords) -> None:
    cli_print.line("\n" + session.say("Dữ liệu", "Data"), "bold")
    data = _data(session, view)
    for name, field in view.definition.fields.items():
        if name in data:
            held = cli_story.value(view.definition, name, data[name], view.language)
            cli_print.line(f"  {field.title.text(view.language)} ({name}): {held}")
    for word, paper in sorted(_opened(session, view.case.below("document")).items()):
        name, _, number = word.partition(".")
        title = (
            view.definition.fields[name].title.text(view.language) if name in view.definition.fields else name
        )
        signed = " ".join(
            filter(None, (paper.get("number"), words.day(paper.get("signed_on")), paper.get("signer")))
        )
        cli_print.line(f"  📄 {title} ({name} {number}): {signed}")


def _print_children(session: Session, view: CaseWords, *, every: bool) -> None:
    """Print the children; ended ones of one kind fold into a line, unless all are asked for."""
    with session.reading() as connection:
        children = readings.children_of(connection, view.case.id)
    if children:
        cli_print.line("\n" + session.say("Hồ sơ con", "Children"), "bold")
    told = [(child, session.engine.definitions.by_hash(child.definition)) for child in children]
    ended = Counter((one.name, child.state) for child, one in told if one.states[child.state].final)
    folded: dict[tuple[str, str], list[str]] = {}
    for child, one in told:
        if ended[one.name, child.state] > 1 and not every:
            folded.setdefault((one.name, child.state), []).append(child.code)
            continue
        kind, state = one.title.text(view.language), one.states[child.state].title.text(view.language)
        title = f"  {child.title}" if child.title not in {"", kind} else ""
        cli_print.line(f"  {child.code}  {kind}: {state}{title}")
    titles = {
        (
            one.name,
            child.state,
        ): f"{one.title.text(view.language)}: {one.states[child.state].title.text(view.language)}"
        for child, one in told
    }
    for key, codes in folded.items():
        last = codes[-1].rpartition("/")[2]
        cli_print.line(f"  {codes[0]} … {last}  {len(codes)} × {titles[key]}")
    if folded:
        cli_print.line(session.say("  Xem từng hồ sơ con: --all", "  Each of them: --all"))


def due_of(session: Session, case: str, *, explain: bool) -> None:
    """Print the running deadlines of a case; with `explain` every day that was counted or not, and why."""
    view = look(session, case)
    found: list[dict[str, Any]] = []
    for name, deadline, book in view.deadlines():
        source = view.source(deadline.source) if deadline else ""
        rows = (
            legal_clock.explain(**deadlines.counting(deadline, book, view.case, session.engine.calendar))
            if deadline
            else ()
        )
        found.append(
            {
                "deadline": name,
                "due_on": book["due"],
                "paused": book["paused"],
                "source": source,
                "rows": rows,
            }
        )
    if session.as_json:
        cli_print.as_json(
            [{**one, "rows": [_row_json(row, session.language) for row in one["rows"]]} for one in found]
        )
        return
    if not found:
        cli_print.line(
            session.say("Hồ sơ không có hạn nào đang chạy.", "No deadline is running on this case.")
        )
    for one in found:
        left = session.say("đang tạm dừng", "paused") if one["paused"] else view.left(one["due_on"])
        title = code_words.deadline(view.definition, view.case.state, str(one["deadline"]), session.language)
        cli_print.line(f"{title}: {words.day(one['due_on'])} ({left})  [{one['source']}]", "bold")
        if explain:
            heads = session.say("Ngày|Tính|Đếm|Vì sao|Nguồn", "Day|Counted|No.|Why|Source").split("|")
            cli_print.table(heads, [_row_cells(row, session.language) for row in one["rows"]], right=(2,))


def _row_cells(row: legal_clock.CountRow, language: str) -> tuple[str, ...]:
    status = code_words.said(code_words.CALENDAR_STATUSES, str(row.status), language)
    source = f"{row.source} ({status})" if row.status else row.source
    return (
        words.day(row.day),
        "✓" if row.counted else "–",
        str(row.number or ""),
        row.why.text(language),
        source,
    )


def _row_json(row: legal_clock.CountRow, language: str) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(), "counted": row.counted, "number": row.number, "why": row.why.text(language),
        "source": row.source, "status": row.status,
    }  # fmt: skip


def phase_place(session: Session, name: str, phase: str) -> tuple[str, int]:
    """Return the title of a phase and its place in the newest version of a definition."""
    phases = session.engine.definitions.newest(name).phases
    return next(
        ((one.title.text(session.language), place) for place, one in enumerate(phases) if one.name == phase),
        (phase, 99),
    )


def notice_subject(session: Session, row: NoticeRow) -> str:
    """Return the subject line of an in-app notice in the reader's language."""
    facts = {
        "code": row.code,
        "title": row.title,
        "due": words.day(row.facts.get("due_on")),
        "facts": row.facts,
    }
    view = look(session, row.case_id)
    state = view.definition.states.get(str(row.facts.get("state")), view.state)
    facts |= {
        "state": state.title.text(session.language),
        "definition": view.definition.title.text(session.language),
    }
    return session.app.texts.render(row.word, facts, session.language)[0]


def print_agenda(session: Session, found: list[Planned]) -> None:
    """Print what will be sent to whom, and what will fire by itself."""
    with session.store.read() as connection:
        names = names_of(connection, [one for each in found for one in each.to], session.language)
    plain = [
        {
            "on": one.on.isoformat(), "code": one.code, "kind": one.kind, "deadline": one.deadline, "what": one.what,
            "to": [names[person] for person in one.to],
        }
        for one in found
    ]  # fmt: skip
    heads = session.say("Ngày|Hồ sơ|Thời hạn|Việc|Gửi cho", "Day|Case|Deadline|What|To").split("|")
    rows = [
        (words.day(one.on), one.code, *_planned(session, one), ", ".join(names[who] for who in one.to))
        for one in found
    ]
    cli_print.show(
        session, plain, heads, rows, empty=session.say("Không có gì sẽ được gửi.", "Nothing will be sent.")
    )


def _planned(session: Session, one: Planned) -> tuple[str, str]:
    """Return what a timer belongs to and what it will do, in words."""
    say, language = session.say, session.language
    with session.store.read() as connection:
        case = readings.case_by_id(connection, one.case)
    definition = session.engine.definitions.by_hash(case.definition)
    state = definition.states[case.state]
    if one.deadline == deadlines.STARTS:
        opened_ones = [
            session.engine.definitions.newest(each.definition) for each in state.starts if each.every
        ]
        titles = ", ".join(each.title.text(language) for each in opened_ones)
        return state.title.text(language), say(f"mở hồ sơ con: {titles}", f"opens a child: {titles}")
    title = code_words.deadline(definition, case.state, one.deadline, language)
    if one.kind == "rung":
        return title, code_words.said(code_words.REMINDERS, one.what, language)
    trigger = definition.trigger(case.state, one.what) if one.what else None
    if trigger:
        return title, say(f"tự làm: {trigger.title.vi}", f"fires: {trigger.title.en}")
    return title, say("hết hạn", "the deadline passes")
