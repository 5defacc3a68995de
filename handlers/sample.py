"""The door that turns the sample into commands: registers first, then every case in historic order.

All of it is asked for by import principals, each in the person of whoever did it; an import may say when
something happened, and nothing is sent for it. Command ids come from the sample's own keys, so a second run
only answers what is there and goes on where the first one stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine import reports, timers
from engine.civil_time import day_at
from engine.commands import Command, Comment, Document, Fire, Principal, Receipt, Register, Start, Vote
from engine.errors import TiendoError, Words
from engine.execute import execute_all
from handlers.sample_files import SampleWrong, read_sample
from handlers.sample_plan import happenings, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from engine.definition import Definition, Trigger
    from engine.engine import Engine
    from handlers.sample_files import Sample, SampleFile
    from handlers.sample_plan import Happening, Run

    #: Told (what is being done, how many are done, of how many).
    Progress = Callable[[str, int, int], None]

_LOADER = Principal("import", "sample", "import")
#: Commands that share a transaction.
_TOGETHER = 200


@dataclass(slots=True)
class Summary:
    """What a run did.

    Shapes:
        cases: cases of the sample, children that the engine opened itself not counted. commands: sent.
        repeated: of those, answered from an earlier run. timers: fired on the way.
    """

    cases: int = 0
    commands: int = 0
    repeated: int = 0
    timers: int = 0


@dataclass(slots=True)
class _Load:
    engine: Engine
    sample: Sample
    progress: Progress
    summary: Summary = field(default_factory=Summary)
    ids: dict[str, str] = field(default_factory=dict)

    def send(self, commands: Iterable[Command]) -> list[Receipt]:
        """Send commands in transactions of a bearable size; the first refusal ends the run.

        Errors:
            SampleWrong: a command was refused; those before it stand.
        """
        waiting = list(commands)
        receipts: list[Receipt] = []
        for start in range(0, len(waiting), _TOGETHER):
            part = waiting[start : start + _TOGETHER]
            for command, answer in zip(part, execute_all(self.engine, part), strict=True):
                if isinstance(answer, TiendoError):
                    missing = "; ".join(one.words.vi for one in getattr(answer, "unmet", ()))
                    raise SampleWrong(where=command.id, why=f"{answer} {missing}") from answer
                receipts.append(answer)
        self.summary.commands += len(receipts)
        self.summary.repeated += sum(one.repeated for one in receipts)
        return receipts

    def register(self, kind: str, rows: dict[str, dict[str, Any]]) -> None:
        """Write rows of one register and remember their ids."""
        commands = [
            Register(principal=_LOADER, id=f"sample/{kind}/{key}"[:64], register=kind, values=values)
            for key, values in rows.items()
        ]
        for key, receipt in zip(rows, self.send(commands), strict=True):
            self.ids[key] = receipt.subject


def load(engine: Engine, folder: Path, progress: Progress) -> Summary:
    """Bring the sample of a folder into a store, or finish what an earlier run began.

    Shapes:
        folder: holds the sample files. The definitions they speak of are published before.
    Errors:
        SampleWrong: a file, or a command that the engine refused; what was done before stays.
        Unavailable: the store; run again.
    """
    loading = _Load(engine, read_sample(folder), progress)
    for file in loading.sample.files:
        _registers(loading, file)
    today = day_at(engine.store.now())
    calendar = engine.calendar
    happened = happenings(loading.sample, engine.definitions.newest, calendar.working_on_or_after, today)
    loading.summary.cases = sum(1 for one in happened if one.number == 0)
    _cases(loading, happened, today)
    return loading.summary


def _registers(loading: _Load, file: SampleFile) -> None:
    loading.progress(file.title.vi, 0, len(file.cases))
    # An organisation stands below one that is written after it, so names come first and places next.
    named = {
        key: {"code": key} | {word: value for word, value in one.items() if word != "parent"}
        for key, one in file.organisations.items()
    }
    loading.register("organisation", named)
    loading.send(
        Register(
            principal=_LOADER, id=f"sample/parent/{key}", register="organisation", key=loading.ids[key],
            values={"parent": loading.ids[one["parent"]]},
        )
        for key, one in file.organisations.items()
        if "parent" in one
    )  # fmt: skip
    loading.register("person", {key: _person(loading, key, one) for key, one in file.people.items()})
    loading.register("establishment", {key: {"code": key, **one} for key, one in file.establishments.items()})
    loading.register("budget_line", {_line_key(one): dict(one) for one in file.budget_lines})


def _person(loading: _Load, key: str, given: Any) -> dict[str, Any]:
    membership = {"bound": loading.ids[given["at"]], "role": given["role"], "from": given["from"]}
    return {
        "code": key,
        "name": given["name"],
        "language": "vi",
        "invented": True,
        "membership.1": membership,
    }


def _line_key(given: Any) -> str:
    return f"{given['programme']}/{given['plan_year']}/{given['scope']}"


def _cases(loading: _Load, happened: list[Happening], today: date) -> None:
    """Send what happened day by day; before each day the timers that were due until then are fired."""
    day = None
    waiting: list[tuple[Happening, Command]] = []
    started: list[str] = []
    for done, one in enumerate(happened):
        if day != one.day:
            _flush(loading, waiting, started)
            _fire_past(loading, started, one.day - timedelta(days=1))
            loading.progress(one.day.isoformat(), done, len(happened))
            day = one.day
        if one.monthly is not None:
            _flush(loading, waiting, started)
            loading.send(_reports(loading, one))
        else:
            if (one.number and not one.run.id) or (one.run.above and not one.run.above.id):
                _flush(loading, waiting, started)
            waiting.append((one, _command(loading, one)))
    _flush(loading, waiting, started)
    _fire_past(loading, started, today)


def _flush(loading: _Load, waiting: list[tuple[Happening, Command]], started: list[str]) -> None:
    notes = []
    for (one, command), receipt in zip(waiting, loading.send(command for _, command in waiting), strict=True):
        if one.number == 0:
            one.run.id = receipt.subject
            started.append(receipt.subject)
            notes.append(_note(loading, one, command))
    waiting.clear()
    loading.send(notes)


def _note(loading: _Load, one: Happening, start: Command) -> Command:
    """Return the comment on a new case that says what of it is made up, and where the rest comes from."""
    case = one.run.case
    definition = loading.engine.definitions.newest(case.definition)
    titles = {"dates": Words("ngày tháng", "dates")}
    titles |= {name: party.title for name, party in definition.parties.items()}
    titles |= {name: field.title for name, field in definition.fields.items()}
    made_up = [titles[name] for name in case.invented if name in titles]
    text = f"Số liệu mẫu. Tự đặt: {', '.join(one.vi for one in made_up) or '—'}."
    text += f" / Invented: {', '.join(one.en for one in made_up) or '—'}."
    if case.source:
        text += f" Nguồn / source: {case.source}."
    return Comment(
        principal=start.principal,
        id=f"sample/{case.key}/note",
        case=one.run.id,
        happened_on=one.day.isoformat(),
        text=text,
    )


def _fire_past(loading: _Load, started: list[str], until: date) -> None:
    if started:
        # Every case of the store: the engine opens periodic children of its own, and their days pass as well.
        loading.summary.timers += timers.fire_past(loading.engine, (), until)


def _command(loading: _Load, one: Happening) -> Command:
    """Return the command of one step, with the papers that the definition asks for."""
    run, step = one.run, one.step
    assert step is not None  # noqa: S101 - a happening is a step or a month
    definition = loading.engine.definitions.newest(run.case.definition)
    sent: dict[str, Any] = {
        "principal": _principal(loading, run, step.seat, one.day),
        "id": f"sample/{run.case.key}/{one.number}",
        "happened_on": one.day.isoformat(),
        "reason": step.reason,
    }
    if step.kind == "vote":
        return Vote(case=run.id, trigger=step.word, verdict="yes", **sent)
    values = spoken(step, run, one.day)
    if one.number == 0:
        asked = [name for name in definition.start.needs.fields if name in run.case.values]
        values = {name: run.case.values[name] for name in asked} | values
        sent |= {
            "definition": definition.name, "parent": run.above.id if run.above else "", "values": values,
            "parties": _parties(loading, run, definition), "plan_year": None if run.above else run.case.plan_year,
        }  # fmt: skip
        command: Command = Start(**sent)
    else:
        papers = _papers(loading, one, _triggers(definition, step.word), values)
        command = Fire(case=run.id, trigger=step.word, values=values, documents=papers, **sent)
    run.values = {**(run.values or {}), **values}
    _remember(run, definition, one)
    return command


def _remember(run: Run, definition: Definition, one: Happening) -> None:
    """Keep what later steps count with: the day of the decision, and what an advance has paid its project."""
    word = one.step.word if one.step else ""
    if any(trigger.decides for trigger in _triggers(definition, word)):
        run.decided_on = one.day
    if one.ends and run.above is not None and definition.summary.get("amount") == "amount_vnd":
        run.above.advanced_vnd += int(str((run.values or {})["amount_vnd"]))


def _triggers(definition: Definition, word: str) -> list[Trigger]:
    return [state.triggers[word] for state in definition.states.values() if word in state.triggers]


def _principal(loading: _Load, run: Run, seat: str, day: date) -> Principal:
    key, _ = _person_in(loading, run, seat, day)
    return Principal("import", loading.ids[key], "import")


def _person_in(loading: _Load, run: Run, seat: str, day: date) -> tuple[str, str]:
    """Return the key and the name of whoever holds a seat of the case on a day.

    Errors:
        SampleWrong: nobody does.
    """
    party, _, role = seat.partition(".")
    organisation = run.file.parties.get(party, "")
    for file in loading.sample.files:
        for key, one in file.people.items():
            if one["at"] == organisation and one["role"] == role and one["from"] <= day.isoformat():
                return key, str(one["name"])
    raise SampleWrong(where=run.case.key, why=f"{seat}: không có người / nobody")


def _parties(loading: _Load, run: Run, definition: Definition) -> dict[str, str]:
    own = {party: loading.ids[key] for party, key in run.case.parties.items()}
    if run.above is not None:
        return own
    return {
        party: loading.ids[key] for party, key in run.file.parties.items() if party in definition.parties
    } | own


def _papers(
    loading: _Load, one: Happening, triggers: list[Trigger], values: dict[str, Any]
) -> tuple[Document, ...]:
    """Return the papers that the step asks for and the case does not yet have, with made-up numbers."""
    run = one.run
    wanted: dict[str, None] = {}
    for trigger in triggers:
        wanted |= dict.fromkeys(trigger.needs.documents)
        for key in trigger.needs.document_rules:
            wanted |= dict.fromkeys(_ruled(loading, run, key, values, one.day))
    attached = run.attached if run.attached is not None else set()
    missing = [name for name in wanted if name not in attached]
    attached.update(missing)
    return tuple(_paper(loading, name, one, place) for place, name in enumerate(missing))


def _ruled(loading: _Load, run: Run, key: str, values: dict[str, Any], day: date) -> Iterable[str]:
    known = {**(run.above.values or {} if run.above else {}), **(run.values or {}), **values}
    decided = run.decided_on or (run.above.decided_on if run.above else None)
    book = loading.engine.rules
    value = book.resolve(key, {name: known.get(name) for name in book.asks(key)}, decided or day)
    if value.value is None:
        raise SampleWrong(where=run.case.key, why=f"{key}: chưa xác minh / not verified")
    return tuple(value.value)  # type: ignore[arg-type]


def _paper(loading: _Load, name: str, one: Happening, place: int) -> Document:
    """Return a made-up paper, signed with the made-up name of whoever takes the step."""
    seat = one.step.seat if one.step else one.monthly.seat if one.monthly else ""
    _, signer = _person_in(loading, one.run, seat, one.day)
    number = f"{one.number + 1}-{place + 1}/{one.day.year}/MAU"
    return Document(name, number, one.day.isoformat(), signer, title="Số liệu mẫu")


def _reports(loading: _Load, one: Happening) -> Iterable[Command]:
    """Return a command for each open periodic child of the case."""
    monthly = one.monthly
    assert monthly is not None  # noqa: S101 - a happening is a step or a month
    found = reports.open_children(loading.engine.store, one.run.id, monthly.definition, one.day)
    triggers = _triggers(loading.engine.definitions.newest(monthly.definition), monthly.fire)
    wanted = dict.fromkeys(name for trigger in triggers for name in trigger.needs.documents)
    papers = tuple(_paper(loading, name, one, place) for place, name in enumerate(wanted))
    for case in found:
        yield Fire(
            principal=_principal(loading, one.run, monthly.seat, one.day), id=f"sample/{case}", case=case,
            trigger=monthly.fire, happened_on=one.day.isoformat(), documents=papers,
        )  # fmt: skip
