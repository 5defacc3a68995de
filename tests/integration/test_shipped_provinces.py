from __future__ import annotations

from datetime import date
from pathlib import Path

from engine.provinces import read_provinces
from engine.sort_text import search_text

SHIPPED = Path(__file__).parents[2] / "workflows" / "provinces.yaml"


def test_sixty_three_became_thirty_four_on_the_first_of_july_2025() -> None:
    # given
    provinces = read_provinces(SHIPPED.read_bytes())
    before, after = provinces.on(date(2025, 6, 30)), provinces.on(date(2025, 7, 1))
    # then
    assert (len(before), len(after)) == (63, 34)
    assert sum(unit.kind == "city" for unit in after) == 6
    assert {unit.word for unit in after} <= {unit.word for unit in before}


def test_the_provinces_of_the_sample_have_the_successors_that_are_known() -> None:
    provinces = read_provinces(SHIPPED.read_bytes())
    day = date(2025, 7, 1)
    words = ("soc_trang", "ca_mau", "vinh_long", "an_giang", "cao_bang", "phu_yen")
    assert [provinces.today_of(word, day).word for word in words] == [
        "can_tho",
        "ca_mau",
        "vinh_long",
        "an_giang",
        "cao_bang",
        "dak_lak",
    ]
    assert provinces.before("vinh_long", day) == {"vinh_long", "ben_tre", "tra_vinh"}


def test_eleven_units_took_nobody_in() -> None:
    provinces = read_provinces(SHIPPED.read_bytes())
    day = date(2025, 7, 1)
    alone = [unit.word for unit in provinces.on(day) if provinces.before(unit.word, day) == {unit.word}]
    assert len(alone) == 11


def test_each_word_is_its_name_without_marks() -> None:
    for word, unit in read_provinces(SHIPPED.read_bytes()).units.items():
        bare = search_text(unit.name).replace(" - ", "_").replace(" ", "_")
        assert bare.removeprefix("thanh_pho_") == word
