"""What people read: sums, days, and the words of notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import notice_texts, words
from handlers.notice_texts import NoticeNotRendered, NoticeTextRefused, NoticeUnknown
from handlers.words import AmountOutOfRange, AmountUnclear, DayUnclear, NumberUnclear
from tests.properties import tries

SHIPPED = Path(__file__).parents[2] / "workflows" / "notices.yaml"


@pytest.mark.parametrize(
    ("given_text", "vnd"),
    [
        ("300000000", 300_000_000),
        ("300.000.000", 300_000_000),
        ("300 triệu", 300_000_000),
        ("300 triệu đồng", 300_000_000),
        ("1,5 tỷ", 1_500_000_000),
        ("1.978,092 triệu", 1_978_092_000),
        ("0", 0),
        ("1.000.000 tỷ", 10**15),
        ("500 nghìn", 500_000),
        ("300 TR", 300_000_000),
    ],
)
def test_money_is_read_as_officers_write_it(given_text: str, vnd: int) -> None:
    assert words.read_money(given_text) == vnd


@pytest.mark.parametrize(
    "given_text", ["", "1.5 tỷ", "- ba", "ba trăm", "1,000,000", "10.00", "300 trieeu", "1e9", "٣٠٠ x"]
)
def test_an_unclear_sum_is_refused_with_the_ways_to_write_it(given_text: str) -> None:
    with pytest.raises(AmountUnclear) as refused:
        words.read_money(given_text)
    assert "300 triệu" in refused.value.sentence("vi")


@pytest.mark.parametrize(
    "given_text", ["1.000.001 tỷ", "99999999999999999999", "-5", "-300 triệu", "0,5 đồng", "1,2345678 triệu"]
)
def test_too_much_money_or_part_of_a_dong_is_refused(given_text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        words.read_money(given_text)


@tries(25)
@given(st.integers(0, 10**15))
def test_money_written_and_read_again_is_the_same(vnd: int) -> None:
    assert words.read_money(words.money(vnd)) == vnd


def test_money_is_written_with_vietnamese_separators() -> None:
    assert words.money(2_014_900_000) == "2.014,9 triệu"
    assert words.money(1_500_000_000) == "1.500 triệu"
    assert words.money(1_234_567) == "1.234.567 đồng"
    assert words.money(2_014_900_000, "en") == "2,014.9 million"
    assert words.money(None) == "—"
    assert words.millions(40_000) == "0,04"
    assert words.millions(-40_000) == "-0,04"


def test_days_are_read_in_both_forms_and_must_exist() -> None:
    assert words.read_day("20/06/2026") == words.read_day("2026-06-20") == "2026-06-20"
    assert words.read_day("1/2/2024") == "2024-02-01"
    for wrong in ("31/02/2026", "2026-02-30", "20-06-2026", "", "20/06/26", "hôm nay"):
        with pytest.raises(DayUnclear):
            words.read_day(wrong)
    assert words.day("2026-06-20") == "20/06/2026"


def test_rates_are_hundredths_of_a_percent() -> None:
    assert words.read_percent("70%") == words.read_percent("70") == 7000
    assert words.read_percent("12,5 %") == 1250
    assert words.percent(7000) == "70%"
    assert words.percent(7727) == "77,27%"
    for wrong in ("70.5%", "-1%", "x", "1,234%"):
        with pytest.raises(NumberUnclear):
            words.read_percent(wrong)
    for wrong in ("1,5", "1.00", "", "12x", "9" * 19):
        with pytest.raises(NumberUnclear):
            words.read_whole(wrong)


def test_an_instant_is_shown_in_hanoi_and_given_as_utc() -> None:
    late = 1_798_736_400_000_000  # 2026-12-31 17:00 UTC: midnight in Hanoi

    assert words.instant(late) == "01/01/2027 00:00"
    assert words.civil_day(late).isoformat() == "2027-01-01"
    assert words.iso_instant(late) == "2026-12-31T17:00:00+00:00"


def test_every_shipped_notice_has_both_languages_and_fills() -> None:
    # given all shipped texts, and facts that hold a mark in every place
    texts = notice_texts.load([SHIPPED])
    facts = {name: f"<{name}>" for name in notice_texts.NAMES}

    # when each is rendered in both languages
    rendered = {
        (word, language): texts.render(word, facts, language)
        for word in texts.texts
        for language in ("vi", "en")
    }

    # then the case is named in each subject and no template shows
    assert {"deadline_near", "deadline_today", "deadline_passed", "assigned"} <= set(texts.texts)
    for subject, body in rendered.values():
        assert "<code>" in subject
        assert "<code>" in body
        assert "{{" not in subject + body
        assert "{%" not in subject + body


def test_a_later_folder_says_a_word_anew(tmp_path: Path) -> None:
    own = _file(tmp_path, 'moved: {subject: {vi: "Mới {{ code }}", en: "New"}, body: {vi: a, en: b}}')

    texts = notice_texts.load([SHIPPED, own])

    assert texts.render("moved", {"code": "ST-1"}, "vi") == ("Mới ST-1", "a")
    assert "deadline_near" in texts.texts


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("moved: {subject: {vi: a, en: b}, body: {vi: a}}", "body"),
        ("moved: {subject: {vi: a, en: b}, body: {vi: a, en: b}, sound: x}", "sound"),
        ("moved: {subject: {vi: a, en: b}, body: {vi: '{{ coed }}', en: b}}", "code"),
        ("moved: {subject: {vi: a, en: b}, body: {vi: '{{ code', en: b}}", "cú pháp"),
        ("moved: {subject: {vi: a, en: b}, body: {vi: '{{ code | shell }}', en: b}}", "cú pháp"),
    ],
)
def test_a_wrong_text_is_refused_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(NoticeTextRefused) as refused:
        notice_texts.load([_file(tmp_path, line)])

    assert said in refused.value.sentence("vi")
    assert "notices.yaml, dòng 2" in refused.value.sentence("vi")


@pytest.mark.parametrize(
    "attack",
    [
        "{{ facts.__class__.__mro__ }}",
        "{{ facts['__class__'] }}",
        "{{ code.__class__.__base__.__subclasses__() }}",
        "{% set facts.x = 1 %}{{ facts.x }}",
        "{{ code.format(facts) }}",
        "{{ facts.pop('amount') }}",
    ],
)
def test_a_text_can_not_reach_beyond_its_facts(tmp_path: Path, attack: str) -> None:
    facts = {"code": "ST-1", "facts": {"amount": 5}}
    line = 'moved: {subject: {vi: a, en: b}, body: {vi: "' + attack + '", en: b}}'
    try:
        _, body = notice_texts.load([_file(tmp_path, line)]).render("moved", facts, "vi")
    except (NoticeTextRefused, NoticeNotRendered):
        body = ""
    assert "class" not in body
    assert "object" not in body
    assert facts == {"code": "ST-1", "facts": {"amount": 5}}


def test_an_unknown_notice_names_the_nearest_one() -> None:
    texts = notice_texts.load([SHIPPED])
    with pytest.raises(NoticeUnknown) as refused:
        texts.render("deadline_passd", {}, "vi")
    assert "deadline_passed" in refused.value.sentence("vi")


def test_the_html_part_escapes_what_people_typed() -> None:
    page = notice_texts.as_html("<b>", "một <script>\ndòng\n\nhai & ba", "vi")

    assert "<script>" not in page
    assert "một &lt;script&gt;<br>dòng" in page
    assert "<p>hai &amp; ba</p>" in page
    assert "<title>&lt;b&gt;</title>" in page


def _file(folder: Path, line: str) -> Path:
    file = folder / "notices.yaml"
    file.write_text(f"notices:\n  {line}\n", encoding="utf-8")
    return file
