"""How Vietnamese text is sorted and searched: one normaliser for all stores and hosts.

No database's collation sorts Vietnamese alike on two hosts, so none is asked: lists sort by a column that
holds what `sort_text` returns, and search compares what `search_text` returns.
"""

from __future__ import annotations

import re
import unicodedata

#: Stands between the key and the original; sorts before every letter, so a shorter key comes first.
_BETWEEN = "\x1f"


class _Bare(dict[int, str]):
    """A table for `str.translate`: each sign without its marks, đ as d; each is looked up once."""

    def __missing__(self, sign: int) -> str:
        parts = unicodedata.normalize("NFD", chr(sign)).translate(_LETTERS)
        found = self[sign] = "".join(part for part in parts if not unicodedata.combining(part))
        return found


#: đ is a letter of its own: taking marks off leaves it.
_LETTERS = {ord("đ"): "d", ord("ð"): "d"}
_BARE = _Bare()


def search_text(text: str) -> str:
    """Return `text` in lower case without marks, đ as d, gaps as one space: "Sở  Công" → "so cong"."""
    lowered = unicodedata.normalize("NFC", text).lower()
    return " ".join(lowered.translate(_BARE).split())


def sort_text(text: str) -> str:
    """Return the key that sorts `text`: its search text, then the original (NFC), as tie-break."""
    return search_text(text) + _BETWEEN + unicodedata.normalize("NFC", text)


def like_pattern(words: str) -> str:
    r"""Return a LIKE pattern that finds `words` in a sort text; `%`, `_` and `\` are literal (ESCAPE '\')."""
    bare = re.sub(r"([%_\\])", r"\\\1", search_text(words))
    return f"%{bare}%"
