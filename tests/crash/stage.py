"""One store and one serving process at a time, moved step by step: for faults that are staged, not left to chance."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from tests.crash.clients import Office
from tests.crash.lane import AHEAD_SECONDS
from tests.processes import HERE, Launcher, MailServer, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.processes import Serving


class Stage:
    """A store, a mail server, a launcher.

    Shapes:
        tree: the product that is run.
    """

    def __init__(self, folder: Path, tree: Path = HERE) -> None:
        self.store = folder / "tiendo.db"
        self.mail = MailServer()
        self.launcher = Launcher(tree)
        self.office = Office(self.launcher.prepare(self.store, AHEAD_SECONDS))

    def __enter__(self) -> Self:
        self.mail.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.mail.__exit__()
        self.launcher.close()

    def serve(self, **more: Any) -> Serving:
        """Start a serving process and let it work."""
        words = {"port": self.mail.port, "lease": 1, "clock_ahead": AHEAD_SECONDS, **more}
        serving = self.launcher.start(store=str(self.store), **words).watch()
        serving.go()
        wait_until(
            lambda: any("serving" in said for said in serving.said) or serving.over.is_set(),
            10,
            "the process to serve",
        )
        return serving

    def submitted(self, serving: Serving) -> str:
        """Open a case and submit it, so that one notice is owed; return its id."""
        values = {"wish": "giấy", "amount": 3}
        parties = {"requester": self.office.made["an"], "office": self.office.made["office"]}
        started = ask(
            serving, self.office.command("an", "start", definition="purchase", parties=parties, values=values)
        )
        ask(serving, self.office.command("an", "fire", case=started["subject"], trigger="submit"))
        return str(started["subject"])

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Read from the store as it is now."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()

    def notice_row(self) -> Any:
        """Return the newest outbox row of a notice."""
        return self.rows("SELECT * FROM outbox WHERE topic = 'notice.requested' ORDER BY id DESC LIMIT 1")[0]

    def copy_of_store(self, folder: Path) -> Path:
        """Copy the store while nobody serves it."""
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("", "-wal", "-shm"):
            source = self.store.with_name(self.store.name + suffix)
            if source.exists():
                shutil.copyfile(source, folder / source.name)
        return folder / self.store.name


def ask(serving: Serving, words: dict[str, Any]) -> dict[str, Any]:
    """Send one command on a line of its own and return the acknowledgement."""
    with serving.connect(5) as line, line.makefile("rb") as answers:
        line.sendall(json.dumps(words).encode() + b"\n")
        answer: dict[str, Any] = json.loads(answers.readline())
    return answer
