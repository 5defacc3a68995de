"""Settings: defaults, ranges, one error that says everything, secrets that never show."""

from __future__ import annotations

import os
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from config.setting_wrong import SettingWrong, without_password
from config.settings import PREFIX, Settings, allowed, example, read_settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


def read_with(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name.upper(), value)
    return read_settings()


def test_without_any_variable_the_product_runs_embedded() -> None:
    settings = read_settings()
    assert settings.database_url == "sqlite:///var/tiendo.db"
    assert settings.redis_url is None
    assert settings.language == "vi"
    assert settings.channels == ("console",)
    assert settings.sweep_ms == 250


def test_each_variable_reaches_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    # when
    settings = read_with(
        monkeypatch,
        database_url="sqlite:////srv/tiendo.db",
        redis_url="redis://:hush@127.0.0.1/0",
        language="en",
        channels="email, console",
        smtp_host="mail.example.vn",
        smtp_port="25",
        smtp_password="hush",
        smtp_from="Trung tâm Khuyến công <tt@example.vn>",
        smtp_starttls="false",
        sweep_ms="20",
        worker_threads="8",
        workflows_dir=".",
        person="lan",
    )
    # then
    assert settings.channels == ("email", "console")
    assert settings.smtp_port == 25
    assert settings.smtp_starttls is False
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "hush"
    assert settings.sweep_ms == 20
    assert settings.worker_threads == 8
    assert str(settings.workflows_dir) == "."
    assert settings.person == "lan"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sweep_ms", "19", "20–60000"),
        ("sweep_ms", "60001", "20–60000"),
        ("sweep_ms", "fast", "20–60000"),
        ("lease_seconds", "4", "5–3600"),
        ("worker_threads", "0", "1–64"),
        ("smtp_port", "65536", "1–65535"),
        ("smtp_timeout_seconds", "0", "1–120"),
        ("language", "fr", "vi, en"),
        ("log_level", "loud", "debug, info, warning, error"),
        ("log_format", "xml", "auto, columns, json"),
        ("channels", "fax", "email, console"),
        ("database_url", "mysql://x/y", "sqlite:///FILE"),
        ("smtp_host", "two words", "host name"),
        ("smtp_from", "nobody", "name@host"),
        ("smtp_from", "a@b.vn\r\nBcc: c@d.vn", "name@host"),
        ("smtp_starttls", "maybe", "true, false"),
        ("mail_domain", "a_b", "host name"),
        ("public_url", "example.vn", "https://"),
        ("workflows_dir", "no/such/folder", "an existing folder"),
        ("person", "x" * 65, "1–64"),
    ],
)
def test_a_wrong_value_stops_the_start_with_name_value_and_range(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    # when
    with pytest.raises(SettingWrong) as stopped:
        read_with(monkeypatch, **{name: value})
    # then: both languages, and no chained error that would print more
    assert stopped.value.__cause__ is None
    for language in ("vi", "en"):
        sentence = stopped.value.sentence(language)
        assert PREFIX + name.upper() in sentence
        assert value in sentence
        assert said in sentence


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingWrong) as stopped:
        read_with(monkeypatch, sweep_ms="0", language="fr", redis_ulr="redis://x")
    assert {wrong.name for wrong in stopped.value.wrong} == {
        "TIENDO_SWEEP_MS",
        "TIENDO_LANGUAGE",
        "TIENDO_REDIS_ULR",
    }


def test_an_unknown_variable_gets_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingWrong, match="Did you mean TIENDO_REDIS_URL") as stopped:
        read_with(monkeypatch, redis_ulr="redis://127.0.0.1")
    assert "Có phải TIENDO_REDIS_URL?" in stopped.value.sentence("vi")


def test_mail_without_a_server_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingWrong, match="TIENDO_SMTP_HOST"):
        read_with(monkeypatch, channels="email")


def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    settings = read_with(
        monkeypatch,
        database_url="postgresql://an:hush@127.0.0.1/tiendo",
        redis_url="redis://:hush@127.0.0.1/0",
        smtp_password="hush",
    )
    # then
    assert "hush" not in str(settings.shown())
    assert settings.shown()["TIENDO_DATABASE_URL"] == "postgresql://an:***@127.0.0.1/tiendo"
    assert settings.shown()["TIENDO_SMTP_PASSWORD"] == "***"


def test_a_wrong_secret_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingWrong) as stopped:
        read_with(
            monkeypatch, redis_url="rdis://:hush@127.0.0.1/0", database_url="mysql://an:hush@127.0.0.1/x"
        )
    assert "hush" not in stopped.value.sentence("vi") + str(stopped.value) + repr(stopped.value)
    assert stopped.value.__suppress_context__ or stopped.value.__context__ is None


def test_settings_can_not_be_changed_after_the_start() -> None:
    settings: Any = read_settings()
    with pytest.raises(ValidationError):
        settings.language = "en"
    assert settings.language == "vi"


def test_the_error_survives_pickling(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingWrong) as stopped:
        read_with(monkeypatch, language="fr")
    copy = pickle.loads(pickle.dumps(stopped.value))  # noqa: S301 - our own bytes, made a moment ago
    assert copy.sentence("vi") == stopped.value.sentence("vi")


def test_the_defaults_are_themselves_allowed() -> None:
    for name, field in Settings.model_fields.items():
        assert allowed(field), name
    assert example().count("\n#TIENDO_") == len(Settings.model_fields)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hush@h/0", "redis://:***@h/0"),
        ("a postgresql://u:hu/sh@h/x b", "a postgresql://u:***@h/x b"),
        ("http://h/x@y", "http://h/x@y"),
        ("http://u@h/", "http://u@h/"),
    ],
)
def test_a_password_inside_an_address_is_hidden(text: str, shown: str) -> None:
    assert without_password(text) == shown
