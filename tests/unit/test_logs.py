"""The technical log: one line per entry, Vietnamese readable, secrets hidden whoever logs them."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from config.logs import set_up

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_each_entry_is_one_json_line() -> None:
    # given
    stream = io.StringIO()
    set_up("auto", stream=stream)
    structlog.contextvars.bind_contextvars(request_id="r1")
    # when
    structlog.get_logger().info("command_refused", code="lines\nand đồng", case_code="ST-2023-QG-01")
    # then
    (entry,) = entries(stream)
    assert entry["event"] == "command_refused"
    assert entry["level"] == "info"
    assert entry["request_id"] == "r1"
    assert entry["code"] == "lines\nand đồng"
    assert "đồng" in stream.getvalue()
    assert entry["timestamp"].endswith("Z")


def test_libraries_write_in_the_same_form() -> None:
    # given
    stream = io.StringIO()
    set_up("json", "warning", stream=stream)
    # when
    logging.getLogger("dramatiq.worker").warning("lost %s", "redis://:hush@h/0")
    logging.getLogger("dramatiq.worker").info("not written")
    structlog.get_logger().info("not written either")
    # then
    (entry,) = entries(stream)
    assert entry["logger"] == "dramatiq.worker"
    assert entry["event"] == "lost redis://:***@h/0"


def test_secrets_are_hidden_wherever_they_stand() -> None:
    # given
    stream = io.StringIO()
    set_up("json", stream=stream)
    # when
    structlog.get_logger().error(
        "start",
        smtp_password="hush",
        api_key="hush",
        settings={
            "TIENDO_SMTP_PASSWORD": "hush",
            "url": "postgresql://u:hush@h/x",
            "list": [{"token": "hush"}],
        },
        headers={"Authorization": "hush", "Cookie": "hush"},
    )
    # then
    assert "hush" not in stream.getvalue()
    assert entries(stream)[0]["settings"]["url"] == "postgresql://u:***@h/x"


@pytest.mark.parametrize("form", ["json", "columns"])
def test_a_traceback_shows_no_local_variables_and_no_passwords(form: Any) -> None:
    # given
    stream = io.StringIO()
    set_up(form, stream=stream)

    def break_down(form_contents: str) -> None:
        assert form_contents
        raise ValueError("can't reach redis://:hush@127.0.0.1/0")

    # when
    try:
        break_down("citizen " + "079")
    except ValueError:
        structlog.get_logger().exception("broken")
    # then
    assert "can't reach redis://:***@127.0.0.1/0" in stream.getvalue()
    assert "hush" not in stream.getvalue()
    assert "citizen 079" not in stream.getvalue()


def test_columns_are_for_people() -> None:
    stream = io.StringIO()
    set_up("columns", stream=stream)
    structlog.get_logger().info("worker_started", threads=4)
    assert "worker_started" in stream.getvalue()
    assert "threads=4" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
