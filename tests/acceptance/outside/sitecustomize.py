"""What a test fakes from outside: loaded by Python itself before the program, which has no hook for it.

OUTSIDE_MOUNTED="FOLDER KIND" puts one line below the table of mounted file systems; OUTSIDE_AHEAD=SECONDS sets the clock.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

_MOUNTED, _AHEAD = os.environ.get("OUTSIDE_MOUNTED", ""), os.environ.get("OUTSIDE_AHEAD", "")
_read_text, _time, _time_ns = Path.read_text, time.time, time.time_ns


def _with_a_mount(path: Path, *how: Any, **more: Any) -> str:
    text = _read_text(path, *how, **more)
    if str(path) != "/proc/mounts":
        return text
    folder, _, kind = _MOUNTED.rpartition(" ")
    # As the system writes it: a space in a path is \\040.
    return text + f"server:/export {folder.replace(' ', chr(92) + '040')} {kind} rw 0 0\n"


if _MOUNTED:
    Path.read_text = _with_a_mount  # type: ignore[assignment,method-assign]
if _AHEAD:
    time.time_ns = lambda: _time_ns() + int(_AHEAD) * 1_000_000_000
    time.time = lambda: _time() + int(_AHEAD)
