"""What commands are executed with: plain values, made once by whoever starts the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.registry import Definitions
    from engine.rules import RuleBook
    from engine.store import Store
    from engine.working_calendar import WorkingCalendar


def ring_nobody(_rings: Sequence[tuple[str, str]]) -> None:
    """Ring for nobody: the sweep finds the rows."""


@dataclass(slots=True)
class Engine:
    """The store and what is known beside it.

    Shapes:
        channels: external channels that a notice goes out by ("email").
        ring: called after a commit with (topic, outbox id); best effort, never raises.
    """

    store: Store
    definitions: Definitions
    rules: RuleBook
    calendar: WorkingCalendar
    channels: tuple[str, ...] = ()
    ring: Callable[[Sequence[tuple[str, str]]], None] = field(default=ring_nobody)
