"""What the operating system says of files and folders, in our words."""

from __future__ import annotations

import errno

from engine.errors import Words

_REASONS = {
    errno.EACCES: Words("tài khoản đang chạy không có quyền vào đó", "this account may not go there"),
    errno.EPERM: Words("tài khoản đang chạy không có quyền vào đó", "this account may not go there"),
    errno.ENOTDIR: Words("một phần của đường dẫn không phải thư mục", "part of the path is no folder"),
    errno.EISDIR: Words("đó là một thư mục", "it is a folder"),
    errno.ENOENT: Words("không có tệp hoặc thư mục đó", "there is no such file or folder"),
    errno.EROFS: Words("ổ này chỉ cho đọc", "this drive is read-only"),
    errno.ENOSPC: Words("đĩa hết chỗ", "the disk is full"),
    errno.EIO: Words("đĩa báo lỗi khi đọc hoặc ghi", "the disk fails to read or write"),
    errno.ENAMETOOLONG: Words("đường dẫn quá dài", "the path is too long"),
}


def reason_of(problem: OSError) -> Words:
    """Return in words why the operating system does not give a file or folder."""
    said = problem.strerror or str(problem)
    return _REASONS.get(problem.errno or 0, Words(said, said))
