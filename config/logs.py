"""The technical log: columns on a terminal, one JSON object a line elsewhere, to standard error.

What the product and its libraries log takes the same steps, so that what is private is hidden whoever logs it; an
error that nobody caught takes them, too.
The technical log is for whoever runs the machine; who did what to which case stands in the transition log.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson
import structlog

from config.log_privacy import hide_private, told_traceback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(
    form: Literal["auto", "columns", "json"] = "auto", level: str = "info", *, stream: TextIO | None = None
) -> None:
    """Send everything that is logged in this process to `stream` (standard error), once per process.

    Shapes:
        level: "debug", "info", "warning" or "error"; lower ones cost nothing.
    Units:
        timestamp: ISO 8601, UTC.
    """
    to = stream or sys.stderr
    columns = form == "columns" or (form == "auto" and to.isatty())
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks of our own: the usual ones end with the text of the error, the rich ones print local variables as well,
    # and with them secrets and form contents.
    last: list[Any] = [
        structlog.processors.ExceptionRenderer(told_traceback),
        hide_private,
        _renderer(to) if columns else _json,
    ]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=to),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    # A debugger or a test runner that has put its own hooks there keeps them.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread


def quieten() -> None:
    """Hear of libraries only what is wrong: their chatter would hide the answer of a command."""
    for name in ("alembic", "transitions", "dramatiq"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _uncaught(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().error("uncaught", exc_info=(kind, problem, trace))


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    problem = given.exc_value
    if problem is None or isinstance(problem, SystemExit):
        return
    name = given.thread.name if given.thread else ""
    structlog.get_logger().error(
        "uncaught", thread=name, exc_info=(given.exc_type, problem, given.exc_traceback)
    )


def _renderer(to: TextIO) -> Any:
    return structlog.dev.ConsoleRenderer(
        colors=to.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=32
    )


def _json(_logger: object, _method: str, entry: Mapping[str, Any]) -> str:
    # Vietnamese stays readable: orjson writes UTF-8. What JSON doesn't know is shown as its text.
    return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
