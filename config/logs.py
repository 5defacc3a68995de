"""The technical log: columns on a terminal, one JSON object a line elsewhere, to standard error.

What the product and its libraries log takes the same steps, so that a secret is hidden whoever logs it.
The technical log is for whoever runs the machine; who did what to which case stands in the transition log.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import orjson
import structlog

from config.setting_wrong import without_password

SECRET = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|credential|api_?key|private_?key", re.IGNORECASE
)
HIDDEN = "***"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def hide_secrets(_logger: object, _method: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line with values of secret-looking names, and passwords inside addresses, as ***."""
    return {key: HIDDEN if SECRET.search(key) else _hidden(value) for key, value in entry.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return without_password(value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(key, str) and SECRET.search(key) else _hidden(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    return value


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
    # Plain tracebacks only: the rich ones print local variables, and with them secrets and form contents.
    last: list[Any] = [
        structlog.processors.format_exc_info,
        hide_secrets,
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


def _renderer(to: TextIO) -> Any:
    return structlog.dev.ConsoleRenderer(
        colors=to.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=32
    )


def _json(_logger: object, _method: str, entry: Mapping[str, Any]) -> str:
    # Vietnamese stays readable: orjson writes UTF-8. What JSON doesn't know is shown as its text.
    return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
