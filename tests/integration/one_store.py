"""Which tests of this folder run on one store only, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import stores

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names by which a test file says that it opens stores.
_OPENS = ("world", "new_store", "open_office", "stores")
#: Tests of what only the server has: their files begin so.
SERVER = "test_postgres_"
#: File, or file::test -> why it can't run on the other store too.
ONLY = {
    "test_schema.py": "looks into the SQLite file itself; test_postgres_schema.py does the same there",
    "test_locks.py::test_what_is_contended_is_begun_anew_and_done_once": "plays a ring that test_postgres_locks.py makes",
    "test_locks.py::test_what_is_contended_for_ever_is_told_and_changes_nothing": "plays a ring without an end",
    "test_execute_sql.py": "watches the SQL of one connection through SQLite's trace",
    "test_visibility.py::test_the_filter_is_answered_from_indexes": "reads SQLite's plan; test_postgres_sight.py reads the other",
    "test_erasure.py::test_after_erasing_the_bytes_are_in_no_file": "reads the file of the store; a server has none to read",
    "test_metrics.py::test_a_store_that_cannot_be_asked_is_shown_as_down_and_the_page_still_comes": "damages the file",
    "test_metrics.py::test_each_question_goes_by_an_index": "reads SQLite's plan; the same columns are indexed on the other",
    "test_statements_of_an_approval.py": "counts SQLite's statements; test_postgres_store.py counts round trips",
}


def kinds(nodeid: str, names: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds of store that a test runs on; none for a test that opens no store.

    Shapes:
        nodeid: of pytest. names: what its module defines and imports.
    """
    file, _, test = nodeid.rpartition("/")[2].partition("::")
    if not any(name in names for name in _OPENS):
        return ()
    if file.startswith(SERVER):
        return ("postgresql",)
    return ("sqlite",) if file in ONLY or f"{file}::{test}" in ONLY else stores.KINDS
