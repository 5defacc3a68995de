"""What PostgreSQL and libpq say, in our words: the one place where their errors become ours."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from engine.errors import Broken, Refused, Unavailable, Words
from engine.postgres_wire import Failure, plain
from engine.store import Contended, RowRefused, StoreCorrupt, StoreFull, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.errors import TiendoError


class CommitUnknown(Unavailable):
    """The connection broke while the transaction was being committed: it may have happened, or not."""

    code = "commit_unknown"
    words = Words(
        "Mất kết nối tới {path} đúng lúc ghi, nên chưa biết đã ghi hay chưa. Hãy gửi lại đúng lệnh này: nếu đã ghi, bạn nhận "
        "lại biên nhận cũ và không có gì bị ghi hai lần.",
        "The connection to {path} broke while it was committing, so it may have happened or not. Send the same command "
        "again: if it did happen, the first receipt is answered and nothing is written twice.",
    )


class StoreLost(Unavailable):
    """The connection broke before anything was committed."""

    code = "store_lost"
    words = Words(
        "Mất kết nối tới {path} ({why}). Chưa có gì thay đổi; hãy gửi lại lệnh.",
        "The connection to {path} broke ({why}). Nothing changed; send the command again.",
    )


class StoreStandby(Unavailable):
    """The server only reads: it is a copy of another, or was set to."""

    code = "store_standby"
    words = Words(
        "Máy chủ {path} chỉ cho đọc (máy dự phòng?). Chưa có gì thay đổi; trỏ TIENDO_DATABASE_URL tới máy chủ chính.",
        "The server {path} is read-only (a standby?). Nothing changed; point TIENDO_DATABASE_URL to the primary server.",
    )


class LoginRefused(Refused):
    """The server does not let this role in."""

    code = "login_refused"
    words = Words(
        "Máy chủ không cho vào {path}: {why}. Kiểm tra tên, mật khẩu và tên cơ sở dữ liệu trong {setting}.",
        "The server does not let us into {path}: {why}. Check name, password and database in {setting}.",
    )


class RoleTooWeak(Refused):
    """The role lacks a right that the engine needs."""

    code = "role_too_weak"
    words = Words(
        "Tài khoản của TIENDO_DATABASE_URL thiếu quyền trên {path}: {why}. Chạy `tiendo schema upgrade` với TIENDO_OWNER_URL "
        "để cấp lại quyền.",
        "The role of TIENDO_DATABASE_URL lacks a right on {path}: {why}. Run `tiendo schema upgrade` with TIENDO_OWNER_URL "
        "to grant it again.",
    )


class StatementRefused(Broken):
    """The database does not understand, or not accept, what the engine asked."""

    code = "statement_refused"
    words = Words(
        "Cơ sở dữ liệu {path} không nhận câu lệnh của phần mềm ({why}). Chưa có gì thay đổi; hãy báo người bảo trì.",
        "The database {path} does not accept a statement of the software ({why}). Nothing changed; tell the maintainer.",
    )


_DEADLOCK = Words("hai lệnh chờ lẫn nhau", "two commands waited for each other")
_WAITED = Words("chờ khoá quá lâu", "the wait for a lock took too long")
_CHANGED = Words("lược đồ vừa được nâng cấp", "the schema was moved on just now")
_TAKEN = Words(
    "lệnh này hoặc hồ sơ này đang được ghi ở nơi khác", "the same command or case is being written elsewhere"
)
_SLOW = Words("máy chủ trả lời quá chậm", "the server answers too slowly")
#: What the server says, in words that tell more than its own.
_SAID = {"40001": _DEADLOCK, "40P01": _DEADLOCK, "55P03": _WAITED, "0A000": _CHANGED, "57014": _SLOW}
#: What the driver says where nobody answers, and what it means.
_NOBODY = (
    ("Connection refused", Words("không có máy chủ nào nghe ở đó", "no server listens there")),
    (
        "could not translate host name",
        Words("không tìm thấy máy chủ tên đó", "no host of that name is found"),
    ),
    ("failed to resolve host", Words("không tìm thấy máy chủ tên đó", "no host of that name is found")),
    ("timeout expired", _SLOW),
    ("No such file or directory", Words("không có máy chủ nào nghe ở đó", "no server listens there")),
)
#: Beginning of a state, and what it means for who sent the command; the first that fits.
_OURS: tuple[tuple[str, type[TiendoError]], ...] = (
    ("40001|40P01|55P03|0A000", Contended),
    ("53100", StoreFull),
    ("25006|25P04", StoreStandby),
    ("28...|3D000", LoginRefused),
    ("42501", RoleTooWeak),
    ("53...|57014|57P03|08001|08004", StoreUnreachable),
    ("57P|25P03|08", StoreLost),
    ("XX|58", StoreCorrupt),
)
#: Constraints that two transactions may meet at once; whoever comes second begins anew and finds what the first wrote.
_MET_AT_ONCE = frozenset({"receipt.pk_receipt", "transition_log.pk_transition_log"})
#: What the server says at the door, where the driver gives no state.
_AT_THE_DOOR = (
    "authentication failed", "no pg_hba.conf entry", "no password supplied", "not permitted to log in",
    '" does not exist',
)  # fmt: skip


def shown(url: str) -> str:
    """Return the address of a database without its password and options."""
    try:
        parts = urlsplit(plain(url))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql://…"
    role = f"{parts.username}@" if parts.username else ""
    return f"postgresql://{role}{host}{port}{parts.path}"


@contextmanager
def told(path: str, setting: str = "TIENDO_DATABASE_URL") -> Iterator[None]:
    """Turn what the server says into our errors.

    Errors:
        Unavailable: try again later. Refused: somebody must correct a setting. Broken: a maintainer must look.
        RowRefused: a constraint said no; only the transaction knows which command broke it.
    """
    try:
        yield
    except Failure as why:
        raise ours(why, path, setting) from why
    except psycopg.Error as why:
        raise ours(_of_driver(why), path, setting) from why
    except Exception as why:
        # What SQLAlchemy wraps: known by its form, because serving processes never load it.
        said = getattr(why, "orig", None)
        if not isinstance(said, psycopg.Error):
            raise
        raise ours(_of_driver(said), path, setting) from why


def _of_driver(problem: psycopg.Error) -> Failure:
    about = problem.diag
    constraint = f"{about.table_name}.{about.constraint_name}" if about.constraint_name else ""
    return Failure(problem.sqlstate or "", about.message_primary or str(problem), constraint)


def ours(failure: Failure, path: str, setting: str = "TIENDO_DATABASE_URL") -> TiendoError | RowRefused:
    """Return our error for what the server said."""
    why = failure.said.strip().replace("\n", " ")
    state = failure.sqlstate or "08006"
    if state == "08001" and any(sign in why for sign in _AT_THE_DOOR):
        state = "28000"
    if failure.constraint in _MET_AT_ONCE:
        return Contended(why=_TAKEN)
    if state[:2] in {"22", "23"}:
        return RowRefused(_named(failure))
    for sign, error in _OURS:
        if re.match(sign, state):
            return error(path=path, why=_SAID.get(state) or _worded(why), setting=setting)
    return StatementRefused(path=path, why=f"{state} {why}")


def _worded(why: str) -> Words:
    return next((words for sign, words in _NOBODY if sign in why), Words(why, why))


def _named(failure: Failure) -> str:
    """Return what was refused with table and column, as the names of our constraints give them."""
    table, _, constraint = failure.constraint.partition(".")
    return (
        f"{failure.said} ({table}.{constraint.removeprefix(f'uq_{table}_')})" if constraint else failure.said
    )
