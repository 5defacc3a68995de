"""Write workflows/definition.schema.json from the grammar; a test fails while the two differ."""

from __future__ import annotations

import json

from engine.language_schema import schema
from workflows import FOLDER

if __name__ == "__main__":
    path = FOLDER / "definition.schema.json"
    path.write_text(json.dumps(schema(), ensure_ascii=False, indent=1) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")
