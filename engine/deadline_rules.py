"""What a definition may say about a deadline: periods, dates, months, counting backwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import Refused, Words

if TYPE_CHECKING:
    from datetime import date

Unit = Literal["wd", "d"]
#: "before X" ends with the day before X; "by" X ends with X ("chậm nhất ngày X", "không quá ngày X").
Edge = Literal["before", "by"]

LONGEST_PERIOD = 3660
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class DeadlineRuleRefused(Refused):
    """A deadline rule can't be meant as written. Nothing was changed."""

    code = "deadline_rule_refused"
    words = Words(
        "Quy tắc thời hạn “{rule}” không dùng được: {why_vi}. Hãy sửa lại.",
        "The deadline rule “{rule}” can't be used: {why_en}. Correct it.",
    )


@dataclass(frozen=True, slots=True)
class Within:
    """A period counted from a start day, which is itself not counted.

    Shapes:
        amount: 1 … 3660.
        unit: "wd" working days; "d" calendar days; when the last is a day off, the next working day is
            the end.
    """

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= LONGEST_PERIOD:
            _refuse(
                self, f"số ngày phải từ 1 đến {LONGEST_PERIOD}", f"the days must be 1 to {LONGEST_PERIOD}"
            )

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"


@dataclass(frozen=True, slots=True)
class FixedDate:
    """A day of the calendar, tied to the plan year. It never moves: a day off brings the warning forward.

    Shapes:
        month, day: 1 … 12, 1 … 31, a day that the month can have. In a year without 29 February,
            "by" it means by 28 February, as for a period in months (Điều 148.3).
        year_offset: −5 … 5; −1 is the year before the plan year.
    """

    month: int
    day: int
    year_offset: int
    kind: Edge

    def __post_init__(self) -> None:
        if not (1 <= self.month <= len(_DAYS_OF_MONTH) and 1 <= self.day <= _DAYS_OF_MONTH[self.month - 1]):
            _refuse(self, "ngày này không có trong lịch", "there is no such day in the calendar")
        if not -5 <= self.year_offset <= 5:  # noqa: PLR2004
            _refuse(
                self, "năm phải cách năm kế hoạch không quá 5 năm", "the year is over 5 years from the plan's"
            )

    def __str__(self) -> str:
        year = f"plan {self.year_offset:+d}" if self.year_offset else "plan"
        return f"{self.kind} {self.month:02d}-{self.day:02d} of {year}"


@dataclass(frozen=True, slots=True)
class Monthly:
    """A day of every month, or the next such day only. Like a fixed date it never moves.

    Shapes:
        day: 1 … 31; a shorter month ends on its last day.
        once: whether it stays past its day, late, in place of giving way to the next month's.
    """

    day: int
    kind: Edge
    once: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.day <= _DAYS_OF_MONTH[0]:
            _refuse(self, "ngày phải từ 1 đến 31", "the day must be 1 to 31")

    def __str__(self) -> str:
        return f"{self.kind} day {self.day} of {'the' if self.once else 'each'} month"


@dataclass(frozen=True, slots=True)
class WorkingDaysBefore:
    """Working days counted backwards from the end of a fixed date; that last day is itself not counted.

    Shapes:
        amount: 1 … 250.

    Source:
        "2 working days before the end of the adjustment period": TT 26/2026/TT-BTC, Điều 15 khoản 2
        (read in a transcription).
    """

    amount: int
    end: FixedDate

    def __post_init__(self) -> None:
        if not 1 <= self.amount <= 250:  # noqa: PLR2004  (about one year)
            _refuse(self, "số ngày phải từ 1 đến 250", "the days must be 1 to 250")

    def __str__(self) -> str:
        return f"{self.amount} wd before the end of {self.end}"


@dataclass(frozen=True, slots=True)
class OnField:
    """The day that stands in a date field of the case; while the field is empty there is no due date."""

    field: str

    def __str__(self) -> str:
        return f"on {self.field}"


DeadlineRule = Within | FixedDate | Monthly | WorkingDaysBefore | OnField


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which periods do not run.

    The day on which the pause was decided still counts, and the day of resuming does not: both are days
    of an event, and counting begins with the day after (Điều 147 by analogy; inferred). So the days
    `from_day + 1` … `to_day` are not counted, and a pause resumed on its first day changes nothing.

    Shapes:
        to_day: None while the pause lasts.
    """

    from_day: date
    to_day: date | None = None

    def __post_init__(self) -> None:
        if self.to_day is not None and self.to_day < self.from_day:
            _refuse(self, "ngày tiếp tục đứng trước ngày tạm dừng", "it was resumed before it began")

    def __str__(self) -> str:
        return f"pause {self.from_day} to {self.to_day or '…'}"


def _refuse(rule: object, why_vi: str, why_en: str) -> None:
    raise DeadlineRuleRefused(rule=str(rule), why_vi=why_vi, why_en=why_en)
