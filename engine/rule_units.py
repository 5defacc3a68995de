"""The units in which rule packs state their values, what fits each, and how a value is shown to people."""

from __future__ import annotations

from typing import Any, Literal, get_args

from engine.errors import Words

Unit = Literal[
    "money", "percent", "factor", "count", "days", "working_days",
    "text", "words", "documents", "month_day", "yes_no",
]  # fmt: skip
Grade = Literal["read", "secondary", "inferred", "proposed"]
#: Grade of an answer: that of its row, or one of two that no file may state.
Standing = Literal["read", "secondary", "inferred", "proposed", "unverified", "entered"]
Limit = Literal["before", "by"]
Plain = int | str | bool | tuple[str, ...] | None

UNITS: tuple[str, ...] = get_args(Unit)
GRADES: tuple[str, ...] = get_args(Grade)
WHOLE_NUMBERS = ("money", "percent", "factor", "count", "days", "working_days")
#: What `value: unlimited` means to a formula: the law states no ceiling of this kind. Money: the largest sum
#: the product knows, 10^15 đồng; percent: 100 %, because nobody is paid more than the cost.
UNLIMITED = {"money": 10**15, "percent": 10_000}

GRADE_WORDS: dict[str, Words] = {
    "read": Words("đã đọc văn bản", "read in the act"),
    "secondary": Words(
        "nguồn thứ cấp, chưa đối chiếu văn bản", "secondary source, not compared with the act"
    ),
    "inferred": Words("suy ra, chưa có căn cứ trực tiếp", "inferred, no direct source"),
    "proposed": Words("đề xuất, chưa có căn cứ", "proposed, no legal source"),
    "unverified": Words("chưa xác minh", "not verified"),
    "entered": Words("cán bộ nhập kèm căn cứ", "entered by an officer with its source"),
}


WANTED: dict[str, Words] = {
    "money": Words("số nguyên đồng từ 0 đến 10^15", "a whole number of đồng, 0 to 10^15"),
    "percent": Words("phần vạn (70 % = 7000), 0 đến 10000", "hundredths of 1 % (70 % = 7000), 0 to 10000"),
    "factor": Words("hệ số nhân 100 (1,5 = 150), 0 đến 10000", "hundredths (1.5 = 150), 0 to 10000"),
    "count": Words("số nguyên từ 0 đến 10^9", "a whole number, 0 to 10^9"),
    "days": Words("số ngày từ 0 đến 10000", "a number of days, 0 to 10000"),
    "working_days": Words("số ngày làm việc từ 0 đến 10000", "a number of working days, 0 to 10000"),
    "text": Words("một dòng chữ", "a text"),
    "words": Words("danh sách các từ", "a list of words"),
    "documents": Words("danh sách tên giấy tờ", "a list of document names"),
    "month_day": Words("ngày trong năm dạng MM-DD (06-20)", "a day of the year as MM-DD (06-20)"),
    "yes_no": Words("true hoặc false", "true or false"),
}  # fmt: skip
_YES_NO = {True: Words("có", "yes"), False: Words("không", "no")}
_NO_CEILING = Words("không quy định mức trần", "no ceiling stated")
_UNIT_WORDS = {
    "money": Words("đồng", "VND"),
    "count": Words("", ""),
    "days": Words("ngày", "days"),
    "working_days": Words("ngày làm việc", "working days"),
}
_LARGEST = {
    "money": 10**15,
    "percent": 10_000,
    "factor": 10_000,
    "count": 10**9,
    "days": 10_000,
    "working_days": 10_000,
}
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def wrong_for(unit: Unit, value: Plain) -> Words | None:
    """Return what a value of `unit` must be when `value` is not that; None when it is, or is unset."""
    return None if value is None or _fits(unit, value) else WANTED[unit]


def _fits(unit: Unit, value: Any) -> bool:
    match value:
        case bool():
            return unit == "yes_no"
        case int():
            return unit in WHOLE_NUMBERS and 0 <= value <= _LARGEST[unit]
        case tuple():
            texts = all(isinstance(word, str) and word for word in value)
            return unit in {"words", "documents"} and texts and len(set(value)) == len(value)
        case str():
            return value != "" and (unit == "text" or (unit == "month_day" and _is_month_day(value)))
        case _:
            return False


def _is_month_day(text: str) -> bool:
    month, dash, day = text.partition("-")
    if len(text) != len("MM-DD") or not dash or not (month + day).isdecimal():
        return False
    return 1 <= int(month) <= len(_MONTH_LENGTHS) and 1 <= int(day) <= _MONTH_LENGTHS[int(month) - 1]


def show(unit: Unit, value: Plain, *, unlimited: bool = False, language: str = "vi") -> str:
    """Return `value` in the words of `language`; an unset one as "chưa xác minh"."""
    english = language == "en"
    if value is None or unlimited:
        return (_NO_CEILING if unlimited else GRADE_WORDS["unverified"]).text(language)
    if isinstance(value, tuple):
        return ", ".join(value) or ("none" if english else "không có")
    if isinstance(value, bool):
        return _YES_NO[value].text(language)
    if isinstance(value, str):
        return f"{value[3:]}/{value[:2]}" if unit == "month_day" else value
    if unit in {"percent", "factor"}:
        return f"{_hundredths(value, english=english)} {'%' if unit == 'percent' else '×'}"
    number = f"{value:,}" if english else f"{value:,}".replace(",", ".")
    return f"{number} {_UNIT_WORDS[unit].text(language)}".strip()


def _hundredths(value: int, *, english: bool) -> str:
    text = f"{value // 100}.{value % 100:02d}".rstrip("0").rstrip(".")
    return text if english else text.replace(".", ",")
