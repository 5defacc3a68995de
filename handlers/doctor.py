"""Is this installation in order? Looks, each on its own: one that can't be taken says why, the others go on.

A look changes nothing. It may be taken of an installation that is broken in any way: the worse, the more it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from config.log_privacy import harmless
from engine.errors import TiendoError, Words
from handlers import doctor_bell, doctor_machine, doctor_settings, doctor_store, doctor_work
from handlers.doctor_lines import Line, bad, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from handlers.cli_session import Session

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at.

    Shapes:
        code: for programs, never changed. title: for people.
        opens: whether it needs an open store.
    """

    code: str
    title: Words
    take: Callable[[Session], Iterable[Line]]
    opens: bool = True


LOOKS = (
    Look("versions", Words("Phiên bản", "Versions"), doctor_machine.versions, opens=False),
    Look("account", Words("Tài khoản", "Account"), doctor_machine.account, opens=False),
    Look("settings", Words("Thiết lập", "Settings"), doctor_settings.settings, opens=False),
    Look("store", Words("Kho", "Store"), doctor_store.store),
    Look("roles", Words("Quyền kho", "Roles"), doctor_store.roles),
    Look("durability", Words("Ghi bền", "Durability"), doctor_store.durability),
    Look("files", Words("Quyền tệp", "File modes"), doctor_machine.file_modes, opens=False),
    Look("disk", Words("Đĩa", "Disk"), doctor_machine.disk, opens=False),
    Look("clock", Words("Đồng hồ", "Clock"), doctor_store.clock),
    Look("bell", Words("Chuông", "Bell"), doctor_bell.bell, opens=False),
    Look("serving", Words("Phục vụ", "Serving"), doctor_work.serving),
    Look("outbox", Words("Việc gửi", "Outbox"), doctor_work.outbox),
    Look("timers", Words("Hẹn giờ", "Timers"), doctor_work.timers),
    Look("calendars", Words("Lịch", "Calendars"), doctor_settings.calendars, opens=False),
    Look("definitions", Words("Quy trình", "Definitions"), doctor_settings.definitions),
    Look("channels", Words("Kênh", "Channels"), doctor_settings.channels, opens=False),
    Look("texts", Words("Lời thông báo", "Notice texts"), doctor_settings.texts, opens=False),
)


def examine(session: Session, looks: Iterable[Look] = LOOKS) -> list[tuple[Look, Line]]:
    """Take every look and return its lines, in order; a look gives one line or more."""
    opened = _opens(session)
    found: list[tuple[Look, Line]] = []
    for look in looks:
        if look.opens and not opened and look.code != "store":
            unseen = Words("chưa xem được: kho chưa mở", "not looked at: the store is not open")
            found.append((look, warn(unseen, Words("Xem dòng Kho trước.", "See the line Store first."))))
            continue
        try:
            found += [(look, line) for line in look.take(session)]
        except TiendoError as problem:
            found.append((look, bad(Words(problem.sentence("vi"), problem.sentence("en")))))
        except Exception as problem:  # noqa: BLE001 - whatever breaks one look, the others are wanted all the more
            broke = Words(
                f"không xem được ({harmless(problem)})", f"could not be looked at ({harmless(problem)})"
            )
            tell = Words("Hãy báo người bảo trì kèm dòng này.", "Tell the maintainer, with this line.")
            found.append((look, bad(broke, tell)))
    return found


def _opens(session: Session) -> bool:
    try:
        return bool(session.store.path)
    except Exception:  # noqa: BLE001 - the look at the store says what it is
        return False
