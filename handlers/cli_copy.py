"""The command that moves a store from a file to a server."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine import audit, schema
from engine.errors import Broken, Refused, Words
from engine.registry import Definitions
from engine.sqlite_store import is_there
from handlers import cli_print, opening
from handlers.cli_session import Commands, Session
from handlers.serving import ServingSeat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.sqlite_store import SqliteStore
    from engine.store import Store

_FILE, _SERVER = "sqlite:///", "postgresql"


class CopyTargetWrong(Refused):
    """A store is copied to a server."""

    code = "copy_target_wrong"
    words = Words(
        "Chưa biết chép tới đâu: “{given}” không phải địa chỉ PostgreSQL. Đặt TIENDO_DATABASE_URL=postgresql://tiendo_app:… và "
        "TIENDO_OWNER_URL, rồi chạy lại: tiendo copy-store TỆP.",
        "Where to copy to? “{given}” is no PostgreSQL address. Set TIENDO_DATABASE_URL=postgresql://tiendo_app:… and "
        "TIENDO_OWNER_URL, then run it again: tiendo copy-store FILE.",
    )


class StoreUnsound(Broken):
    """What is copied must be sound: a copy would carry the fault along and look like its cause."""

    code = "store_unsound"
    words = Words(
        "Kho {path} có {count} chỗ sai, chỗ đầu: {first}. Xem tất cả bằng `tiendo audit fsck`; tìm nguyên nhân, khôi phục từ bản "
        "sao lưu.",
        "The store {path} has {count} faults, the first: {first}. See all with `tiendo audit fsck`; find the cause and restore "
        "a backup.",
    )


commands = Commands()


@commands.add("copy-store")
def copy_store(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="TỆP", help="Tệp SQLite của kho đang dùng.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="[URL]", help="Cơ sở dữ liệu PostgreSQL trống; mặc định: TIENDO_DATABASE_URL."
        ),
    ] = "",
) -> None:
    """Chép cả kho SQLite sang PostgreSQL / copy a whole SQLite store to PostgreSQL."""
    from engine import copying, postgres_schema  # noqa: PLC0415 - their driver: few commands have a server

    settings = session.settings.model_copy(update={"database_url": target or session.settings.database_url})
    if not settings.database_url.startswith(_SERVER):
        raise CopyTargetWrong(given=settings.database_url)
    path = Path(source.removeprefix(_FILE))
    if not is_there(path):
        raise opening.StoreMissing(path=str(path))
    with _alone(path) as store:
        _sound(store)
        if not postgres_schema.exists(settings.database_url):
            postgres_schema.upgrade(opening.owner_of(settings), settings.database_url)
        made = postgres_schema.open_store(settings.database_url)
        try:
            copied = copying.copy(store, made, progress=_shown(session))
            _sound(made)
        finally:
            made.close()
    if session.as_json:
        cli_print.as_json(
            {"from": store.path, "to": made.path, "rows": copied.rows, "entries": copied.entries}
        )
        return
    rows = sum(copied.rows.values())
    cli_print.line(
        session.say(
            f"Đã chép {rows} dòng sang {made.path} và so từng dòng; {copied.entries} mục nhật ký giống hệt, fsck sạch.",
            f"{rows} rows copied to {made.path} and compared one by one; {copied.entries} log entries alike, fsck green.",
        ),
        "bold",
    )
    cli_print.line(
        session.say(
            f"Từ nay dùng TIENDO_DATABASE_URL mới. Cất {store.path} đi: ghi tiếp vào đó là thành hai kho khác nhau.",
            f"From now on use the new TIENDO_DATABASE_URL. Put {store.path} away: whatever is still written there is lost.",
        )
    )


@contextmanager
def _alone(path: Path) -> Iterator[SqliteStore]:
    """Open a store that nobody serves, and let nobody serve it meanwhile."""
    store = schema.open_store(path)
    try:
        seat = ServingSeat(store)
        seat.take()
        try:
            yield store
        finally:
            seat.leave()
    finally:
        store.close()


def _sound(store: Store) -> None:
    found = audit.fsck(store, Definitions(store)).findings
    if found:
        raise StoreUnsound(path=store.path, count=len(found), first=f"{found[0].where}: {found[0].why}")


def _shown(session: Session) -> Callable[[str, int], None]:
    def show(table: str, rows: int) -> None:
        if not session.as_json and rows:
            cli_print.line(f"  {table}: {rows}")

    return show


def add_to(group: typer.Typer) -> None:
    """Put this command on the command line."""
    commands.add_to(group)
