"""What people edit: definitions, rule packs, calendars, texts of notices. Product data, found by their folder."""

from __future__ import annotations

from pathlib import Path

#: The shipped folder; a province's own folder overrides it by the names of the definitions.
FOLDER = Path(__file__).parent
