"""What commands are executed with: plain values, made once by whoever starts the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from engine.registry import Definitions
    from engine.rules import RuleBook
    from engine.store import Store
    from engine.working_calendar import WorkingCalendar


def ring_nobody(_rings: Sequence[tuple[str, str]]) -> None:
    """Ring for nobody: the sweep finds the rows."""


def no_list(_name: str) -> Collection[str]:
    """Keep no list: any word is taken."""
    return ()


@dataclass(slots=True)
class Engine:
    """The store and what is known beside it.

    Shapes:
        channels: external channels that a notice goes out by ("email").
        lists: name of a closed list ("provinces") -> its words; none for a list that is not kept.
        ring: called after a commit with (topic, outbox id); best effort, never raises.
    """

    store: Store
    definitions: Definitions
    rules: RuleBook
    calendar: WorkingCalendar
    channels: tuple[str, ...] = ()
    lists: Callable[[str], Collection[str]] = field(default=no_list)
    ring: Callable[[Sequence[tuple[str, str]]], None] = field(default=ring_nobody)
