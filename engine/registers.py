"""Registers: what has no life of its own, kept as logged rows.

A person, an organisation, a membership, a budget line: each decides who may do what, so each change of one is
a command with an entry in the log. `draft` is pure: row, command and writer in, changes out. It looks at
everything and names all that is wrong at once. `engine/register_reading.py` reads what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.commands import Unmet, new_id
from engine.errors import Refused, Words, did_you_mean
from engine.personal import Opening, commit_value, context_of, is_commitment, match_hmac
from engine.register_checks import Checked, check_row, problem
from engine.register_rights import may_write
from engine.register_rows import RegisterRow, Writer
from engine.register_words import CODE, REGISTERS, split, word_of
from engine.sort_text import sort_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.commands import Register

__all__ = [
    "Projection", "RegisterDraft", "RegisterRefused", "RegisterRow", "RegisterUnknown", "Writer",
    "check_erase", "draft", "projections",
]  # fmt: skip

#: (name of the table, the values of one row in the order of its columns).
Projection = tuple[str, tuple[Any, ...]]


class RegisterUnknown(Refused):
    """There is no register of this kind."""

    code = "register_unknown"
    words = Words(
        "Không có sổ “{register}”. Ý bạn là “{suggestion}”? Các sổ: {known}.",
        'There is no register "{register}". Did you mean "{suggestion}"? The registers: {known}.',
    )


class RegisterRefused(Refused):
    """A row can't be written like this; everything that is wrong is in `unmet`, nothing has changed."""

    code = "register_refused"
    words = Words(
        "Chưa ghi được vào sổ “{register}”: {listed_vi}. Hãy sửa rồi gửi lại.",
        'The row can\'t be written into the register "{register}": {listed_en}. Correct it, send it again.',
    )

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """All that is wrong, in the order of the words."""
        found: tuple[Unmet, ...] = self.facts["unmet"]
        return found


@dataclass(frozen=True, slots=True)
class RegisterDraft:
    """What a Register command leads to.

    Shapes:
        row: the row afterwards, its version counted; seq and head are still those before.
        changes: word -> [before, after]; empty when the row already says all that.
        openings: what opens the new commitments.
        projections: all rows that membership, substitution and match_key shall hold for this subject: the old
            ones are deleted, these inserted.
    """

    row: RegisterRow
    is_new: bool
    changes: Mapping[str, list[Any]]
    openings: tuple[Opening, ...]
    projections: tuple[Projection, ...]


def draft(kind: str, row: RegisterRow | None, command: Register, writer: Writer) -> RegisterDraft:
    """Decide what a Register command leads to.

    Shapes:
        row: the row as it stands, or None for a new one.
    Errors:
        RegisterUnknown: no such register.
        RegisterRefused: all that is wrong with words, values, references, periods and the writer's right.
        NotCanonical: a text holds characters that the log has no place for.
    """
    if kind not in REGISTERS:
        raise RegisterUnknown(
            register=kind, suggestion=did_you_mean(kind, REGISTERS), known=", ".join(REGISTERS)
        )
    checked = check_row(kind, row, command, writer)
    unmet = checked.unmet or may_write(kind, row, checked, writer)
    if unmet:
        listed = {
            f"listed_{language}": "; ".join(item.words.text(language) for item in unmet)
            for language in ("vi", "en")
        }
        raise RegisterRefused(register=kind, key=command.key or checked.code, unmet=tuple(unmet), **listed)
    return _drafted(kind, row, command, checked, writer)


def _drafted(
    kind: str, row: RegisterRow | None, command: Register, checked: Checked, writer: Writer
) -> RegisterDraft:
    before = row or RegisterRow(kind, command.key or new_id())
    data, changes, openings = dict(before.data), {}, []
    if row is None:
        changes[CODE] = [None, checked.code]
    for word, value in checked.changed.items():
        stored = value
        declared = word_of(kind, word)
        if value is not None and declared is not None and declared.personal:
            stored, opening = commit_value(context_of(kind, word), before.id, value)
            openings.append(opening)
        changes[word] = [before.data.get(word), stored]
        if stored is None:
            data.pop(word, None)
        else:
            data[word] = stored
    after = RegisterRow(
        kind, before.id, checked.code, data, before.version + bool(changes), before.seq, before.head
    )
    after.sort_text = sort_text(_shown(kind, checked))
    return RegisterDraft(
        after, row is None, changes, tuple(openings), projections(after, checked.values, writer.secret)
    )


def _shown(kind: str, checked: Checked) -> str:
    name = REGISTERS[kind].get("name")
    return checked.code if name is None or name.personal else str(checked.values.get("name", checked.code))


def projections(row: RegisterRow, values: Mapping[str, Any], secret: str) -> tuple[Projection, ...]:
    """Return what the look-up tables shall hold for a row.

    Shapes:
        values: word -> value with personal values opened; an erased one has no key.
    """
    found: list[Projection] = []
    for word, value in sorted(values.items()):
        head, _ = split(word)
        declared = word_of(row.kind, word)
        if head == "membership":
            period = (value["bound"], value["role"], value["from"], value.get("to"))
            found.append(("membership", (row.id, word, *period)))
        elif head == "substitution":
            found.append(
                ("substitution", (row.id, word, value["substitute"], value["from"], value.get("to")))
            )
        elif declared is not None and declared.matched and not is_commitment(value):
            context = context_of(row.kind, word)
            found.append(("match_key", (context, match_hmac(secret, context, value), row.id)))
    return tuple(found)


def check_erase(row: RegisterRow, word: str, writer: Writer) -> str:
    """Return the context whose values shall be erased for a row.

    Errors:
        RegisterRefused: the word isn't personal, or the writer may not write this row.
    """
    declared = word_of(row.kind, word)
    unmet: list[Unmet] = []
    if declared is None or not declared.personal:
        personal = [name for name, found in REGISTERS[row.kind].items() if found.personal]
        unmet.append(
            problem(
                "not_personal",
                word,
                f"“{word}” không phải dữ liệu cá nhân xoá được ({', '.join(personal) or 'không có'})",
                f'"{word}" is no personal word that can be erased ({", ".join(personal) or "none"})',
            )
        )
    unmet.extend(may_write(row.kind, row, Checked(row.code, dict(row.data), {word: None}), writer))
    if unmet:
        listed = {
            f"listed_{language}": "; ".join(item.words.text(language) for item in unmet)
            for language in ("vi", "en")
        }
        raise RegisterRefused(register=row.kind, key=row.code, unmet=tuple(unmet), **listed)
    return context_of(row.kind, word)
