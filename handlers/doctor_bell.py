"""A look at the bell: is Redis there, does it keep what it is given, who else may reach it and who else uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import redis

from config.log_privacy import harmless
from config.setting_wrong import without_password
from engine.errors import Words
from handlers.doctor_lines import bad, ok, same, warn
from handlers.doctor_settings import is_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from handlers.cli_session import Session
    from handlers.doctor_lines import Line

#: The first release of each line in which a signed-in client can't take the server over by a script (CVE-2025-49844),
#: as published by the makers on 3 October 2025. A newer line than the last one named is taken for patched.
_PATCHED = {
    "redis": ((6, 2, 20), (7, 2, 11), (7, 4, 6), (8, 0, 4), (8, 2, 2)),
    "valkey": ((7, 2, 11), (8, 0, 6), (8, 1, 4)),
}
_OURS = "tiendo:"
#: Where workers say that they live: a sorted set of workers by milliseconds.
_HEARTBEATS = f"{_OURS}__heartbeats__"
#: So many keys are looked at; a server that holds more than this beside ours is somebody's.
_KEYS_LOOKED_AT = 20_000
_TIMEOUT_SECONDS = 2.0
_ALONE = Words(
    "Dùng một Redis riêng cho tiendo: FLUSHALL của người khác chỉ làm chậm, nhưng chỗ nhớ và khóa thì lẫn vào nhau.",
    "Give tiendo a Redis of its own: memory and keys mix otherwise, and their clean-up becomes yours.",
)


def bell(session: Session) -> Iterator[Line]:
    """Whether the bell works and is used as it must be; nothing is ever lost by it, only late."""
    secret = session.settings.redis_url
    if secret is None:
        yield ok(Words("trong tiến trình phục vụ, không dùng Redis", "inside the serving process, no Redis"))
        return
    url = secret.get_secret_value()
    try:
        client = redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            decode_responses=False,
        )
        with client:
            yield from _looked_at(client, url)
    except (redis.RedisError, ValueError, OSError) as problem:
        yield bad(
            same(f"{without_password(url)}: {harmless(problem)}"),
            Words(
                "Khởi động Redis hoặc sửa TIENDO_REDIS_URL. Không mất gì: việc gửi chờ trong kho, lượt quét làm chậm hơn.",
                "Start Redis or correct TIENDO_REDIS_URL. Nothing is lost: rows wait in the store, the sweep is slower.",
            ),
        )


def _looked_at(client: Any, url: str) -> Iterator[Line]:
    client.ping()
    yield from _of_server(client)
    yield from _access(client, url)
    yield from _keys(client)


def workers_heard(url: str, within_seconds: float) -> int:
    """Return how many workers gave the bell a sign of life lately, by Redis's own clock.

    Errors:
        redis.RedisError, OSError: it can't be asked.
    """
    with redis.Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    ) as client:
        seconds, micros = client.time()
        since = int((seconds + micros / 1e6 - within_seconds) * 1000)
        return len(client.zrangebyscore(_HEARTBEATS, since, "+inf"))


def _of_server(client: Any) -> Iterator[Line]:
    try:
        info: dict[str, Any] = client.info()
    except redis.ResponseError:
        yield warn(
            Words("tài khoản này không được xem INFO", "this account may not ask INFO"),
            Words(
                "Thêm +info +scan +zcard cho tài khoản (xem users.acl), hoặc tự xem maxmemory-policy là noeviction.",
                "Give the account +info +scan +zcard (see users.acl), or look yourself that maxmemory-policy is noeviction.",
            ),
        )
        return
    yield _version(info)
    yield from _memory(info)


def _version(info: dict[str, Any]) -> Line:
    """Return which server it is, and whether its line has the patch."""
    is_valkey = "valkey_version" in info
    kind, shown = (
        ("valkey", info["valkey_version"]) if is_valkey else ("redis", info.get("redis_version", "0"))
    )
    number = tuple(int(part) for part in re.findall(r"\d+", str(shown))[:3])
    lines = _PATCHED[kind]
    same_line = [one for one in lines if one[:2] == number[:2]]
    is_patched = number >= same_line[0] if same_line else number > lines[-1]
    seen = same(f"{kind.capitalize()} {shown}")
    if is_patched:
        return ok(seen)
    wanted = ", ".join(".".join(map(str, one)) for one in lines)
    return warn(
        seen,
        Words(
            f"Nâng cấp lên bản đã vá CVE-2025-49844 ({wanted}).",
            f"Upgrade to a release with CVE-2025-49844 fixed ({wanted}).",
        ),
    )


def _memory(info: dict[str, Any]) -> Iterator[Line]:
    policy, most = str(info.get("maxmemory_policy", "?")), int(info.get("maxmemory", 0))
    used = int(info.get("used_memory", 0))
    seen = same(f"maxmemory-policy = {policy}, maxmemory = {most}, used = {used}")
    todo = Words(
        "Đặt maxmemory-policy noeviction: nếu không, tin đang chờ bị xóa lặng lẽ và thông báo chậm lại.",
        "Set maxmemory-policy noeviction: else waiting messages vanish silently and notices are late.",
    )
    if policy == "noeviction":
        yield ok(seen)
    elif most:
        yield bad(seen, todo)
    else:
        yield warn(seen, todo)


def _access(client: Any, url: str) -> Iterator[Line]:
    """Tell who else could ring, or empty the bell: a server on the network without password or encryption."""
    parts = urlsplit(url)
    host = None if parts.scheme == "unix" else parts.hostname
    if is_here(host):
        yield from _open_to_all(client)
        return
    if parts.scheme != "rediss":
        yield warn(
            same(f"{parts.scheme}://{host}"),
            Words(
                "Dùng rediss:// (TLS) khi Redis ở máy khác.",
                "Use rediss:// (TLS) where Redis is on another machine.",
            ),
        )
    if not parts.password and "password" not in parse_qs(parts.query):
        yield bad(
            Words(f"{host}: không có mật khẩu", f"{host}: no password"),
            Words(
                "Đặt người dùng ACL có mật khẩu, chỉ được đụng khóa ~tiendo:* (xem redis.conf).",
                "Make an ACL account with a password that may touch ~tiendo:* only (see redis.conf).",
            ),
        )
    yield from _open_to_all(client)


def _open_to_all(client: Any) -> Iterator[Line]:
    try:
        shown = client.config_get("bind", "protected-mode", "requirepass")
    except redis.ResponseError:
        # An account that may not ask is an account with narrow rights, which is what is wanted.
        yield ok(Words("tài khoản ACL hạn chế", "an ACL account with narrow rights"))
        return
    found = {_text(name): _text(value) for name, value in shown.items()}
    if is_open(found):
        yield bad(
            same(f"bind {found.get('bind') or '*'}, protected-mode no"),
            Words(
                "Đặt bind 127.0.0.1 -::1, protected-mode yes và mật khẩu: ai trên mạng cũng ra lệnh được cho Redis này.",
                "Set bind 127.0.0.1 -::1, protected-mode yes and a password: anybody on the network commands this Redis.",
            ),
        )


def is_open(found: Mapping[str, str]) -> bool:
    """Whether a server takes commands from any machine that reaches it, as its settings say."""
    bound = found.get("bind", "").split()
    listens_outside = not bound or any(not is_here(address.lstrip("-")) for address in bound)
    return listens_outside and not found.get("requirepass") and found.get("protected-mode") == "no"


def _keys(client: Any) -> Iterator[Line]:
    """Count the keys that are not ours; their names are not shown, they may say something."""
    ours = others = aside = 0
    try:
        for looked, key in enumerate(client.scan_iter(count=1000)):
            name = _text(key)
            ours += name.startswith(_OURS)
            others += not name.startswith(_OURS)
            if name.startswith(_OURS) and name.endswith(".XQ"):
                aside += int(client.zcard(key))
            if looked >= _KEYS_LOOKED_AT:
                break
    except redis.ResponseError:
        return
    if others:
        yield warn(Words(f"{others} khóa của chương trình khác", f"{others} keys of somebody else"), _ALONE)
    else:
        yield ok(Words(f"{ours} khóa, tất cả của tiendo", f"{ours} keys, all of tiendo"))
    if aside:
        yield warn(
            Words(f"{aside} tin không đọc được bị gác lại", f"{aside} messages were set aside as unreadable"),
            Words(
                "Ai đó ngoài tiendo ghi vào hàng đợi: xem ai có mật khẩu của Redis này. Việc gửi không mất.",
                "Somebody else writes into the queues: find out who has the password. No notice is lost by it.",
            ),
        )


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
