"""The entry format `entry: 1` is frozen: whole entries, byte for byte, with their hashes. These vectors never change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from engine import canonical, entries
from engine.commands import SYSTEM, Fire, Principal, Register
from engine.entries import Entry
from engine.loader import Known, load
from tests import small_definitions as small
from tests.properties import tries

ID = "0190000000007000800000000000000"
VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden_entries.json").read_text("utf-8"))
AT = 1_795_399_200_000_000


@cache
def written() -> list[tuple[str, str, str]]:
    """Return (name, text, hash) of entries that together show every part of the format."""
    order = replace(load(small.ORDER, name="order.yaml", known=Known()), hash="e" * 64)
    person = Principal("person", ID + "1", "web")
    fire = Fire(
        principal=person,
        id="cmd-1",
        case=ID + "a",
        trigger="approve",
        reason="đủ",
        request="req-7",
        happened_on="",
    )
    claimed = Fire(
        principal=Principal("person", ID + "1", "import"), id="cmd-2", case=ID + "a", trigger="open",
        happened_on="2014-05-01",
    )  # fmt: skip
    move = Entry(
        {
            "state": ["review", "doing"],
            "data.subject": [None, "Ghế gỗ “đẹp”"],
            "data.amount_vnd": [0, 9_007_199_254_740_991],
            "data.phone": [None, "sha256:" + "a" * 64],
            "deadline.answer": [None, {"due": "2026-12-03", "pauses": [["2026-11-24", None]], "paused": False}],
            "document.quote.1": [{"number": "01/BG", "signed_on": "2026-11-20"}, None],
        },
        trigger="approve", from_state="review", to_state="doing", seat="office.head", organisation=ID + "2",
        on_behalf_of=ID + "3", reason="sha256:" + "b" * 64,
        guards=[{"name": "budget_left", "ok": True, "inputs": {"budget_vnd": 5, "committed_vnd": None}}],
        rules=[{"key": "advance_rate", "value": 7000, "row": "c" * 64, "pack": "national"}],
    )  # fmt: skip
    first = Entry({"state": [None, "draft"]}, trigger="open", to_state="draft")
    automatic = Entry({"state": ["doing", "done"]}, trigger="all_parts_in", from_state="doing", to_state="done",
                      caused_by=2, by_system=True)  # fmt: skip
    comment = Entry({}, comment="sha256:" + "d" * 64)
    register = Register(principal=SYSTEM, id="cmd-3", register="organisation", values={"code": "vp"})
    found = []
    previous = ""
    for name, entry, command, subject, seq, definition in (
        ("start, imported", first, claimed, ("case", ID + "a"), 1, order),
        ("move with everything", move, fire, ("case", ID + "a"), 2, order),
        ("automatic move", automatic, fire, ("case", ID + "a"), 3, order),
        ("comment", comment, fire, ("case", ID + "a"), 4, order),
        ("register", Entry({"code": [None, "vp"]}), register, ("organisation", ID + "2"), 1, None),
    ):
        text, head, _ = entries.write(
            entry, command, subject=subject, seq=seq, previous=previous if seq > 1 else "",
            recorded_at=AT + seq, definition=definition,
        )  # fmt: skip
        previous = head
        found.append((name, text, head))
    return found


@pytest.mark.parametrize("number", range(5))
def test_an_entry_is_written_as_it_was_on_the_first_day(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "PRODUCT", "0.1.0")
    written.cache_clear()
    name, text, head = written()[number]

    assert VECTORS[number] == {"name": name, "text": text, "hash": head}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_anybody_can_check_an_entry_with_two_common_tools(vector: dict[str, Any]) -> None:
    parsed = json.loads(vector["text"])

    assert rfc8785.dumps(parsed).decode() == vector["text"]
    assert hashlib.sha256(b"\x00" + vector["text"].encode()).hexdigest() == vector["hash"]
    assert parsed["entry"] == 1


def test_each_entry_names_the_hash_of_the_one_before() -> None:
    chain = VECTORS[:4]

    for before, after in pairwise(chain):
        assert json.loads(after["text"])["previous"] == before["hash"]
    assert json.loads(chain[0]["text"])["previous"] == ""


def test_an_entry_holds_these_parts_and_no_others() -> None:
    assert sorted(json.loads(VECTORS[1]["text"])) == [
        "caused_by", "changes", "command", "comment", "definition", "entry", "from", "guards", "happened_on",
        "previous", "principal", "product", "reason", "recorded_at", "request", "rules", "seq", "subject", "to",
        "trigger",
    ]  # fmt: skip


KEYS = st.from_regex(r"\A[a-z][a-z0-9_./-]{0,8}\Z")
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.LARGEST_INTEGER, canonical.LARGEST_INTEGER)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@tries(25)
@given(PLAIN)
def test_the_canonical_form_is_that_of_rfc_8785(value: Any) -> None:
    try:
        clean = canonical.check(value)
    except canonical.NotCanonical:
        return

    payload = canonical.write(clean)

    assert payload == rfc8785.dumps(clean)
    assert canonical.write(canonical.check(orjson.loads(payload))) == payload


@tries(20)
@given(
    st.floats()
    | st.integers(min_value=2**53)
    | st.integers(max_value=-(2**53))
    | st.binary()
    | st.sets(st.none())
)
def test_what_has_no_canonical_form_is_refused_wherever_it_hides(value: Any) -> None:
    for hidden in (value, [value], {"a": [{"b": value}]}):
        with pytest.raises(canonical.NotCanonical):
            canonical.check(hidden)
