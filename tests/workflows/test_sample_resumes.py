"""Loading the sample is broken off and taken up again: the store ends up as if nothing had happened."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from engine import records
from handlers import sample
from handlers.sample_files import SampleWrong
from tests.workflows.sample_store import SAMPLES, new_engine

if TYPE_CHECKING:
    from pathlib import Path

    from engine.engine import Engine


class BrokenOff(Exception):
    """Stands for a process that ends."""


@pytest.fixture
def one_province(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    for name in ("central", "courses", "an_giang"):
        shutil.copy(SAMPLES / f"{name}.yaml", folder)
    return folder


def _moves(engine: Engine) -> list[tuple[str, int, str | None]]:
    cases, log = records.workflow_case, records.transition_log
    asked = select(cases.c.code, log.c.seq, log.c.trigger).where(log.c.subject == cases.c.id)
    with engine.store.read() as connection:
        return [tuple(row) for row in connection.execute(asked.order_by(cases.c.code, log.c.seq))]


def test_a_run_that_was_broken_off_is_finished_by_the_next(tmp_path: Path, one_province: Path) -> None:
    # given a run that ends in the middle
    broken, whole = new_engine(tmp_path / "broken.db"), new_engine(tmp_path / "whole.db")

    def break_off(_word: str, done: int, _all: int) -> None:
        if done > 150:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        sample.load(broken, one_province, break_off)
    # when it is run again
    before = len(_moves(broken))
    summary = sample.load(broken, one_province, lambda *_: None)
    sample.load(whole, one_province, lambda *_: None)
    # then what was done is repeated, the rest is added, and the store says what it would have said
    assert summary.repeated > 150
    assert len(_moves(broken)) > before
    assert _moves(broken) == _moves(whole)
    for engine in (broken, whole):
        engine.store.close()


def test_a_refused_command_stops_the_loading_and_says_which(tmp_path: Path, one_province: Path) -> None:
    # given a sample in which a slot asks for more than its project has
    file = one_province / "an_giang.yaml"
    file.write_text(file.read_text().replace("support_vnd: 1200000000", "support_vnd: 1199999999", 1))
    engine = new_engine(tmp_path / "wrong.db")
    # when it is loaded
    with pytest.raises(SampleWrong) as wrong:
        sample.load(engine, one_province, lambda *_: None)
    # then the step and the reason are named
    assert "ag-dp-01" in str(wrong.value.facts["where"])
    assert "Cùng với các suất khác của đề án là 1.200.000.000 đồng" in str(wrong.value.facts["why"])
    engine.store.close()
