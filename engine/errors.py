"""Every error of the product belongs to one of three families, because they answer "who acts next?".

`Refused`: the caller can act (a paper is missing, the word is unknown). Never retried.
`Unavailable`: wait and try again (the store is locked, the disk is full). Retried with back-off.
`Broken`: a developer or operator must act (a gap in the log). Loud, never retried.

A class has a stable `code` and one sentence in Vietnamese and in English. It takes its facts as keyword
arguments, keeps them in `facts`, builds its own sentence and survives pickling. Modules declare their own
errors as subclasses; `docs/errors.md` lists all of them and a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

LANGUAGES = ("vi", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages. Placeholders are `{fact}`.

    Shapes:
        vi, en: str, never empty.
    """

    vi: str
    en: str

    def text(self, language: str = "vi") -> str:
        """Return the text in `language`; anything that is not "en" is answered in Vietnamese."""
        return self.en if language == "en" else self.vi

    def fill(self, language: str = "vi", /, **facts: Any) -> str:
        """Return the text with its placeholders filled; a missing fact shows as `{name}` and never fails.

        Shapes:
            facts: plain values, or `Words`, of which the same language is taken.
        """
        told = {
            name: fact.text(language) if isinstance(fact, Words) else fact for name, fact in facts.items()
        }
        return self.text(language).format_map(_Shown(told))


class _Shown(dict[str, Any]):
    """The facts of a sentence; a missing one shows as its own placeholder."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class TiendoError(Exception):
    """The root of all errors of the product; only its three families are caught by name.

    Shapes:
        code: str, snake_case, stable for ever.
        words: the sentence: what was asked, of what, why not, what to do now.
        facts: what the sentence is made of; identifiers and plain values, never secrets or form contents.
    """

    code: ClassVar[str] = "tiendo_error"
    words: ClassVar[Words] = Words("Lỗi không rõ.", "Unknown error.")

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence("en"))

    def sentence(self, language: str = "vi") -> str:
        """Return the whole sentence in `language`."""
        return self.words.fill(language, **self.facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.facts)


def _rebuild(cls: type[TiendoError], facts: dict[str, Any]) -> TiendoError:
    return cls(**facts)


class Refused(TiendoError):
    """The caller can act. HTTP 4xx, exit code 2. Nothing has changed."""

    code = "refused"


class Unavailable(TiendoError):
    """Wait and try again. HTTP 503, exit code 75. Whether the change happened is asked with the same id."""

    code = "unavailable"


class Broken(TiendoError):
    """A developer or operator must act. HTTP 500, exit code 70."""

    code = "broken"
    words = Words(
        "Phần mềm gặp lỗi và đã dừng lại; chưa có gì thay đổi. Hãy báo người bảo trì kèm lệnh vừa chạy.",
        "The software met a fault and stopped; nothing changed. Tell the maintainer, with the command you ran.",
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to `word`, or an empty text when none is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def perhaps(word: str, known: Iterable[str]) -> Words:
    """Return " Ý bạn là …? " for the known word nearest to `word`, or one blank when none is near.

    It stands between two sentences, so that a sentence with its place reads well either way.
    """
    return meant(did_you_mean(word, known))


def meant(near: str) -> Words:
    """Return the same question for a word that was found near in another way; "" asks nothing."""
    return Words(f" Ý bạn là “{near}”? ", f" Did you mean “{near}”? ") if near else Words(" ", " ")


def all_errors(root: type[TiendoError] = TiendoError) -> dict[str, type[TiendoError]]:
    """Return every declared error by its code, the families included.

    Errors:
        Broken: two classes share a code (the message names both).
    """
    found: dict[str, type[TiendoError]] = {}
    waiting = [root]
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if cls is TiendoError:
            continue
        other = found.setdefault(cls.code, cls)
        if other is not cls:
            raise Broken(code=cls.code, first=other.__name__, second=cls.__name__)
    return found
