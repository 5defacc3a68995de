"""A worker or ticker as a process of its own, without what only a command line needs.

Who typed the command has read settings and options with Pydantic, Typer and Rich, which take more memory than a worker's
work. So the process then begins anew under the same number: Python is executed again with this module, and gets what was
read as plain values over a pipe. Only stores on a server are served so; an embedded one has one process for everything.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from handlers.cli_session import Session

#: Whether this process may be executed anew: it is the one that somebody started, not a test inside another.
MAY_BECOME: ContextVar[bool] = ContextVar("may_become", default=False)
_HOME = Path(__file__).resolve().parent.parent


def begin(session: Session, *, works: bool, ticks: bool) -> None:
    """Serve as worker or ticker, in a process of its own where that is possible.

    Errors:
        Those of `handlers.serve.serve`.
    """
    from handlers import opening, serve  # noqa: PLC0415 - a process that begins anew needs neither

    if MAY_BECOME.get() and opening.is_server(session.settings):
        _become(session, works=works, ticks=ticks)
    serve.serve(session, works=works, ticks=ticks)


def _become(session: Session, *, works: bool, ticks: bool) -> NoReturn:
    from config.handed_settings import plain  # noqa: PLC0415 - as above

    told = {
        "settings": plain(session.settings), "language": session.language, "as_json": session.as_json,
        "request": session.request, "works": works, "ticks": ticks,
    }  # fmt: skip
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        json.dump(told, pipe)
    os.set_inheritable(reading, True)
    environment = dict(os.environ)  # noqa: TID251 - handed on whole; no setting is read here
    if sysconfig.get_path("purelib") != str(_HOME):
        # Of a checkout Python must be told; and never by the working folder, which may hold anything.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_HOME), environment.get("PYTHONPATH"))))
    # Each thread would else get a heap of its own, of which most lies idle: 2 to 3 MB.
    environment.setdefault("MALLOC_ARENA_MAX", "1")
    sys.stdout.flush()
    sys.stderr.flush()
    words = [sys.executable, "-P", "-m", "handlers.serving_process", "worker" if works else "ticker"]
    os.execve(sys.executable, [*words, str(reading)], environment)  # noqa: S606 - our own interpreter and module


def load_no_rich() -> None:
    """Let structlog find no Rich: it would draw tracebacks with it that our log never shows (config/logs.py); 5 MB."""
    absent: dict[str, Any] = sys.modules
    absent.setdefault("rich", None)


def main() -> int:
    """Serve what the pipe says, and return the exit code."""
    load_no_rich()
    from handlers import alone  # noqa: PLC0415 - it loads structlog

    with os.fdopen(int(sys.argv[2]), encoding="utf-8") as pipe:
        told = json.load(pipe)
    return alone.run(told)


if __name__ == "__main__":
    sys.exit(main())
