"""Serving processes as an operator starts them: `tiendo worker`, `tiendo ticker`, `tiendo up`, each a process of its own.

A launcher imports the product once and forks, because importing takes longer than most of them live; what it forks runs
the command line from its first word, with an environment of its own. It may be given a clock that goes wrong, or be of a
newer version that knows one more topic.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 60
#: The topic that a newer version knows, in a queue that older ones listen to.
NEWER = "notice.dreamt"
_PR_SET_PDEATHSIG = 1


class Tiendo:
    """The launcher."""

    def __init__(self) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
        self._folder = tempfile.TemporaryDirectory(prefix="tiendo-served-")
        self._made = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.tiendo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=HERE, env={**inherited, "PYTHONPATH": str(HERE), "PYTHONUTF8": "1"},
        )  # fmt: skip

    def ask(self, **words: Any) -> Any:
        """Ask the launcher and return its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the launcher has no pipes")
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(
        self, command: str, settings: Mapping[str, object], *, ahead: int = 0, newer: bool = False
    ) -> ServingProcess:
        """Start a command.

        Shapes:
            settings: TIENDO_… variables without the prefix. newer: whether it knows the topic NEWER.
        Units:
            ahead: seconds that its clock is ahead of this machine's.
        """
        self._made += 1
        place = Path(self._folder.name) / str(self._made)
        for ending in (".out", ".err"):
            place.with_suffix(ending).touch()
        given = {f"TIENDO_{name.upper()}": str(value) for name, value in settings.items()}
        pid = self.ask(words=[command, "--json"], settings=given, ahead=ahead, newer=newer, place=str(place))
        return ServingProcess(self, int(pid), place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.wait(PATIENCE_SECONDS)
            self._process.stdout.close()
        self._folder.cleanup()


class ServingProcess:
    """One running command, and what it wrote."""

    def __init__(self, launcher: Tiendo, pid: int, place: Path) -> None:
        self.pid = pid
        self._launcher = launcher
        self._place = place
        self._code: int | None = None

    @property
    def said(self) -> str:
        """What it wrote to standard output."""
        return self._place.with_suffix(".out").read_text(encoding="utf-8")

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of its log; one that is no JSON as {"event": "plain", "said": …}."""
        found = []
        for line in self._place.with_suffix(".err").read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": "plain", "said": line})
        return found

    def logged(self, word: str) -> list[dict[str, Any]]:
        """Return the lines of its log of one kind."""
        return [line for line in self.log() if line.get("event") == word]

    def ready(self) -> Self:
        """Wait until it says that it serves."""
        wait_until(lambda: "}" in self.said or self.is_gone(), PATIENCE_SECONDS, "it serves", pause=0.02)
        assert not self.is_gone(), (self.said, self.log())
        return self

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        if self._code is None:
            os.kill(self.pid, number)

    def is_gone(self) -> bool:
        """Whether it has ended."""
        if self._code is None:
            self._code = self._launcher.ask(gone=self.pid)
        return self._code is not None

    def ended(self) -> int:
        """Wait for its end and return its exit code; negative: the signal that killed it."""
        wait_until(self.is_gone, PATIENCE_SECONDS, f"the end of {self.pid}: {self.log()[-3:]}", pause=0.02)
        assert self._code is not None
        return self._code

    def stop(self) -> int:
        """Ask for an orderly end and return the exit code."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """SIGKILL, now."""
        self.send(signal.SIGKILL)
        self.ended()


def _serve(words: list[str], settings: dict[str, str], place: str, *, ahead: int, newer: bool) -> int:
    """Be a serving process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number, ending in ((1, ".out"), (2, ".err")):
        to = os.open(place + ending, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(to, number)
        os.close(to)
    os.environ.update(settings)
    if ahead:
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only where the clock goes wrong

        import time_machine  # noqa: PLC0415

        time_machine.travel(datetime.now(UTC) + timedelta(seconds=ahead), tick=True).start()
    if newer:
        _know_more()
    from handlers import cli  # noqa: PLC0415 - imported by the launcher

    return cli.run(words)


def _know_more() -> None:
    from engine import relay  # noqa: PLC0415 - imported by the launcher
    from handlers.dispatch import App, handles  # noqa: PLC0415

    @handles(NEWER, queue="notices")
    def dream(app: App, outbox_id: str) -> None:
        row = relay.claim_row(app.engine.store, outbox_id, lease_seconds=app.lease_seconds)
        if row is not None:
            relay.finish(app.engine.store, row)


def _fork(said: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.close(0)
        place = said["place"]
        code = _serve(said["words"], said["settings"], place, ahead=said["ahead"], newer=said["newer"])
        sys.stdout.flush()
    except SystemExit as left:
        code = int(left.code or 0)
    except BaseException as why:  # noqa: BLE001 - a forked process must end here, whatever happened
        os.write(2, f"{type(why).__name__}: {why}\n".encode())
    finally:
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def main() -> None:
    """Be the launcher."""
    from engine import postgres_schema  # noqa: F401, PLC0415 - imported once, for all that is forked
    from handlers import build, cli_store, redis_bell  # noqa: F401, PLC0415

    for line in sys.stdin:
        said = json.loads(line)
        if "gone" in said:
            pid, ended = os.waitpid(said["gone"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(ended) if pid else None
        else:
            answer = _fork(said)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
