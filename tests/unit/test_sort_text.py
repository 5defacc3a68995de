from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sort_text import like_pattern, search_text, sort_text
from tests.properties import tries


def test_vietnamese_words_lose_their_marks_and_d_with_stroke() -> None:
    assert search_text("Sở  Công Thương tỉnh Đắk Lắk") == "so cong thuong tinh dak lak"
    assert search_text("ĐẶNG THỊ ƯỚC") == "dang thi uoc"


def test_composed_and_decomposed_text_give_the_same_key() -> None:
    text = "Cục Đổi mới sáng tạo, Chuyển đổi xanh và Khuyến công"
    assert sort_text(unicodedata.normalize("NFD", text)) == sort_text(text)


def test_provinces_sort_as_a_reader_expects() -> None:
    # given
    wanted = [
        "An Giang",
        "Cà Mau",
        "Cao Bằng",
        "Đắk Lắk",
        "Điện Biên",
        "Đồng Tháp",
        "Huế",
        "Lạng Sơn",
        "Vĩnh Long",
    ]
    # when / then
    shuffled = wanted[::-1]
    assert sorted(shuffled, key=sort_text) == wanted


def test_the_original_breaks_a_tie() -> None:
    # given words that differ by marks only
    words = ["mã", "ma", "má"]
    # then the order is total and the same from every start
    assert len({sort_text(word) for word in words}) == 3
    assert sorted(words, key=sort_text) == sorted(["má", "ma", "mã"], key=sort_text)


def test_a_shorter_name_comes_before_its_longer_one() -> None:
    assert sorted(["An Giang A", "An Giang"], key=sort_text) == ["An Giang", "An Giang A"]


@pytest.mark.parametrize(("asked", "pattern"), [("100%", "%100\\%%"), ("a_b", "%a\\_b%"), ("\\", "%\\\\%")])
def test_wild_cards_are_taken_literally(asked: str, pattern: str) -> None:
    assert like_pattern(asked) == pattern


@tries(25)
@given(st.text(max_size=40))
def test_searching_twice_changes_nothing(text: str) -> None:
    assert search_text(search_text(text)) == search_text(text)
