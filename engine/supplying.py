"""What comes along with a command: values, references, papers, each checked before it is put on the case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import field_values, files
from engine.entries import Entry
from engine.errors import Words, did_you_mean
from engine.refusals import DocumentWrong, NotEditable
from engine.seats import seat_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.cases import Draft
    from engine.commands import Document, Fire
    from engine.definition import Definition, Trigger
    from engine.desk import Desk
    from engine.guards import Facts


#: How a paper may have been brought: as in the rules on copies, the plainest last.
COPIES = ("original", "certified", "true_copy", "plain")
LONGEST_PART = 500
REGISTERED = {
    "establishment": Words("một cơ sở đã đăng ký", "a registered establishment"),
    "organisation": Words("một cơ quan đã đăng ký", "a registered organisation"),
    "person": Words("một người đã đăng ký", "a registered person"),
}


def entry_in(facts: Facts, seat: str) -> Entry:
    """Return an empty entry of a command that was given in `seat`."""
    return Entry(
        {}, seat=seat, organisation=facts.case.parties.get(seat.partition(".")[0], ""),
        on_behalf_of=facts.seats.get(seat, ""),
    )  # fmt: skip


def doers(desk: Desk, entry: Entry) -> list[str]:
    """Return who did it: the real person, and the one represented."""
    return [one for one in (desk.command.principal.person, entry.on_behalf_of) if one]


def references(desk: Desk, definition: Definition, values: Mapping[str, Any]) -> None:
    """Refuse a field that names a register row which does not exist."""
    for name, value in values.items():
        kind = definition.fields[name].type
        if value is None or kind not in field_values.REFERENCES:
            continue
        if not desk.tx.run(
            "SELECT 1 FROM register_row WHERE kind = :kind AND id = :id", {"kind": kind, "id": value}
        ):
            raise field_values.FieldValueWrong(
                field=name,
                given=value[:40],
                wanted=REGISTERED[kind],
            )


def checked_documents(
    desk: Desk, definition: Definition, documents: tuple[Document, ...], code: str
) -> tuple[Document, ...]:
    """Return the papers, after checking their kind, their day and that their file is stored."""
    for paper in documents:
        declared = definition.fields.get(paper.type)
        if declared is None or declared.type != "document":
            known = [name for name, field in definition.fields.items() if field.type == "document"]
            near = did_you_mean(paper.type, known)
            raise DocumentWrong(
                document=paper.type,
                code=code,
                why=Words(
                    f"quy trình không có loại giấy tờ này{f' (ý bạn là “{near}”?)' if near else ''}; xem các loại bằng "
                    f"`tiendo definitions {definition.name}`",
                    f"the definition has no such document{f' (did you mean “{near}”?)' if near else ''}; "
                    f"`tiendo definitions {definition.name}` lists them",
                ),
            )
        _parts(paper, code)
        if paper.signed_on:
            field_values.check_day(paper.type, paper.signed_on)
        if paper.file and not files.keep(desk.tx, paper.file):
            raise DocumentWrong(
                document=paper.type,
                code=code,
                why=Words("chưa có tệp này trong kho", "the file is not in the store"),
            )
    return documents


def _parts(paper: Document, code: str) -> None:
    """Refuse a paper whose words are too long, or that is no known kind of copy."""
    if paper.copy not in COPIES:
        near = did_you_mean(paper.copy, COPIES)
        raise DocumentWrong(
            document=paper.type,
            code=code,
            why=Words(
                f"loại bản là một trong {', '.join(COPIES)}{f' (ý bạn là “{near}”?)' if near else ''}",
                f"the copy is one of {', '.join(COPIES)}{f' (did you mean “{near}”?)' if near else ''}",
            ),
        )
    for part in (paper.number, paper.signer, paper.title):
        if len(part) > LONGEST_PART:
            raise DocumentWrong(
                document=paper.type,
                code=code,
                why=Words(
                    f"số, người ký, trích yếu: mỗi mục tối đa {LONGEST_PART} ký tự",
                    f"number, signer and title have at most {LONGEST_PART} characters each",
                ),
            )


def supply(desk: Desk, draft: Draft, facts: Facts, command: Fire, trigger: Trigger) -> None:
    """Put the values and papers that came along with the trigger on the case.

    What the trigger needs, and the date that it decides or extends to, may be brought by whoever fires it. What its
    requirements and guards only look at may be filled where it is empty, but not changed: a verdict over a sum gives no
    right to change the sum. Any other field takes the right to edit it.
    """
    definition, case = facts.definition, draft.case
    values = {name: field_values.typed(definition, name, value) for name, value in command.values.items()}
    spoken_of = {*trigger.needs.fields, trigger.decides, trigger.extends_to}
    rest = [name for name in values if name not in spoken_of and values[name] != case.data.get(name)]
    if rest:
        looked_at = _looked_at(trigger)
        rest = [name for name in rest if name not in looked_at or case.data.get(name) is not None]
    if rest:
        check_editable(facts, rest)
    references(desk, definition, values)
    desk.put_values(draft, values)
    desk.put_documents(draft, checked_documents(desk, definition, command.documents, case.code))


def _looked_at(trigger: Trigger) -> set[str]:
    """Return what the requirements and guards of a trigger look at."""
    looked_at = {path for requirement in trigger.require for path in requirement.that.paths}
    for call in trigger.guards:
        looked_at.update(value for value in call.arguments.values() if isinstance(value, str))
    return looked_at


def check_editable(facts: Facts, names: list[str]) -> str:
    """Return the seat in which these fields may be changed now."""
    case, definition = facts.case, facts.definition
    seat = ""
    for name in names:
        rules = [one for one in definition.editable if name in one.fields and case.state in one.states]
        found = next((hit for one in rules if (hit := seat_for(one.by, case, facts.seats))), None)
        if found is None:
            raise NotEditable(
                fields=", ".join(names), code=case.code, state=definition.states[case.state].title
            )
        seat = found
    return seat
