"""Why a command as a whole is refused, and the table that remembers it.

A refusal never uses a command's id up: the missing paper may be there the next time. It is capped per principal and
hour; beyond the cap it is only counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from engine.errors import Broken, Refused, Words

if TYPE_CHECKING:
    from engine.commands import Command, Unmet
    from engine.errors import TiendoError
    from engine.store import Transaction

MOST_AN_HOUR = 200
_HOUR = 3_600_000_000


class CaseUnknown(Refused):
    """There is no such case, or not for this person: both look the same."""

    code = "case_unknown"
    words = Words(
        "Không tìm thấy hồ sơ {case}, hoặc bạn không được xem. Kiểm tra mã bằng lệnh `tiendo list`.",
        "There is no case {case}, or you may not see it. Check its code with `tiendo list`.",
    )


class CommandIdReused(Refused):
    """The id belongs to another command of the same principal."""

    code = "command_id_reused"
    words = Words(
        "Mã lệnh {command} đã được dùng cho một lệnh khác. Không làm gì cả; hãy gửi lại với mã mới.",
        "The command id {command} was used for another command. Nothing was done; send it with a new id.",
    )


class PlanYearWrong(Refused):
    """The plan year is out of range."""

    code = "plan_year_wrong"
    words = Words(
        "Năm kế hoạch {year} không dùng được: cần từ {least} đến {most}. Chưa mở hồ sơ nào.",
        "The plan year {year} can't be used: {least} to {most} is wanted. No case was opened.",
    )


class VersionConflict(Refused):
    """Somebody changed the case after the sender saw it."""

    code = "version_conflict"
    words = Words(
        "Hồ sơ {code} đã thay đổi (bạn xem bản {expected}, nay là bản {found}, đang ở “{state}”). Xem lại rồi gửi lại.",
        "Case {code} has changed (you saw version {expected}, it is now {found}, in “{state}”). Look again, then send again.",
    )


class NotPermitted(Refused):
    """The principal holds no role that allows this command on this case."""

    code = "not_permitted"
    words = Words(
        "Bạn không giữ vai được phép “{kind}” trên hồ sơ {code}. Cần: {needed}.",
        "You hold no role that allows “{kind}” on case {code}. Needed: {needed}.",
    )


class PartyWrong(Refused):
    """A party is unknown, missing or of another kind."""

    code = "party_wrong"
    words = Words(
        "Bên “{party}” của {definition}: {why}. Chưa có gì thay đổi.",
        "Party “{party}” of {definition}: {why}. Nothing changed.",
    )


class ParentWrong(Refused):
    """A child needs an open parent of the right definition."""

    code = "parent_wrong"
    words = Words(
        "Không mở được {definition} dưới hồ sơ {parent}: {why}.",
        "{definition} can't be opened under case {parent}: {why}.",
    )


class NotEditable(Refused):
    """A field may not be changed in this state by this person."""

    code = "not_editable"
    words = Words(
        "Không sửa được {fields} của hồ sơ {code} ở “{state}”: lúc này không được sửa, hoặc bạn không giữ vai cần thiết. "
        "Chưa có gì thay đổi; xem các bước làm được bằng `tiendo show {code}`.",
        "{fields} of case {code} can't be changed in “{state}”: it is closed now, or you don't hold the role. "
        "Nothing changed; `tiendo show {code}` lists what can be done.",
    )


class DocumentWrong(Refused):
    """A paper can't be attached or taken off."""

    code = "document_wrong"
    words = Words(
        "Giấy tờ “{document}” của hồ sơ {code}: {why}. Chưa có gì thay đổi.",
        "Document “{document}” of case {code}: {why}. Nothing changed.",
    )


class AlreadyEnded(Refused):
    """The case is in a final state."""

    code = "case_ended"
    words = Words(
        "Hồ sơ {code} đã kết thúc ở “{state}”, không nhận lệnh “{kind}” nữa.",
        "Case {code} has ended in “{state}” and takes no “{kind}” any more.",
    )


class HappenedOnWrong(Refused):
    """The claimed day can't be accepted."""

    code = "happened_on_wrong"
    words = Words(
        "Ngày khai “{day}” không dùng được: {why}.",
        "The claimed day “{day}” can't be used: {why}.",
    )


class AssignWrong(Refused):
    """The person can't hold the case."""

    code = "assign_wrong"
    words = Words(
        "Không giao được hồ sơ {code} cho người này: họ không phải là {holder}. Xem ai giữ vai đó bằng `tiendo person list`.",
        "Case {code} can't be assigned to this person, who is no {holder}. `tiendo person list` tells who is.",
    )


class VoteRefused(Refused):
    """A vote can't be taken; `unmet` says why."""

    code = "vote_refused"
    words = Words(
        "Chưa ghi được ý kiến trên hồ sơ {code}: {why}.", "The vote on case {code} can't be taken: {why}."
    )

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """Why the seat can't be voted in; empty when nobody votes on such a trigger here."""
        found: tuple[Unmet, ...] = self.facts.get("unmet", ())
        return found


class MigrationWrong(Refused):
    """The case can't move to that version."""

    code = "migration_wrong"
    words = Words(
        "Không chuyển được hồ sơ {code} sang phiên bản {to}: {why}.",
        "Case {code} can't move to version {to}: {why}.",
    )


class EraseWrong(Refused):
    """There is nothing personal to erase there."""

    code = "erase_wrong"
    words = Words(
        "Không xoá được “{word}” của {subject}: {why}.",
        "“{word}” of {subject} can't be erased: {why}.",
    )


class TimerClosed(Refused):
    """A timer is no longer waiting: somebody was faster, or the case moved on."""

    code = "timer_closed"
    words = Words("Hẹn giờ {timer} không còn chờ nữa.", "Timer {timer} is no longer waiting.")


class ConstraintHit(Broken):
    """The database refused what the engine thought right."""

    code = "constraint_hit"
    words = Words(
        "Ràng buộc dữ liệu từ chối lệnh {command}: {why}. Chưa có gì thay đổi; hãy báo người bảo trì.",
        "A constraint refused command {command}: {why}. Nothing changed; tell the maintainer.",
    )


class CodeTaken(Refused):
    """A code exists already."""

    code = "code_taken"
    words = Words(
        "Mã này đã có trong sổ. Chưa ghi gì; hãy chọn mã khác.",
        "This code is in the register already. Nothing was written; choose another.",
    )


def from_constraint(why: str, command: Command) -> TiendoError:
    """Return our error for a constraint that the database named."""
    if "workflow_case.code" in why or "register_row" in why:
        return CodeTaken(why=why)
    return ConstraintHit(command=command.id, why=why)


def _plain(word: object) -> str:
    """Return what was sent in the place of an id, as far as a column takes it."""
    return str(word)[:64].encode("ascii", "replace").decode().replace("\0", "?")


def record(tx: Transaction, command: Command, why: Refused) -> None:
    """Write the refusal down in the same transaction; the same command refused again only counts.

    Nothing of the command's body is kept: what was refused may hold personal values.
    """
    unmet = [{"code": one.code, "place": one.place} for one in getattr(why, "unmet", ())]
    hour = tx.now // _HOUR
    key = {
        "principal": _plain(command.principal.key),
        "command": _plain(command.id),
        "code": why.code,
    }
    known = tx.run(
        "UPDATE refusal SET times = times + 1, last_at = :now WHERE principal = :principal AND command = :command"
        " AND code = :code RETURNING times",
        {**key, "now": tx.now},
    )
    if known:
        return
    count = tx.run(
        "SELECT count(*) FROM refusal WHERE principal = :principal AND hour = :hour",
        {"principal": key["principal"], "hour": hour},
    )[0][0]
    if count >= MOST_AN_HOUR:
        key |= {"command": f"hour/{hour}"}
    tx.run(
        "INSERT INTO refusal (principal, command, hour, subject, code, unmet, times, last_at)"
        " VALUES (:principal, :command, :hour, :subject, :code, :unmet, 1, :now)"
        " ON CONFLICT (principal, command, code) DO UPDATE SET times = refusal.times + 1, last_at = :now",
        {
            **key, "hour": hour, "subject": _plain(getattr(command, "case", "") or command.kind),
            "unmet": orjson.dumps(unmet).decode(), "now": tx.now,
        },
    )  # fmt: skip
