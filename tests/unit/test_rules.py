"""Rule packs and the rule book: exactly one row answers, or it is said why none does."""

from __future__ import annotations

import pickle
import timeit
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import canonical
from engine.errors import Refused
from engine.rule_packs import PackRefused, read_pack, read_vocabulary
from engine.rule_rows import Unverified, Value, ValueWrong, entered
from engine.rule_units import UNITS, show, wrong_for
from engine.rules import RuleBook, RulesCollide, RulesDisagree, RuleUnknown, used
from engine.yaml_text import YamlRefused
from tests.properties import tries

WORDS = read_vocabulary(
    {
        "words.yaml": """
rule_words: sample
language: 1
title: {vi: Từ, en: Words}
dimensions:
  programme:
    title: {vi: nguồn, en: programme}
    words:
      national: {title: {vi: Quốc gia, en: National}, grade: proposed}
      local: {title: {vi: Địa phương, en: Local}, grade: proposed}
  activity:
    title: {vi: hoạt động, en: activity}
    words:
      machinery: {title: {vi: Máy móc, en: Machinery}, grade: proposed}
      brand: {title: {vi: Thương hiệu, en: Brand}, grade: proposed}
      fair: {title: {vi: Hội chợ, en: Fair}, grade: proposed}
  province: {title: {vi: tỉnh, en: province}, open: true}
documents:
  contract: {title: {vi: Hợp đồng, en: Contract}, grade: proposed}
  minutes: {title: {vi: Biên bản, en: Minutes}, grade: proposed}
"""
    }
)
CITE = "cite: {act: TT 1/2014, article: Điều 2}, grade: read"
DAY = date(2020, 6, 1)


def pack_text(rows: str, *, name: str = "base", scope: str = "", rule: str = "unit: money") -> str:
    """Return a pack with one rule `cap` of the given rows."""
    lines = [f"rule_pack: {name}", "language: 1", "version: 1", "title: {vi: Gói, en: Pack}"]
    if scope:
        lines.append(f"scope: {scope}")
    lines += [
        "rules:",
        "  cap:",
        "    title: {vi: Mức, en: Cap}",
        *(f"    {part}" for part in rule.split("; ")),
    ]
    lines += ["    rows:", *(f"      - {{{row}}}" for row in rows.strip().splitlines())]
    return "\n".join(lines)


def book(*texts: str) -> RuleBook:
    """Return the book of these packs."""
    return RuleBook.of(
        [read_pack(text, name=f"{at}.yaml", vocabulary=WORDS) for at, text in enumerate(texts)], WORDS
    )


def refused(text: str) -> list[tuple[int, int, str]]:
    """Return line, column and English sentence of every problem of a pack that is refused."""
    with pytest.raises(PackRefused) as caught:
        read_pack(text, name="p.yaml", vocabulary=WORDS)
    return [(line, column, en) for line, column, _, en in caught.value.facts["found"]]


def test_the_one_row_that_matches_answers_with_its_source() -> None:
    # given
    rules = book(
        pack_text(
            f"value: 300, when: {{activity: machinery}}, {CITE}\nvalue: 35, when: {{activity: brand}}, {CITE}"
        )
    )
    # when
    value = rules.resolve("cap", {"activity": "brand", "province": "soc_trang", "programme": None}, DAY)
    # then
    assert (value.value, value.unit, value.grade, str(value.cite)) == (
        35,
        "money",
        "read",
        "TT 1/2014, Điều 2",
    )
    assert value.verified
    assert value.firm
    assert value.pack == rules.packs[0].hash
    assert value.pack_name == "base"
    assert value.sentence() == "Mức: 35 đồng (TT 1/2014, Điều 2; đã đọc văn bản)"


def test_both_ends_of_a_period_belong_to_it() -> None:
    # given
    rules = book(
        pack_text(
            f"value: 200, from: 2014-01-01, to: 2018-05-10, {CITE}\nvalue: 300, from: 2018-05-11, {CITE}"
        )
    )
    # when
    days = [date(2013, 12, 31), date(2014, 1, 1), date(2018, 5, 10), date(2018, 5, 11), date(2099, 1, 1)]
    # then
    assert [rules.resolve("cap", {}, day).value for day in days] == [None, 200, 200, 300, 300]


def test_no_row_an_unset_row_and_a_missing_dimension_each_say_why_and_what_to_do() -> None:
    # given
    rules = book(
        pack_text(
            f"value: 300, when: {{activity: machinery}}, {CITE}\n"
            "value: null, proposal: 35, when: {activity: brand}, cite: {act: TT 1}"
        )
    )
    # when
    none = rules.resolve("cap", {"activity": "fair"}, DAY)
    unset = rules.resolve("cap", {"activity": "brand"}, DAY)
    missing = rules.resolve("cap", {}, DAY)
    # then
    assert isinstance(none, Unverified)
    assert isinstance(unset, Unverified)
    assert isinstance(missing, Unverified)
    assert none.sentence().startswith("Mức: chưa xác minh, không có quy định nào khớp (activity = fair)")
    assert unset.sentence() == (
        "Mức: chưa xác minh (TT 1). Hãy nhập giá trị kèm căn cứ; việc nhập được ghi nhật ký. "
        "Đề xuất (chưa xác minh): 35 đồng."
    )
    assert missing.missing == ("activity",)
    assert "thiếu hoạt động (activity)" in missing.sentence()
    assert [found.value for found in (none, unset, missing)] == [None, None, None]
    assert [found.grade for found in (none, unset, missing)] == ["unverified"] * 3
    assert unset.row != ""
    assert none.row == missing.row == ""


def test_two_rows_of_a_pack_that_could_both_answer_are_refused_with_both_lines() -> None:
    # given
    rows = f"value: 1, when: {{activity: machinery}}, {CITE}\nvalue: 2, when: {{province: soc_trang}}, {CITE}"
    # when
    found = refused(pack_text(rows))
    # then
    sentence = (
        '"cap": line 10 and line 11 could both answer; change `when`, `from` or `to` so that only one does'
    )
    assert found == [(11, 1, sentence)]


def test_rows_that_differ_in_one_word_or_one_day_do_not_overlap() -> None:
    # given
    rows = f"value: 1, when: {{activity: [machinery, fair]}}, {CITE}"
    rows += f"\nvalue: 2, when: {{activity: brand}}, to: 2018-01-01, {CITE}"
    rows += f"\nvalue: 3, when: {{activity: brand}}, from: 2018-01-02, {CITE}"
    # when
    rules = book(pack_text(rows))
    # then
    assert [row.value for _, row in rules.rows("cap")] == [1, 2, 3]


def test_the_pack_of_the_stronger_scope_wins_only_where_it_has_a_row() -> None:
    # given
    base = pack_text(f"value: 300, {CITE}", scope="{programme: local}")
    overlay = pack_text(
        f"value: 250, when: {{activity: machinery}}, from: 2020-01-01, {CITE}", name="province",
        scope="{programme: local, province: hai_duong}",
    )  # fmt: skip
    rules = book(base, overlay)
    here = {"programme": "local", "province": "hai_duong"}
    # when
    answers = {
        "overlay": rules.resolve("cap", {**here, "activity": "machinery"}, DAY),
        "other activity": rules.resolve("cap", {**here, "activity": "brand"}, DAY),
        "before it began": rules.resolve("cap", {**here, "activity": "machinery"}, date(2019, 12, 31)),
        "other province": rules.resolve(
            "cap", {"programme": "local", "province": "an_giang", "activity": "machinery"}, DAY
        ),
        "activity not stated": rules.resolve("cap", here, DAY),
        "province not stated": rules.resolve("cap", {"programme": "local", "activity": "brand"}, DAY),
        "other programme": rules.resolve("cap", {"programme": "national", "province": "an_giang"}, DAY),
    }
    # then
    assert {case: value.value for case, value in answers.items()} == {
        "overlay": 250, "other activity": 300, "before it began": 300, "other province": 300,
        "activity not stated": None, "province not stated": 300, "other programme": None,
    }  # fmt: skip
    assert answers["overlay"].pack_name == "province"


def test_a_weaker_pack_does_not_answer_while_a_stronger_one_waits_for_a_dimension() -> None:
    # given
    base = pack_text(f"value: 300, {CITE}", scope="{programme: local}")
    overlay = pack_text(
        f"value: 250, {CITE}", name="province", scope="{programme: local, province: hai_duong}"
    )
    # when
    value = book(base, overlay).resolve("cap", {"programme": "local"}, DAY)
    # then
    assert isinstance(value, Unverified)
    assert value.missing == ("province",)


def test_an_overlay_may_unset_a_value_of_the_pack_below() -> None:
    # given
    base = pack_text(f"value: 300, {CITE}", scope="{programme: local}")
    overlay = pack_text(
        "value: null, note: chờ nghị quyết", name="p", scope="{programme: local, province: ca_mau}"
    )
    # when
    value = book(base, overlay).resolve("cap", {"programme": "local", "province": "ca_mau"}, DAY)
    # then
    assert isinstance(value, Unverified)
    assert value.pack_name == "p"


def test_packs_neither_of_which_is_stronger_must_not_overlap() -> None:
    # given
    by_programme = pack_text(f"value: 1, {CITE}", scope="{programme: local}")
    by_province = pack_text(f"value: 2, {CITE}", name="other", scope="{province: ca_mau}")
    # when
    with pytest.raises(RulesCollide) as caught:
        book(by_programme, by_province)
    # then
    assert {caught.value.facts["first"], caught.value.facts["second"]} == {"0.yaml:11", "1.yaml:11"}


def test_packs_that_declare_a_key_differently_or_share_a_name_are_refused() -> None:
    # given
    money = pack_text(f"value: 1, {CITE}", scope="{programme: local}")
    count = pack_text(f"value: 1, {CITE}", name="b", scope="{programme: national}", rule="unit: count")
    twin = pack_text(f"value: 1, {CITE}", scope="{programme: national}")
    # when
    with pytest.raises(RulesDisagree) as other_unit:
        book(money, count)
    with pytest.raises(RulesDisagree) as same_name:
        book(money, twin)
    # then
    assert other_unit.value.facts["what"] == "unit: count / money"
    assert same_name.value.facts["what"] == "base"


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    # given
    rules = book(pack_text(f"value: 1, {CITE}"))
    # when
    with pytest.raises(RuleUnknown) as caught:
        rules.resolve("capp", {}, DAY)
    # then
    assert 'Did you mean "cap"?' in caught.value.sentence("en")
    assert "Có phải ý bạn là “cap”?" in caught.value.sentence("vi")


@pytest.mark.parametrize(
    ("row", "rule", "sentence"),
    [
        (
            f"value: 1, whn: {{activity: brand}}, {CITE}",
            "unit: money",
            'unknown key "whn"; did you mean "when"?',
        ),
        (
            f"value: 1, when: {{activty: brand}}, {CITE}",
            "unit: money",
            'unknown dimension "activty"; did you mean "activity"?',
        ),
        (
            f"value: 1, when: {{activity: brnd}}, {CITE}",
            "unit: money",
            'unknown word of activity "brnd"; did you mean "brand"?',
        ),
        (
            f"value: ba, {CITE}",
            "unit: money",
            '"ba" does not fit: a whole number of đồng, 0 to 10^15 is wanted',
        ),
        (
            f"value: -1, {CITE}",
            "unit: money",
            '"-1" does not fit: a whole number of đồng, 0 to 10^15 is wanted',
        ),
        (
            f"value: 10001, {CITE}",
            "unit: percent",
            '"10001" does not fit: hundredths of 1 % (70 % = 7000), 0 to 10000 is wanted',
        ),
        (f"value: true, {CITE}", "unit: count", '"True" does not fit: a whole number, 0 to 10^9 is wanted'),
        (f"value: 1, {CITE}", "unit: monny", 'unknown unit "monny"; did you mean "money"?'),
        (
            f"value: [contrct], {CITE}",
            "unit: documents",
            'unknown document "contrct"; did you mean "contract"?',
        ),
        (
            f"value: [contract, contract], {CITE}",
            "unit: documents",
            "does not fit: a list of document names is wanted",
        ),
        (
            f"value: 1, from: 2018-02-30, {CITE}",
            "unit: money",
            '"2018-02-30" is no date that exists, as YYYY-MM-DD (2018-05-11)',
        ),
        (
            f"value: 1, from: 11/5/2018, {CITE}",
            "unit: money",
            '"11/5/2018" is no date that exists, as YYYY-MM-DD (2018-05-11)',
        ),
        (
            f"value: 1, from: 2018-05-12, to: 2018-05-11, {CITE}",
            "unit: money",
            "`from` 2018-05-12 is after `to` 2018-05-11",
        ),
        (
            "value: 1, cite: {act: A, article: B}, grade: raed",
            "unit: money",
            'unknown grade "raed"; did you mean "read"?',
        ),
        (
            "value: 1, cite: {act: A, article: B}",
            "unit: money",
            "`grade` is missing (read, secondary, inferred, proposed)",
        ),
        ("value: 1, grade: read", "unit: money", "the source is missing: `cite: {act, article}`"),
        ("value: 1, cite: {act: A}, grade: read", "unit: money", "a value that was read names its `article`"),
        ("value: 1, grade: proposed", "unit: money", "a proposed value needs a `note` with its reason"),
        ("value: null", "unit: money", "an unset row needs `cite` or `note`"),
        ("value: null, cite: {act: A}, grade: read", "unit: money", "an unset row states no `grade`"),
        (f"value: 1, proposal: 2, {CITE}", "unit: money", "`proposal` goes with an unset `value` only"),
        (
            f"value: 06-31, {CITE}",
            "unit: month_day; limit: by; year: plan",
            '"06-31" does not fit: a day of the year as MM-DD (06-20) is wanted',
        ),
        (
            f"value: 06-20, {CITE}",
            "unit: month_day",
            "a fixed date must have `limit` (before | by) and `year` (plan - 1 | plan | plan + 1)",
        ),
        (
            f"value: 06-20, {CITE}",
            "unit: month_day; limit: by; year: plan - 2",
            'unknown year "plan - 2"; did you mean "plan - 1"?',
        ),
        (f"value: 1, {CITE}", "unit: money; limit: by", "only for the unit month_day"),
        (
            f"value: unlimited, {CITE}",
            "unit: days",
            '"unlimited" does not fit: a number of days, 0 to 10000 is wanted',
        ),
    ],
)
def test_a_mistake_in_a_row_is_named_with_its_place_and_a_suggestion(
    row: str, rule: str, sentence: str
) -> None:
    # given
    text = pack_text(row, rule=rule)
    # when
    found = refused(text)
    # then
    assert sentence in "\n".join(en for _, _, en in found)
    assert all(1 <= line <= len(text.splitlines()) and column >= 1 for line, column, _ in found)


def test_all_mistakes_of_a_file_are_reported_at_once_in_both_languages() -> None:
    # given
    text = pack_text(f"value: x, {CITE}\nvalue: 1, frm: 2018-01-01, {CITE}").replace(
        "version: 1", "version: none"
    )
    # when
    with pytest.raises(PackRefused) as caught:
        read_pack(text, name="p.yaml", vocabulary=WORDS)
    # then
    assert [line for line, *_ in caught.value.facts["found"]] == [3, 10, 11]
    assert "p.yaml, dòng 11, cột" in caught.value.sentence("vi")
    assert "p.yaml, line 11, column" in caught.value.sentence("en")
    assert pickle.loads(pickle.dumps(caught.value)).facts == caught.value.facts  # noqa: S301  (our own bytes)


def test_a_number_with_a_point_is_refused_at_its_place() -> None:
    # given
    text = pack_text(f"value: 1.5, {CITE}", rule="unit: factor")
    # when
    with pytest.raises(YamlRefused) as caught:
        read_pack(text, name="p.yaml", vocabulary=WORDS)
    # then
    assert (caught.value.facts["line"], caught.value.facts["why"]) == (10, "float")


def test_what_a_rule_states_once_holds_for_each_row_that_says_nothing_else() -> None:
    # given
    rule = "unit: money; cite: {act: A, article: B}; grade: read; from: 2018-01-01"
    rules = book(
        pack_text(
            "value: 1, when: {activity: brand}\nvalue: 2, when: {activity: fair}, grade: secondary", rule=rule
        )
    )
    # when
    brand, fair = (rules.resolve("cap", {"activity": word}, DAY) for word in ("brand", "fair"))
    # then
    assert [(found.grade, str(found.cite)) for found in (brand, fair)] == [
        ("read", "A, B"),
        ("secondary", "A, B"),
    ]
    assert not rules.resolve("cap", {"activity": "brand"}, date(2017, 12, 31)).verified


def test_unlimited_is_shown_as_no_ceiling_and_counts_as_the_largest_sum() -> None:
    # given
    rules = book(pack_text(f"value: unlimited, {CITE}"))
    # when
    value = rules.resolve("cap", {}, DAY)
    # then
    assert value.value == 10**15
    assert value.shown("vi") == "không quy định mức trần"


def test_a_fixed_date_carries_its_year_rule() -> None:
    # given
    rules = book(pack_text(f"value: 06-20, {CITE}", rule="unit: month_day; limit: before; year: plan - 1"))
    # when
    value = rules.resolve("cap", {}, DAY)
    # then
    assert (value.value, value.limit, value.year, value.shown()) == ("06-20", "before", -1, "20/06")


def test_the_log_record_of_a_value_names_row_and_pack_and_is_canonical() -> None:
    # given
    rules = book(pack_text(f"value: [minutes, contract], {CITE}", rule="unit: documents"))
    value = rules.resolve("cap", {}, DAY)
    # when
    record = used([value, value])
    # then
    row, pack = rules.rows("cap")[0][1].hash, rules.packs[0].hash
    assert record == [{"key": "cap", "value": ["minutes", "contract"], "row": row, "pack": pack}]
    assert canonical.check(record) == record


def test_an_officer_may_fill_what_is_not_verified_with_a_source_that_is_recorded() -> None:
    # given
    value = book(pack_text("value: null, cite: {act: A}")).resolve("cap", {}, DAY)
    # when
    filled = entered(value, 35_000_000, "NQ 1/2025, Điều 3")
    # then
    assert (filled.value, filled.grade, filled.firm) == (35_000_000, "entered", False)
    assert filled.used() == {
        "key": "cap",
        "value": 35_000_000,
        "row": "",
        "pack": "",
        "source": "NQ 1/2025, Điều 3",
    }
    for wrong, source in ((None, "A"), (-1, "A"), ("35", "A"), (True, "A"), (1, "  ")):
        with pytest.raises(ValueWrong):
            entered(value, wrong, source)


def test_hashes_follow_what_is_said_and_not_how_it_is_laid_out() -> None:
    # given
    text = pack_text(f"value: 1, {CITE}")
    same = "# a remark\n" + text.replace("value: 1, ", "value:   1 , ")
    other = text.replace("value: 1", "value: 2")
    noted = pack_text(f"value: 1, note: mới, {CITE}")
    # when
    first, again, changed, with_note = (book(each) for each in (text, same, other, noted))
    rows = [each.rows("cap")[0][1].hash for each in (first, again, changed, with_note)]
    # then
    assert first.hash == again.hash
    assert len({first.hash, changed.hash, with_note.hash}) == 3
    assert rows[0] == rows[1] == rows[3] != rows[2]


@tries(20)
@given(st.lists(st.integers(-400, 400), min_size=1, max_size=6, unique=True), st.integers(-500, 500))
def test_on_every_day_the_book_agrees_with_a_plain_search(starts: list[int], asked: int) -> None:
    # given rows that follow one another without gap, the last one open
    zero = date(2020, 1, 1)
    days = [zero + timedelta(days=start) for start in sorted(starts)]
    rows = []
    for at, day in enumerate(days):
        end = f", to: {days[at + 1] - timedelta(days=1)}" if at + 1 < len(days) else ""
        rows.append(f"value: {at}, from: {day}{end}, {CITE}")
    on = zero + timedelta(days=asked)
    # when
    found = book(pack_text("\n".join(rows))).resolve("cap", {}, on)
    # then
    begun = [at for at, day in enumerate(days) if day <= on]
    assert found.value == (begun[-1] if begun else None)


MUTABLE = pack_text(
    f"value: 250, when: {{activity: [machinery, fair]}}, from: 2018-05-11, to: 2020-01-01, {CITE}\n"
    "value: null, proposal: 35, when: {activity: brand}, cite: {act: TT 1}, note: chưa rõ",
    scope="{programme: local}",
)
SPLICES = (
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "null",
    "true",
    "-1",
    "99999999999999999",
    "1.5",
    "'",
    "&a",
    "  ",
    "x",
)


@tries(40)
@given(st.integers(0, len(MUTABLE)), st.integers(0, 12), st.sampled_from(SPLICES))
def test_a_damaged_pack_is_refused_or_is_a_pack(at: int, cut: int, splice: str) -> None:
    # given
    text = MUTABLE[:at] + splice + MUTABLE[at + cut :]
    # when
    found: RuleBook | Refused
    try:
        found = RuleBook.of([read_pack(text, name="p.yaml", vocabulary=WORDS)], WORDS)
    except Refused as refusal:
        found = refusal
    # then
    assert found.hash if isinstance(found, RuleBook) else found.sentence("vi")


def test_asking_again_gives_the_same_answer_object_and_takes_at_most_five_microseconds() -> None:
    # given
    rules = book(
        pack_text(
            f"value: 1, when: {{activity: brand}}, from: 2014-01-01, {CITE}", scope="{programme: national}"
        )
    )
    asked = {"programme": "national", "activity": "brand", "province": "ca_mau"}
    # when
    first = rules.resolve("cap", asked, DAY)
    seconds = min(timeit.repeat(lambda: rules.resolve("cap", asked, DAY), number=2000, repeat=5)) / 2000
    # then
    assert rules.resolve("cap", dict(asked), DAY + timedelta(days=1)) is first
    assert seconds <= 5e-6


@pytest.mark.parametrize(
    ("unit", "value", "vi", "en"),
    [
        ("money", 300_000_000, "300.000.000 đồng", "300,000,000 VND"),
        ("percent", 7000, "70 %", "70 %"),
        ("percent", 1250, "12,5 %", "12.5 %"),
        ("factor", 150, "1,5 ×", "1.5 ×"),
        ("working_days", 15, "15 ngày làm việc", "15 working days"),
        ("count", 1000, "1.000", "1,000"),
        ("yes_no", False, "không", "no"),
        ("words", ("a", "b"), "a, b", "a, b"),
        ("documents", (), "không có", "none"),
        ("month_day", "01-22", "22/01", "22/01"),
        ("money", None, "chưa xác minh", "not verified"),
    ],
)
def test_a_value_is_shown_with_its_unit(unit: str, value: object, vi: str, en: str) -> None:
    # when / then
    assert (show(unit, value), show(unit, value, language="en")) == (vi, en)  # type: ignore[arg-type]


def test_every_unit_knows_what_it_wants() -> None:
    # given a value that fits no unit
    odd = ("", "")
    # when / then
    assert all(wrong_for(unit, odd) for unit in UNITS)  # type: ignore[arg-type]


def test_an_answer_cannot_be_changed() -> None:
    # given
    value: Value = book(pack_text(f"value: 1, {CITE}")).resolve("cap", {}, DAY)
    # when / then
    with pytest.raises(AttributeError):
        value.value = 2  # type: ignore[misc]
