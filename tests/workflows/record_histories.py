"""Record the histories anew: `python -m tests.workflows.record_histories`, after a definition changed on purpose.

A recorded history is what an earlier version of the product wrote; a difference that nobody meant is a fault. So it
is run by hand, and the difference is read before it is committed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from engine import civil_time
from tests.workflows.paths import PATHS
from tests.workflows.sample_store import new_engine
from tests.workflows.test_khuyen_cong import HISTORIES, NAMES, entries_of
from tests.workflows.walking import World

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        engine = new_engine(Path(folder) / "paths.db")
        world = World(engine, civil_time.day_at(engine.store.now()))
        world.settle([engine.definitions.newest(name) for name in NAMES])
        for path in sorted(HISTORIES.glob("*.json")):
            definition, values, steps = PATHS[path.stem]
            entries = entries_of(world.walk(definition, steps, **values))
            lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in entries)
            path.write_text(f"[\n{lines}\n]\n")
            print(f"{path.name}: {len(entries)} entries")
        engine.store.close()
