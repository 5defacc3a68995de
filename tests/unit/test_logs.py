"""The technical log: one line per entry, Vietnamese readable, secrets hidden whoever logs them."""

from __future__ import annotations

import io
import json
import logging
import smtplib
import socket
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis.strategies import text

from config.log_privacy import harmless, masked
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
def test_a_traceback_shows_frames_and_kinds_but_no_local_variables_and_nothing_typed(form: Any) -> None:
    # given
    stream = io.StringIO()
    set_up(form, stream=stream)
    typed = "no such day: Nguyễn Văn An, redis://:hush@127.0.0.1/0"

    def break_down(form_contents: str) -> None:
        assert form_contents
        raise ValueError(typed)

    # when
    try:
        try:
            break_down("citizen " + "079")
        except ValueError as first:
            raise TypeError("an int was expected") from first
    except TypeError:
        structlog.get_logger().exception("broken")
    # then
    written = stream.getvalue()
    assert "break_down" in written
    assert "ValueError" in written
    assert "TypeError: an int was expected" in written
    assert not [
        word
        for word in ("hush", "Nguyễn", "citizen 079")
        if word
        in written.replace('raise ValueError("no such day: Nguyễn Văn An, redis://:hush@127.0.0.1/0")', "")
    ]


class Refusing(Exception):
    """As the product's own errors are: a code, and facts that may hold what was typed."""

    code = "name_unknown"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(f"There is no {facts}.")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Refusing(name="Nguyễn Văn An"), "Refusing: name_unknown"),
        (ValueError("Nguyễn Văn An"), "ValueError"),
        (KeyError("Nguyễn Văn An"), "KeyError"),
        (FileNotFoundError(2, "None", "Nguyễn Văn An.pdf"), "FileNotFoundError: No such file or directory"),
        (sqlite3.IntegrityError("UNIQUE failed: person.code"), "IntegrityError: UNIQUE failed: person.code"),
        (smtplib.SMTPResponseException(550, b"<an@so.vn> is Nguyen Van An"), "SMTPResponseException"),
        (smtplib.SMTPRecipientsRefused({"an@so.vn": (550, b"no")}), "SMTPRecipientsRefused"),
        (socket.gaierror(-2, "Name or service not known"), "gaierror"),
    ],
)  # fmt: skip
def test_of_an_error_only_that_is_told_which_no_person_typed(problem: Exception, told: str) -> None:
    # given
    stream = io.StringIO()
    set_up("json", stream=stream)
    # when
    structlog.get_logger().warning("tick_failed", said=problem)
    # then
    assert entries(stream)[0]["said"] == told
    assert harmless(problem) == told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gửi tới an.nv@so.soctrang.gov.vn", "gửi tới ***@so.soctrang.gov.vn"),
        ("gọi 0912345678 ngay", "gọi *** ngay"),
        ("+84 912 345 678", "***"),
        ("0912.345.678", "***"),
        ("số 079123456789.", "số ***."),
        ("0199a1b2c3d4e5f60123456789abcdef", "0199a1b2c3d4e5f60123456789abcdef"),
        ("a0123456789b", "a0123456789b"),
        ("ST-2023-QG-01", "ST-2023-QG-01"),
        ("1763790000000000", "1763790000000000"),
    ],
)
def test_numbers_and_addresses_of_people_are_masked_and_ids_are_not(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(text())
def test_masking_twice_changes_nothing_more(given_text: str) -> None:
    assert masked(masked(given_text)) == masked(given_text)


def test_fields_that_hold_what_people_wrote_are_hidden_by_name() -> None:
    # given
    stream = io.StringIO()
    set_up("json", stream=stream)
    # when
    structlog.get_logger().info("asked", reason="hush", values={"phone": "hush"}, rows=[{"Email": "hush"}])
    # then
    assert "hush" not in stream.getvalue()


def test_columns_are_for_people() -> None:
    stream = io.StringIO()
    set_up("columns", stream=stream)
    structlog.get_logger().info("worker_started", threads=4)
    assert "worker_started" in stream.getvalue()
    assert "threads=4" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
