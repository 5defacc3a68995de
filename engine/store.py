"""The seam between the transaction and the store that carries it.

`execute` speaks to a store through `claim` (lock, then read) and `record` (write all of it). SQLite is one small module
behind this seam; a second store would be another with the same tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import Broken, Refused, Unavailable, Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from engine.cases import Case
    from engine.register_rows import RegisterRow


class StoreBusy(Unavailable):
    """Another process holds the store longer than we wait."""

    code = "store_busy"
    words = Words(
        "Kho dữ liệu {path} đang bị tiến trình khác giữ quá {seconds} giây. Chưa có gì thay đổi; hãy gửi lại lệnh.",
        "The store {path} has been held by another process for over {seconds} s. Nothing changed; send it again.",
    )


class StoreReadOnly(Unavailable):
    """The store can't be written by this user or mount."""

    code = "store_read_only"
    words = Words(
        "Không ghi được vào {path}: tệp hoặc thư mục chỉ cho đọc. Hãy cấp quyền ghi rồi gửi lại lệnh.",
        "Can't write to {path}: the file or its folder is read-only. Allow writing and send the command again.",
    )


class StoreFull(Unavailable):
    """There is no room left on the disk."""

    code = "store_full"
    words = Words(
        "Không ghi thêm được vào {path}: đĩa hết chỗ hoặc vượt hạn mức. Chưa có gì thay đổi; hãy dọn chỗ rồi gửi lại lệnh.",
        "No more can be written to {path}: the disk is full or over its quota. Nothing changed; free some space and send again.",
    )


class StoreUnreachable(Unavailable):
    """The file can't be opened or read now."""

    code = "store_unreachable"
    words = Words(
        "Không mở được kho dữ liệu {path}: {why}. Kiểm tra đường dẫn, đĩa và quyền rồi thử lại.",
        "Can't reach the store {path}: {why}. Check path, disk and permissions, then try again.",
    )


class StoreCorrupt(Broken):
    """The file is damaged or not ours."""

    code = "store_corrupt"
    words = Words(
        "Tệp {path} hỏng hoặc không phải kho của tiendo: {why}. Ngừng ghi, chép tệp ra nơi khác và khôi phục từ bản sao lưu.",
        "{path} is damaged or no tiendo store: {why}. Stop writing, copy the file away and restore a backup.",
    )


class StoreForeign(Refused):
    """The file is a database, but none of ours."""

    code = "store_foreign"
    words = Words(
        "Tệp {path} không phải kho của tiendo: trong đó không có nhật ký. Kiểm tra TIENDO_DATABASE_URL, hoặc tạo kho mới ở chỗ "
        "khác bằng `tiendo init`.",
        "{path} is no store of tiendo: it holds no log. Check TIENDO_DATABASE_URL, or make a new store elsewhere with "
        "`tiendo init`.",
    )


class StoreOnNetwork(Broken):
    """An SQLite file lies on a network mount, where its locks do not hold."""

    code = "store_on_network"
    words = Words(
        "{path} nằm trên ổ mạng ({kind}), nơi khoá tệp không an toàn. Chuyển tệp về đĩa của máy rồi đặt lại TIENDO_DATABASE_URL.",
        "{path} lies on a network mount ({kind}), where locks don't hold. Move it to a local disk and set TIENDO_DATABASE_URL.",
    )


class LockMissing(Broken):
    """A decision was about to rest on rows that are not locked."""

    code = "lock_missing"
    words = Words(
        "Lệnh định xét hoặc ghi dữ liệu chưa được khoá ({wanted}). Chưa có gì thay đổi; hãy báo người bảo trì.",
        "A command was about to read or write what it holds no lock on ({wanted}). Nothing changed; tell the maintainer.",
    )


class Contended(Unavailable):
    """Others changed what this transaction rests on, or waited for it while it waited for them."""

    code = "contended"
    words = Words(
        "Nhiều người đang sửa cùng hồ sơ này: {why}. Chưa có gì thay đổi; hãy gửi lại lệnh.",
        "Many are changing the same cases: {why}. Nothing changed; send the command again.",
    )


HELD = Words("người khác đang giữ hồ sơ này", "somebody else holds this case just now")


class RowRefused(Exception):
    """A constraint of the database refused a row; the text names the constraint. `execute` makes our error of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What decides which locks a case needs, read before any lock.

    Shapes:
        definition: hash. scope: of its budget line, "" without one. parties: party -> id.
    """

    definition: str
    plan_year: int | None
    scope: str
    parties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A case and all above it.

    Shapes:
        path: ids from the root to the case, joined by "/"; never changes.
        places: of each case on the path, in that order; what changes in them is seen again under the lock.
    """

    path: str
    places: tuple[Place, ...]


def plan_lock(definition: str, plan_year: int, scope: str) -> str:
    """Return the name of the lock on a budget line: on all that counts the cases decided on it."""
    return f"plan/{definition}/{plan_year}/{scope}"


def establishment_lock(establishment: str) -> str:
    """Return the name of the lock on what an establishment was granted."""
    return f"establishment/{establishment}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `claim` shall lock and bring.

    Shapes:
        principal, command: key of the receipt to look for.
        person: whose seats to read, on the civil day `day`.
        locks: named locks ("plan/national_project/2026/soc_trang"), sorted; taken first, in one order for all.
        cases: ids to lock, in lock order (root id, depth, id).
        families: ids whose children are brought along.
    """

    principal: str
    command: str
    person: str
    day: str
    locks: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A membership that holds today, one's own or of somebody one stands in for.

    Shapes:
        person: whose membership it is. bound: organisation or establishment. role: the role there.
    """

    person: str
    bound: str
    role: str


@dataclass(slots=True)
class Claimed:
    """What was read after the locks were held.

    Shapes:
        answered: (hash of the body, the answer) of the first receipt, or None.
        cases: id -> case. children: parent id -> its children, oldest first.
        absent: persons the principal stands in for today.
    """

    answered: tuple[str, dict[str, Any]] | None = None
    cases: dict[str, Case] = field(default_factory=dict)
    children: dict[str, list[Case]] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)
    absent: frozenset[str] = frozenset()


@dataclass(slots=True)
class Writing:
    """All rows of one transaction, by table, in the order of the columns that `record` names.

    Shapes:
        cases: (case, its definition's row values, is_new). entries: rows of transition_log.
        cancels: (case id, deadline, new state of the timer, how many timers were set before): in the order in which
            it happened, so that a timer set and stopped by one command ends as it must.
        registers: rows to insert or replace, with their projections.
    """

    cases: dict[str, tuple[Case, Mapping[str, Any], bool]] = field(default_factory=dict)
    parties: list[tuple[Any, ...]] = field(default_factory=list)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    receipts: list[tuple[Any, ...]] = field(default_factory=list)
    notices: list[tuple[Any, ...]] = field(default_factory=list)
    outbox: list[tuple[Any, ...]] = field(default_factory=list)
    timers: list[tuple[Any, ...]] = field(default_factory=list)
    cancels: list[tuple[str, str, str, int]] = field(default_factory=list)
    closes: list[tuple[str, str, str]] = field(default_factory=list)
    openings: list[tuple[Any, ...]] = field(default_factory=list)
    published: list[tuple[Any, ...]] = field(default_factory=list)
    registers: list[tuple[RegisterRow, bool]] = field(default_factory=list)
    projections: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def cancel(self, case: str, deadline: str, state: str) -> None:
        """Let every timer of a deadline that waits or stands still, those just set included, take another state."""
        self.cancels.append((case, deadline, state, len(self.timers)))


class Transaction(Protocol):
    """One write transaction, or a look at what one would find."""

    @property
    def now(self) -> int:
        """The store's clock, µs UTC; after `claim` a time when the locks were held."""

    @property
    def serial(self) -> bool:
        """Whether no other transaction writes at the same time, so that nobody needs to agree on an order of locks."""

    def stamp(self) -> int:
        """Return the time of the next entry: `now`, and later than every entry before it."""

    def where(self, case: str) -> Whereabouts | None:
        """Return where a case stands, read before any lock; None when there is no such case."""

    def below(self, path: str) -> list[Place]:
        """Return the places of all children of the cases on a path, read before any lock."""

    def hold(self, locks: tuple[str, ...], cases: tuple[str, ...], *, wait: bool = True) -> frozenset[str]:
        """Take the locks of several commands that share this transaction, in the order of one; nothing is read.

        Shapes:
            wait: False takes only what nobody else holds, and so never waits.
            returns: the names and ids that are held.
        """

    def claim(self, asked: Asked) -> Claimed:
        """Lock what was asked for, in its order, then read it and the receipt in a later statement."""

    def record(self, writing: Writing, *, last: bool = False) -> None:
        """Write all rows.

        Shapes:
            last: nothing follows in this transaction, so it may be committed in the same visit.
        """

    def case(self, case: str) -> Case | None:
        """Return one case as it stands, or None."""

    def cases(self, cases: Sequence[str]) -> dict[str, Case]:
        """Return id -> case of those that are there, as they stand."""

    def family(self, parent: str) -> list[Case]:
        """Return the children of one case as they stand, oldest first."""

    def members(self, bound: str, role: str, day: str) -> list[str]:
        """Return the persons who hold a role somewhere on a day, in order of id."""

    def next_number(self, series: str) -> int:
        """Return the next number of a series, from 1."""

    def plan_line(self, line: str, name: str, case: Case) -> dict[str, Any]:
        """Return {budget_vnd, committed_vnd} of a budget line beside one case, under its `plan_lock`."""

    def supported(self, establishment: str, except_root: str) -> list[dict[str, Any]]:
        """Return [{code, category, decided_on, amount_vnd}] of other families, under the `establishment_lock`."""

    def run(
        self, sql: str, values: Mapping[str, Any] | None = None, *, last: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run one statement with `:named` values and return its rows.

        Shapes:
            sql: `:now` in it is the store's clock, unless the values have one.
            last: nothing follows in this transaction, so it may be committed in the same visit.
        """

    def run_all(
        self, *asked: tuple[str, Mapping[str, Any]], last: bool = False
    ) -> list[list[tuple[Any, ...]]]:
        """Run several statements in one visit, one after the other, and return the rows of each; see `run`."""


class Store(Protocol):
    """Where everything is kept.

    Shapes:
        path: as people know it, for messages.
    """

    path: str

    def begin(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction: commits on leaving, rolls back on an error."""

    def look(self) -> AbstractContextManager[Transaction]:
        """Open a snapshot that answers like a write transaction, and holds and writes nothing."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only snapshot for the questions of pages and reports."""

    def now(self) -> int:
        """Return the store's clock, µs UTC."""

    def changed(self) -> bool:
        """Return whether anybody wrote since the last call."""

    def scrub(self) -> None:
        """After an erasure: take the erased bytes out of every file of the store, its log of writes included."""

    def close(self) -> None:
        """Close all connections."""
