"""Write config/example.env from the settings themselves."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from config.settings import example  # noqa: E402 - the line above makes it importable without an install

if __name__ == "__main__":
    (HERE / "config" / "example.env").write_text(example(), encoding="utf-8")
