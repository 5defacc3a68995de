from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import pytest

from engine import files
from tests.integration.small_world import NOW, Clock, case, logged, new_store, organisation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = new_store(tmp_path, clock)
    yield opened
    opened.close()


def count(store: Store, table: str) -> int:
    with store.begin() as tx:
        return int(tx.run(f"SELECT count(*) FROM {table}")[0][0])


@pytest.mark.parametrize(
    "size", [1, files.CHUNK_BYTES - 1, files.CHUNK_BYTES, files.CHUNK_BYTES + 1, 3_000_000]
)
def test_what_was_put_comes_back_byte_by_byte(store: Store, size: int) -> None:
    # given
    payload = os.urandom(size)
    # when
    sha256 = files.put(store, payload, "application/pdf")
    # then
    assert sha256 == hashlib.sha256(payload).hexdigest()
    assert b"".join(files.open(store, sha256)) == payload
    assert count(store, "file_chunk") == -(-size // files.CHUNK_BYTES)
    with store.look() as tx:
        assert files.has(tx, sha256)
        assert files.about(tx, sha256) == ("application/pdf", size)


def test_the_same_content_is_stored_once(store: Store) -> None:
    first = files.put(store, b"paper", "text/plain")
    second = files.put(store, io.BytesIO(b"paper"), "text/plain")
    assert first == second
    assert (count(store, "file"), count(store, "file_chunk")) == (1, 1)


def test_the_largest_file_is_taken_and_one_byte_more_is_not(store: Store) -> None:
    # given
    largest = bytes(files.LARGEST_BYTES)
    # when / then
    assert b"".join(files.open(store, files.put(store, io.BytesIO(largest), "image/tiff"))) == largest
    with pytest.raises(files.FileTooLarge):
        files.put(store, io.BytesIO(largest + b"\0"), "image/tiff")
    assert count(store, "file") == 1


def test_an_empty_file_and_a_wrong_type_are_refused(store: Store) -> None:
    with pytest.raises(files.FileEmpty):
        files.put(store, b"", "text/plain")
    with pytest.raises(files.FileTypeUnknown):
        files.put(store, b"x", "pdf; rm -rf")
    assert count(store, "file") == 0


def test_an_unknown_file_is_refused(store: Store) -> None:
    with pytest.raises(files.FileUnknown):
        next(files.open(store, "0" * 64))
    with store.look() as tx:
        assert not files.has(tx, "0" * 64)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE file_chunk SET bytes = :other WHERE part = 1",
        "DELETE FROM file_chunk WHERE part = 1",
        "UPDATE file_chunk SET part = part + 10 WHERE part = 0",
    ],
)
def test_changed_bytes_are_found_before_the_last_piece(store: Store, damage: str) -> None:
    # given
    sha256 = files.put(store, os.urandom(2 * files.CHUNK_BYTES), "text/plain")
    with store.begin() as tx:
        tx.run(damage, {"other": b"x"} if ":other" in damage else None)
    # when
    came: list[bytes] = []
    with pytest.raises(files.FileDamaged):
        came.extend(files.open(store, sha256))
    # then the reader never had the whole
    assert sum(map(len, came)) < 2 * files.CHUNK_BYTES


def test_the_sweep_takes_only_what_is_old_and_named_nowhere(store: Store, clock: Clock) -> None:
    # given a named file, a file that was taken off its case, an orphan, and a young one
    held = case(store, "A-1", {"centre": organisation(store, "c")})
    named, taken_off, orphan = (
        files.put(store, word, "text/plain") for word in (b"named", b"taken off", b"orphan")
    )
    logged(store, held["id"], 1, NOW + 1, changes={"document.plan.1": [None, {"file": named}]})
    logged(store, held["id"], 2, NOW + 2, changes={"document.plan.2": [{"file": taken_off}, None]})
    clock.move(hours=23)
    assert files.sweep_orphans(store) == 0
    clock.move(hours=2)
    young = files.put(store, b"young", "text/plain")
    # when
    swept = files.sweep_orphans(store)
    # then
    assert swept == 1
    with store.look() as tx:
        kept = [files.has(tx, sha256) for sha256 in (named, taken_off, orphan, young)]
    assert kept == [True, True, False, True]
    assert count(store, "file_chunk") == 3


def test_a_file_that_is_put_again_gets_another_day(store: Store, clock: Clock) -> None:
    # given an orphan of a day ago that somebody is about to attach
    sha256 = files.put(store, b"again", "text/plain")
    clock.move(hours=30)
    files.put(store, b"again", "text/plain")
    # then
    assert files.sweep_orphans(store) == 0
    assert b"".join(files.open(store, sha256)) == b"again"
