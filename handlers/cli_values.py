"""What is typed after --set, --party, --document, turned into typed values by the definition it is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.commands import Document
from engine.errors import Refused, Words, perhaps
from engine.field_values import field_of
from handlers import finding, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.definition import Definition, Field
    from handlers.cli_session import Session

_YES = {"có", "co", "yes", "true", "1", "y"}
_NO = {"không", "khong", "no", "false", "0", "n"}


class PairUnclear(Refused):
    """Something that should read word=value."""

    code = "pair_unclear"
    words = Words(
        'Không hiểu "{given}" sau {option}. Viết từ=giá trị, ví dụ {option} {example}.',
        'Can\'t read "{given}" after {option}. Write word=value, e.g. {option} {example}.',
    )


class YesNoUnclear(Refused):
    """Neither yes nor no."""

    code = "yes_no_unclear"
    words = Words(
        '"{given}" không phải có hay không. Viết có hoặc không.',
        '"{given}" is neither yes nor no. Write yes or no.',
    )


class PartyNameUnknown(Refused):
    """The definition has no such party."""

    code = "party_name_unknown"
    words = Words(
        '{definition} không có bên nào tên "{party}".{hint}Các bên: {known}.',
        '{definition} has no party "{party}".{hint}Its parties: {known}.',
    )


def pairs(given: Iterable[str], option: str, example: str) -> dict[str, str]:
    """Return word -> text from "word=text" items.

    Errors:
        PairUnclear.
    """
    found: dict[str, str] = {}
    for item in given:
        word, equals, text = item.partition("=")
        if not equals or not word.strip():
            raise PairUnclear(given=item, option=option, example=example)
        found[word.strip()] = text.strip()
    return found


def field_values(session: Session, definition: Definition, given: Iterable[str]) -> dict[str, Any]:
    """Return field -> typed value from --set; an empty text clears the field.

    Errors:
        PairUnclear, FieldUnknown, and what the type says: AmountUnclear, DayUnclear, RowUnknown …
    """
    asked = pairs(given, "--set", "support_vnd=300000000")
    return {
        name: _typed(session, field_of(definition, name), text) if text else None
        for name, text in asked.items()
    }


def _typed(session: Session, field: Field, text: str) -> Any:
    if field.type in {"establishment", "organisation", "person"}:
        with session.store.read() as connection:
            return finding.row_id(connection, field.type, text)
    readers: dict[str, Callable[[str], Any]] = {
        "integer": words.read_whole,
        "money": words.read_money,
        "percent": words.read_percent,
        "date": words.read_day,
        "yes_no": read_yes_no,
    }
    if field.type == "choice":
        return _choice(field, text)
    return readers.get(field.type, str)(text)


def _choice(field: Field, text: str) -> str:
    by_title = {
        title.text(language).lower(): word
        for word, title in field.choices.items()
        for language in ("vi", "en")
    }
    return by_title.get(text.lower(), text)


def read_yes_no(given: str) -> bool:
    """Return yes or no.

    Errors:
        YesNoUnclear.
    """
    if given.lower() not in _YES | _NO:
        raise YesNoUnclear(given=given)
    return given.lower() in _YES


def parties(session: Session, definition: Definition, given: Iterable[str]) -> dict[str, str]:
    """Return party -> id from --party.

    Errors:
        PairUnclear, PartyNameUnknown, RowUnknown, NameShared.
    """
    found: dict[str, str] = {}
    for name, text in pairs(given, "--party", "centre=TTKC-ST").items():
        party = definition.parties.get(name)
        if party is None:
            raise PartyNameUnknown(
                definition=definition.name,
                party=name,
                hint=perhaps(name, definition.parties),
                known=", ".join(definition.parties),
            )
        with session.store.read() as connection:
            found[name] = finding.row_id(connection, party.kind, text) if text else ""
    return found


def documents(given: Iterable[str]) -> tuple[Document, ...]:
    """Return papers from --document "word:number,dd/mm/yyyy,signer".

    Errors:
        PairUnclear, DayUnclear.
    """
    found = []
    for item in given:
        word, colon, rest = item.partition(":")
        parts = [part.strip() for part in rest.split(",", 2)]
        if not colon or len(parts) != 3 or not word.strip():  # noqa: PLR2004 - number, day, signer
            raise PairUnclear(
                given=item, option="--document", example='"signed_contract:12/HĐ,05/03/2026,Nguyễn Văn A"'
            )
        found.append(Document(word.strip(), parts[0], words.read_day(parts[1]), parts[2]))
    return tuple(found)
