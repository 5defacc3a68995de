"""The sample of five provinces: carried to its end by commands, and adding up to what was printed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from engine import records, reports
from handlers import sample
from handlers.sample_files import read_sample
from tests.workflows.sample_store import SAMPLES

if TYPE_CHECKING:
    from engine.engine import Engine

    Loaded = tuple[Engine, sample.Summary]

FIGURES = SAMPLES / "figures.yaml"
#: What a case of the sample states, and under which field it can be changed there.
AMOUNTS = ("support_vnd", "counterpart_vnd", "accepted_support_vnd", "accepted_counterpart_vnd", "jobs")
PROJECTS = ("national_project", "local_project", "beneficiary_slot")


def test_every_published_figure_agrees_with_the_sample_within_its_stated_tolerance(loaded: Loaded) -> None:
    engine, _ = loaded
    figures = reports.read_figures(FIGURES)
    rows = reports.compare(figures, reports.case_rows(engine.store))
    for row in rows:
        print(row.id, row.qualifier, row.published, row.ours, row.difference)
    assert len(rows) == len(figures) > 50
    assert [row.id for row in rows if not row.within] == []


def test_the_rounding_of_the_soc_trang_article_is_shown_and_not_corrected(loaded: Loaded) -> None:
    engine, _ = loaded
    rows = {row.id: row for row in reports.seeds(reports.read_figures(FIGURES), engine.store)}
    found = rows["st_local_accepted_total"]
    assert (found.published, found.ours, found.difference) == (1_961_560_000, 1_961_600_000, 40_000)
    assert found.within
    assert found.reason is not None
    assert rows["st_local_accepted_support"].difference == 0


def test_changing_any_one_amount_by_one_dong_breaks_a_figure_that_is_named(loaded: Loaded) -> None:
    # given every case of the sample as the store holds it, and what its file states of it
    engine, _ = loaded
    figures = reports.read_figures(FIGURES)
    rows = [row for row in reports.case_rows(engine.store) if row.name in PROJECTS]
    by_province: dict[str | None, list[reports.CaseRow]] = {}
    for row in rows:
        by_province.setdefault(row.scope, []).append(row)
    changed, unnoticed = 0, []
    for province, family in by_province.items():
        own = [one for one in figures if one.province == province]
        for place, row in enumerate(family):
            for word in AMOUNTS:
                if not isinstance(row.data.get(word), int) or (word == "jobs" and province != "ca_mau"):
                    continue
                # Accepted sums of the other cases are what was approved, copied by the course, and no amount of the file.
                if word.startswith("accepted") and province != "soc_trang":
                    continue
                # when one amount is one đồng more
                other = replace(row, data={**row.data, word: row.data[word] + 1})
                broken = [
                    one.id
                    for one in reports.compare(own, [*family[:place], other, *family[place + 1 :]])
                    if not one.within
                ]
                # then a figure says so
                changed += 1
                if not broken and not _after_the_article(row, word):
                    unnoticed.append((row.code, word))
    print("amounts changed:", changed)
    assert changed > 400
    assert unnoticed == []


def _after_the_article(row: reports.CaseRow, word: str) -> bool:
    """Say whether an accepted sum is none that the article of September 2023 could count."""
    if not word.startswith("accepted"):
        return False
    return row.data["accepted_on"] > "2023-09-30" or row.data.get("project_kind") == "group"


def test_the_store_holds_every_amount_that_the_files_state(loaded: Loaded) -> None:
    engine, _ = loaded
    held = {(row.name, row.data.get("title"), row.data.get("support_vnd"), row.data.get("counterpart_vnd"))
            for row in reports.case_rows(engine.store)}  # fmt: skip
    stated = [case for file in read_sample(SAMPLES).files for case in file.all_cases()]
    assert len(stated) > 180
    for case in stated:
        values = case.values
        key = (case.definition, values["title"], values["support_vnd"], values["counterpart_vnd"])
        assert key in held, case.key


def test_each_case_says_what_is_invented_or_where_it_comes_from() -> None:
    for file in read_sample(SAMPLES).files:
        for case in file.all_cases():
            assert case.invented or case.source, case.key
            stated = {"support_vnd", "counterpart_vnd"} - set(case.invented)
            assert not stated or case.source, f"{case.key}: {stated} without a source"
        for key, one in file.people.items():
            assert one.get("invented") is True, key
        for key, one in file.establishments.items():
            assert one.get("invented") is True or one.get("source"), key


def test_a_second_run_repeats_every_command_and_adds_nothing(loaded: Loaded) -> None:
    engine, first = loaded
    before = _counts(engine)
    again = sample.load(engine, SAMPLES, lambda *_: None)
    assert again.repeated == again.commands > 3_000
    assert again.cases == first.cases
    assert _counts(engine) == before


def _counts(engine: Engine) -> dict[str, int]:
    tables = (records.workflow_case, records.transition_log, records.notice, records.outbox, records.timer)
    with engine.store.read() as connection:
        return {
            one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables
        }


def test_loading_the_past_owes_nobody_a_message(loaded: Loaded) -> None:
    engine, _ = loaded
    with engine.store.read() as connection:
        told = connection.execute(select(func.count()).select_from(records.notice)).scalar_one()
        owed = connection.execute(
            select(func.count()).select_from(records.notice).where(records.notice.c.suppressed.is_(None))
        ).scalar_one()
        ringing = connection.execute(
            select(func.count()).select_from(records.outbox).where(records.outbox.c.topic.like("notice%"))
        ).scalar_one()
    assert told > 1_000
    assert (owed, ringing) == (0, 0)


def test_the_machinery_group_of_soc_trang_is_partly_accepted_by_its_slots(loaded: Loaded) -> None:
    engine, _ = loaded
    rows = [
        row for row in reports.case_rows(engine.store) if row.scope == "soc_trang" and row.plan_year == 2023
    ]
    group = next(
        row for row in rows if row.name == "national_project" and row.data["project_kind"] == "group"
    )
    slots = [row for row in rows if row.name == "beneficiary_slot"]
    assert group.state == "partly_accepted"
    assert sorted(row.state for row in slots) == ["investing", "investing", "paid", "paid", "paid"]


@pytest.mark.parametrize(
    ("province", "projects"),
    [("soc_trang", 18), ("ca_mau", 20), ("vinh_long", 102), ("cao_bang", 6), ("an_giang", 14)],
)
def test_each_province_brings_its_projects_and_their_phases(
    loaded: Loaded, province: str, projects: int
) -> None:
    engine, _ = loaded
    rows = [
        row
        for row in reports.case_rows(engine.store, ("national_project", "local_project"))
        if row.scope == province
    ]
    assert len(rows) == projects
    running = {row.state for row in rows if row.final is None}
    assert running <= ({"partly_accepted", "in_progress"} if province == "soc_trang" else set())


def test_each_case_of_the_sample_carries_the_note_that_it_is_made_up(loaded: Loaded) -> None:
    engine, summary = loaded
    table = records.transition_log
    with engine.store.read() as connection:
        noted = connection.execute(select(func.count()).where(table.c.kind == "comment")).scalar_one()
    assert noted == summary.cases


def test_no_finished_national_project_of_the_sample_breaks_a_date_of_the_law(loaded: Loaded) -> None:
    # given the day of each move of each national project
    engine, _ = loaded
    table = records.transition_log
    rows = {row.code: row for row in reports.case_rows(engine.store, ("national_project",))}
    cases = records.workflow_case
    asked = select(cases.c.code, table.c.entry).where(cases.c.id == table.c.subject).order_by(table.c.seq)
    with engine.store.read() as connection:
        entries = [(one, json.loads(entry)) for one, entry in connection.execute(asked) if one in rows]
    days = {(one, entry["trigger"]): date.fromisoformat(entry["happened_on"]) for one, entry in entries}
    finished = 0
    for key, row in rows.items():
        # then the list went to the agency before 20 June of the year before (before July 2018: 15 June)
        year = (row.plan_year or 0) - 1
        assert days[key, "report_registration"] < date(year, 6, 15 if year < 2018 else 20), row.code
        if (filed := days.get((key, "file_settlement"))) is None:
            continue
        finished += 1
        # and the dossier came within 15 days of the last acceptance, the liquidation by 22 January
        assert (filed - date.fromisoformat(row.data["accepted_on"])).days <= 15, row.code
        assert days[key, "close"] <= date(year + 2, 1, 22), row.code
    assert finished > 20
