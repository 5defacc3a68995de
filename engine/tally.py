"""Numbers of this process since it began: how often something happened that nobody can count in the store afterwards.

Whoever watches the process reads them; nothing decides by them. What can be counted in the store isn't counted here:
there it is right for all processes together, and stays right when one of them dies.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

_lock = Lock()
_counted: defaultdict[tuple[str, ...], float] = defaultdict(float)
_levels: dict[str, float] = {}


def add(name: str, *labels: str, by: float = 1) -> None:
    """Count something that happened.

    Shapes:
        name: a word of handlers/metrics.py. labels: codes and words, never ids or what people wrote: each new one is a
        new series for ever.
    """
    with _lock:
        _counted[(name, *labels)] += by


def put(name: str, level: float) -> None:
    """Note how something stands now."""
    with _lock:
        _levels[name] = level


def counted() -> dict[tuple[str, ...], float]:
    """Return how often each thing happened, by (name, labels …)."""
    with _lock:
        return dict(_counted)


def levels() -> dict[str, float]:
    """Return how things stood when they were last noted, by name."""
    with _lock:
        return dict(_levels)
