"""The one error of the settings: what was given, under which name, and what is allowed instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

_PASSWORD = re.compile(r"""(?<=://)([^/\s:@]*):[^\s"'<>]*@""")
#: As an option of an address (unix:///…?password=…), or of a connection string.
_OPTION = re.compile(r"""\b((?:ssl)?password\s*=\s*)('[^']*'|[^\s&"'<>]+)""", re.IGNORECASE)


def without_password(text: str) -> str:
    """Return the text with the password of every address in it shown as ***."""
    return _OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong setting.

    Shapes:
        name: the variable, TIENDO_….
        value: what was given, secrets already hidden; None when the name itself is unknown.
        allowed: what is allowed; for an unknown name the nearest known one, or "".
    """

    name: str
    value: str | None
    allowed: str

    def sentence(self, language: str = "vi") -> str:
        """Return what is wrong and what to do now."""
        if self.value is not None:
            if language == "en":
                return f'Setting {self.name} is "{self.value}"; allowed: {self.allowed}.'
            return f'Thiết lập {self.name} đang là "{self.value}"; cho phép: {self.allowed}.'
        if language == "en":
            hint = f"Did you mean {self.allowed}?" if self.allowed else "See config/example.env."
            return f"There is no setting {self.name}. {hint}"
        hint = f"Có phải {self.allowed}?" if self.allowed else "Xem config/example.env."
        return f"Không có thiết lập {self.name}. {hint}"


class SettingWrong(Exception):
    """Settings stop the start. The caller can act: it counts as Refused (exit code 2). Nothing has started.

    It stands outside the engine's family tree because `config` is a leaf; its shape is the same.
    """

    code: ClassVar[str] = "setting_wrong"

    def __init__(self, *wrong: Wrong) -> None:
        self.wrong = wrong
        super().__init__(self.sentence("en"))

    def sentence(self, language: str = "vi") -> str:
        """Return one sentence per wrong setting, one a line."""
        return "\n".join(each.sentence(language) for each in self.wrong)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.wrong
