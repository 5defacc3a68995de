"""Write the table of docs/errors.md from the error classes, or (`--check`) say whether it is in step.

Only what stands between the two marks is written; the rest of the page belongs to people.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from engine import errors  # noqa: E402 - the line above makes it importable without an install

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = HERE / "docs" / "errors.md"
PRODUCT = ("engine", "workflows", "handlers")
BEGIN, END = "<!-- codes: written by scripts/errors_doc.py -->", "<!-- end of codes -->"
HEAD = "| who acts next | code | tiếng Việt | English |\n|---|---|---|---|"
FAMILIES = {"Refused": "caller", "Unavailable": "wait, try again", "Broken": "operator or developer"}
#: The settings are a leaf that imports nothing of ours, so their one error stands outside the family tree.
SETTING_ROW = (
    '| caller | `setting_wrong` | Thiết lập {name} đang là "{value}"; cho phép: {allowed}. '
    '| Setting {name} is "{value}"; allowed: {allowed}. |'
)


def import_all(root: Path) -> None:
    """Import every product module (not migrations, which Alembic runs), so that all classes exist."""
    for folder in PRODUCT:
        for path in sorted((root / folder).rglob("*.py")):
            words = path.relative_to(root).with_suffix("").parts
            if "migrations" not in words and words[-1] != "__main__":
                importlib.import_module(".".join(words).removesuffix(".__init__"))


def rows(classes: Iterable[type[errors.TiendoError]]) -> list[str]:
    """Return one table row per class: family, code, both sentences; by family, then by code."""
    order = list(FAMILIES)
    found = []
    for cls in classes:
        family = next(base.__name__ for base in cls.__mro__ if base.__name__ in FAMILIES)
        vi, en = (_cell(cls.words.text(language)) for language in errors.LANGUAGES)
        found.append((order.index(family), cls.code, f"| {FAMILIES[family]} | `{cls.code}` | {vi} | {en} |"))
    return [row for _, _, row in sorted(found)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def written(page: str, table: list[str]) -> str:
    """Return the page with the table between its marks; a page without marks gets them at its end."""
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n{BEGIN}\n{END}\n".lstrip()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + "\n".join([BEGIN, HEAD, *table, END]) + after


def main(*, only_check: bool) -> int:
    """Write the page, or only say whether it is in step (exit code 1 when it is not)."""
    import_all(HERE)
    table = [*rows(errors.all_errors().values()), SETTING_ROW]
    old = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    new = written(old, table)
    if not only_check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        print("docs/errors.md is out of step: run .venv/bin/python scripts/errors_doc.py", file=sys.stderr)
        return 1
    print(f"{len(table)} codes")
    return 0


if __name__ == "__main__":
    sys.exit(main(only_check="--check" in sys.argv))
