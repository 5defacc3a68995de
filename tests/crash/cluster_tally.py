"""What many kills of a cluster came to, counted and shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.crash import trails


@dataclass
class Tally:
    """What many kills came to.

    Shapes:
        points, parts, means: counted by name. kills: by role.
        weather: what befell servers and lines.
    """

    points: Counter[str] = field(default_factory=Counter)
    means: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    weather: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    mails: int = 0
    copies: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        for name in ("points", "means", "kills", "weather"):
            getattr(self, name).update(getattr(other, name))
        for name in ("acknowledged", "mails", "copies"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def table(self) -> str:
        of = ", ".join(f"{count} {role}s" for role, count in self.kills.most_common())
        said = [
            (
                f"{self.kills.total()} kills ({of}) in {self.seconds:.0f} s, {self.acknowledged} commands acknowledged,"
                f" {self.mails} mails taken, {self.copies} second copies"
            ),
            "  beside them: " + ", ".join(f"{count} {what}" for what, count in self.weather.most_common()),
        ]
        said += [
            f"  {point} {self.points[point]:4}  {'#' * min(self.points[point] // 2, 60)}"
            for point in trails.POINTS
        ]
        said.append("  F01: " + ", ".join(f"{part} {self.points[part]}" for part in trails.PARTS))
        said.append("  by: " + ", ".join(f"{name} {count}" for name, count in self.means.most_common()))
        return "\n".join(said)
