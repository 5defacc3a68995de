"""Figures beside ours: what each qualifier allows, and what a row of the file must say."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import Words
from engine.reports import CaseRow, Figure, FigureWrong, Ours, compare


def _row(amount: int, **more: Any) -> CaseRow:
    data = {"support_vnd": amount, **more}
    return CaseRow(
        "local_project", "X", "payment", "settlement", None, 2023, "ca_mau", "machinery", amount, data
    )


def _figure(qualifier: Any = "exact", published: int | None = 100, **more: Any) -> Figure:
    where = more.pop("where", {})
    sums = more.pop("sums", ("support_vnd",))
    ours = Ours(("local_project",), where, sums)
    return Figure("f", "ca_mau", Words("v", "e"), "vnd", "seed", ours, published, qualifier, **more)


@pytest.mark.parametrize(
    ("qualifier", "tolerance", "ours", "within"),
    [
        ("exact", 0, 100, True), ("exact", 0, 101, False), ("exact", 0, 99, False), ("exact", 1, 101, True),
        ("about", 5, 95, True), ("about", 5, 94, False),
        ("over", 10, 101, True), ("over", 10, 110, True), ("over", 10, 100, False), ("over", 10, 111, False),
        ("nearly", 10, 99, True), ("nearly", 10, 90, True), ("nearly", 10, 100, False), ("nearly", 10, 89, False),
    ],
)  # fmt: skip
def test_each_qualifier_allows_what_it_says(qualifier: str, tolerance: int, ours: int, within: bool) -> None:
    found = compare([_figure(qualifier, tolerance=tolerance)], [_row(ours)])[0]
    assert (found.ours, found.difference, found.within) == (ours, ours - 100, within)


def test_a_kept_sum_holds_an_inexact_figure_still() -> None:
    figure = _figure("over", tolerance=50, kept=120)
    assert compare([figure], [_row(120)])[0].within
    assert not compare([figure], [_row(121)])[0].within


def test_a_figure_that_nobody_printed_has_no_difference() -> None:
    found = compare([_figure("", None, kept=7)], [_row(7)])[0]
    assert (found.published, found.difference, found.within) == (None, None, True)


@pytest.mark.parametrize(
    ("where", "counted"),
    [
        ({"plan_year": 2023}, 2),
        ({"plan_year": {"from": 2024}}, 0),
        ({"category": ["machinery", "brand"]}, 2),
        ({"accepted_on": {"from": "2023-01-01", "to": "2023-09-30"}}, 1),
        ({"accepted_on": {"set": False}}, 1),
    ],
)
def test_a_condition_looks_at_columns_and_fields(where: dict[str, Any], counted: int) -> None:
    rows = [_row(1, accepted_on="2023-09-30"), _row(1)]
    assert compare([_figure(where=where, sums=())], rows)[0].ours == counted


def test_a_condition_or_field_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(FigureWrong):
        compare([_figure(where={"plan_year": {"until": 2024}})], [_row(1)])
    with pytest.raises(FigureWrong):
        compare([_figure(sums=("title",))], [_row(1, title="x")])
