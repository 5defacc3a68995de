"""Settings that were read and are handed to another process as plain values.

A worker or ticker is a process of its own without what reads settings and command lines: those take more memory than
its work does. Whoever started it has read and checked everything; here it is only carried over.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Channel, Settings


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that is never printed; asked for as those of `Settings` are."""

    value: str

    def get_secret_value(self) -> str:
        """Return the value itself."""
        return self.value

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedSettings:
    """What a serving process needs of `config.settings.Settings`; meanings, units and ranges stand there."""

    database_url: str
    redis_url: Secret | None
    workflows_dir: Path | None
    language: Literal["vi", "en"]
    public_url: str
    channels: tuple[Channel, ...]
    smtp_host: str | None
    smtp_port: int
    smtp_user: str | None
    smtp_password: Secret | None
    smtp_from: str
    smtp_starttls: bool
    smtp_timeout_seconds: int
    mail_domain: str
    sweep_ms: int
    lease_seconds: int
    own_sweep_seconds: int
    worker_threads: int
    metrics_port: int
    log_format: Literal["auto", "columns", "json"]
    log_level: Literal["debug", "info", "warning", "error"]


if TYPE_CHECKING:
    #: Read in this process, or handed to it.
    AnySettings = Settings | HandedSettings


def plain(settings: Settings) -> dict[str, Any]:
    """Return the settings of a serving process as JSON has them, secrets included: only for the process that serves."""
    given = {field.name: getattr(settings, field.name) for field in fields(HandedSettings)}
    for name in ("redis_url", "smtp_password"):
        given[name] = given[name].get_secret_value() if given[name] else None
    given["workflows_dir"] = str(settings.workflows_dir) if settings.workflows_dir else None
    given["channels"] = list(settings.channels)
    return given


def handed(given: Mapping[str, Any]) -> HandedSettings:
    """Return the settings that `plain` has written down."""
    made = dict(given)
    for name in ("redis_url", "smtp_password"):
        made[name] = Secret(made[name]) if made[name] else None
    made["workflows_dir"] = Path(made["workflows_dir"]) if made["workflows_dir"] else None
    made["channels"] = tuple(made["channels"])
    return HandedSettings(**made)
