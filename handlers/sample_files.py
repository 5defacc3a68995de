"""The sample's files as data: who there is, which cases, how they went.

A file of `samples/` is one province: organisations, people, establishments, budget lines and cases with their
own amounts. `courses.yaml` holds dated steps that many cases share. Everything that is made up says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine.errors import Refused, Words
from engine.yaml_text import plain, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: A whole province with all its cases; larger than what a definition may be.
LIMIT_BYTES = 1_048_576
#: Share of a money field, in hundredths of a percent.
WHOLE = 10_000


class SampleWrong(Refused):
    """A sample file says something that can't be done; what was loaded before it stays."""

    code = "sample_wrong"
    words = Words(
        "Dữ liệu mẫu {where} không dùng được: {why}. Hãy sửa tệp rồi chạy lại; phần đã nạp được giữ nguyên.",
        "The sample {where} can't be used: {why}. Correct the file and run again; what is loaded stays.",
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody did.

    Shapes:
        kind: "fire", "vote" or "start". word: trigger, or the child definition to start.
        seat: party and role of whoever did it ("centre.officer"); empty for `start`.
        values: field -> value, or a word for one ({same: …}, {day: …}, {share: …}, {rest_of: …}).
        course: of the child, for `start`.
    Units:
        after: days since the step before.
    """

    kind: str
    word: str
    after: int
    seat: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    course: str = ""


@dataclass(frozen=True, slots=True)
class SampleCase:
    """One case as the file tells it.

    Shapes:
        key: unique in the sample. definition: name. until: last step that was taken, or empty for all.
        dates: trigger -> the day it was fired, where it is not counted from the step before.
        parties: party -> key. values: field -> value. invented: which of them are made up. slots: its children.
    """

    key: str
    definition: str
    plan_year: int
    begins: date
    course: str
    until: str
    dates: Mapping[str, date]
    parties: Mapping[str, str]
    values: Mapping[str, Any]
    invented: tuple[str, ...]
    source: str = ""
    slots: tuple[SampleCase, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file.

    Shapes:
        organisations, people, establishments: key -> words as written. budget_lines: words of each.
        parties: party -> key of the organisation, for every case of the file.
    """

    name: str
    title: Words
    organisations: Mapping[str, Mapping[str, Any]]
    people: Mapping[str, Mapping[str, Any]]
    establishments: Mapping[str, Mapping[str, Any]]
    budget_lines: tuple[Mapping[str, Any], ...]
    parties: Mapping[str, str]
    cases: tuple[SampleCase, ...]

    def all_cases(self) -> Iterator[SampleCase]:
        """Return every case, each project before its slots."""
        for case in self.cases:
            yield case
            yield from case.slots


@dataclass(frozen=True, slots=True)
class Monthly:
    """What is done each month with open children of one definition. Shapes: on: day of the month, 1 to 28."""

    definition: str
    fire: str
    seat: str
    on: int


@dataclass(frozen=True, slots=True)
class Sample:
    """All files of one folder. Shapes: courses: name -> steps in order; files: the central bodies first."""

    courses: Mapping[str, tuple[Step, ...]]
    monthly: tuple[Monthly, ...]
    files: tuple[SampleFile, ...]


def read_sample(folder: Path) -> Sample:
    """Return the sample of a folder.

    Errors:
        YamlRefused: a file is not our part of YAML. SampleWrong: it speaks of what is not there.
    """
    courses: dict[str, tuple[Step, ...]] = {}
    monthly: list[Monthly] = []
    files: list[SampleFile] = []
    for path in sorted(folder.glob("*.yaml")):
        data = plain(read(path.read_bytes(), name=path.name, limit_bytes=LIMIT_BYTES))
        if "courses" in data:
            courses |= {
                name: tuple(map(_step, steps)) for name, steps in data.items() if isinstance(steps, list)
            }
            if one := data.get("monthly"):
                monthly.append(Monthly(one["definition"], one["fire"], one["as"], one["on"]))
        elif "sample" in data:
            files.append(_file(data))
    for file in files:
        for case in file.all_cases():
            if case.course not in courses:
                raise SampleWrong(where=f"{file.name}: {case.key}", why=f"không có / no course {case.course}")
    files.sort(key=lambda one: (bool(one.cases), one.name))
    return Sample(courses, tuple(monthly), tuple(files))


def _step(given: Mapping[str, Any]) -> Step:
    kind = next(word for word in ("fire", "vote", "start") if word in given)
    return Step(
        kind, given[kind], given["after"], given.get("as", ""), given.get("values", {}), given.get("reason", ""),
        given.get("course", ""),
    )  # fmt: skip


def _file(data: Mapping[str, Any]) -> SampleFile:
    return SampleFile(
        name=data["sample"],
        title=Words(data["title"]["vi"], data["title"]["en"]),
        organisations=data.get("organisations") or {},
        people=data.get("people") or {},
        establishments=data.get("establishments") or {},
        budget_lines=tuple(data.get("budget_lines") or ()),
        parties=data.get("parties") or {},
        cases=tuple(_case(one, data["sample"]) for one in data.get("cases") or ()),
    )


def _case(given: Mapping[str, Any], province: str, above: SampleCase | None = None) -> SampleCase:
    values = {
        "province": province,
        "programme": "national" if given.get("definition") == "national_project" else "local",
        **given["values"],
    }
    values.setdefault("eligible_cost_vnd", values["support_vnd"] + values["counterpart_vnd"])
    if above is not None:
        values = {**above.values, **values, "programme": above.values["programme"]}
    case = SampleCase(
        key=given["key"],
        definition=given.get("definition", "beneficiary_slot"),
        plan_year=given["plan_year"] if above is None else above.plan_year,
        begins=date.fromisoformat(given["begins"]),
        course=given["course"],
        until=given.get("until", ""),
        dates={word: date.fromisoformat(day) for word, day in (given.get("dates") or {}).items()},
        parties=given.get("parties") or {},
        values=values,
        invented=tuple(given.get("invented") or ()),
        source=given.get("source", ""),
    )
    slots = tuple(_case(one, province, case) for one in given.get("slots") or ())
    return case if not slots else _with_slots(case, slots)


def _with_slots(case: SampleCase, slots: tuple[SampleCase, ...]) -> SampleCase:
    return SampleCase(
        case.key, case.definition, case.plan_year, case.begins, case.course, case.until, case.dates, case.parties,
        case.values, case.invented, case.source, slots,
    )  # fmt: skip


def timeline(
    case: SampleCase, steps: tuple[Step, ...], next_working: Callable[[date], date]
) -> Iterator[tuple[date, int, Step]]:
    """Return (day, number, step) of each step that the case took, in order.

    Errors:
        SampleWrong: a day of the file lies before the step that it follows.
    """
    day = case.begins
    for number, step in enumerate(steps):
        named = case.dates.get(step.word) if step.kind != "vote" else None
        if named is not None and named < day:
            raise SampleWrong(where=case.key, why=f"{step.word}: {named} < {day}")
        day = named or next_working(day + timedelta(days=step.after))
        yield day, number, step
        if step.word == case.until and step.kind != "vote":
            return


def said(value: Any, day: date, values: Mapping[str, Any], advanced_vnd: int) -> Any:
    """Return what a step's value stands for.

    Shapes:
        values: of the case. advanced_vnd: what its advances have paid so far.
    """
    if not isinstance(value, dict):
        return value
    word, given = next(iter(value.items()))
    match word:
        case "day":
            return (day + timedelta(days=given)).isoformat()
        case "same":
            return values.get(given)
        case "share":
            return (values[given[0]] * given[1] + WHOLE // 2) // WHOLE
        case "rest_of":
            return values[given] - advanced_vnd
        case _:
            raise SampleWrong(where=word, why="day, same, share, rest_of")
