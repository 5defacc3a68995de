"""One run of the command line: settings, store, who asks, in which language; and how a command is declared.

Every command takes the same few options (--as, --operator, --json, --lang). On a sample store anybody may
be tried with --as; a production store wants a named person and --operator, and both stand in the log entry.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import structlog
import typer

from config.settings import Settings, read_settings
from engine import queries, readings
from engine.civil_time import day_at
from engine.commands import Principal, new_id
from engine.errors import LANGUAGES, Refused, TiendoError, Words
from engine.execute import execute
from engine.visibility import look_as, reading_as
from handlers import finding, opening
from handlers.cli_usage import LanguageUnknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import date

    from engine.case_rows import CaseRow
    from engine.commands import Command, Receipt
    from engine.engine import Engine
    from engine.store import Store
    from engine.visibility import Viewer
    from handlers.dispatch import App


log = structlog.get_logger()


class PersonMissing(Refused):
    """Nobody said who asks."""

    code = "person_missing"
    words = Words(
        'Chưa nêu người thực hiện. Kho mẫu: thêm --as MÃ hoặc --as "HỌ TÊN" (xem `tiendo person list`); '
        "kho chính thức: đặt TIENDO_PERSON và thêm --operator.",
        'Nobody is named. Sample store: add --as CODE or --as "NAME" (see `tiendo person list`); '
        "production: set TIENDO_PERSON and add --operator.",
    )


class AsNotAllowed(Refused):
    """--as on a store that is in earnest."""

    code = "as_not_allowed"
    words = Words(
        "--as chỉ dùng được trên kho mẫu. Trên kho chính thức hãy đặt TIENDO_PERSON và thêm --operator.",
        "--as works on a sample store only. On a production store set TIENDO_PERSON and add --operator.",
    )


class OperatorFlagMissing(Refused):
    """The command line on a production store is an operator's, and says so."""

    code = "operator_flag_missing"
    words = Words(
        "Kho chính thức: dòng lệnh chỉ dành cho người vận hành. Thêm --operator; tên bạn và cờ này được ghi vào nhật ký.",
        "Production store: the command line is an operator's. Add --operator; your name and the flag are logged.",
    )


@dataclass
class Session:
    """What one command has at hand; store and engine are opened when first asked for.

    Shapes:
        who: as given with --as, else TIENDO_PERSON. language: "vi" or "en".
        request: id of this run; log entries and lines of the technical log bear it.
    """

    settings: Settings
    who: str = ""
    is_as: bool = False
    operator: bool = False
    as_json: bool = False
    language: str = "vi"
    request: str = field(default_factory=new_id)
    _open: list[Store] = field(default_factory=list)

    @cached_property
    def store(self) -> Store:
        """The store of the settings, at the present schema."""
        found = opening.open_store(self.settings)
        self._open.append(found)
        if opening.is_fallback(self.settings) and not self.as_json:
            banner = self.say("kho mẫu", "sample store")
            sys.stderr.write(f"[{banner} {found.path}]\n")
        return found

    @cached_property
    def engine(self) -> Engine:
        """The engine on that store; nobody is rung: a serving process sweeps up what is written here."""
        return opening.make_engine(self.settings, self.store)

    @cached_property
    def app(self) -> App:
        """What handlers need, for commands that deliver or render."""
        from handlers import build  # noqa: PLC0415 - Dramatiq, Jinja and mail: only for commands that need them

        return build.make_app(self.settings, self.engine)

    @cached_property
    def is_sample(self) -> bool:
        """Whether the store was born a sample."""
        return readings.kind_of(self.store) == "sample"

    @cached_property
    def today(self) -> date:
        """The civil day of the store's clock."""
        return day_at(self.store.now())

    @cached_property
    def person(self) -> str:
        """The id of whoever asks.

        Errors:
            PersonMissing, PersonUnknown, AsNotAllowed, OperatorFlagMissing.
        """
        if not self.who:
            raise PersonMissing
        if not self.is_sample:
            if self.is_as:
                raise AsNotAllowed
            if not self.operator:
                raise OperatorFlagMissing
        with self.store.read() as connection:
            return finding.row_id(connection, "person", self.who)

    @property
    def principal(self) -> Principal:
        """Whoever asks, for commands."""
        return Principal("operator" if self.operator else "person", self.person, "cli")

    @cached_property
    def viewer(self) -> Viewer:
        """Whoever asks, for reading."""
        with self.store.read() as connection:
            return look_as(connection, self.person, self.today.isoformat())

    def reading(self) -> AbstractContextManager[Any]:
        """Open a snapshot in which only what this person may see exists, where the store can see to that."""
        return reading_as(self.store, self.viewer)

    def case(self, code: str) -> CaseRow:
        """Return a visible case by code or id.

        Errors:
            CaseUnknown.
        """
        with self.reading() as connection:
            found = queries.find_case(connection, self.viewer, code)
        structlog.contextvars.bind_contextvars(case_code=found.code)
        return found

    def carry_out(self, command: Command) -> Receipt:
        """Carry a command out; what is logged from now on names it.

        Errors:
            Refused, Unavailable, Broken: see engine/execute.py.
        """
        asked = replace(command, request=self.request)
        structlog.contextvars.bind_contextvars(command=asked.id, kind=asked.kind)
        try:
            receipt = execute(self.engine, asked)
        except TiendoError as why:
            log.debug("command_refused", code=why.code)
            raise
        if receipt.subject_kind == "case":
            structlog.contextvars.bind_contextvars(case_code=receipt.code)
        log.debug("command_done", seq=receipt.seq, repeated=receipt.repeated)
        return receipt

    def case_id(self, code: str) -> str:
        """Return the id of a visible case.

        Errors:
            CaseUnknown.
        """
        return self.case(code).id

    def say(self, vi: str, en: str) -> str:
        """Return one of two texts by language."""
        return en if self.language == "en" else vi

    def close(self) -> None:
        """Close what was opened."""
        while self._open:
            self._open.pop().close()


As = Annotated[str, typer.Option("--as", help="Người thực hiện: mã hoặc họ tên (kho mẫu).", metavar="PERSON")]
Operator = Annotated[
    bool, typer.Option("--operator", help="Thực hiện với tư cách người vận hành (kho chính thức).")
]
Json = Annotated[bool, typer.Option("--json", help="Kết quả dạng JSON: ngày ISO, số nguyên.")]
Language = Annotated[str, typer.Option("--lang", help="vi hoặc en.", metavar="vi|en")]

_COMMON: dict[str, tuple[Any, Any]] = {
    "as_person": (As, ""),
    "operator": (Operator, False),
    "as_json": (Json, False),
    "lang": (Language, ""),
}


def open_session(common: dict[str, Any]) -> Session:
    """Return the session of the common options."""
    settings = read_settings()
    language = common.get("lang") or settings.language
    given = str(common.get("as_person") or "")
    if language not in LANGUAGES:
        raise LanguageUnknown(given=language)
    return Session(
        settings,
        who=given or settings.person or "",
        is_as=bool(given),
        operator=bool(common.get("operator")),
        as_json=bool(common.get("as_json")),
        language="en" if language == "en" else "vi",
    )


@dataclass
class Commands:
    """Commands of one kind, until they are put on the command line.

    A command is a function of a `Session` and its own keyword arguments; the common options are added to
    each.
    """

    _found: list[tuple[str, Callable[..., None]]] = field(default_factory=list)

    def add(self, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Declare the function below as the command `name`."""

        def declare(run: Callable[..., None]) -> Callable[..., None]:
            self._found.append((name, run))
            return run

        return declare

    def add_to(self, group: typer.Typer) -> None:
        """Put all of them on the command line."""
        for name, run in self._found:
            group.command(name)(_with_session(run))


def _with_session(run: Callable[..., None]) -> Callable[..., None]:
    """Return what Typer calls: a function with the common options, which opens the session and closes it."""
    hints = get_type_hints(run, include_extras=True)
    own = [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(run).parameters.values()
        if one.name != "session"
    ]
    common = [
        inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for word, (kind, default) in _COMMON.items()
    ]

    def called(**given: Any) -> None:
        session = open_session({word: given.pop(word) for word in _COMMON})
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=session.request)
        try:
            run(session, **given)
        finally:
            session.close()

    called.__doc__ = run.__doc__
    called.__name__ = run.__name__
    called.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in (*own, *common)}
    return called
