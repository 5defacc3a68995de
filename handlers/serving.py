"""One serving process for an embedded store: a row with a heartbeat says who it is."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import Broken, Refused, Words

if TYPE_CHECKING:
    from engine.store import Store

BEAT_SECONDS = 2
STALE_SECONDS = 15


class AlreadyServed(Refused):
    """Another process serves this store."""

    code = "already_served"
    words = Words(
        "Kho {path} đang do tiến trình {pid} trên máy {host} phục vụ (còn sống cách đây {seconds} giây). Dừng tiến trình đó "
        "trước; các lệnh tiendo khác vẫn dùng được.",
        "The store {path} is served by process {pid} on {host} (alive {seconds} s ago). Stop that one first; "
        "all other tiendo commands work meanwhile.",
    )


class ServingLost(Broken):
    """Another process took over while this one was asleep."""

    code = "serving_lost"
    words = Words(
        "Tiến trình {pid} trên máy {host} đã tiếp quản kho {path}; tiến trình này dừng lại.",
        "Process {pid} on {host} has taken the store {path} over; this process stops.",
    )


class ServingSeat:
    """The row of `serving` for this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._me = (socket.gethostname()[:255], os.getpid())

    def take(self) -> None:
        """Become the serving process; a heartbeat older than 15 s, or of a dead process of this machine, is taken over.

        Errors:
            AlreadyServed: with who it is; nothing changed.
        """
        host, pid = self._me
        with self._store.begin() as tx:
            held = tx.run("SELECT host, pid, beat_at FROM serving WHERE id = 1")
            if held:
                age = (tx.now - held[0][2]) / 1e6
                if (
                    (held[0][0], held[0][1]) != self._me
                    and 0 <= age < STALE_SECONDS
                    and _lives(held[0][0], held[0][1], host)
                ):
                    raise AlreadyServed(
                        path=self._store.path, host=held[0][0], pid=held[0][1], seconds=int(age)
                    )
                sql = "UPDATE serving SET host = :host, pid = :pid, beat_at = :now WHERE id = 1"
            else:
                sql = "INSERT INTO serving (id, host, pid, beat_at) VALUES (1, :host, :pid, :now)"
            tx.run(sql, {"host": host, "pid": pid, "now": tx.now})

    def beat(self) -> None:
        """Say that this process lives.

        Errors:
            ServingLost: another one took over; this one must stop.
        """
        with self._store.begin() as tx:
            held = tx.run("SELECT host, pid FROM serving WHERE id = 1")
            if not held or tuple(held[0]) != self._me:
                other = held[0] if held else ("?", 0)
                raise ServingLost(path=self._store.path, host=other[0], pid=other[1])
            tx.run("UPDATE serving SET beat_at = :now WHERE id = 1", {"now": tx.now})

    def leave(self) -> None:
        """Give the seat up, if it is still this process's."""
        host, pid = self._me
        with self._store.begin() as tx:
            tx.run(
                "DELETE FROM serving WHERE id = 1 AND host = :host AND pid = :pid", {"host": host, "pid": pid}
            )


def holder_of(store: Store) -> tuple[str, int, int] | None:
    """Return (host, pid, last heartbeat in µs) of the serving process, or None when nobody ever served."""
    with store.begin() as tx:
        held = tx.run("SELECT host, pid, beat_at FROM serving WHERE id = 1")
    return (str(held[0][0]), int(held[0][1]), int(held[0][2])) if held else None


def _lives(host: str, pid: int, here: str) -> bool:
    """Whether that process may still live: on another machine nobody can tell, on this one the kernel knows."""
    if host != here:
        return True
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
