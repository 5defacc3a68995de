"""A file that is no store of ours is looked at and left as it was, byte for byte."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engine import schema
from engine.store import StoreForeign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
        connection.execute("INSERT INTO bookmark VALUES ('https://example.vn')")
        connection.commit()


@pytest.mark.parametrize(
    "made", [another_program, lambda path: path.touch()], ids=["another program's", "empty"]
)
@pytest.mark.parametrize("way", [schema.open_store, schema.number_in, schema.check_move])
def test_a_foreign_file_is_refused_and_not_switched_to_another_mode(
    tmp_path: Path, made: Callable[[Path], None], way: Callable[[Path], object]
) -> None:
    # given
    path = tmp_path / "other.db"
    made(path)
    before = path.read_bytes()

    # when
    with pytest.raises(StoreForeign):
        way(path)

    # then
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]
