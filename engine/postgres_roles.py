"""The two roles of a PostgreSQL store: the owner migrates, everything else runs as a role that can change no guard."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from engine import postgres_guards
from engine.errors import Refused, Words
from engine.postgres_errors import RoleTooWeak
from engine.postgres_wire import plain
from engine.table_names import TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from engine.append_only import Ask

OWNER = "tiendo_owner"
_SHORT = 10


class RoleTooStrong(Refused):
    """The working role could change the log."""

    code = "role_too_strong"
    words = Words(
        "Tài khoản {role} của TIENDO_DATABASE_URL {why}, nên có thể sửa cả nhật ký. Dùng tài khoản tiendo_app; chủ sở hữu chỉ "
        "đặt trong TIENDO_OWNER_URL.",
        "The role {role} of TIENDO_DATABASE_URL {why}, so it could change the log. Use the role tiendo_app; the owner belongs "
        "in TIENDO_OWNER_URL only.",
    )


class RolesMissing(Refused):
    """The working role is not there and the owner may not make it."""

    code = "roles_missing"
    words = Words(
        "Chưa có tài khoản tiendo_app và {role} không được tạo tài khoản. Nhờ quản trị máy chủ chạy: {statements}",
        "There is no role tiendo_app, and {role} may not make one. Let the server's administrator run: {statements}",
    )


class EncodingWrong(Refused):
    """The database can't hold every letter."""

    code = "encoding_wrong"
    words = Words(
        "Cơ sở dữ liệu {path} dùng bảng mã {found}, cần UTF8. Tạo lại: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
        "The database {path} has the encoding {found} and needs UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
    )


_WHO = "SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole FROM pg_roles r WHERE r.rolname = current_user"
_STRONG = {
    "super": Words("là siêu quản trị", "is a superuser"),
    "bypass": Words("được bỏ qua phân quyền theo dòng", "passes over row security"),
    "owner": Words("là chủ sở hữu các bảng", "owns the tables"),
    "writes": Words("được sửa hoặc xoá các bảng chỉ ghi thêm", "may change or empty append-only tables"),
}


def make(connection: Connection, app_url: str) -> None:
    """Make the working role where it is missing, with the password that its URL gives.

    Errors:
        RolesMissing: the owner may not; nothing was done.
    """
    there = connection.exec_driver_sql(
        "SELECT 1 FROM pg_roles WHERE rolname = %s", (postgres_guards.APP,)
    ).scalar()
    if there is not None:
        return
    name, is_super, _, makes_roles = connection.exec_driver_sql(_WHO).one()
    if not (is_super or makes_roles):
        raise RolesMissing(role=name, statements=statement("…"))
    password = unquote(urlsplit(plain(app_url)).password or "")
    connection.exec_driver_sql(statement(password).replace("%", "%%"))


def statement(password: str) -> str:
    """Return the SQL that makes the working role; without a password it can't sign in over the network."""
    secret = f" PASSWORD '{password.replace(chr(39), chr(39) * 2)}'" if password else ""
    return f"CREATE ROLE {postgres_guards.APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS{secret}"


def check(ask: Ask, path: str) -> None:
    """Refuse a working role that could change a guard or lacks a right, and a database of another encoding.

    Errors:
        RoleTooStrong, RoleTooWeak, EncodingWrong: nothing was done.
    """
    ((encoding,),) = ask("SHOW server_encoding")
    if encoding != "UTF8":
        raise EncodingWrong(path=path, found=encoding)
    ((name, is_super, bypasses, _),) = ask(_WHO)
    if is_super or bypasses:
        raise RoleTooStrong(role=name, why=_STRONG["super" if is_super else "bypass"])
    ((owned,),) = ask(_OWNS)
    if owned:
        raise RoleTooStrong(role=name, why=_STRONG["owner"])
    held = {(table, right) for table, right in ask(_HELD)}
    wanted = {(table, right) for table in TABLES for right in postgres_guards.rights(table)}
    guarded = {table for table in TABLES if "DELETE" not in postgres_guards.rights(table)}
    if any(table in guarded for table, _ in held - wanted):
        raise RoleTooStrong(role=name, why=_STRONG["writes"])
    if missing := sorted(f"{right} {table}" for table, right in wanted - held):
        raise RoleTooWeak(path=path, why=", ".join(missing[:_SHORT]))


_OWNS = (
    "SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    " AND pg_has_role(c.relowner, 'MEMBER')"
)
_HELD = (
    "SELECT c.relname, r.name FROM pg_class c,"
    " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS r (name)"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND has_table_privilege(c.oid, r.name)"
)
