"""Year files -> one working calendar. What does not fit together is refused with its place in the file."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn, get_args

from engine import yaml_text
from engine.errors import Refused, Words, did_you_mean
from engine.working_calendar import CalendarDay, CalendarSource, EntryKind, Status, WorkingCalendar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.yaml_text import Node

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
_STATUSES: tuple[Status, ...] = get_args(Status)
_PAIRED = {"swapped_off": "swapped_work", "swapped_work": "swapped_off"}
_SATURDAY = 5


class CalendarRefused(Refused):
    """A year file says something that can't be. No calendar was made."""

    code = "calendar_refused"
    words = Words(
        "{file}, dòng {line}, cột {column}: {why_vi}. Hãy sửa tệp lịch.",
        "{file}, line {line}, column {column}: {why_en}. Correct the calendar file.",
    )


def load_calendar(folder: Path) -> WorkingCalendar:
    """Return the calendar of all year files (`2026.yaml`) of a folder.

    Errors:
        YamlRefused, CalendarRefused: see `read_calendar`; also when the folder can't be read.
    """
    try:
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
    except OSError as problem:
        raise CalendarRefused(
            file=str(folder),
            line=1,
            column=1,
            why_vi=f"không đọc được tệp ({problem.strerror})",
            why_en=f"the file can't be read ({problem.strerror})",
        ) from problem
    return read_calendar(files, name=str(folder))


def read_calendar(files: Mapping[str, str | bytes], *, name: str = "calendars") -> WorkingCalendar:
    """Return the calendar that the year files make together.

    Shapes:
        files: file name -> text. The names are the years: "2026.yaml".

    Errors:
        YamlRefused: a file is not plain YAML.
        CalendarRefused: no file; a year is left out between two others; an unknown or missing key; a day that
            does not exist, stands twice or in another year's file; halves of a swap that do not name
            each other; a compensatory day without its holiday.
    """
    pages = [_Page(file, text) for file, text in files.items()]
    if not pages:
        raise CalendarRefused(
            file=name, line=1, column=1, why_vi="không có tệp lịch nào", why_en="there is no calendar file"
        )
    pages.sort(key=lambda page: page.year)
    for before, page in pairwise(pages):
        if page.year != before.year + 1:
            page.refuse(
                page.root,
                f"thiếu lịch năm {before.year + 1} trước năm này",
                f"the calendar of {before.year + 1}, before this year, is missing",
            )
    days = {entry.day: entry for page in pages for entry in page.days}
    years = range(pages[0].year, pages[-1].year + 1)
    for page in pages:
        for entry, node in zip(page.days, page.nodes, strict=True):
            _check_partner(page, node, entry, days, years)
    return WorkingCalendar.build(years, days.values(), pages[-1].weekend)


def _check_partner(
    page: _Page, node: Node, entry: CalendarDay, days: Mapping[date, CalendarDay], years: range
) -> None:
    """Refuse a swapped or compensatory day whose other half says something else."""
    if entry.partner is None or entry.partner.year not in years:
        return  # half of a swap over the edge of the years known stands alone
    other = days.get(entry.partner)
    wanted = _PAIRED.get(entry.kind, "holiday")
    if other is None or other.kind != wanted or (entry.kind in _PAIRED and other.partner != entry.day):
        page.refuse(
            node,
            f"ngày {entry.partner:%d/%m/%Y} phải được ghi là “{wanted}” và ghi lại ngày {entry.day:%d/%m/%Y}",
            f"{entry.partner.isoformat()} must be written as “{wanted}” and name {entry.day.isoformat()}",
        )


class _Page:
    """One year file while it is read."""

    def __init__(self, file: str, text: str | bytes) -> None:
        self.file = file
        self.root = yaml_text.read(text, name=file)
        self.only(self.root, required=("calendar", "sources", "days"))
        year = self.root.entries["calendar"].node
        if not isinstance(year.value, int) or not 1976 <= year.value <= 9998:  # noqa: PLR2004
            self.refuse(year, "năm phải là số từ 1976 đến 9998", "the year must be a number, 1976 to 9998")
        self.year: int = year.value
        if file != f"{self.year}.yaml":
            self.refuse(
                year, f"tên tệp phải là {self.year}.yaml", f"the file must have the name {self.year}.yaml"
            )
        self.sources = {
            key: self.source(entry.node) for key, entry in self.root.entries["sources"].node.entries.items()
        }
        if "weekend" not in self.sources:
            self.refuse(
                self.root.entries["sources"].node,
                "thiếu nguồn “weekend” (căn cứ nghỉ hằng tuần)",
                "the source “weekend” (why Saturday and Sunday are off) is missing",
            )
        self.weekend = self.sources["weekend"]
        self.nodes = self.root.entries["days"].node.items
        self.days: list[CalendarDay] = []
        seen: set[date] = set()
        for node in self.nodes:
            entry = self.entry(node)
            if entry.day in seen:
                self.refuse(
                    node, f"ngày {entry.day:%d/%m/%Y} đã ghi ở trên", f"{entry.day} was written before"
                )
            seen.add(entry.day)
            self.days.append(entry)

    def refuse(self, node: Node, why_vi: str, why_en: str) -> NoReturn:
        """Raise the error of this file at `node`."""
        raise CalendarRefused(
            file=self.file, line=node.line, column=node.column, why_vi=why_vi, why_en=why_en
        )

    def only(self, node: Node, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        """Refuse a node that is no map with these keys."""
        if node.kind != "map":
            keys = ", ".join(required)
            self.refuse(node, f"ở đây cần các khóa {keys}", f"the keys {keys} are wanted here")
        for key, entry in node.entries.items():
            if key not in required and key not in optional:
                near = did_you_mean(key, required + optional)
                vi, en = (f" (có phải “{near}”?)", f" (did you mean “{near}”?)") if near else ("", "")
                self.refuse(entry.node, f"không biết khóa “{key}”{vi}", f"the key “{key}” is unknown{en}")
        for key in required:
            if key not in node.entries:
                self.refuse(node, f"thiếu khóa “{key}”", f"the key “{key}” is missing")

    def text(self, node: Node, key: str) -> str:
        """Return the text at `key`, which must not be empty."""
        value = node.entries[key].node.value
        if not isinstance(value, str) or not value.strip():
            self.refuse(node.entries[key].node, f"“{key}” phải là văn bản", f"“{key}” must be text")
        return value

    def one_of(self, node: Node, key: str, known: tuple[str, ...]) -> str:
        """Return the word at `key`, which must be one of `known`."""
        word = self.text(node, key)
        if word not in known:
            near = did_you_mean(word, known) or known[0]
            self.refuse(
                node.entries[key].node,
                f"“{word}” không dùng được cho “{key}”; có phải “{near}”? Các từ: {', '.join(known)}",
                f"“{word}” can't stand for “{key}”; did you mean “{near}”? Known: {', '.join(known)}",
            )
        return word

    def day(self, node: Node, key: str) -> date:
        """Return the day at `key`, written as 2026-02-17."""
        word = self.text(node, key)
        if _DAY.fullmatch(word):
            with suppress(ValueError):
                return date.fromisoformat(word)
        return self.refuse(node.entries[key].node, f"không có ngày “{word}”", f"there is no day “{word}”")

    def source(self, node: Node) -> CalendarSource:
        """Return one entry of `sources`."""
        self.only(node, required=("status", "verified", "text"))
        status = self.one_of(node, "status", _STATUSES)
        verified = node.entries["verified"].node.value
        if not isinstance(verified, bool):
            self.refuse(node, "“verified” phải là true hoặc false", "“verified” must be true or false")
        return CalendarSource(_STATUSES[_STATUSES.index(status)], self.text(node, "text"), verified)

    def entry(self, node: Node) -> CalendarDay:
        """Return one entry of `days`, as far as it can be checked without the other files."""
        self.only(node, required=("day", "kind", "source", "title"), optional=("with",))
        day, kind = self.day(node, "day"), _KINDS[_KINDS.index(self.one_of(node, "kind", _KINDS))]
        if day.year != self.year:
            self.refuse(node, f"ngày này không thuộc năm {self.year}", f"this day is not in {self.year}")
        is_weekend = day.weekday() >= _SATURDAY
        if kind in {"swapped_off", "compensatory"} and is_weekend:
            self.refuse(node, "ngày này đã là ngày nghỉ hằng tuần", "this day is off already, as a weekend")
        if kind == "swapped_work" and not is_weekend:
            self.refuse(node, "ngày này vốn là ngày làm việc", "this day is worked anyway")
        title = node.entries["title"].node
        self.only(title, required=("vi", "en"))
        partner = self.day(node, "with") if "with" in node.entries else None
        if (partner is None) is (kind in {"swapped_off", "swapped_work", "compensatory"}):
            self.refuse(
                node,
                "ngày hoán đổi, ngày nghỉ bù (và chỉ các ngày đó) phải ghi ngày kia ở “with”",
                "a swapped or compensatory day, and only such, names the other day in “with”",
            )
        return CalendarDay(
            day,
            kind,
            Words(self.text(title, "vi"), self.text(title, "en")),
            self.sources[self.one_of(node, "source", tuple(self.sources))],
            partner,
        )
