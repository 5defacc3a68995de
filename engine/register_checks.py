"""Is a row of a register well-formed: its words, their types, what they refer to, their dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import canonical
from engine.commands import Unmet
from engine.errors import Words, did_you_mean
from engine.personal import is_commitment
from engine.register_words import CODE, REGISTERS, fits, is_date, split, word_of, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.commands import Register
    from engine.register_rows import RegisterRow, Writer
    from engine.register_words import RegisterWord

_ID = re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@-]{0,63}")
#: Registers whose code follows from what they say: writing "the same" again finds the row that is there.
NATURAL = ("budget_line", "definition", "rule_pack", "calendar", "store")
#: Periods of one kind that may not overlap in one row: two substitutes at once would be two answers.
_ALONE = ("substitution",)


@dataclass(slots=True)
class Checked:
    """A row as it would be.

    Shapes:
        values: word -> plain value of the whole row afterwards, personal values opened, erased ones missing.
        changed: word -> plain value (None takes it away), only what differs from before.
        unmet: all that is wrong.
    """

    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)
    unmet: list[Unmet] = field(default_factory=list)


def problem(code: str, word: str, vi: str, en: str) -> Unmet:
    """Return one thing that is wrong with a word."""
    return Unmet(code, Words(vi, en), place=f"word:{word}")


def natural_code(kind: str, values: Mapping[str, Any]) -> str:
    """Return the code that follows from the values of a row, or "" where people give it.

    Shapes:
        returns: budget line "programme/plan_year/scope", the key of its lock too; published texts their name.
    """
    match kind:
        case "budget_line":
            return "/".join(str(values.get(word, "")) for word in ("programme", "plan_year", "scope"))
        case "definition" | "rule_pack" | "calendar":
            return str(values.get("name", ""))
        case "store":
            return "store"
        case _:
            return ""


def check_row(kind: str, row: RegisterRow | None, command: Register, writer: Writer) -> Checked:
    """Look at the whole row as it would be and collect all that is wrong."""
    checked = Checked(values=_plain(row, writer) if row else {})
    before = dict(checked.values)
    for word, given in command.values.items():
        if word == CODE:
            continue
        value = _value(kind, word, given, writer, checked.unmet)
        if value is None:
            checked.values.pop(word, None)
        else:
            checked.values[word] = value
        erased = value is None and row is not None and word in row.data
        if value != before.get(word) or erased:
            checked.changed[word] = value
    _required(kind, row, checked)
    _periods(checked)
    _code(kind, row, command, checked, writer)
    return checked


def _plain(row: RegisterRow, writer: Writer) -> dict[str, Any]:
    found = {}
    for word, value in row.data.items():
        declared = word_of(row.kind, word)
        if declared is not None and declared.personal and is_commitment(value):
            if value in writer.opened:
                found[word] = writer.opened[value]
        else:
            found[word] = value
    return found


def _value(kind: str, word: str, given: Any, writer: Writer, unmet: list[Unmet]) -> Any:
    declared = word_of(kind, word)
    if declared is None:
        unmet.append(_unknown(kind, word))
        return None
    return None if given is None else _typed(declared, word, given, writer, unmet)


def _unknown(kind: str, word: str) -> Unmet:
    head, _ = split(word)
    known = REGISTERS[kind]
    near = head if head in known else did_you_mean(head, known)
    if near and known[near].type == "period":
        near = f"{near}.1"
    vi, en = (f"; ý bạn là “{near}”?", f'; did you mean "{near}"?') if near else ("", "")
    return problem(
        "word_unknown", word, f"{kind} không có mục “{word}”{vi}", f'{kind} has no word "{word}"{en}'
    )


def _typed(declared: RegisterWord, word: str, given: Any, writer: Writer, unmet: list[Unmet]) -> Any:
    if isinstance(given, str):
        given = canonical.clean_text(given, word).strip()
    if not fits(declared, given):
        must = wrong(declared)
        unmet.append(problem("word_wrong", word, f"“{word}” {must.vi}", f'"{word}" {must.en}'))
        return None
    if declared.listed and given not in writer.lists.get(declared.listed, (given,)):
        near = did_you_mean(given, writer.lists[declared.listed])
        vi, en = (f" (ý bạn là “{near}”?)", f' (did you mean "{near}"?)') if near else ("", "")
        unmet.append(
            problem(
                "word_unlisted",
                word,
                f"“{word}”: danh sách không có “{given}”{vi}",
                f'"{word}": the list has no "{given}"{en}',
            )
        )
        return None
    if declared.type == "reference":
        return _reference(declared, word, given, writer, unmet)
    if declared.type == "period":
        return _period(declared, word, given, writer, unmet)
    return given


def _reference(declared: RegisterWord, word: str, given: str, writer: Writer, unmet: list[Unmet]) -> Any:
    for kind in declared.refers:
        found = writer.find(kind, given)
        if found is not None:
            return found.id
    kinds = ", ".join(declared.refers)
    unmet.append(
        problem(
            "reference_unknown",
            word,
            f"“{word}”: không có “{given}” trong sổ {kinds}; hãy ghi sổ đó trước",
            f'"{word}": there is no "{given}" in {kinds}; register it first',
        )
    )
    return None


def _period(
    declared: RegisterWord, word: str, given: dict[str, Any], writer: Writer, unmet: list[Unmet]
) -> Any:
    found: dict[str, Any] = {}
    for part, value in given.items():
        place = f"{word}.{part}"
        if part not in declared.parts:
            near = did_you_mean(part, declared.parts)
            hint = f" ({near}?)" if near else ""
            unmet.append(
                problem(
                    "word_unknown",
                    place,
                    f"“{word}” không có “{part}”{hint}",
                    f'"{word}" has no "{part}"{hint}',
                )
            )
        elif value is not None:
            found[part] = _typed(declared.parts[part], place, value, writer, unmet)
    for part, inner in declared.parts.items():
        if inner.required and given.get(part) is None:
            unmet.append(
                problem(
                    "word_missing", f"{word}.{part}", f"“{word}” thiếu “{part}”", f'"{word}" lacks "{part}"'
                )
            )
    return {part: value for part, value in found.items() if value is not None}


def _required(kind: str, row: RegisterRow | None, checked: Checked) -> None:
    for word, declared in REGISTERS[kind].items():
        if not declared.required or word in checked.values:
            continue
        # An erased value is missing for good; the row may still be changed in its other words.
        erased = row is not None and word in row.data and word not in checked.changed
        if not erased and not any(item.place == f"word:{word}" for item in checked.unmet):
            checked.unmet.append(problem("word_missing", word, f"thiếu “{word}”", f'"{word}" is missing'))


def _periods(checked: Checked) -> None:
    spans: list[tuple[str, str, str]] = []
    groups = [("", checked.values), *((w, v) for w, v in checked.values.items() if isinstance(v, dict))]
    for word, value in groups:
        start, end = value.get("from", ""), value.get("to") or "9999-12-31"
        if not (not start or is_date(start)) or not is_date(end):
            continue
        if start > end:
            checked.unmet.append(
                problem(
                    "period_backwards",
                    word or "from",
                    f"“{word or 'from'}” bắt đầu {start} sau khi kết thúc {end}",
                    f'"{word or "from"}" begins on {start} after its end on {end}',
                )
            )
        elif word and start:
            spans.append((word, start, end))
    for index, (word, start, end) in enumerate(spans):
        for other, from_on, to_on in spans[index + 1 :]:
            alone = split(word)[0] == split(other)[0] and split(word)[0] in _ALONE
            if alone and start <= to_on and from_on <= end:
                checked.unmet.append(
                    problem(
                        "period_overlaps",
                        other,
                        f"“{other}” trùng thời gian với “{word}”; mỗi ngày chỉ một người thay",
                        f'"{other}" overlaps "{word}"; only one substitute on a day',
                    )
                )


def _code(kind: str, row: RegisterRow | None, command: Register, checked: Checked, writer: Writer) -> None:
    given = command.values.get(CODE) or ""
    natural = natural_code(kind, checked.values)
    code = natural or given or (row.code if row else "")
    checked.code = code
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        checked.unmet.append(
            problem(
                "code_missing",
                CODE,
                "cần mã (chữ cái không dấu, số, _ . / -)",
                "a code is needed (ASCII word)",
            )
        )
    elif (row and code != row.code) or (given and given != code):
        kept = row.code if row else code
        checked.unmet.append(
            problem(
                "code_fixed",
                CODE,
                f"mã “{kept}” đã cấp, không đổi được",
                f'the code "{kept}" is given for good',
            )
        )
    elif row is None and writer.find(kind, code):
        checked.unmet.append(
            problem(
                "code_taken",
                CODE,
                f"mã “{code}” đã có trong sổ {kind}",
                f'{kind} has the code "{code}" already',
            )
        )
    if row is None and command.key and not _ID.fullmatch(command.key):
        checked.unmet.append(
            problem(
                "row_unknown",
                "key",
                f"không có “{command.key}” trong sổ {kind}; để trống khoá để thêm mới",
                f'there is no "{command.key}" in {kind}; leave the key empty to add a row',
            )
        )
