"""Provinces and centrally-run cities, before and after they were rearranged, with who succeeded whom.

The list itself is a cited file; here is only what it may say and what it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from engine import yaml_text
from engine.errors import Refused, Words, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.yaml_text import Node

UnitKind = Literal["province", "city"]
#: `general` is common knowledge that nobody compared with the text yet.
UnitGrade = Literal["read", "secondary", "general"]
_KEYS = ("name", "kind", "grade", "to", "into", "before")


class ProvincesRefused(Refused):
    """The file of provinces says something that can't be."""

    code = "provinces_refused"
    words = Words(
        "{file}, dòng {line}: {why_vi}. Hãy sửa tệp danh sách tỉnh.",
        "{file}, line {line}: {why_en}. Correct the file of provinces.",
    )


class ProvinceUnknown(Refused):
    """There is no province of this word."""

    code = "province_unknown"
    words = Words(
        "Không có tỉnh, thành phố “{province}”. Ý bạn là “{suggestion}”?",
        'There is no province "{province}". Did you mean "{suggestion}"?',
    )


@dataclass(frozen=True, slots=True)
class Province:
    """One unit.

    Shapes:
        word: ASCII, given once; a unit that took others in keeps its own.
        to: its last day, or None while it is there. into: word of its successor, or "".
        before: the name it bore before it became a city, or "".
    """

    word: str
    name: str
    kind: UnitKind
    grade: UnitGrade
    to: date | None = None
    into: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Provinces:
    """All units by word."""

    units: Mapping[str, Province]

    def get(self, word: str) -> Province:
        """Return the unit of a word.

        Errors:
            ProvinceUnknown: with the nearest word.
        """
        if word not in self.units:
            raise ProvinceUnknown(province=word, suggestion=did_you_mean(word, self.units))
        return self.units[word]

    def on(self, day: date) -> tuple[Province, ...]:
        """Return the units that are there on a day, in the order of the file."""
        return tuple(unit for unit in self.units.values() if unit.to is None or day <= unit.to)

    def today_of(self, word: str, day: date) -> Province:
        """Return the unit that answers on a day for what `word` once was: itself or its successor.

        Errors:
            ProvinceUnknown: with the nearest word.
        """
        unit = self.get(word)
        while unit.to is not None and unit.to < day:
            unit = self.get(unit.into)
        return unit

    def before(self, word: str, day: date) -> frozenset[str]:
        """Return the words that a unit answers for on a day: its own and its ended predecessors'."""
        return frozenset(other for other in self.units if self.today_of(other, day).word == word)


def read_provinces(text: str | bytes, *, name: str = "provinces.yaml") -> Provinces:
    """Return the units of a file.

    Errors:
        YamlRefused, ProvincesRefused: with the line; nothing was read.
    """
    root = yaml_text.read(text, name=name)
    if root.kind != "map" or "units" not in root.entries or root.entries["units"].node.kind != "map":
        _refuse(name, root, "thiếu “units”", '"units" is missing')
    listed = root.entries["units"].node.entries
    units = {word: _unit(name, word, entry.node) for word, entry in listed.items()}
    for word, unit in units.items():
        node = listed[word].node
        if (unit.to is None) != (unit.into == ""):
            _refuse(name, node, "“to” và “into” phải đi cùng nhau", '"to" and "into" belong together')
        if unit.into and (unit.into not in units or units[unit.into].to is not None):
            near = did_you_mean(unit.into, units)
            _refuse(
                name,
                node,
                f"“into: {unit.into}” không còn hoặc không có ({near}?)",
                f"no such successor ({near}?)",
            )
    return Provinces(units)


def _unit(file: str, word: str, node: Node) -> Province:
    said: dict[str, Any] = yaml_text.plain(node) if node.kind == "map" else {}
    for key in said:
        if key not in _KEYS:
            near = did_you_mean(key, _KEYS)
            _refuse(file, node, f"không biết khoá “{key}” ({near}?)", f'unknown key "{key}" ({near}?)')
    if not said.get("name") or said.get("kind") not in get_args(UnitKind):
        _refuse(file, node, f"“{word}” cần name và kind (province, city)", f'"{word}" needs name and kind')
    if said.get("grade") not in get_args(UnitGrade):
        grades = ", ".join(get_args(UnitGrade))
        _refuse(file, node, f"“{word}” cần grade: {grades}", f'"{word}" needs a grade: {grades}')
    to = None
    if "to" in said:
        try:
            to = date.fromisoformat(str(said["to"]))
        except ValueError:
            _refuse(file, node, f"không có ngày “{said['to']}”", f'there is no day "{said["to"]}"')
    return Province(
        word, said["name"], said["kind"], said["grade"], to, said.get("into", ""), said.get("before", "")
    )


def _refuse(file: str, node: Node, why_vi: str, why_en: str) -> NoReturn:
    raise ProvincesRefused(file=file, line=node.line, why_vi=why_vi, why_en=why_en)
