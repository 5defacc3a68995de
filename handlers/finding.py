"""From what people type (a code, a name) to the row that is meant, with the nearest one when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import readings
from engine.errors import Refused, Words, did_you_mean, meant, perhaps
from engine.names import names_of
from engine.sort_text import search_text

if TYPE_CHECKING:
    from engine.readings import Connection
    from engine.registry import Definitions

_WHAT = {
    "person": Words("người", "person"),
    "organisation": Words("cơ quan", "organisation"),
    "establishment": Words("cơ sở", "establishment"),
    "budget_line": Words("dòng kinh phí", "budget line"),
}


class RowUnknown(Refused):
    """Nothing in the register is called like this."""

    code = "row_unknown"
    words = Words(
        'Không có {what_vi} nào mang mã hoặc tên "{given}".{hint}Xem `tiendo {kind} list`.',
        'There is no {what_en} with the code or name "{given}".{hint}See `tiendo {kind} list`.',
    )


class StateUnknown(Refused):
    """No published definition has such a state or phase."""

    code = "state_unknown"
    words = Words(
        'Không quy trình nào có {what_vi} "{given}".{hint}Xem `tiendo definitions{definition}`.',
        'No definition has the {what_en} "{given}".{hint}See `tiendo definitions{definition}`.',
    )


class NameShared(Refused):
    """Several rows have this name."""

    code = "name_shared"
    words = Words(
        'Có nhiều {what_vi} tên "{given}": {codes}. Hãy dùng mã.',
        'Several rows ({what_en}) are called "{given}": {codes}. Use the code.',
    )


def row_id(connection: Connection, kind: str, given: str) -> str:
    """Return the id of a register row by code, id, or name (marks and case do not matter).

    Errors:
        RowUnknown, NameShared.
    """
    given = given.strip()
    exact = readings.entered_as(connection, kind, given)
    if exact:
        return exact.id
    rows = readings.entered(connection, kind)
    names = names_of(connection, [row.id for row in rows])
    wanted = search_text(given)
    found = [row for row in rows if search_text(names[row.id]) == wanted or row.code.lower() == given.lower()]
    what = _WHAT.get(kind, Words(kind, kind))
    if len(found) == 1:
        return found[0].id
    if found:
        codes = ", ".join(row.code for row in found)
        raise NameShared(given=given, codes=codes, what_vi=what.vi, what_en=what.en)
    near = did_you_mean(given, [row.code for row in rows])
    if not near:
        by_text = {search_text(name): name for name in names.values()}
        near = by_text.get(did_you_mean(wanted, by_text), "")
    raise RowUnknown(
        given=given[:64], kind=kind.removesuffix("_line"), hint=meant(near), what_vi=what.vi, what_en=what.en
    )


def check_narrowing(held: Definitions, *, definition: str, phase: str, state: str) -> None:
    """Refuse words that nothing can be found by; asked when nothing was found, for it reads all definitions.

    Errors:
        DefinitionUnknown, StateUnknown.
    """
    among = [held.newest(name) for name in ([definition] if definition else held.names())]
    words = {
        ("giai đoạn", "phase", phase): {one.name for each in among for one in each.phases},
        ("trạng thái", "state", state): {name for each in among for name in each.states},
    }
    for (vi, en, given), known in words.items():
        if given and given not in known:
            where = f" {definition}" if definition else ""
            hint = perhaps(given, sorted(known))
            raise StateUnknown(given=given[:64], what_vi=vi, what_en=en, hint=hint, definition=where)
