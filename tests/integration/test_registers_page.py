from __future__ import annotations

import re
from pathlib import Path

from engine.register_words import REGISTERS
from engine.visibility import MANAGING_ROLES

PAGE = (Path(__file__).parents[2] / "docs" / "registers.md").read_text(encoding="utf-8")
EVERYWHERE = {"invented", "source"}


def table() -> dict[str, list[set[str]]]:
    """Return register -> the words of the columns required, optional, personal, as the page lists them."""
    found = {}
    for line in PAGE.splitlines():
        cells = [set(re.findall(r"`([a-z_]+)", cell)) for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0]:
            found.update(dict.fromkeys(cells[0], cells[1:]))
    return found


def test_the_page_lists_every_register_and_every_word_of_it() -> None:
    listed = table()
    assert set(listed) == set(REGISTERS)
    for kind, words in REGISTERS.items():
        required, optional, personal = listed[kind]
        assert required == {word for word, said in words.items() if said.required}, kind
        assert required | optional == set(words) - EVERYWHERE, kind
        assert personal == {word for word, said in words.items() if said.personal}, kind


def test_the_page_names_the_roles_that_manage() -> None:
    named = re.search(r"roles that manage \(([^)]*)\)", PAGE)
    assert named is not None
    assert set(re.findall(r"`([a-z_]+)`", named[1])) == MANAGING_ROLES
