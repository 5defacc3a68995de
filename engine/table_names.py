"""The names of the tables in engine/records.py, for those who check a store and do not read it.

A serving process checks the store that it opens, and never loads what the tables are described with.
"""

from __future__ import annotations

#: What is written once and never changed or emptied.
APPEND_ONLY = ("transition_log", "published", "store", "receipt")
#: All of them, sorted.
TABLES = (
    "case_party", "delivery", "file", "file_chunk", "match_key", "membership", "notice",
    "number_series", "outbox", "personal_value", "published", "receipt", "refusal", "register_row",
    "serving", "store", "substitution", "timer", "transition_log", "unfolded", "workflow_case",
)  # fmt: skip
