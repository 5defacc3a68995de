"""Stores that can't be used, as a person meets them: each made for real, then a command typed as a process of its own.

What can't be made without a machine of its own (a network drive, a clock that was set) is faked from outside, by a
module that Python itself loads before the program; the program has no hook for it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sqlite3
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.acceptance.bad_input import Answer, Answers, steady
from tests.acceptance.commands_of import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

CASE = "CB-2026-DP-01"
WRITE = f"tiendo edit {CASE} --set title=Khác --as cb-cv1"
READ = f"tiendo show {CASE} --as cb-cv1"
OUTSIDE = Path(__file__).parent / "outside"
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2
_PAGE = 4096
#: The shared memory of the write-ahead log has 32 KiB; the log itself does not fit beside it.
_LIMIT_BYTES = 40_000


@dataclass
class Scene:
    """One store of its own and how the command is run there.

    Shapes:
        store: the file. variables: more of the environment. before: run in the process before the command.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None

    @property
    def store(self) -> Path:
        return self.folder / "tiendo.db"

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.store, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a store, and what is to be answered.

    Shapes:
        arrange: makes it wrong while the command runs. mended: whether taking the fault away makes it work again.
    """

    what: str
    line: str
    code: int
    word: str
    arrange: Callable[[Scene], AbstractContextManager[None] | None]
    mended: bool = True


def without_rights() -> None:
    """Make root an account like others where files are concerned; who is none already stays so."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)
    libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_READ_SEARCH, 0, 0, 0)


@contextmanager
def _mode(scene: Scene, file: int, folder: int) -> Iterator[None]:
    scene.before = without_rights
    scene.store.chmod(file)
    scene.folder.chmod(folder)
    try:
        yield
    finally:
        scene.folder.chmod(0o700)
        scene.store.chmod(0o600)


@contextmanager
def _held(scene: Scene) -> Iterator[None]:
    with closing(sqlite3.connect(scene.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _own_file(scene: Scene) -> None:
    scene.before = without_rights
    file = scene.folder / "own.yaml"
    file.write_text("definition: own\n", encoding="utf-8")
    file.chmod(0)


def _full(scene: Scene) -> None:
    scene.before = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (_LIMIT_BYTES, _LIMIT_BYTES))


def _network(scene: Scene) -> None:
    scene.variables |= {"PYTHONPATH": str(OUTSIDE), "OUTSIDE_MOUNTED": f"{scene.folder} nfs4"}


def _closed_folder(scene: Scene) -> AbstractContextManager[None]:
    inner = scene.folder / "closed"
    inner.mkdir()
    shutil.move(scene.store, inner / "tiendo.db")
    scene.variables["TIENDO_DATABASE_URL"] = "sqlite:///closed/tiendo.db"
    scene.before = without_rights
    return _closed(inner, scene)


@contextmanager
def _closed(inner: Path, scene: Scene) -> Iterator[None]:
    inner.chmod(0)
    try:
        yield
    finally:
        inner.chmod(0o700)
        shutil.move(inner / "tiendo.db", scene.store)
        del scene.variables["TIENDO_DATABASE_URL"]


def _new_in_closed(scene: Scene) -> AbstractContextManager[None]:
    scene.variables["TIENDO_DATABASE_URL"] = "sqlite:///new/tiendo.db"
    scene.before = without_rights
    return _shut(scene)


@contextmanager
def _shut(scene: Scene) -> Iterator[None]:
    scene.folder.chmod(0o500)
    try:
        yield
    finally:
        scene.folder.chmod(0o700)
        del scene.variables["TIENDO_DATABASE_URL"]


def _folder_instead(scene: Scene) -> None:
    scene.variables["TIENDO_DATABASE_URL"] = "sqlite:///folder.db"
    (scene.folder / "folder.db").mkdir()


def _in_a_file(scene: Scene) -> None:
    scene.variables["TIENDO_DATABASE_URL"] = "sqlite:///tiendo.db/tiendo.db"


def _noise(scene: Scene, *, table: str) -> None:
    with closing(sqlite3.connect(scene.store)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    _overwrite(scene.store, (page - 1) * _PAGE, Random(7).randbytes(_PAGE))


def _header(scene: Scene) -> None:
    _overwrite(scene.store, 0, Random(7).randbytes(100))


def _overwrite(store: Path, at: int, noise: bytes) -> None:
    with store.open("r+b") as file:
        file.seek(at)
        file.write(noise)


def _cut(scene: Scene, *, share: float) -> None:
    os.truncate(scene.store, int(scene.store.stat().st_size * share) // _PAGE * _PAGE)


def _other_program(scene: Scene) -> None:
    scene.store.unlink()
    scene.sql("CREATE TABLE invoices (id INTEGER PRIMARY KEY)")


@contextmanager
def _log_taken_away(scene: Scene) -> Iterator[None]:
    left = scene.store.with_name("tiendo.db-shm")
    left.write_bytes(bytes(32_768))
    try:
        yield
    finally:
        left.unlink(missing_ok=True)


@contextmanager
def _schema(scene: Scene, number: str) -> Iterator[None]:
    with closing(sqlite3.connect(scene.store)) as connection:
        was = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    _number(scene, number)
    try:
        yield
    finally:
        _number(scene, was)


def _number(scene: Scene, number: str) -> None:
    """Write the number of the last migration; "" as in the first stores, which had none."""
    put = [f"INSERT INTO alembic_version VALUES ('{number}')"] if number else []
    scene.sql("DELETE FROM alembic_version", *put)


FAULTS = (
    Fault("A store that may only be read", WRITE, 75, "store_read_only", partial(_mode, file=0o400, folder=0o500)),
    Fault("A store that may only be read, in a folder that may be written", WRITE, 75, "store_read_only",
          partial(_mode, file=0o400, folder=0o700)),
    Fault("A store that may not be read", READ, 75, "store_unreachable", partial(_mode, file=0, folder=0o700)),
    Fault("A definition file that may not be read", "tiendo validate own.yaml", 2, "usage_wrong", _own_file),
    Fault("The same, to be published", "tiendo publish own.yaml --as cb-cv1 --operator", 75, "file_unreachable", _own_file),
    Fault("A folder that may not be entered", READ, 75, "store_unreachable", _closed_folder),
    Fault("No right to make a store there", "tiendo init --sample", 75, "store_unreachable", _new_in_closed),
    Fault("A folder where a store is wanted", READ, 75, "store_unreachable", _folder_instead),
    Fault("A file where a folder is wanted", READ, 2, "store_missing", _in_a_file),
    Fault("A store held by another process", WRITE, 75, "store_busy", _held),
    Fault("No room on the disk, or over the quota", WRITE, 75, "store_full", _full),
    Fault("A store on a network drive", READ, 70, "store_on_network", _network),
    Fault("A store whose beginning was overwritten", READ, 70, "store_corrupt", _header, mended=False),
    Fault("A page overwritten, and one looks", READ, 70, "store_corrupt", partial(_noise, table="workflow_case"),
          mended=False),
    Fault("A page overwritten, and one writes", WRITE, 70, "store_corrupt", partial(_noise, table="receipt"),
          mended=False),
    Fault("A store of which half is missing", READ, 70, "store_corrupt", partial(_cut, share=0.5), mended=False),
    Fault("An empty file", READ, 2, "store_foreign", partial(_cut, share=0), mended=False),
    Fault("Another program's file", READ, 2, "store_foreign", _other_program, mended=False),
    Fault("The write-ahead log taken away after a crash", READ, 70, "wal_missing", _log_taken_away),
    Fault("A store of an older version", READ, 2, "schema_old", partial(_schema, number="")),
    Fault("A store of a newer version", READ, 70, "schema_new", partial(_schema, number="9999")),
)  # fmt: skip


def scene_of(folder: Path, prepared: Path, number: int) -> Scene:
    """Return a copy of the prepared sample in a folder of its own."""
    own = folder / f"fault {number}"
    own.mkdir()
    shutil.copyfile(prepared, own / "tiendo.db")
    (own / "tiendo.db").chmod(0o600)
    return Scene(own)


def shell_of(scene: Scene) -> Shell:
    """Return a shell in the folder of a scene."""
    return Shell(
        scene.folder, {"TIENDO_DATABASE_URL": "sqlite:///tiendo.db", **scene.variables}, scene.before
    )


@dataclass(frozen=True)
class Told:
    """What was answered to one fault, and how the file stood before and after.

    Shapes:
        untouched: whether the file has the same bytes as before.
    """

    fault: Fault
    answers: Answers
    untouched: bool
    scene: Scene


def meet(fault: Fault, scene: Scene) -> Told:
    """Arrange a fault, type the command in both languages, and take the fault away."""
    with fault.arrange(scene) or nullcontext():
        before = _bytes(scene)
        shell = shell_of(scene)
        first = shell.start(fault.line)
        # Where the process itself is not part of the fault, the second language is asked for in this one.
        is_apart = scene.before is not None or "PYTHONPATH" in scene.variables
        english = f"{fault.line} --lang en"
        second = shell.run_apart(english) if is_apart else shell.run(english)
        vi, en = (
            Answer(one.returncode, steady(one.stdout + one.stderr, scene.folder))
            for one in (first.finish(), second)
        )
        untouched = _bytes(scene) == before
    scene.before = None
    return Told(fault, Answers(fault.what, fault.line, vi, en), untouched, scene)


def _bytes(scene: Scene) -> bytes:
    """Return the file as it is, whatever our rights; a store that was moved away is not there."""
    return scene.store.read_bytes() if scene.store.is_file() else b""


def told_all(folder: Path, prepared: Path) -> list[Told]:
    """Meet every fault on a copy of the prepared sample."""
    return [meet(fault, scene_of(folder, prepared, number)) for number, fault in enumerate(FAULTS)]
