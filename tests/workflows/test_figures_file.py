"""The file of published figures: a row that says too little is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.reports import FigureWrong, read_figures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{id: a, province: p}", "what"),
        (
            "{id: a, province: p, what: {vi: v, en: e}, unit: vnd, source: s, ours: {definition: d}}",
            "published",
        ),
        (
            "{id: a, province: p, what: {vi: v, en: e}, unit: vnd, source: s, published: 1, ours: {definition: d}}",
            "qualifier",
        ),
        (
            (
                "{id: a, province: p, what: {vi: v, en: e}, unit: vnd, source: s, published: 1, qualifier: over, "
                "tolerance: 3, ours: {definition: d}}"
            ),
            "tolerance",
        ),
    ],
)
def test_a_row_that_says_too_little_is_refused(tmp_path: Path, row: str, why: str) -> None:
    file = tmp_path / "figures.yaml"
    file.write_text(f"figures: x\nlanguage: 1\nrows:\n  - {row}\n")
    with pytest.raises(FigureWrong) as refused:
        read_figures(file)
    assert why in str(refused.value.facts["why"])
