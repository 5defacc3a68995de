"""Every setting of the product, read once from the environment when a process starts.

One frozen class; each field says its meaning, its unit, its default and what is allowed. Nothing else in the
product reads the environment: real objects get plain values from here. A wrong value, or a TIENDO_… variable
that nobody knows, stops the start and says so; secrets are never printed.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.setting_wrong import SettingWrong, Wrong, without_password

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "TIENDO_"

Channel = Literal["email", "console"]
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$", re.IGNORECASE
)
_ADDRESS = re.compile(r"([^<>@\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?$")
_DATABASE = re.compile(r"(sqlite:///.+|postgresql(\+psycopg)?://.+)$")
_OWNER = re.compile(r"postgresql(\+psycopg)?://.+$")
_REDIS = re.compile(r"(rediss?|unix)://.+$")
_PERSON = re.compile(r"\S.{0,62}\S$|\S$")
_PUBLIC = re.compile(r"https?://[^\s/]+(/[^\s]*)?$")


def _setting(
    default: Any,
    vi: str,
    en: str,
    *,
    unit: str = "",
    allowed: str = "",
    ge: int | None = None,
    le: int | None = None,
) -> Any:
    """Return a field: its default, its meaning in both languages, its unit, and what is allowed."""
    about: dict[str, Any] = {"vi": vi, "en": en, "unit": unit, "allowed": allowed}
    return Field(default, description=en, json_schema_extra=about, ge=ge, le=le)


class Settings(BaseSettings):
    """What an installation decides. Every field is the variable TIENDO_<NAME>.

    Errors:
        SettingWrong (from `read_settings`): a value isn't allowed or a name is unknown; nothing has started.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: str = _setting(
        "sqlite:///var/tiendo.db",
        "Kho dữ liệu. Đường dẫn tương đối tính từ thư mục đang chạy; tệp SQLite phải nằm trên đĩa máy này.",
        "The store. A relative path starts at the working folder; a SQLite file needs this machine's disk.",
        allowed="sqlite:///FILE | postgresql://…",
    )
    owner_url: SecretStr | None = _setting(
        None,
        "Chủ sở hữu kho PostgreSQL; chỉ cần khi chạy `tiendo init` và `tiendo schema upgrade`, đừng đặt cho dịch vụ.",
        "The owner of a PostgreSQL store; needed by `tiendo init` and `tiendo schema upgrade` only, never by a service.",
        allowed="postgresql://…",
    )
    redis_url: SecretStr | None = _setting(
        None,
        "Chuông Redis khi chạy nhiều máy; để trống: chuông nằm trong cùng tiến trình.",
        "The Redis bell when several machines run; empty: the bell is in the same process.",
        allowed="redis://… | rediss://… | unix://…",
    )
    workflows_dir: Path | None = _setting(
        None,
        "Thư mục quy trình riêng của tỉnh, thay bản kèm theo khi trùng tên.",
        "A province's own folder of definitions; it overrides the shipped ones by name.",
        allowed="an existing folder",
    )
    language: Literal["vi", "en"] = _setting(
        "vi", "Ngôn ngữ của thông báo và màn hình.", "The language of notices and screens."
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000",
        "Địa chỉ mà người dùng mở, dùng làm gốc của đường dẫn trong thư.",
        "The address that people open; the links in mails start with it.",
        allowed="http://… | https://…",
    )
    person: str | None = _setting(
        None,
        "Mã người thực hiện của dòng lệnh khi không nêu --as.",
        "The code of the person on whose behalf the command line asks when --as is not given.",
        allowed="1–64 characters",
    )
    channels: Annotated[tuple[Channel, ...], NoDecode] = _setting(
        ("console",),
        "Kênh gửi thông báo ra ngoài, cách nhau bằng dấu phẩy; thông báo trong hệ thống luôn có.",
        "The channels by which notices leave, separated by commas; those inside the product always are.",
        allowed="email, console",
    )
    smtp_host: str | None = _setting(
        None, "Máy chủ thư đi.", "The mail server for outgoing mail.", allowed="host name or address"
    )
    smtp_port: int = _setting(587, "Cổng của máy chủ thư.", "The mail server's port.", ge=1, le=65_535)
    smtp_user: str | None = _setting(
        None, "Tên đăng nhập máy chủ thư.", "The name that signs in at the mail server.", allowed="text"
    )
    smtp_password: SecretStr | None = _setting(
        None,
        "Mật khẩu máy chủ thư; không bao giờ được in ra.",
        "Its password; it is never printed.",
        allowed="text",
    )
    smtp_from: str = _setting(
        "Tiến độ <tiendo@localhost>",
        "Người gửi ghi trên thư.",
        "The sender written on mails.",
        allowed="NAME <name@host> | name@host",
    )
    smtp_starttls: bool = _setting(
        True, "Mã hóa đường truyền (STARTTLS) trước khi đăng nhập.", "Encrypt (STARTTLS) before signing in.",
        allowed="true, false",
    )  # fmt: skip
    smtp_timeout_seconds: int = _setting(
        10, "Chờ máy chủ thư tối đa.", "How long to wait for the mail server.", unit="s", ge=1, le=120
    )
    mail_domain: str = _setting(
        "tiendo.localhost",
        "Tên miền trong Message-ID của thư; đừng đổi khi đã gửi thư, vì thư gửi lại phải giữ mã cũ.",
        "The domain in the Message-ID of mails; once mails went out keep it: a mail sent again keeps its id.",
        allowed="host name",
    )
    sweep_ms: int = _setting(
        250,
        "Khoảng cách giữa hai lần quét việc đến hạn và việc chưa xong.",
        "The pause between two sweeps for what is due and what was never finished.",
        unit="ms",
        ge=20,
        le=60_000,
    )
    lease_seconds: int = _setting(
        60,
        "Một việc được giữ tối đa bao lâu trước khi tiến trình khác được nhận lại.",
        "How long one process may hold an outbox row before another may claim it.",
        unit="s",
        ge=5,
        le=3600,
    )
    own_sweep_seconds: int = _setting(
        5,
        "Với chuông Redis: sau bao lâu không có tin nào thì tiến trình gửi tự tìm việc trong kho.",
        "With the Redis bell: after how long without a message a worker looks into the store itself.",
        unit="s",
        ge=1,
        le=600,
    )
    worker_threads: int = _setting(
        8,
        "Số luồng gửi thông báo và xử lý hạn.",
        "Threads that deliver notices and check deadlines.",
        ge=1,
        le=64,
    )
    metrics_port: int = _setting(
        0,
        "Cổng trên 127.0.0.1 để Prometheus lấy số đo của tiến trình này; 0: tắt. Mỗi tiến trình một cổng.",
        "The port on 127.0.0.1 where Prometheus reads this process's metrics; 0: off. One port for each process.",
        ge=0,
        le=65_535,
    )
    log_format: Literal["auto", "columns", "json"] = _setting(
        "auto",
        "Dạng nhật ký kỹ thuật; auto: cột trên màn hình, JSON ở nơi khác.",
        "The form of the technical log; auto: columns on a terminal, JSON elsewhere.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info",
        "Mức thấp nhất được ghi vào nhật ký kỹ thuật.",
        "The lowest level written to the technical log.",
    )

    @field_validator("channels", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(word.strip() for word in given.split(",") if word.strip())
        return given

    @field_validator(
        "database_url",
        "owner_url",
        "redis_url",
        "smtp_host",
        "smtp_from",
        "mail_domain",
        "public_url",
        "person",
    )
    @classmethod
    def _has_the_form(cls, given: Any, info: Any) -> Any:
        form = _FORMS[info.field_name]
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if text is not None and not form.match(text):
            raise ValueError
        return given

    @field_validator("workflows_dir")
    @classmethod
    def _exists(cls, given: Path | None) -> Path | None:
        if given is not None and not given.is_dir():
            raise ValueError
        return given

    @model_validator(mode="after")
    def _mail_has_a_server(self) -> Self:
        if "email" in self.channels and self.smtp_host is None:
            raise SettingWrong(
                Wrong("TIENDO_SMTP_HOST", "", "host name or address (TIENDO_CHANNELS has email)")
            )
        return self

    def shown(self) -> dict[str, str]:
        """Return every setting as text, by variable name, in order; secrets as "***", unset as ""."""
        return {PREFIX + name.upper(): _as_text(getattr(self, name)) for name in type(self).model_fields}


_FORMS = {
    "database_url": _DATABASE,
    "owner_url": _OWNER,
    "redis_url": _REDIS,
    "smtp_host": _HOST,
    "smtp_from": _ADDRESS,
    "mail_domain": _HOST,
    "public_url": _PUBLIC,
    "person": _PERSON,
}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, tuple):
        return ",".join(value)
    text = str(value)
    return without_password(text)


def allowed(field: FieldInfo) -> str:
    """Return in words what a field allows: its own sentence, its words, or its range."""
    about = field.json_schema_extra
    said = about.get("allowed") if isinstance(about, dict) else None
    if said:
        return str(said)
    words = get_args(field.annotation)
    if words:
        return ", ".join(map(str, words))
    low = next(limit.ge for limit in field.metadata if hasattr(limit, "ge"))
    high = next(limit.le for limit in field.metadata if hasattr(limit, "le"))
    return f"{low}–{high}"


def read_settings() -> Settings:
    """Read the environment and return the settings.

    Errors:
        SettingWrong: values that are not allowed and unknown TIENDO_… variables, all of them at once.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {name: value for name, value in os.environ.items() if name.upper().startswith(PREFIX)}
    wrong = [_unknown(name, known) for name in sorted(given) if name.upper() not in known]
    settings = None
    try:
        settings = Settings()
    except ValidationError as refused:
        names = dict.fromkeys(str(problem["loc"][0]) for problem in refused.errors() if problem["loc"])
        wrong += [_wrong(name, given) for name in names]
    if settings is None or wrong:
        raise SettingWrong(*wrong)
    return settings


def _unknown(name: str, known: set[str]) -> Wrong:
    near = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.6)
    return Wrong(name, None, near[0] if near else "")


def _wrong(name: str, given: dict[str, str]) -> Wrong:
    variable = PREFIX + name.upper()
    value = next((text for other, text in given.items() if other.upper() == variable), "")
    field = Settings.model_fields[name]
    is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
    return Wrong(variable, "***" if is_secret else without_password(value), allowed(field))


def example() -> str:
    """Return config/example.env: every setting, its meaning, unit, range and default, each switched off."""
    parts = [
        "# Settings of tiendo, written by scripts/example_env.py. Remove the # before a line to change it."
    ]
    for name, field in Settings.model_fields.items():
        about = field.json_schema_extra
        assert isinstance(about, dict)  # noqa: S101 - _setting always gives one; this tells the type checker
        unit = f" ({about['unit']})" if about["unit"] else ""
        default = _as_text(field.default)
        parts.append(f"\n# {about['vi']}\n# {about['en']}\n# {allowed(field)}{unit}")
        parts.append(f"#{PREFIX}{name.upper()}={default}")
    return "\n".join(parts) + "\n"
