"""Moving a case to another version of its definition: explicit, previewed by the sender, one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import deadlines, moves
from engine.entries import Entry
from engine.errors import Words
from engine.refusals import MigrationWrong, NotPermitted

if TYPE_CHECKING:
    from engine.cases import Case
    from engine.commands import Migrate, Receipt
    from engine.definition import Definition
    from engine.desk import Desk

MAY_MIGRATE = frozenset({"operator", "import"})


def target_state(case: Case, new: Definition, command: Migrate) -> str:
    """Return the state in the new version.

    Errors:
        MigrationWrong: the new version lacks the state and no other was named for it.
    """
    state = command.states.get(case.state, case.state)
    if state not in new.states:
        why = Words(
            f"phiên bản mới không có trạng thái “{state}”; hãy nêu --map {case.state}:<trạng thái mới>",
            f"the new version has no state “{state}”; give --map {case.state}:<new state>",
        )
        raise MigrationWrong(code=case.code, to=command.to, why=why)
    if (state != case.state and case.state in new.states) or new.states[state].final != case.final:
        why = Words(
            f"“{case.state}” → “{state}” là một bước xử lý, không phải đổi tên; chuyển phiên bản không thay cho bước xử lý",
            f"“{case.state}” → “{state}” would be a move, not another name; a migration takes the place of no move",
        )
        raise MigrationWrong(code=case.code, to=command.to, why=why)
    back = command.states.get(case.came_from or "", case.came_from)
    if back is not None and back not in new.states:
        why = Words(
            f"phiên bản mới không có trạng thái “{back}” để quay lại; hãy nêu --map {back}:<trạng thái mới>",
            f"the new version has no state “{back}” to come back to; give --map {back}:<new state>",
        )
        raise MigrationWrong(code=case.code, to=command.to, why=why)
    return state


def migrate(desk: Desk, command: Migrate) -> Receipt:
    """Pin a case to another version: its state mapped, its holder and deadlines planned by the new definition.

    Errors:
        MigrationWrong, NotPermitted: nothing was changed.
    """
    case = desk.claimed.cases[command.case]
    old = desk.definition(case)
    if command.principal.kind not in MAY_MIGRATE:
        raise NotPermitted(
            kind="migrate",
            code=case.code,
            needed=Words("người vận hành (thêm --operator)", "an operator (add --operator)"),
        )
    new = desk.engine.definitions.version(old.name, command.to)
    state = target_state(case, new, command)
    lacking = [name for name, party in new.parties.items() if party.required and name not in case.parties]
    if lacking:
        raise MigrationWrong(
            code=case.code,
            to=command.to,
            why=Words(f"còn thiếu bên {', '.join(lacking)}", f"the party {', '.join(lacking)} is missing"),
        )
    draft = desk.draft(case)
    before = case.state
    draft.put("definition", new.hash)
    draft.put("state", state)
    if case.came_from is not None:
        draft.put("came_from", command.states.get(case.came_from, case.came_from))
    final = new.states[state].final
    draft.put("final", final)
    holder = new.states[state].holder
    moves.hold(draft, str(holder) if holder else None, desk.day)
    if not any(book["paused"] for book in case.below("deadline").values()):
        deadlines.carry_over(draft, old, new, desk.day, desk.engine.calendar, desk.writing)
    entry = Entry(draft.take_changes(), from_state=before, to_state=state)
    desk.log(draft, entry)
    return desk.receipt(case)
