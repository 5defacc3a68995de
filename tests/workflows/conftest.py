"""One loaded sample for all tests of this folder: it takes some seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from handlers import sample
from tests.workflows.sample_store import SAMPLES, new_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.engine import Engine


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, sample.Summary]]:
    """Return an engine whose store holds the whole sample, and what loading it did."""
    engine = new_engine(tmp_path_factory.mktemp("sample") / "sample.db")
    summary = sample.load(engine, SAMPLES, lambda *_: None)
    yield engine, summary
    engine.store.close()
