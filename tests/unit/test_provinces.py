from __future__ import annotations

from datetime import date

import pytest

from engine.provinces import ProvincesRefused, ProvinceUnknown, read_provinces

SMALL = """
units:
  can_tho: {name: Cần Thơ, kind: city, grade: general}
  cao_bang: {name: Cao Bằng, kind: province, grade: general}
  soc_trang: {name: Sóc Trăng, kind: province, to: "2025-06-30", into: can_tho, grade: general}
"""
LAST, FIRST = date(2025, 6, 30), date(2025, 7, 1)


def test_a_unit_is_answered_for_by_its_successor_from_the_day_after_it_ended() -> None:
    provinces = read_provinces(SMALL)
    assert provinces.today_of("soc_trang", LAST).word == "soc_trang"
    assert provinces.today_of("soc_trang", FIRST).word == "can_tho"
    assert provinces.before("can_tho", LAST) == {"can_tho"}
    assert provinces.before("can_tho", FIRST) == {"can_tho", "soc_trang"}
    assert [unit.word for unit in provinces.on(FIRST)] == ["can_tho", "cao_bang"]


def test_an_unknown_province_gets_a_suggestion() -> None:
    with pytest.raises(ProvinceUnknown) as refused:
        read_provinces(SMALL).get("soctrang")
    assert refused.value.facts["suggestion"] == "soc_trang"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("  x: {name: X, kind: province, grade: general, too: 1}", "to?"),
        ("  x: {name: X, kind: district, grade: general}", "kind"),
        ("  x: {name: X, kind: province, grade: proven}", "grade"),
        ("  x: {name: X, kind: province}", "grade"),
        ('  x: {name: X, kind: province, grade: general, to: "2025-06-31", into: can_tho}', "2025-06-31"),
        ('  x: {name: X, kind: province, grade: general, to: "2025-06-30"}', "belong together"),
        ('  x: {name: X, kind: province, grade: general, to: "2025-06-30", into: cantho}', "can_tho?"),
        (
            '  x: {name: X, kind: province, grade: general, to: "2025-06-30", into: soc_trang}',
            "no such successor",
        ),
        ("  x: X", "name"),
    ],
)
def test_a_wrong_line_is_named(line: str, why: str) -> None:
    with pytest.raises(ProvincesRefused) as refused:
        read_provinces(SMALL + line)
    assert refused.value.facts["line"] == 6
    assert why in refused.value.sentence("en")


def test_a_file_without_units_is_refused() -> None:
    with pytest.raises(ProvincesRefused):
        read_provinces("provinces: vn")
