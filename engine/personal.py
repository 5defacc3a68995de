"""Personal values: a commitment in the log, the value in a table of its own that can be emptied.

The log and the rows hold SHA-256 of (context, salt, value). Without the 16 random bytes of salt nobody can
find the value by trying; erasing takes salt and value away, and every proof over the commitment stays valid.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from engine import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Context of the commitment to what a command asked for.
RECEIPT = "receipt"
_MARK = "sha256:"
_COMMITMENT = re.compile(r"sha256:[0-9a-f]{64}")


class Runs(Protocol):
    """What runs a statement inside a transaction."""

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement with `:named` values and return its rows."""
        ...


class Opening(NamedTuple):
    """What opens a commitment: a row of `personal_value` that isn't erased, in the order of its columns.

    Shapes:
        subject: id of the case or register row that the value belongs to; salt: 16 bytes.
        value: JSON text of the value.
    """

    commitment: str
    context: str
    subject: str
    salt: bytes
    value: str


def context_of(kind: str, word: str) -> str:
    """Return the context of a word of a subject kind ("person.name"), to which a value is tied."""
    return f"{kind}.{word}"


def is_commitment(value: Any) -> bool:
    """Say whether `value` has the form of a commitment."""
    return isinstance(value, str) and value.startswith(_MARK) and _COMMITMENT.fullmatch(value) is not None


def commit_value(context: str, subject: str, value: Any) -> tuple[str, Opening]:
    """Return a fresh commitment to `value` and what opens it; equal values give different commitments.

    Errors:
        NotCanonical: the value has no canonical form.
    """
    clean = canonical.check(value, context)
    commitment, salt = canonical.commit(context, clean)
    return commitment, Opening(commitment, context, subject, salt, canonical.write(clean).decode())


def verify(opening: Opening) -> bool:
    """Say whether an opening fits its commitment."""
    found, _ = canonical.commit(opening.context, orjson.loads(opening.value), opening.salt)
    return hmac.compare_digest(found, opening.commitment)


def match_hmac(secret: str, word: str, value: str) -> str:
    """Return the keyed hash under which a value is found again, as 64 hexadecimal digits.

    Shapes:
        secret: of the store; without it the hash tells nothing. word: "establishment.tax_code".
        value: letters and digits count, case and everything between them don't.
    """
    bare = "".join(c for c in value.casefold() if c.isalnum())
    return hmac.new(secret.encode(), f"{word}\x00{bare}".encode(), hashlib.sha256).hexdigest()


def open_values(tx: Runs, subject: str) -> dict[str, Any]:
    """Return commitment -> value for every value of a subject that isn't erased."""
    rows = tx.run(
        "SELECT commitment, value FROM personal_value WHERE subject = :subject AND value IS NOT NULL",
        {"subject": subject},
    )
    return {commitment: orjson.loads(value) for commitment, value in rows}


def erase(tx: Runs, subject: str, context: str, now: int) -> int:
    """Erase every value that a subject ever had in a context; return how many there were.

    Its match keys go too, the addresses of deliveries that were such a value, and what opens the hashes of the
    commands that brought it. The rows stay, without
    value and salt, so that history can say "erased on request" and when.

    Units:
        now: µs UTC.
    """
    found = tx.run(
        "SELECT value FROM personal_value "
        "WHERE subject = :subject AND context = :context AND value IS NOT NULL",
        {"subject": subject, "context": context},
    )
    for (text,) in found:
        value = orjson.loads(text)
        if isinstance(value, str):
            tx.run("UPDATE delivery SET address = '' WHERE address = :value", {"value": value})
    tx.run(
        "UPDATE personal_value SET value = NULL, salt = NULL, erased_at = :now "
        "WHERE subject = :subject AND context IN (:context, :receipt) AND value IS NOT NULL",
        {"subject": subject, "context": context, "receipt": RECEIPT, "now": now},
    )
    tx.run(
        "DELETE FROM match_key WHERE subject = :subject AND word = :context",
        {"subject": subject, "context": context},
    )
    return len(found)


def is_same(tx: Runs, stored: str, body: str) -> bool:
    """Say whether a command's body is the one behind a receipt.

    Shapes:
        stored: the hash itself, or a commitment to it. After an erasure nothing opens it any more, and the repeat is
            taken at its word: it gets the first receipt and changes nothing.
    """
    if not is_commitment(stored):
        return stored == body
    rows = tx.run("SELECT value FROM personal_value WHERE commitment = :stored", {"stored": stored})
    return not rows or rows[0][0] is None or orjson.loads(rows[0][0]) == body


def owners(tx: Runs, secret: str, word: str, value: str) -> list[str]:
    """Return the subjects whose `word` holds `value`, found by its keyed hash."""
    rows = tx.run(
        "SELECT subject FROM match_key WHERE word = :word AND hmac = :hmac ORDER BY subject",
        {"word": word, "hmac": match_hmac(secret, word, value)},
    )
    return [subject for (subject,) in rows]
