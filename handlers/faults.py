"""What a door says of an error that nobody expected, and the exit code of each family of errors."""

from __future__ import annotations

import structlog

from engine.errors import Broken, Refused, TiendoError, Unavailable, Words
from engine.system_errors import reason_of

EXIT_CODES: dict[type[TiendoError], int] = {Refused: 2, Broken: 70, Unavailable: 75}


class FaultMet(Broken):
    """A bug of ours, met at the command line."""

    code = "fault_met"
    words = Words(
        "Phần mềm gặp lỗi. Xem `tiendo history` để biết lệnh đã ghi chưa, rồi báo người bảo trì kèm mã {request} và nhật ký "
        "kỹ thuật.",
        "The software met a fault. See `tiendo history` whether the command was recorded, then tell the maintainer, with the "
        "id {request} and the technical log.",
    )


class FileUnreachable(Unavailable):
    """The operating system does not give a file or folder that the command needs."""

    code = "file_unreachable"
    words = Words(
        "Không đọc hoặc ghi được {path}: {why}. Kiểm tra đường dẫn, đĩa và quyền rồi thử lại.",
        "{path} can't be read or written: {why}. Check path, disk and permissions, then try again.",
    )


def exit_code(problem: TiendoError) -> int:
    """Return the exit code of an error's family."""
    return next((code for family, code in EXIT_CODES.items() if isinstance(problem, family)), 70)


def as_ours(problem: Exception) -> TiendoError:
    """Return an error as one of ours; of a fault of ours the log gets the traceback."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return FileUnreachable(path=str(problem.filename), why=reason_of(problem))
    if isinstance(problem, TiendoError):
        return problem
    structlog.get_logger().error("uncaught", exc_info=problem)
    return FaultMet(request=str(structlog.contextvars.get_contextvars().get("request", "—")))
