"""How numbers and days are read and written for people; inside there are only integers and ISO dates.

Source:
    Vietnamese administrative writing: dot between thousands, comma before decimals, dd/MM/yyyy (NĐ
    30/2020/NĐ-CP).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from engine.errors import Refused, Words

HANOI = timezone(timedelta(hours=7))
MOST_VND = 10**15

_UNITS = {
    "": 1, "đ": 1, "đồng": 1, "dong": 1, "vnd": 1, "vnđ": 1,
    "nghìn": 10**3, "ngàn": 10**3,
    "triệu": 10**6, "tr": 10**6, "trieu": 10**6, "million": 10**6,
    "tỷ": 10**9, "tỉ": 10**9, "ty": 10**9, "billion": 10**9,
}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<whole>\d{1,3}(?:\.\d{3})+|\d+)(?:,(?P<part>\d+))?\s*(?P<unit>[^\W\d]*)(?:\s*đồng)?"
)
_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


class AmountUnclear(Refused):
    """A sum of money that can be read in two ways, or in none."""

    code = "amount_unclear"
    words = Words(
        'Không đọc được số tiền "{given}". Viết bằng đồng (300000000, 300.000.000) hoặc "300 triệu", "1,5 tỷ"; '
        "dấu chấm ngăn hàng nghìn, dấu phẩy trước phần lẻ.",
        'The sum "{given}" can\'t be read. Write đồng (300000000 or 300.000.000), or "300 triệu", "1,5 tỷ"; '
        "a dot between thousands, a comma before decimals.",
    )


class AmountOutOfRange(Refused):
    """More money than there is, or part of a đồng."""

    code = "amount_out_of_range"
    words = Words(
        'Số tiền "{given}" phải là số nguyên đồng, từ 0 đến 1.000.000 tỷ đồng.',
        'The sum "{given}" must be whole đồng from 0 to 10^15.',
    )


class DayUnclear(Refused):
    """Not a day of the calendar."""

    code = "day_unclear"
    words = Words(
        'Không có ngày "{given}". Viết dd/MM/yyyy (ví dụ 20/06/2026) hoặc yyyy-MM-dd (2026-06-20).',
        'There is no day "{given}". Write dd/MM/yyyy (20/06/2026) or yyyy-MM-dd (2026-06-20).',
    )


class NumberUnclear(Refused):
    """Not a whole number, or not a percentage."""

    code = "number_unclear"
    words = Words(
        'Không đọc được số "{given}". Viết số nguyên (12, 1.200); tỷ lệ viết "70%" hoặc "12,5%".',
        'The number "{given}" can\'t be read. Write a whole number (12, 1.200); a rate as "70%" or "12,5%".',
    )


def read_money(given: str) -> int:
    """Return đồng from "300000000", "300.000.000", "300 triệu", "1,5 tỷ".

    Errors:
        AmountUnclear, AmountOutOfRange.
    """
    text = given.replace("\u00a0", " ").strip().lower()
    if text.startswith("-") and _AMOUNT.fullmatch(text[1:].lstrip()):
        raise AmountOutOfRange(given=given)
    match = _AMOUNT.fullmatch(text)
    if match is None or match["unit"] not in _UNITS:
        raise AmountUnclear(given=given)
    part = match["part"] or ""
    scaled: int = int(match["whole"].replace(".", "") + part) * _UNITS[match["unit"]]
    amount, rest = divmod(scaled, int(10 ** len(part)))
    if rest or amount > MOST_VND:
        raise AmountOutOfRange(given=given)
    return amount


def read_whole(given: str) -> int:
    """Return a whole number; dots between thousands are allowed.

    Errors:
        NumberUnclear.
    """
    if not re.fullmatch(r"-?(\d{1,3}(\.\d{3})+|\d{1,18})", given.strip()):
        raise NumberUnclear(given=given)
    return int(given.strip().replace(".", ""))


def read_percent(given: str) -> int:
    """Return hundredths of a percent: "70%" and "70" give 7000, "12,5 %" gives 1250.

    Errors:
        NumberUnclear.
    """
    match = re.fullmatch(r"(\d{1,7})(?:,(\d{1,2}))?\s*%?", given.strip())
    if match is None:
        raise NumberUnclear(given=given)
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def read_day(given: str) -> str:
    """Return an ISO date from dd/MM/yyyy or ISO.

    Errors:
        DayUnclear: also for a day that does not exist, such as 31/02.
    """
    text = given.strip()
    match = _DAY.fullmatch(text)
    try:
        if match:
            return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text).isoformat()
    except ValueError as wrong:
        raise DayUnclear(given=given) from wrong
    raise DayUnclear(given=given)


def number(value: int, language: str = "vi") -> str:
    """Return a whole number with its thousands apart: 1.234.567, or 1,234,567 in English."""
    grouped = f"{value:,}"
    return grouped if language == "en" else grouped.replace(",", ".")


def money(vnd: int | None, language: str = "vi") -> str:
    """Return an amount as it is read: "2.014,9 triệu"; odd ones to the đồng; None gives "—"."""
    if vnd is None:
        return "—"
    if vnd % 1000 or abs(vnd) < 10**6:
        return f"{number(vnd, language)} đồng"
    return f"{millions(vnd, language)} {'million' if language == 'en' else 'triệu'}"


def millions(vnd: int | None, language: str = "vi") -> str:
    """Return millions of đồng without the unit, for a table that says it in its head: "2.014,9"."""
    if vnd is None:
        return "—"
    whole, rest = divmod(abs(vnd), 10**6)
    part = f"{rest:06d}".rstrip("0")
    point = "." if language == "en" else ","
    sign = "-" if vnd < 0 else ""
    return sign + number(whole, language) + (point + part if part else "")


def percent(hundredths: int | None, language: str = "vi") -> str:
    """Return hundredths of a percent as "70%" or "12,5%"."""
    if hundredths is None:
        return "—"
    whole, rest = divmod(hundredths, 100)
    part = f"{rest:02d}".rstrip("0")
    return f"{whole}{('.' if language == 'en' else ',') + part if part else ''}%"


def day(iso: str | date | None) -> str:
    """Return dd/MM/yyyy, or "" for none; what is no date is shown as it is."""
    if not iso:
        return ""
    try:
        found = iso if isinstance(iso, date) else date.fromisoformat(iso[:10])
    except ValueError:
        return str(iso)
    return f"{found:%d/%m/%Y}"


def instant(micros: int | None) -> str:
    """Return dd/MM/yyyy HH:MM in Asia/Ho_Chi_Minh from µs since 1970 UTC."""
    return f"{_moment(micros):%d/%m/%Y %H:%M}" if micros is not None else ""


def iso_instant(micros: int | None) -> str | None:
    """Return ISO 8601 UTC for `--json`."""
    return _moment(micros).astimezone(UTC).isoformat() if micros is not None else None


def today() -> date:
    """Return the present day in Asia/Ho_Chi_Minh by this machine's clock; the store has its own."""
    return datetime.now(HANOI).date()


def civil_day(micros: int) -> date:
    """Return the day in Asia/Ho_Chi_Minh at that instant (UTC+7 since 1976, no summer time)."""
    return _moment(micros).date()


def _moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC).astimezone(HANOI) + timedelta(microseconds=micros)


def value(kind: str, held: Any, language: str = "vi") -> str:
    """Return a field's value as it is read.

    Shapes:
        kind: type of the field ("money", "date", …); held: None gives "—".
    """
    if held is None:
        return "—"
    if kind == "yes_no":
        return (("no", "yes") if language == "en" else ("không", "có"))[bool(held)]
    if kind == "date":
        return day(held)
    if isinstance(held, int):
        return {"money": money, "percent": percent}.get(kind, number)(held, language)
    return str(held)
