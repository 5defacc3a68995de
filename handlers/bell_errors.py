"""What can be wrong with the bell: a message that carries too much, a topic nobody knows, a Redis that won't have us."""

from __future__ import annotations

from engine.errors import Broken, Refused, Unavailable, Words


class MessageTooLarge(Broken):
    """Somebody put more than an id into a message."""

    code = "message_too_large"
    words = Words(
        "Tin gửi chuông cho {topic} dài {size} byte, quá {limit}. Tin chỉ được mang mã dòng chờ gửi.",
        "The message for {topic} has {size} bytes, over {limit}. It may carry the id of an outbox row only.",
    )


class EncoderWrong(Broken):
    """Messages must be JSON: a pickle would run what it brings."""

    code = "encoder_wrong"
    words = Words(
        "Bộ mã hoá tin là {found}, phải là JSON. Bỏ lệnh đặt bộ mã hoá khác rồi khởi động lại.",
        "The message encoder is {found}; it must be JSON. Remove what sets another one and start again.",
    )


class TopicUnknown(Broken):
    """An outbox row has a topic that no handler knows."""

    code = "topic_unknown"
    words = Words(
        'Không có nơi xử lý chủ đề "{topic}". Phiên bản đang chạy cũ hơn kho dữ liệu; hãy nâng cấp.',
        'No handler knows the topic "{topic}". The running version is older than the store; upgrade it.',
    )


class BellUnreachable(Unavailable):
    """Nobody answers at the address of the bell, or not now."""

    code = "bell_unreachable"
    words = Words(
        "Không dùng được Redis tại {url}: {said}. Kiểm tra Redis và TIENDO_REDIS_URL rồi chạy lại. Không có gì bị mất: việc "
        "chờ gửi nằm trong kho. Cần gửi ngay khi chưa có Redis thì để trống TIENDO_REDIS_URL.",
        "Redis at {url} can't be used: {said}. Look after Redis and TIENDO_REDIS_URL, then start again. Nothing is lost: what "
        "is owed stands in the store. To deliver without Redis meanwhile, leave TIENDO_REDIS_URL empty.",
    )


class BellRefused(Refused):
    """What answers at the address of the bell will not have us: a wrong password, too few rights, not a Redis."""

    code = "bell_refused"
    words = Words(
        "Redis tại {url} từ chối: {said}. Sửa tài khoản, mật khẩu hoặc quyền trong TIENDO_REDIS_URL; quyền tối thiểu ghi trong "
        "docs/operations.md. Chưa có gì được khởi động.",
        "Redis at {url} refuses: {said}. Correct the account, password or rights in TIENDO_REDIS_URL; the least rights stand in "
        "docs/operations.md. Nothing was started.",
    )


class OneServerOnly(Refused):
    """An embedded store is served by one process; workers and tickers of their own need PostgreSQL."""

    code = "one_server_only"
    words = Words(
        "Kho {path} là tệp SQLite, chỉ một tiến trình phục vụ được: dùng `tiendo up` (gửi và xét hạn cùng lúc). Muốn chạy "
        "`tiendo worker`, `tiendo ticker` riêng thì chuyển sang PostgreSQL (TIENDO_DATABASE_URL).",
        "The store {path} is an SQLite file, which one process serves: use `tiendo up` (it delivers and fires timers). For a "
        "`tiendo worker` and `tiendo ticker` of their own, move to PostgreSQL (TIENDO_DATABASE_URL).",
    )
