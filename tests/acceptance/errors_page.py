"""The parts of docs/errors.md that show what is answered: `python -m tests.acceptance.errors_page` writes them.

The tests compare the page with what is answered today.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance import bad_input, bad_stores
from tests.acceptance.commands_of import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.acceptance.bad_input import Answers

PAGE = ROOT / "docs" / "errors.md"
END = "<!-- end of shown -->"
INPUT = "<!-- shown: bad input, written by python -m tests.acceptance.errors_page -->"
STORES = "<!-- shown: bad stores, written by python -m tests.acceptance.errors_page -->"
#: What stands in quotation marks is what was typed, a title, or an example of how to write it.
_QUOTED = re.compile(r"“[^”]*”|\"[^\"\n]*\"|`[^`\n]*`|\([^()\n]*triệu[^()\n]*\)")
_MARKED = re.compile(r"[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(the|is|are|not|of|and|there|with|must|nothing|can't|has|have)\b", re.IGNORECASE)
#: Acts are cited as they are called.
_CITED = re.compile(r"\[[^\]\n]*\]")
_MONEY = re.compile(r"\bđồng\b")


def part(found: Iterable[Answers]) -> str:
    """Return the part of the page that shows answers, Vietnamese first."""
    return "\n\n".join(
        f"**{one.what}**\n\n```console\n$ {one.line}   # exit {one.vi.code}\n{one.vi.text}\n\n{one.en.text}\n```"
        for one in found
    )


def shown(mark: str) -> str:
    """Return what the page shows today below a mark."""
    return PAGE.read_text(encoding="utf-8").split(mark)[1].split(END)[0].strip()


def other_language(text: str, language: str) -> list[str]:
    """Return the words of a text that are of the other language; what is quoted is left out."""
    plain = _QUOTED.sub("", _CITED.sub("", text))
    if language == "vi":
        return _ENGLISH.findall(plain)
    return _MARKED.findall(_MONEY.sub("", plain))


def main() -> None:
    """Write what is shown today into the page."""
    with tempfile.TemporaryDirectory() as folder:
        shell = bad_input.prepare(Path(folder))
        stores = [told.answers for told in bad_stores.told_all(Path(folder), Path(folder) / "sample.db")]
        parts = {INPUT: part(bad_input.answers(shell)), STORES: part(stores)}
    text = PAGE.read_text(encoding="utf-8")
    for mark, found in parts.items():
        head, rest = text.split(mark)
        text = f"{head}{mark}\n\n{found}\n\n{END}{rest.split(END, 1)[1]}"
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
