"""Who may write which row of a register.

An administrator of an organisation writes what lies in or below it; an officer writes the establishments of
the provinces that the organisation answers for; everybody keeps their own address and language. Nobody grants
anything to themselves. An operator and an import are named in the entry and may write all; whoever sets an
empty store up may write its organisations and its first person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.register_checks import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.commands import Unmet
    from engine.register_checks import Checked
    from engine.register_rows import RegisterRow, Writer

ADMINISTRATOR = "administrator"
#: Reads all, changes nothing.
AUDITOR = "auditor"
#: Words of one's own row that one may write.
_OWN = frozenset({"email", "phone", "language"})


def may_write(kind: str, row: RegisterRow | None, checked: Checked, writer: Writer) -> list[Unmet]:
    """Return why the writer may not do this; nothing when it is allowed."""
    principal = writer.principal
    if principal.kind in {"operator", "import"}:
        return []
    if principal.kind == "system":
        return [] if kind in {"store", "definition", "rule_pack", "calendar"} else [_no(kind)]
    if principal.kind != "person":
        return [_no(kind)]
    if writer.empty and kind in {"organisation", "person"}:
        return []
    match kind:
        case "person":
            allowed = _person(row, checked, writer)
        case "organisation":
            allowed = _organisation(row, checked, writer)
        case "establishment" | "budget_line":
            allowed = _by_province(kind, row, checked, writer)
        case "store":
            allowed = False
        case _:
            allowed = any(len(writer.above.get(bound, ())) == 1 for bound in _administered(writer))
    return [] if allowed else [_no(kind)]


def named(kind: str, row: RegisterRow | None, values: Mapping[str, Any]) -> set[str]:
    """Return ids and codes of the organisations and other rows on which the right to write depends."""
    found: set[str] = set()
    for words in (row.data if row else {}, values):
        for word, value in words.items():
            if isinstance(value, dict):
                found.update(str(value[part]) for part in ("bound", "substitute") if value.get(part))
            elif word in {"parent", "successor", "organisation"} and value:
                found.add(str(value))
    if kind == "organisation" and row:
        found.add(row.id)
    return found


def _administered(writer: Writer) -> set[str]:
    return {seat.bound for seat in writer.seats if seat.role == ADMINISTRATOR}


def _over(organisations: Iterable[str], writer: Writer) -> bool:
    """Say whether the writer administers each organisation, or one above it."""
    mine = _administered(writer)
    return all(mine & set(writer.above.get(organisation, ())) for organisation in organisations)


def _person(row: RegisterRow | None, checked: Checked, writer: Writer) -> bool:
    me = writer.principal.person
    if row is not None and row.id == me:
        return set(checked.changed) <= _OWN
    before = _periods(row.data if row else {})
    after = _periods(checked.values)
    if any(value.get("substitute") == me for value in after.values() if value not in before.values()):
        return False
    bound = {value["bound"] for value in (*before.values(), *after.values()) if "bound" in value}
    places = {place for place in bound if place in writer.above}
    shops = [writer.find("establishment", place) for place in bound - places]
    if any(
        shop is None or not _in_province(shop.data.get("province"), writer, {ADMINISTRATOR}) for shop in shops
    ):
        return False
    # A person bound to nothing can be registered by any administrator, as the first step of binding.
    return _over(places, writer) and bool(_administered(writer))


def _periods(words: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {word: value for word, value in words.items() if isinstance(value, dict)}


def _organisation(row: RegisterRow | None, checked: Checked, writer: Writer) -> bool:
    if row is None:
        parent = checked.values.get("parent")
        touched = {parent} if parent else set()
    else:
        # A new parent or successor opens cases to other people: it must be one's own to give and to get.
        touched = {row.id, *(checked.changed.get(word) or "" for word in ("parent", "successor"))} - {""}
        if "parent" in checked.changed and row.data.get("parent"):
            touched.add(row.data["parent"])
    return bool(touched) and _over(touched, writer)


def _by_province(kind: str, row: RegisterRow | None, checked: Checked, writer: Writer) -> bool:
    word = "province" if kind == "establishment" else "scope"
    places = {checked.values.get(word), row.data.get(word) if row else checked.values.get(word)}
    roles = {ADMINISTRATOR} if kind == "budget_line" else None
    return all(_in_province(place, writer, roles) for place in places)


def _in_province(place: Any, writer: Writer, roles: set[str] | None) -> bool:
    for seat in writer.seats:
        if seat.role == AUDITOR or (roles is not None and seat.role not in roles):
            continue
        answers = writer.provinces.get(seat.bound, frozenset())
        if "" in answers or place in answers:
            return True
    return False


def _no(kind: str) -> Unmet:
    return problem(
        "register_not_permitted",
        "principal",
        f"bạn không có quyền ghi vào sổ {kind} ở đây; hãy nhờ người quản trị của đơn vị hoặc cấp trên",
        f"you may not write {kind} here; ask an administrator of the organisation or of one above it",
    )
