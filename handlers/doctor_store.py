"""Looks at the open store: what it is, who we are in it, whether it writes for good, which time it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from engine import readings, schema
from engine.errors import Words
from engine.sqlite_store import system_clock
from engine.table_names import APPEND_ONLY
from handlers import code_words
from handlers.doctor_lines import bad, ok, same, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from handlers.cli_session import Session
    from handlers.doctor_lines import Line

_POSTGRES_LEAST = 150_000
_SECOND = 1_000_000
_SKEW_WARN_SECONDS, _SKEW_BAD_SECONDS = 1.0, 15.0
_STRONG = {
    "rolsuper": "SUPERUSER", "rolbypassrls": "BYPASSRLS", "rolcreaterole": "CREATEROLE", "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
}  # fmt: skip
#: Settings of PostgreSQL without which an acknowledged command can be lost, or a torn page goes unseen.
_MUST_BE_ON = ("fsync", "full_page_writes")


def store(session: Session) -> Iterator[Line]:
    """Whether the store can be reached; its schema and guards were checked by opening it."""
    found = session.store
    born = code_words.STORE_KINDS[readings.kind_of(found)]
    with found.read() as connection:
        kind, number = _kind(connection)
    seen = f"{found.path} · {kind}"
    yield ok(
        Words(
            f"{seen} · {born.vi} · lược đồ {schema.head()} · lớp bảo vệ nhật ký đủ",
            f"{seen} · {born.en} · schema {schema.head()} · guards in place",
        )
    )
    if kind.startswith("PostgreSQL") and number < _POSTGRES_LEAST:
        yield bad(same(kind), Words("Cần PostgreSQL từ 15.", "PostgreSQL 15 or newer is needed."))


def _kind(connection: Connection) -> tuple[str, int]:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar()}", 0
    number = int(connection.execute(text("SHOW server_version_num")).scalar() or 0)
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}", number


def roles(session: Session) -> Iterator[Line]:
    """Whether the role that works every day could do what only the owner may, or change the log."""
    with session.store.read() as connection:
        if connection.dialect.name == "sqlite":
            yield ok(
                Words(
                    "kho SQLite: quyền là quyền của tệp",
                    "SQLite: whoever may write the file may write the store",
                )
            )
            return
        row = connection.execute(
            text(f"SELECT rolname, {', '.join(_STRONG)} FROM pg_roles WHERE rolname = current_user")  # noqa: S608
        ).one()
        owned = connection.execute(_OWNED).scalar() or 0
        becomes = connection.execute(_BECOMES).scalar()
        changes = [
            f"{right} {table}"
            for table in APPEND_ONLY
            for right in ("UPDATE", "DELETE", "TRUNCATE")
            if connection.execute(_MAY, {"table": table, "right": right}).scalar()
        ]
    todo = Words(
        "Dùng vai tiendo_app như trong config/deploy/roles.sql; vai chủ chỉ để nâng lược đồ.",
        "Use the role tiendo_app as config/deploy/roles.sql makes it; the owner moves the schema only.",
    )
    too_strong = [words for column, words in _STRONG.items() if getattr(row, column)]
    if too_strong:
        yield bad(same(f"{row.rolname}: {', '.join(too_strong)}"), todo)
    if owned:
        yield bad(Words(f"{row.rolname} là chủ của {owned} bảng", f"{row.rolname} owns {owned} tables"), todo)
    if becomes:
        yield bad(
            Words(f"{row.rolname} thuộc vai {becomes}", f"{row.rolname} is a member of {becomes}"), todo
        )
    if changes:
        yield bad(
            Words(f"{row.rolname} được {', '.join(changes)}", f"{row.rolname} may {', '.join(changes)}"), todo
        )
    if not (too_strong or owned or becomes or changes):
        yield ok(
            Words(
                f"{row.rolname}: không phải chủ, không vượt quyền, không sửa được nhật ký",
                f"{row.rolname}: not the owner, bypasses nothing, can't change the log",
            )
        )


_OWNED = text(
    "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.rolname = current_user AND n.nspname = current_schema() AND c.relkind IN ('r', 'p')"
)
_BECOMES = text(
    "SELECT min(r.rolname) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner JOIN pg_namespace n"
    " ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = 'transition_log'"
    " AND r.rolname <> current_user AND pg_has_role(current_user, r.oid, 'MEMBER')"
)
_MAY = text("SELECT has_table_privilege(current_user, :table, :right)")


def durability(session: Session) -> Iterator[Line]:
    """Whether what was acknowledged outlives a power cut."""
    with session.store.read() as connection:
        if connection.dialect.name == "sqlite":
            yield from _of_sqlite(session, connection)
            return
        shown = {
            name: str(connection.execute(text(f"SHOW {name}")).scalar())
            for name in (*_MUST_BE_ON, "synchronous_commit")
        }
    off = [name for name in _MUST_BE_ON if shown[name] != "on"]
    if shown["synchronous_commit"] in {"off", "local"}:
        off.append(f"synchronous_commit = {shown['synchronous_commit']}")
    if off:
        yield bad(
            same(", ".join(off)),
            Words(
                "Bật lại ở máy chủ PostgreSQL: nếu không, việc đã báo xong vẫn có thể mất khi mất điện.",
                "Switch it on at the PostgreSQL server: without it a command that was acknowledged can be lost.",
            ),
        )
    else:
        yield ok(same(", ".join(f"{name} = {value}" for name, value in shown.items())))


def _of_sqlite(session: Session, connection: Connection) -> Iterator[Line]:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if mode != "wal":
        yield bad(
            same(f"journal_mode = {mode}"),
            Words(
                "Chạy `tiendo up` một lần để đặt lại WAL; nếu còn, tìm xem chương trình nào đổi tệp.",
                "Run `tiendo up` once to set WAL again; if it stays, find out which program changes the file.",
            ),
        )
        return
    pages = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if pages != "ok":
        yield bad(
            same(f"quick_check: {pages}"),
            Words(
                "Tệp hỏng: ngừng phục vụ, chép tệp ra nơi khác rồi khôi phục bản sao lưu.",
                "The file is damaged: stop serving, copy it away, restore a backup.",
            ),
        )
        return
    yield ok(same(f"WAL, synchronous = FULL, quick_check ok ({session.store.path})"))


def clock(session: Session) -> Iterator[Line]:
    """Whether this machine, the store and the log agree about the time."""
    before = system_clock()
    there = session.store.now()
    after = system_clock()
    skew = (there - (before + after) / 2) / _SECOND
    doubt = (after - before) / 2 / _SECOND
    with session.store.read() as connection:
        last = connection.execute(text("SELECT max(recorded_at) FROM transition_log")).scalar()
    yield _skew(skew, doubt)
    ahead = (int(last or 0) - there) / _SECOND
    if ahead > _SKEW_WARN_SECONDS:
        yield bad(
            Words(
                f"mục nhật ký cuối ghi muộn hơn bây giờ {ahead:.0f} giây",
                f"the last log entry lies {ahead:.0f} s in the future",
            ),
            Words(
                "Đồng hồ từng chạy trước hoặc vừa bị lùi. Chỉnh giờ theo NTP; nhật ký vẫn đúng thứ tự.",
                "The clock ran ahead before, or was set back. Set it by NTP; the order of the log still holds.",
            ),
        )


def _skew(skew: float, doubt: float) -> Any:
    seen = Words(
        f"lệch {skew:+.3f} s so với kho (± {doubt:.3f} s)",
        f"{skew:+.3f} s against the store (± {doubt:.3f} s)",
    )
    todo = Words(
        "Chỉnh giờ của máy này hoặc của máy chủ kho theo NTP (timedatectl set-ntp true).",
        "Set the time of this machine or of the store's by NTP (timedatectl set-ntp true).",
    )
    late = abs(skew) - doubt
    if late > _SKEW_BAD_SECONDS:
        return bad(seen, todo)
    return warn(seen, todo) if late > _SKEW_WARN_SECONDS else ok(seen)
