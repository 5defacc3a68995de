"""What is shipped and many tests read: loaded once."""

from __future__ import annotations

from pathlib import Path

from engine.calendar_files import load_calendar

CALENDARS = Path(__file__).parents[1] / "workflows" / "calendars"
CALENDAR = load_calendar(CALENDARS)
