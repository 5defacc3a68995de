"""Named guards of khuyến công that no expression can ask. Importing this module makes them known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.guards import Verdict, Words, guard

if TYPE_CHECKING:
    from engine.guards import Facts


@guard(
    Words(
        "Chưa gắn đơn vị vào hồ sơ: {party}. Hãy gắn đơn vị rồi làm lại bước này",
        "No one is bound to the case as {party} yet. Bind the party, then fire again",
    ),
    place="parties",
    party="text",
)
def party_named(facts: Facts, *, party: str) -> Verdict:
    """Say no while nobody is bound to the case as `party`: an optional party that this step can't do without."""
    return Verdict(ok=party in facts.case.parties, inputs={"party": party})
