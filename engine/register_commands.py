"""Commands on what has no life: rows of registers, published texts, personal values that are erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import canonical, entries, personal, register_reading, registers
from engine.commands import Receipt
from engine.entries import Entry
from engine.errors import Words
from engine.refusals import CaseUnknown, EraseWrong, NotPermitted
from engine.rule_rows import entered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.cases import Draft
    from engine.commands import Erase, Register
    from engine.desk import Desk
    from engine.guards import Facts
    from engine.register_rows import RegisterRow

PUBLISHED = frozenset({"definition", "rule_pack", "calendar"})


def write(desk: Desk, command: Register) -> Receipt:
    """Write one row of a register; a row that already says all that gets no new entry.

    Errors:
        RegisterUnknown, RegisterRefused: everything that is wrong, at once.
    """
    today = desk.day.isoformat()
    row = register_reading.row_of(desk.tx, command)
    writer = register_reading.writer_of(desk.tx, command, row, desk.claimed.seats, today, desk.engine.lists)
    decided = registers.draft(command.register, row, command, writer)
    after = decided.row
    if not decided.changes:
        return _receipt(command, after)
    desk.writing.openings.extend(
        (one.commitment, one.context, one.subject, one.salt, one.value) for one in decided.openings
    )
    _chain(desk, after, dict(decided.changes))
    desk.writing.registers.append((after, decided.is_new))
    desk.writing.projections.extend(decided.projections)
    if command.register in PUBLISHED and command.text:
        data = after.data
        desk.writing.published.append(
            (data["hash"], command.register, data["name"], data["version"], command.text, desk.tx.now)
        )
    return _receipt(command, after)


def _chain(desk: Desk, row: RegisterRow, changes: dict[str, list[Any]]) -> None:
    reason = desk.command.reason
    entry = Entry(changes, reason=desk.commit("reason", row.id, reason) if reason else None)
    row.seq += 1
    _, row.head, logged = entries.write(
        entry, desk.command, subject=(row.kind, row.id), seq=row.seq, previous=row.head,
        recorded_at=desk.tx.stamp(),
    )  # fmt: skip
    desk.writing.entries.append(logged)


def _receipt(command: Register | Erase, row: RegisterRow) -> Receipt:
    return Receipt(
        command=command.id, subject_kind=row.kind, subject=row.id, seq=row.seq, head=row.head,
        version=row.version, code=row.code,
    )  # fmt: skip


def erase(desk: Desk, command: Erase) -> Receipt:
    """Erase a personal value of a register row or a case: value and salt go, commitment and log stay.

    Errors:
        EraseWrong, RegisterRefused, NotPermitted: nothing was erased.
    """
    word = f"erased.{command.word}"
    today = desk.day.isoformat()
    if command.subject_kind == "case":
        return _erase_of_case(desk, command, word, today)
    row = register_reading.row_by_key(desk.tx, command.subject_kind, command.subject)
    if row is None:
        raise EraseWrong(
            word=command.word, subject=command.subject, why=Words("không có dòng này", "there is no such row")
        )
    writer = register_reading.eraser_of(desk.tx, command.principal, row, desk.claimed.seats, today)
    context = registers.check_erase(row, command.word, writer)
    personal.erase(desk.tx, row.id, context, desk.tx.now)
    before = row.data.get(word)
    row.data[word] = today
    row.version += 1
    _chain(desk, row, {word: [before, today]})
    desk.writing.registers.append((row, False))
    kept = {
        name: writer.opened.get(value, value) if isinstance(value, str) else value
        for name, value in row.data.items()
        if name != command.word
    }
    desk.writing.projections.extend(registers.projections(row, kept, writer.secret))
    return _receipt(command, row)


#: Texts of people beside the fields of a case, by the word that erases all of them.
_FREE_TEXTS = {"reason": "reason", "comment": "comment", "signer": "case.signer"}


def _erase_of_case(desk: Desk, command: Erase, word: str, today: str) -> Receipt:
    case = desk.claimed.cases.get(command.subject)
    if case is None:
        raise CaseUnknown(case=command.subject)
    if command.principal.kind != "operator":
        if not desk.facts(case).seats:
            raise CaseUnknown(case=command.subject)
        raise NotPermitted(
            kind="erase",
            code=case.code,
            needed=Words("người vận hành (thêm --operator)", "an operator (add --operator)"),
        )
    field = desk.definition(case).fields.get(command.word)
    context = (
        personal.context_of("case", command.word)
        if field is not None and field.personal
        else _FREE_TEXTS.get(command.word, "")
    )
    # Also what was cleared or replaced since: every value that the word ever had is erased.
    if not personal.erase(desk.tx, case.id, context, desk.tx.now):
        raise EraseWrong(
            word=command.word,
            subject=case.code,
            why=Words("không phải dữ liệu cá nhân, hoặc đã trống", "it is not personal, or empty"),
        )
    draft = desk.draft(case)
    draft.put(word, today)
    desk.log(draft, Entry(draft.take_changes()))
    return desk.receipt(case)


def put_rules(desk: Desk, draft: Draft, facts: Facts, rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep rule values that an officer entered with their source, where the packs say "chưa xác minh".

    Errors:
        RuleUnknown, ValueWrong: nothing was changed.
    """
    for key, given in rules.items():
        value = given.get("value")
        source = canonical.clean_text(str(given.get("source", "")), key)
        entered(facts.rules(key), tuple(value) if isinstance(value, list) else value, source)
        draft.put(f"rule.{key}", {"value": value, "source": source, "person": desk.command.principal.person})
