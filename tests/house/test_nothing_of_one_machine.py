"""What is committed speaks of the project alone: no path of one machine, no address, no missing page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.sources import HERE, tracked

TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".html", ".css", ".js", ".sh", ".sql"}
TEXT |= {".lock", ".env", ".ini", ".cfg", ".mako", ""}
#: What betrays one machine, and its name in the complaint.
BETRAYERS = {
    "a path of one machine": re.compile(r"(?<![\w./~-])/(home|root|work|Users|mnt)/[\w.-]"),
    "a fixed folder for temporary files": re.compile(r"(?<![\w.])/tmp/[\w.-]"),
    "a package registry": re.compile(
        r"\b(pypi\.\w+|pythonhosted\.org|npmjs\.(org|com)|(registry|mirror|index)\.[\w-]+\.\w+)",
        re.IGNORECASE,
    ),
    "an address for pip": re.compile(r"(?<![\w-])--(extra-index-url|index-url|find-links|trusted-host)\b"),
}
PAGE = re.compile(r"(?<![\w/<{*.-])((?:\.{1,2}/)*(?:[\w-]+/)*[\w-]+\.md)\b")


def lines(root: Path) -> list[tuple[str, int, str]]:
    own = str(Path(__file__).relative_to(HERE))
    found = []
    for file in tracked(root):
        if Path(file).suffix in TEXT and file != own:
            text = (root / file).read_text(encoding="utf-8")
            found += [(file, number, line) for number, line in enumerate(text.splitlines(), 1)]
    return found


def betrayals(root: Path) -> list[str]:
    return [
        f"{file}:{number} names {what}"
        for file, number, line in lines(root)
        for what, pattern in BETRAYERS.items()
        if pattern.search(line)
    ]


def missing_pages(root: Path) -> list[str]:
    """Return the mentions of .md files that are not there: from the root, beside the file, or in docs/."""
    there = set(tracked(root))
    missing = []
    for file, number, line in lines(root):
        if file.startswith("tests/"):
            continue  # tests invent names
        for named in PAGE.findall(line):
            places = (root / named, (root / file).parent / named, root / "docs" / named)
            if not any(is_inside(place, root) in there for place in places):
                missing.append(f"{file}:{number} names {named}")
    return missing


def is_inside(path: Path, root: Path) -> str:
    """Return the path from the root, or an empty text when it leaves the root."""
    full = path.resolve()
    return str(full.relative_to(root.resolve())) if full.is_relative_to(root.resolve()) else ""


def test_nothing_committed_names_one_machine_or_an_address() -> None:
    assert not (found := betrayals(HERE)), "\n".join(found)


def test_each_page_that_is_named_is_there() -> None:
    assert not (found := missing_pages(HERE)), "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "cd /home/an/tiendo",
        'DATA = "/work/x"',
        "see /root/.cache",
        "cp x /tmp/v/bin",
        "https://pypi.org/simple",
        "index = https://mirror.example.vn/py",
        "pip install --index-url X y",
    ],
)
def test_a_planted_betrayal_is_found(tmp_path: Path, text: str) -> None:
    # given
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"fine\n{text}\n", encoding="utf-8")
    # when / then
    assert [found.split(" ")[0] for found in betrayals(tmp_path)] == ["docs/a.md:2"]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.vn/home/an",
        "https://example.vn/work/2",
        "a/work/b",
        "the work/rest",
        "--no-emit-index-url",
    ],
)
def test_what_only_looks_like_a_path_of_a_machine_is_no_offence(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    assert betrayals(tmp_path) == []


def test_a_planted_page_that_is_not_there_is_found(tmp_path: Path) -> None:
    # given
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "time.md").write_text(
        "see [money](money.md) and README.md and ../../plan/x.md", encoding="utf-8"
    )
    (tmp_path / "README.md").write_text("see docs/time.md and time.md, <name>.md and *.md", encoding="utf-8")
    # when / then
    assert missing_pages(tmp_path) == [
        "docs/time.md:1 names money.md",
        "docs/time.md:1 names ../../plan/x.md",
    ]
