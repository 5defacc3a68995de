"""How often and where the processes of a cluster are killed: shared by the long and the short test."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.crash.aims import AIMS, FOR_POINT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.cluster import Slot
    from tests.crash.cluster_tally import Tally

ENOUGH = 20
#: Of so many kills one is at a random moment.
_ONE_IN = 3


class ClusterPlan:
    """So many kills in so many rounds; each round meets its share of every point.

    Shapes:
        is_over: asked beside the count; with it a round may be as long as one likes.
    """

    def __init__(self, kills: int, *, rounds: int = 1, enough: int = ENOUGH) -> None:
        self._each = -(-kills // rounds)
        self._enough = -(-enough // rounds)
        self._lock = threading.Lock()

    def round(self, *, is_over: Callable[[], bool] | None = None) -> Callable[[Slot, Tally], str | None]:
        """Return what says how a slot is killed next, or None at the end of the round."""
        begun = 0

        def choose(slot: Slot, tally: Tally) -> str | None:
            nonlocal begun
            missing = [point for point in FOR_POINT if tally.points[point] < self._enough]
            with self._lock:
                is_enough = is_over() if is_over else begun >= self._each
                if is_enough and not missing:
                    return None
                begun += 1
                if begun % _ONE_IN == 0:
                    return "moment"
            wanted = [
                means
                for point in missing
                for role, aims in (FOR_POINT[point],)
                if role == slot.role
                for means in aims
            ]
            return slot.chance.choice(wanted if wanted and is_enough else list(AIMS[slot.role]))

        return choose
