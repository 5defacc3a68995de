"""Files as rows: found by the hash of their content, in the same database as everything else.

A file is stored and committed before the command that refers to it, so a case never names a file that isn't
there. What no command came to name is swept after a day.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine.errors import Broken, Refused, Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from engine.store import Store, Transaction

LARGEST_BYTES = 25 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
_HOUR = 3_600_000_000
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
#: How an entry or a case names a file.
_NAMED = re.compile(r'"file": ?"([0-9a-f]{64})"')
_PIECE = "SELECT bytes FROM file_chunk WHERE sha256 = :sha256 AND part = :part"
_NAMING = """
SELECT subject_kind, subject, seq, entry FROM transition_log
 WHERE (subject_kind, subject, seq) > (:kind, :subject, :seq) AND entry LIKE :named
 ORDER BY subject_kind, subject, seq LIMIT :most"""
_AT_ONCE = 500


class FileTooLarge(Refused):
    """A file is larger than a row set may be."""

    code = "file_too_large"
    words = Words(
        "Tệp lớn hơn {limit_mib} MiB. Hãy chia nhỏ hoặc quét ở độ phân giải thấp hơn.",
        "The file is larger than {limit_mib} MiB. Split it or scan it at a lower resolution.",
    )


class FileEmpty(Refused):
    """A file without content."""

    code = "file_empty"
    words = Words(
        "Tệp không có nội dung. Hãy kiểm tra tệp gốc rồi gửi lại.",
        "The file is empty. Check the original, then send it again.",
    )


class FileTypeUnknown(Refused):
    """What kind of file it is isn't said in the usual form."""

    code = "file_type_unknown"
    words = Words(
        "“{type}” không phải loại tệp. Hãy ghi như application/pdf hoặc image/jpeg.",
        '"{type}" is no type of a file. Give one like application/pdf or image/jpeg.',
    )


class FileUnknown(Refused):
    """No file with this hash is stored."""

    code = "file_unknown"
    words = Words(
        "Không có tệp {sha256} trong kho. Hãy tải tệp lên trước khi dẫn chiếu.",
        "There is no file {sha256} in the store. Upload it before you refer to it.",
    )


class FileDamaged(Broken):
    """The stored bytes don't give the hash under which they are stored."""

    code = "file_damaged"
    words = Words(
        "Nội dung tệp {sha256} trong kho đã hỏng hoặc bị sửa. Hãy khôi phục từ bản sao lưu.",
        "The stored content of {sha256} is damaged or was changed. Don't use it; restore it from a backup.",
    )


def put(store: Store, content: bytes | BinaryIO, content_type: str) -> str:
    """Store a file and return its SHA-256; the same content is stored once.

    Shapes:
        content: 1 byte to 25 MiB. content_type: "application/pdf".
    Errors:
        FileTooLarge, FileEmpty, FileTypeUnknown: nothing was stored.
        Unavailable: of the store; sending it again does no harm.
    """
    if not _TYPE.fullmatch(content_type):
        raise FileTypeUnknown(type=content_type[:80])
    payload = content if isinstance(content, bytes) else content.read(LARGEST_BYTES + 1)
    if len(payload) > LARGEST_BYTES:
        raise FileTooLarge(limit_mib=LARGEST_BYTES // (1024 * 1024))
    if not payload:
        raise FileEmpty
    sha256 = hashlib.sha256(payload).hexdigest()
    with store.begin() as tx:
        # Stored before: its day begins anew, or the sweep could take it from under the next command.
        if not keep(tx, sha256):
            _insert(tx, sha256, payload, content_type)
    return sha256


def keep(tx: Transaction, sha256: str) -> bool:
    """Let the day of a file begin anew and hold it until the transaction ends; False when it isn't stored.

    A command that names a file keeps it, so that the sweep never takes what is being named just now.
    """
    held = "UPDATE file SET stored_at = :now WHERE sha256 = :sha256 RETURNING sha256"
    return bool(tx.run(held, {"now": tx.now, "sha256": sha256}))


def _insert(tx: Transaction, sha256: str, payload: bytes, content_type: str) -> None:
    tx.run(
        "INSERT INTO file (sha256, size_bytes, type, stored_at) VALUES (:sha256, :size, :type, :now)"
        # Somebody else may be storing the same at this moment.
        " ON CONFLICT (sha256) DO UPDATE SET stored_at = excluded.stored_at",
        {"sha256": sha256, "size": len(payload), "type": content_type, "now": tx.now},
    )
    cuts = [*range(0, len(payload), CHUNK_BYTES), len(payload)]
    for part, (start, end) in enumerate(pairwise(cuts)):
        tx.run(
            "INSERT INTO file_chunk (sha256, part, bytes) VALUES (:sha256, :part, :bytes) ON CONFLICT DO NOTHING",
            {"sha256": sha256, "part": part, "bytes": payload[start:end]},
        )


def has(tx: Transaction, sha256: str) -> bool:
    """Say whether a file is stored."""
    return bool(tx.run("SELECT 1 FROM file WHERE sha256 = :sha256", {"sha256": sha256}))


def about(tx: Transaction, sha256: str) -> tuple[str, int]:
    """Return type and size in bytes of a stored file.

    Errors:
        FileUnknown: it isn't stored.
    """
    found = tx.run("SELECT type, size_bytes FROM file WHERE sha256 = :sha256", {"sha256": sha256})
    if not found:
        raise FileUnknown(sha256=sha256)
    return found[0][0], found[0][1]


def open(store: Store, sha256: str) -> Iterator[bytes]:  # noqa: A001 - the word of the seam
    """Return the bytes of a file, piece by piece; the last piece comes only when the hash of all is right.

    Errors:
        FileUnknown: it isn't stored (on the first piece).
        FileDamaged: the bytes were changed; what came before is not to be used.
    """
    digest = hashlib.sha256()
    with store.look() as tx:
        _, size = about(tx, sha256)
        seen, part, kept = 0, 0, b""
        while seen < size:
            piece = tx.run(_PIECE, {"sha256": sha256, "part": part})
            if not piece:
                break
            if kept:
                yield kept
            kept = bytes(piece[0][0])
            seen, part = seen + len(kept), part + 1
            digest.update(kept)
        if digest.hexdigest() != sha256:
            raise FileDamaged(sha256=sha256)
        yield kept


def sweep_orphans(store: Store, *, older_than_hours: int = 24) -> int:
    """Delete files that no entry names and that are older than this; return how many.

    A paper that was taken off its case stays named in the log, and its file stays too.
    """
    before = store.now() - older_than_hours * _HOUR
    with store.look() as tx:
        old = {
            sha256
            for (sha256,) in tx.run("SELECT sha256 FROM file WHERE stored_at < :before", {"before": before})
        }
        if not old:
            return 0
        newest = tx.run("SELECT max(recorded_at) FROM transition_log")[0][0] or 0
        orphans = old - _named(tx)
    if not orphans:
        return 0
    with store.begin() as tx:
        # What was written since that look counts too; what is being written just now keeps its file (see `keep`).
        late = tx.run(
            "SELECT entry FROM transition_log WHERE recorded_at > :newest AND entry LIKE :named",
            {"newest": newest, "named": '%"file":%'},
        )
        for (entry,) in late:
            orphans.difference_update(_NAMED.findall(entry))
        return sum(_deleted(tx, sha256, before) for sha256 in sorted(orphans))


def _named(tx: Transaction) -> set[str]:
    """Return every file that an entry names; some entries at a time, because a log may be larger than any memory."""
    found: set[str] = set()
    at: dict[str, Any] = {"kind": "", "subject": "", "seq": 0, "named": '%"file":%', "most": _AT_ONCE}
    while True:
        rows = tx.run(_NAMING, at)
        for *_, entry in rows:
            found.update(_NAMED.findall(entry))
        if len(rows) < _AT_ONCE:
            return found
        at |= {"kind": rows[-1][0], "subject": rows[-1][1], "seq": rows[-1][2]}


def _deleted(tx: Transaction, sha256: str, before: int) -> int:
    values = {"sha256": sha256, "before": before}
    # Held before it is looked at: whoever names it just now has given it a new day.
    held = "UPDATE file SET stored_at = stored_at WHERE sha256 = :sha256 AND stored_at < :before RETURNING sha256"
    if not tx.run(held, values):
        return 0
    tx.run("DELETE FROM file_chunk WHERE sha256 = :sha256", {"sha256": sha256})
    tx.run("DELETE FROM file WHERE sha256 = :sha256", {"sha256": sha256})
    return 1
