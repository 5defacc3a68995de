"""Words for the codes that stand on screens: provinces, kinds of organisation, roles, statuses, deadlines.

`--json` keeps the codes. A code that is not known here (a province's own role, say) is shown as it is.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import workflows
from engine.deadline_rules import FixedDate, Monthly, OnField, Within, WorkingDaysBefore
from engine.errors import Words
from engine.provinces import read_provinces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.definition import Deadline, Definition

ORGANISATIONS = {
    "ministry": Words("Bộ", "ministry"),
    "agency": Words("cơ quan quản lý khuyến công quốc gia", "central agency"),
    "ministry_finance": Words("Bộ Tài chính", "ministry of finance"),
    "regional_centre": Words("trung tâm vùng", "regional centre"),
    "province_council": Words("Hội đồng nhân dân tỉnh", "provincial council"),
    "province_committee": Words("Ủy ban nhân dân tỉnh", "provincial committee"),
    "department": Words("Sở Công Thương", "department"),
    "finance": Words("Sở Tài chính", "department of finance"),
    "centre": Words("trung tâm khuyến công", "centre"),
    "commune_committee": Words("Ủy ban nhân dân cấp xã", "commune committee"),
    "commune_office": Words("phòng chuyên môn cấp xã", "commune office"),
    "treasury": Words("kho bạc", "treasury"),
    "audit": Words("cơ quan thanh tra, kiểm toán", "audit body"),
    "other": Words("khác", "other"),
}
LEGAL_FORMS = {
    "enterprise": Words("doanh nghiệp", "enterprise"),
    "cooperative": Words("hợp tác xã", "co-operative"),
    "cooperative_union": Words("liên hiệp hợp tác xã", "union of co-operatives"),
    "cooperative_group": Words("tổ hợp tác", "co-operative group"),
    "household_business": Words("hộ kinh doanh", "household business"),
    "craft_village": Words("làng nghề", "craft village"),
    "artisan": Words("nghệ nhân, thợ giỏi", "artisan"),
    "public_body": Words("cơ quan, đơn vị sự nghiệp", "public body"),
    "other": Words("khác", "other"),
}
ROLES = {
    "officer": Words("chuyên viên", "officer"),
    "head": Words("lãnh đạo", "head"),
    "clerk": Words("bộ phận tiếp nhận", "clerk"),
    "appraiser": Words("chuyên viên thẩm định", "appraiser"),
    "minister": Words("Bộ trưởng", "minister"),
    "accountant": Words("kế toán", "accountant"),
    "administrator": Words("quản trị", "administrator"),
    "owner": Words("chủ cơ sở", "owner"),
}
PROGRAMMES = {
    "national": Words("khuyến công quốc gia", "national programme"),
    "local": Words("khuyến công địa phương", "local programme"),
}
QUALIFIERS = {
    "exact": Words("đúng", "exactly"),
    "about": Words("khoảng", "about"),
    "over": Words("trên", "over"),
    "nearly": Words("gần", "nearly"),
}
CALENDAR_STATUSES = {
    "law": Words("theo luật", "law"),
    "announced": Words("đã thông báo", "announced"),
    "proposed": Words("đề xuất", "proposed"),
}
STORE_KINDS = {
    "sample": Words("kho mẫu", "sample store"),
    "production": Words("kho chính thức", "production store"),
}
FIELD_TYPES = {
    "text": Words("chữ", "text"),
    "integer": Words("số nguyên", "whole number"),
    "money": Words("tiền", "money"),
    "percent": Words("tỷ lệ", "percent"),
    "date": Words("ngày", "date"),
    "yes_no": Words("có/không", "yes/no"),
    "choice": Words("lựa chọn", "choice"),
    "establishment": Words("cơ sở", "establishment"),
    "organisation": Words("cơ quan", "organisation"),
    "person": Words("người", "person"),
    "document": Words("giấy tờ", "document"),
}
REGISTER_WORDS = {
    "code": Words("Mã", "Code"),
    "version": Words("Phiên bản", "Version"),
    "name": Words("Tên", "Name"),
    "email": Words("Thư điện tử", "E-mail"),
    "phone": Words("Điện thoại", "Phone"),
    "language": Words("Ngôn ngữ", "Language"),
    "membership": Words("Vai trò", "Seat"),
    "substitution": Words("Người thay", "Substitute"),
    "invented": Words("Tự đặt (số liệu mẫu)", "Made up (sample)"),
    "source": Words("Nguồn", "Source"),
    "kind": Words("Loại", "Kind"),
    "province": Words("Tỉnh", "Province"),
    "parent": Words("Cơ quan cấp trên", "Above it"),
    "from": Words("Từ ngày", "From"),
    "to": Words("Đến ngày", "To"),
    "successor": Words("Cơ quan kế tục", "Successor"),
    "tax_code": Words("Mã số thuế", "Tax code"),
    "address": Words("Địa chỉ", "Address"),
    "legal_form": Words("Loại hình", "Legal form"),
    "commune": Words("Xã, phường", "Commune"),
    "sector": Words("Ngành nghề", "Trade"),
    "workers": Words("Lao động", "Workers"),
    "capital_vnd": Words("Vốn", "Capital"),
    "programme": Words("Nguồn kinh phí", "Programme"),
    "scope": Words("Tỉnh", "Province"),
    "plan_year": Words("Năm kế hoạch", "Plan year"),
    "amount_vnd": Words("Số tiền", "Amount"),
    "document": Words("Văn bản", "Document"),
}
#: What a rung of a ladder sends; other notices are named by their word.
REMINDERS = {
    "deadline_near": Words("nhắc trước hạn", "reminder: due soon"),
    "deadline_today": Words("nhắc: hạn hôm nay", "reminder: due today"),
    "deadline_passed": Words("báo quá hạn", "reminder: late"),
}
COUNTED = {
    "entries": Words("mục nhật ký", "entries"),
    "subjects": Words("chuỗi", "subjects"),
    "receipts": Words("biên nhận", "receipts"),
    "outbox": Words("việc chờ gửi", "outbox rows"),
    "notices": Words("thông báo", "notices"),
    "deliveries": Words("lượt gửi", "deliveries"),
    "timers": Words("hẹn giờ", "timers"),
    "personal": Words("giá trị cá nhân", "personal values"),
}
ROW_STATES = {
    "parked": Words("đã dừng, chờ người xem", "parked"),
    "pending": Words("sẽ thử lại", "to be tried again"),
}
TOPICS = {
    "notice.requested": Words("thông báo", "notice"),
    "deadline.set": Words("xét hạn", "deadlines"),
}
VERDICTS = {"yes": Words("đồng ý", "yes"), "no": Words("không đồng ý", "no")}


def said(table: Mapping[str, Words], code: str, language: str) -> str:
    """Return the words of a code; the code itself where there are none."""
    return table[code].text(language) if code in table else code


@cache
def _provinces() -> Mapping[str, str]:
    file = workflows.FOLDER / "provinces.yaml"
    return {word: one.name for word, one in read_provinces(file.read_bytes()).units.items()}


def province(word: str) -> str:
    """Return the name of a province: "soc_trang" gives "Sóc Trăng"; an unknown word is shown as it is."""
    return _provinces().get(word, word)


def deadline(definition: Definition, state: str, name: str, language: str) -> str:
    """Return what a deadline is about: the title of its state, and what it is counted by where that has several.

    The language gives deadlines no titles of their own. One that runs on from an earlier state is told by that one.
    """
    here = definition.states.get(state)
    states = [*([here] if here else []), *definition.states.values()]
    holding = next((one for one in states if any(each.name == name for each in one.deadlines)), None)
    if holding is None:
        return name
    title = holding.title.text(language)
    if len(holding.deadlines) == 1:
        return title
    found = next(each for each in holding.deadlines if each.name == name)
    return f"{title} ({counted_by(definition, found, language)})"


def counted_by(definition: Definition, deadline: Deadline, language: str) -> str:
    """Return how a deadline is counted: "15 ngày từ Ngày nghiệm thu", "đến hết ngày 22/01"."""
    en, rule = language == "en", deadline.rule
    match rule:
        case OnField():
            field = definition.fields.get(rule.field)
            return field.title.text(language) if field else rule.field
        case Within():
            unit = (
                ("working days" if en else "ngày làm việc") if rule.unit == "wd" else "days" if en else "ngày"
            )
            since = _since(definition, deadline.since, language)
            return f"{rule.amount} {unit}" + (f" {'after' if en else 'từ'} {since}" if since else "")
        case FixedDate():
            return _on(rule, language)
        case Monthly():
            lead = (
                ("before day" if en else "trước ngày")
                if rule.kind == "before"
                else "by day"
                if en
                else "đến ngày"
            )
            each = ("of the month", "trong tháng") if rule.once else ("of each month", "hằng tháng")
            return f"{lead} {rule.day} {each[0] if en else each[1]}"
        case WorkingDaysBefore():
            lead = "working days before" if en else "ngày làm việc trước ngày"
            return f"{rule.amount} {lead} {rule.end.day:02d}/{rule.end.month:02d}"


def _on(rule: FixedDate, language: str) -> str:
    lead = Words("trước ngày", "before") if rule.kind == "before" else Words("đến hết ngày", "by")
    return f"{lead.text(language)} {rule.day:02d}/{rule.month:02d}"


def _since(definition: Definition, since: str, language: str) -> str:
    if since in definition.fields:
        return definition.fields[since].title.text(language)
    triggers = (one for state in definition.states.values() for one in state.triggers.values())
    return next((one.title.text(language) for one in triggers if one.name == since), since)
