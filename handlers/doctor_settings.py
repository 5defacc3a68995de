"""Looks at what was set and what was shipped: weak settings, calendars, definitions, channels, notice texts."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import workflows
from engine import calendar_files
from engine.civil_time import day_at
from engine.errors import Words
from engine.sqlite_store import system_clock
from handlers import publishing
from handlers.doctor_lines import bad, ok, same, warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from config.settings import Settings
    from engine.working_calendar import WorkingCalendar
    from handlers.cli_session import Session
    from handlers.doctor_lines import Line

#: From this month on next year's calendar is needed: deadlines of the plan year to come are set.
_NEXT_YEAR_FROM_MONTH = 10
_VERIFIED_TLS = frozenset({"verify-ca", "verify-full"})


def is_here(host: str | None) -> bool:
    """Whether an address names this machine itself: a loopback address, or a socket in the file system."""
    if not host or host.lower() in {"localhost", "localhost.localdomain"} or host.startswith("/"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_in_earnest(session: Session) -> bool:
    """Whether this is a production store; one that can't be opened counts as one."""
    try:
        return not session.is_sample
    except Exception:  # noqa: BLE001 - the look at the store says what it is
        return True


def settings(session: Session) -> Iterator[Line]:
    """Which settings are weak: what travels in clear, whom an account of the database may become."""
    found = [*_addresses(session), *_database(session.settings)]
    yield from found
    if not found:
        count = len(session.settings.model_fields_set)
        yield ok(
            Words(
                f"{count} thiết lập khác mặc định, không chỗ nào yếu",
                f"{count} set by hand, none of them weak",
            )
        )


def _addresses(session: Session) -> Iterator[Line]:
    public = urlsplit(session.settings.public_url)
    if public.scheme == "http" and not is_here(public.hostname):
        yield bad(
            same(f"TIENDO_PUBLIC_URL={session.settings.public_url}"),
            Words(
                "Dùng https://: liên kết trong thư dẫn người dùng qua đường không mã hóa.",
                "Use https://: links in mails lead people over a line that anybody can read.",
            ),
        )
    if "email" in session.settings.channels and is_here(public.hostname) and is_in_earnest(session):
        yield warn(
            same(f"TIENDO_PUBLIC_URL={session.settings.public_url}"),
            Words(
                "Đặt địa chỉ mà người nhận thư mở được.",
                "Set the address that those who get the mails can open.",
            ),
        )


def _database(found: Settings) -> Iterator[Line]:
    app = urlsplit(found.database_url)
    if not app.scheme.startswith("postgresql"):
        return
    if not is_here(app.hostname):
        mode = parse_qs(app.query).get("sslmode", [""])[0]
        if mode not in _VERIFIED_TLS:
            yield warn(
                same(f"TIENDO_DATABASE_URL: sslmode={mode or '—'}"),
                Words(
                    "Thêm ?sslmode=verify-full&sslrootcert=…: nếu không, ai chen vào đường mạng cũng giả làm kho được.",
                    "Add ?sslmode=verify-full&sslrootcert=…: without it whoever sits on the line can play the store.",
                ),
            )
    secret = getattr(found, "owner_url", None)
    if secret is None:
        return
    owner = urlsplit(secret.get_secret_value() if hasattr(secret, "get_secret_value") else str(secret))
    if owner.username == app.username:
        yield bad(
            Words(
                f"TIENDO_OWNER_URL và TIENDO_DATABASE_URL cùng là {app.username}",
                f"TIENDO_OWNER_URL and TIENDO_DATABASE_URL are both {app.username}",
            ),
            Words(
                "Dùng hai vai: tiendo_owner chỉ để nâng lược đồ, tiendo_app cho mọi việc khác (xem roles.sql).",
                "Use two roles: tiendo_owner to move the schema only, tiendo_app for all else (see roles.sql).",
            ),
        )


def channels(session: Session) -> Iterator[Line]:
    """Whether notices leave by channels that fit: encrypted, and not into the log of a store in earnest."""
    found = session.settings
    yield ok(same(", ".join(found.channels) or "—"))
    if "console" in found.channels and is_in_earnest(session):
        yield warn(
            Words("kênh console trên kho chính thức", "the channel console on a production store"),
            Words(
                "Bỏ console khỏi TIENDO_CHANNELS: tên người và nội dung thư rơi vào nhật ký hệ thống.",
                "Take console out of TIENDO_CHANNELS: names and texts of notices fall into the system's log.",
            ),
        )
    if "email" not in found.channels or is_here(found.smtp_host):
        return
    if not found.smtp_starttls:
        see = warn if found.smtp_user is None else bad
        yield see(
            same(f"TIENDO_SMTP_STARTTLS=false → {found.smtp_host}"),
            Words(
                "Bật STARTTLS: thư, và mật khẩu nếu có, đang đi không mã hóa.",
                "Switch STARTTLS on: mails, and the password if there is one, travel in clear.",
            ),
        )


def calendars(session: Session) -> Iterator[Line]:
    """Which years there are, which of them are proposed or were never compared with the gazette."""
    calendar = calendar_files.load_calendar(workflows.FOLDER / "calendars")
    years = calendar.years
    yield ok(same(f"{years.start}–{years.stop - 1}"))
    today = _today(session)
    for year in (today.year, today.year + 1):
        if year in years:
            yield from _year(calendar, year)
        elif year == today.year or today.month >= _NEXT_YEAR_FROM_MONTH:
            yield bad(Words(f"chưa có lịch năm {year}", f"no calendar of {year}"), _add(year))
        else:
            yield warn(Words(f"chưa có lịch năm {year}", f"no calendar of {year}"), _add(year))


def _add(year: int) -> Words:
    return Words(
        f"Thêm tệp {year}.yaml: hạn rơi vào năm đó sẽ bị từ chối, không đoán.",
        f"Add the file {year}.yaml: a deadline that falls into that year is refused, not guessed.",
    )


def _year(calendar: WorkingCalendar, year: int) -> Iterator[Line]:
    days = [one for day, one in calendar.entries.items() if day.year == year]
    proposed = sum(one.source.status == "proposed" for one in days)
    unverified = sum(not one.source.verified for one in days)
    if proposed:
        yield warn(
            Words(
                f"{year}: {proposed}/{len(days)} ngày mới là dự kiến",
                f"{year}: {proposed} of {len(days)} days are proposed",
            ),
            Words(
                f"Khi có thông báo nghỉ Tết và hoán đổi, sửa {year}.yaml rồi chạy `tiendo calendar`.",
                f"When the leave of Tết and the swaps are announced, correct {year}.yaml, then run `tiendo calendar`.",
            ),
        )
    if unverified:
        yield warn(
            Words(
                f"{year}: {unverified}/{len(days)} ngày chưa đối chiếu Công báo",
                f"{year}: {unverified} of {len(days)} days not compared with the gazette",
            ),
            Words(
                f"Đối chiếu văn bản ghi ở “sources” của {year}.yaml rồi đặt verified: true.",
                f"Compare the acts named under “sources” of {year}.yaml, then set verified: true.",
            ),
        )


def _today(session: Session) -> date:
    try:
        return session.today
    except Exception:  # noqa: BLE001 - without a store the day of this machine tells the year well enough
        return day_at(system_clock())


def definitions(session: Session) -> Iterator[Line]:
    """Whether the files of definitions are in order, and which of them wait to be published."""
    files = publishing.read_all(session.settings, session.engine.rules)
    if files.findings:
        count = len(files.findings)
        yield bad(Words(f"{count} chỗ cần sửa", f"{count} findings"), same("tiendo validate"))
        return
    held = session.engine.definitions
    waiting = [
        name
        for name, one in files.definitions.items()
        if name not in held.names() or held.newest(name).hash != one.hash
    ]
    yield ok(Words(f"{len(held.names())} đã công bố", f"{len(held.names())} published"))
    if waiting:
        names = ", ".join(waiting)
        yield warn(Words(f"chờ công bố: {names}", f"to be published: {names}"), same("tiendo publish"))


def texts(session: Session) -> Iterator[Line]:
    """Whether the words of notices can be read."""
    from handlers import build  # noqa: PLC0415 - Dramatiq and Jinja: only where they are asked for

    found = build.make_texts(session.settings)
    yield ok(same(str(len(found.texts))))
