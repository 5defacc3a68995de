"""The sample's cases as one list of dated happenings, in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from handlers.sample_files import said, timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.definition import Definition
    from handlers.sample_files import Monthly, Sample, SampleCase, SampleFile, Step

_DECEMBER = 12


@dataclass(slots=True)
class Run:
    """One case on its way.

    Shapes:
        above: the run of its parent, or None. id: of the case, once it is there.
        values: what steps have said so far, on top of the file's. attached: kinds of paper that are on it.
        decided_on: from then on the rules of that day count. advanced_vnd: what its advances have paid.
    """

    case: SampleCase
    file: SampleFile
    above: Run | None = None
    id: str = ""
    values: dict[str, object] | None = None
    attached: set[str] | None = None
    decided_on: date | None = None
    advanced_vnd: int = 0

    def __post_init__(self) -> None:
        self.values = dict(self.case.values)
        self.attached = set()


@dataclass(frozen=True, slots=True)
class Happening:
    """One step of one case on its day, or (step None) the month's reports of a case.

    Shapes:
        number: of the step in its course; 0 opens the case. ends: the step is the last of the case.
    """

    day: date
    run: Run
    number: int
    step: Step | None = None
    monthly: Monthly | None = None
    ends: bool = False


def happenings(
    sample: Sample,
    definition: Callable[[str], Definition],
    next_working: Callable[[date], date],
    today: date,
) -> list[Happening]:
    """Return everything that happened, by day; on one day a project before its children.

    Errors:
        SampleWrong: the days of a case can't be.
    """
    found: list[tuple[date, int, int, int, Happening]] = []
    order = 0
    for file in sample.files:
        for project in file.cases:
            top = Run(project, file)
            for depth, run in _family(sample, top, next_working):
                order += 1
                found += [
                    (one.day, depth, order, one.number, one)
                    for one in _of_case(sample, run, definition, next_working, today)
                ]
    return [one for *_, one in sorted(found, key=lambda row: row[:4])]


def _family(sample: Sample, top: Run, next_working: Callable[[date], date]) -> Iterator[tuple[int, Run]]:
    """Return a project, the children that its course starts, and its slots."""
    yield 0, top
    steps = sample.courses[top.case.course]
    for day, number, step in timeline(top.case, steps, next_working):
        if step.kind == "start":
            child = replace(
                top.case, key=f"{top.case.key}-{step.word}-{number}", definition=step.word, begins=day,
                course=step.course, until="", dates={}, parties={}, slots=(),
            )  # fmt: skip
            yield 1, Run(child, top.file, top)
    for slot in top.case.slots:
        yield 1, Run(slot, top.file, top)


def _of_case(
    sample: Sample,
    run: Run,
    definition: Callable[[str], Definition],
    next_working: Callable[[date], date],
    today: date,
) -> Iterator[Happening]:
    taken = list(timeline(run.case, sample.courses[run.case.course], next_working))
    for day, number, step in taken:
        if step.kind != "start" and day <= today:
            yield Happening(day, run, number, step, ends=step is taken[-1][2])
    own = definition(run.case.definition)
    ended = len(taken) == len(sample.courses[run.case.course])
    for monthly in sample.monthly:
        if any(one.definition == monthly.definition for state in own.states.values() for one in state.starts):
            last = taken[-1][0] if ended else today
            for number, day in enumerate(_months(taken[0][0], last, monthly.on)):
                yield Happening(next_working(day), run, len(taken) + number, monthly=monthly)


def _months(first: date, last: date, on: int) -> Iterator[date]:
    day = date(first.year, first.month, on)
    while (day := date(day.year + day.month // _DECEMBER, day.month % _DECEMBER + 1, on)) < last - timedelta(
        days=7
    ):
        yield day


def spoken(step: Step, run: Run, day: date) -> dict[str, object]:
    """Return the values that a step says, as the engine takes them; those the file leaves open are left out."""
    values = run.values or {}
    paid = run.advanced_vnd
    found = {name: said(value, day, values, paid) for name, value in step.values.items()}
    return {name: value for name, value in found.items() if value is not None}
