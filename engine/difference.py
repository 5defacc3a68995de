"""What a new version of a definition changes, in words: what came, what went, and what is asked differently.

A definition is laid out as labelled lines (`bước draft.submit: ai được làm` -> `centre.head`); two versions differ where
a label came, went or says something else. No change passes in silence: what has no line is told in one sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.difference_lines import laid_out
from engine.errors import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.definition import Definition
    from engine.difference_lines import Label

_CAME = Words("Thêm {what}", "Added {what}")
_WENT = Words("Bỏ {what}", "Removed {what}")
_CHANGED = Words("Đổi {what}: từ {before} thành {after}", "Changed {what}: from {before} to {after}")
_NOTHING = Words("không có", "nothing")
_REST = Words(
    "Chỉ đổi những gì hồ sơ không thấy: thứ tự, hoặc tests của tệp",
    "Only what no case notices is changed: the order of things, or the tests of the file",
)
_KINDS = {
    "definition": Words("quy trình “{name}”", "definition “{name}”"),
    "start": Words("bước mở hồ sơ “{name}”", "opening “{name}”"),
    "state": Words("trạng thái “{name}”", "state “{name}”"),
    "trigger": Words("bước “{name}”", "trigger “{name}”"),
    "deadline": Words("hạn của “{name}”", "deadline of “{name}”"),
    "field": Words("trường “{name}”", "field “{name}”"),
    "party": Words("bên “{name}”", "party “{name}”"),
    "child": Words("hồ sơ con “{name}”", "child “{name}”"),
}
_PARTS = {
    "title": Words("tên gọi", "title"),
    "title_en": Words("tên tiếng Anh", "English title"),
    "public": Words("lời cho bên ngoài", "words for outsiders"),
    "public_en": Words("lời tiếng Anh cho bên ngoài", "English words for outsiders"),
    "series": Words("ký hiệu mã", "letters of the code"),
    "parents": Words("hồ sơ mẹ", "parents"),
    "phases": Words("giai đoạn", "phases"),
    "summary": Words("cột chung", "common columns"),
    "phase": Words("giai đoạn", "phase"),
    "holder": Words("ai giữ", "holder"),
    "final": Words("kết thúc", "ending"),
    "pauses": Words("dừng tính hạn", "clock stands still"),
    "in": Words("ở các trạng thái", "in the states"),
    "to": Words("chuyển đến", "leads to"),
    "by": Words("ai được làm", "who may do it"),
    "fields": Words("trường phải có", "fields needed"),
    "papers": Words("giấy tờ phải có", "papers needed"),
    "reason": Words("phải nêu lý do", "needs a reason"),
    "require": Words("điều kiện", "requirements"),
    "otherwise": Words("lời khi chưa đạt điều kiện", "words of unmet requirements"),
    "guards": Words("điều kiện đặt sẵn", "guards"),
    "votes": Words("ý kiến đồng ý", "approvals"),
    "when": Words("tự động khi", "automatic when"),
    "sets": Words("giá trị đặt vào", "values set"),
    "starts": Words("hồ sơ con được mở", "child cases opened"),
    "tells": Words("ai nhận thông báo", "who is told"),
    "return": Words("trả lại để bổ sung", "sent back for supplements"),
    "voids": Words("ý kiến mất hiệu lực", "votes made void"),
    "extends": Words("hạn được lùi", "deadline extended"),
    "meets": Words("hạn được hoàn thành", "deadlines met"),
    "decides": Words("ngày quyết định", "day of the decision"),
    "source": Words("căn cứ", "source"),
    "rule": Words("cách tính", "how it is counted"),
    "since": Words("tính từ", "counted from"),
    "ladder": Words("nấc nhắc", "ladder"),
    "fires": Words("hết hạn thì", "fires"),
    "type": Words("kiểu", "type"),
    "choices": Words("lựa chọn", "choices"),
    "choice_titles": Words("lời của các lựa chọn", "words of the choices"),
    "formula": Words("công thức", "formula"),
    "required_when": Words("bắt buộc khi", "required when"),
    "personal": Words("dữ liệu cá nhân", "personal"),
    "shown_to": Words("ai được xem", "who may see it"),
    "form": Words("mẫu", "form"),
    "edit": Words("ai được sửa, ở đâu", "who may edit it, and where"),
    "kind": Words("loại", "kind"),
    "roles": Words("vai trò", "roles"),
    "role_titles": Words("lời của các vai trò", "words of the roles"),
    "required": Words("phải biết khi mở hồ sơ", "known when a case is opened"),
    "when_parent": Words("bước theo hồ sơ mẹ", "triggers fired with the parent"),
    "at_most": Words("nhiều nhất", "at most"),
}


def differences(before: Definition, after: Definition) -> tuple[Words, ...]:
    """Return one sentence for each thing that came, went or changed, in the order of the new file, what went last.

    Shapes:
        before, after: two versions of one definition; equal contents give (), different ones never.
    """
    old, new = dict(laid_out(before)), dict(laid_out(after))
    said = [_sentence(key, old.get(key), new.get(key)) for key in (*new, *(one for one in old if one not in new))
            if old.get(key) != new.get(key) and _speaks(key, old, new)]  # fmt: skip
    if said or before.hash == after.hash:
        return tuple(said)
    return (_REST,)


def _speaks(key: Label, old: Mapping[Label, str], new: Mapping[Label, str]) -> bool:
    """Whether a line is news of its own: the parts of a thing that came or went as a whole are not."""
    kind, name, part = key
    whole = (kind, name, "")
    return not part or (whole in old and whole in new)


def _sentence(key: Label, before: str | None, after: str | None) -> Words:
    kind, name, part = key
    sentence = _CAME if before is None and not part else _WENT if after is None and not part else _CHANGED

    def told(language: str) -> str:
        what = _KINDS[kind].fill(language, name=name)
        if part:
            what = f"{what}, {_PARTS[part].text(language)}"
        nothing = _NOTHING.text(language)
        return sentence.fill(language, what=what, before=before or nothing, after=after or nothing)

    return Words(told("vi"), told("en"))
