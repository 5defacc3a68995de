"""What a message can be refused for: it may carry the id of one outbox row, as JSON, to a topic that is known."""

from __future__ import annotations

from engine.errors import Broken, Words


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
