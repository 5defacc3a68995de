"""Named guards of khuyến công that no expression can ask. Importing this module makes them known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.guards import Verdict, Words, guard, share

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@guard(
    Words(
        "Cùng với các suất khác của đề án là {together_vnd} đồng, vượt kinh phí hỗ trợ {limit_vnd} đồng",
        "Together with the other slots of the project {together_vnd} đồng, above its support of {limit_vnd} đồng",
    ),
    reads=("parent",),
    place="parent",
    amount="field",
)
def slots_within_project(facts: Facts, *, amount: str) -> Verdict:
    """Say no when the living slots of a project together ask for more than its contract gives, or its support before.

    A slot that is opened for another in the middle of the year is held to the same sum.
    """
    above = facts.parent.data if facts.parent else {}
    limit = above.get("contract_support_vnd") or above.get("support_vnd")
    return _together(facts, amount, limit)


@guard(
    Words(
        "Cùng với các lần tạm ứng khác là {together_vnd} đồng, vượt mức tạm ứng {limit_vnd} đồng của đề án",
        "Together with the other advances {together_vnd} đồng, above the {limit_vnd} đồng that may be advanced",
    ),
    reads=("parent",),
    place="parent",
    amount="field",
)
def advances_within_rate(facts: Facts, *, amount: str) -> Verdict:
    """Say no when the advances of a project together exceed the rate of its support.

    A rate that is not verified, and an advance that is too high by itself, have a requirement of their own.
    """
    if not any(_amount(one.data, one.final, amount) for one in facts.siblings):
        return Verdict(ok=True)
    support = facts.parent.data.get("support_vnd") if facts.parent else None
    rate = facts.rules("advance_rate").value
    limit = share(support, rate) if isinstance(support, int) and isinstance(rate, int) else None
    return _together(facts, amount, limit)


def _together(facts: Facts, amount: str, limit: int | None) -> Verdict:
    """Compare what this case and its living siblings ask for with a limit; without a limit nothing is said."""
    together = sum(_amount(one.data, one.final, amount) for one in (facts.case, *facts.siblings))
    inputs = {"together_vnd": together, "limit_vnd": limit}
    return Verdict(ok=limit is None or together <= limit, inputs=inputs)


def _amount(data: Mapping[str, Any], final: str | None, field: str) -> int:
    given = data.get(field)
    return given if isinstance(given, int) and final not in {"refused", "stopped"} else 0
