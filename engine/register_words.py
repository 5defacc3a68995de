"""The registers and their words: what a person, an organisation or a budget line may say about itself.

What has no life of its own is a row of a register. The list of kinds is closed; each word has a type, and a
word that is not listed is refused with a suggestion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from engine import canonical
from engine.errors import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

WordType = Literal[
    "text", "word", "date", "integer", "money", "yes_no", "choice", "reference",
    "email", "phone", "tax_code", "hash", "period",
]  # fmt: skip

PROVINCES = "provinces"
LONGEST_TEXT = 1000
LARGEST_AMOUNT = 10**15
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@-]{0,63}")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PHONE = re.compile(r"\+?[0-9][0-9 .-]{6,18}[0-9]")
#: Enterprises 10 digits, dependent units 10-3, household businesses 10 or the 12 of the citizen number.
_TAX_CODE = re.compile(r"[0-9]{10}(?:-?[0-9]{3})?|[0-9]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class RegisterWord:
    """One word of a register.

    Shapes:
        personal: log and row hold a commitment in its place. matched: found again by a keyed hash.
        refers: kinds of register that a `reference` may name, by id or code; the row holds the id.
        parts: the words of a `period`, a numbered word such as `membership.1`; `from` and `to` among them.
        listed: the closed list that its values are of, or "".
    """

    type: WordType
    required: bool = False
    personal: bool = False
    matched: bool = False
    choices: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    parts: Mapping[str, RegisterWord] = field(default_factory=dict)
    listed: str = ""


ORGANISATION_KINDS = (
    "ministry", "agency", "ministry_finance", "regional_centre", "province_council", "province_committee",
    "department", "finance", "centre", "commune_committee", "commune_office", "treasury", "audit", "other",
)  # fmt: skip

#: Source: NĐ 45/2012 Điều 1 khoản 2 as amended by NĐ 235/2025 Điều 1 (read for the forms of business,
#: secondary for artisans).
LEGAL_FORMS = (
    "enterprise", "cooperative", "cooperative_union", "cooperative_group", "household_business",
    "craft_village", "artisan", "public_body", "other",
)  # fmt: skip

_FROM_TO = {"from": RegisterWord("date", required=True), "to": RegisterWord("date")}
#: A sample row says that it is made up; a published one says where it stands.
_ORIGIN = {"invented": RegisterWord("yes_no"), "source": RegisterWord("text")}
_PUBLISHED = {
    "name": RegisterWord("word", required=True),
    "version": RegisterWord("integer", required=True),
    "hash": RegisterWord("hash", required=True),
    "title": RegisterWord("text"),
}

REGISTERS: Mapping[str, Mapping[str, RegisterWord]] = {
    "person": {
        "name": RegisterWord("text", required=True, personal=True),
        "email": RegisterWord("email", personal=True),
        "phone": RegisterWord("phone", personal=True),
        "language": RegisterWord("choice", choices=("vi", "en")),
        "membership": RegisterWord(
            "period",
            parts={
                "bound": RegisterWord("reference", required=True, refers=("organisation", "establishment")),
                "role": RegisterWord("word", required=True),
                **_FROM_TO,
            },
        ),
        "substitution": RegisterWord(
            "period",
            parts={
                "substitute": RegisterWord("reference", required=True, refers=("person",)),
                "document": RegisterWord("text"),
                **_FROM_TO,
            },
        ),
        **_ORIGIN,
    },
    "organisation": {
        "name": RegisterWord("text", required=True),
        "kind": RegisterWord("choice", required=True, choices=ORGANISATION_KINDS),
        "province": RegisterWord("word", listed=PROVINCES),
        "parent": RegisterWord("reference", refers=("organisation",)),
        "from": RegisterWord("date"),
        "to": RegisterWord("date"),
        "successor": RegisterWord("reference", refers=("organisation",)),
        **_ORIGIN,
    },
    # A household business bears its owner's name and number, and legal forms change: all are treated alike.
    "establishment": {
        "name": RegisterWord("text", required=True, personal=True),
        "tax_code": RegisterWord("tax_code", personal=True, matched=True),
        "address": RegisterWord("text", personal=True),
        "legal_form": RegisterWord("choice", choices=LEGAL_FORMS),
        "province": RegisterWord("word", required=True, listed=PROVINCES),
        "commune": RegisterWord("text"),
        "sector": RegisterWord("text"),
        "workers": RegisterWord("integer"),
        "capital_vnd": RegisterWord("money"),
        **_ORIGIN,
    },
    "budget_line": {
        "programme": RegisterWord("word", required=True),
        "scope": RegisterWord("word", required=True),
        "plan_year": RegisterWord("integer", required=True),
        "amount_vnd": RegisterWord("money", required=True),
        "document": RegisterWord("text"),
        **_ORIGIN,
    },
    "definition": _PUBLISHED,
    "rule_pack": _PUBLISHED,
    "calendar": {**_PUBLISHED, "organisation": RegisterWord("reference", refers=("organisation",))},
    "store": {
        "kind": RegisterWord("choice", required=True, choices=("sample", "production")),
        "restored_on": RegisterWord("date"),
        "restored_from": RegisterWord("text"),
    },
}

#: The word of the log for what people call the row by; it is a column of its own.
CODE = "code"


def split(word: str) -> tuple[str, str]:
    """Return a word and its number: "membership.2" -> ("membership", "2"), "name" -> ("name", "")."""
    head, _, number = word.partition(".")
    return head, number


def word_of(kind: str, word: str) -> RegisterWord | None:
    """Return what a word of a register is, or None when that register has no such word."""
    head, number = split(word)
    found = REGISTERS[kind].get(head)
    if found is None or (found.type == "period") != bool(number) or (number and not number.isdecimal()):
        return None
    return found


_WRONG: Mapping[str, Words] = {
    "text": Words(
        f"phải là chữ, từ 1 đến {LONGEST_TEXT} ký tự", f"must be text of 1 to {LONGEST_TEXT} characters"
    ),
    "word": Words(
        "phải là mã không dấu: chữ cái, số và _ . / @ - , dài nhất 64",
        "must be an ASCII word: letters, digits and _ . / @ - , 64 at most",
    ),
    "date": Words("phải là ngày có thật, dạng 2026-03-31", "must be a date that exists, like 2026-03-31"),
    "integer": Words("phải là số nguyên không âm", "must be a whole number, not negative"),
    "money": Words("phải là số đồng nguyên, 0 đến 10^15", "must be whole đồng, 0 to 10^15"),
    "yes_no": Words("phải là có hoặc không (true/false)", "must be true or false"),
    "choice": Words("phải là một trong: {choices}", "must be one of: {choices}"),
    "reference": Words("phải là mã hoặc id", "must be a code or an id"),
    "email": Words("phải là địa chỉ thư điện tử", "must be an e-mail address"),
    "phone": Words("phải là số điện thoại, 8 đến 20 chữ số", "must be a phone number of 8 to 20 digits"),
    "tax_code": Words(
        "phải là mã số thuế 10, 12 hoặc 13 chữ số", "must be a tax code of 10, 12 or 13 digits"
    ),
    "hash": Words("phải là SHA-256, 64 chữ số hex", "must be a SHA-256 of 64 hexadecimal digits"),
    "period": Words("phải là nhóm gồm {choices}", "must be a group of {choices}"),
}
_PATTERNS = {
    "word": _WORD,
    "email": _EMAIL,
    "phone": _PHONE,
    "tax_code": _TAX_CODE,
    "hash": _HASH,
    "reference": _WORD,
}


def wrong(found: RegisterWord) -> Words:
    """Return what a value of this word must be, in both languages."""
    choices = ", ".join(found.choices or tuple(found.parts))
    return Words(*(_WRONG[found.type].fill(language, choices=choices) for language in ("vi", "en")))


def fits(found: RegisterWord, value: Any) -> bool:
    """Say whether a value (never None) has the type of its word; a period's parts are looked at later."""
    match found.type:
        case "integer" | "money":
            most = LARGEST_AMOUNT if found.type == "money" else canonical.LARGEST_INTEGER
            return type(value) is int and 0 <= value <= most
        case "yes_no":
            return isinstance(value, bool)
        case "period":
            return isinstance(value, dict)
        case _:
            return isinstance(value, str) and _text_fits(found, value)


def _text_fits(found: RegisterWord, value: str) -> bool:
    match found.type:
        case "text":
            return 0 < len(value.strip()) <= LONGEST_TEXT
        case "choice":
            return value in found.choices
        case "date":
            return is_date(value)
        case _:
            return _PATTERNS[found.type].fullmatch(value) is not None


def is_date(text: str) -> bool:
    """Say whether `text` is a civil date that exists, in ISO form with dashes."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
