"""The raw floor on PostgreSQL: one PL/pgSQL call that writes the rows of an approval and does nothing else, under pgbench.

What it writes is taken from a finished run of the engine. The rows of each approval lie ready in unlogged tables, one for
each table of the store, typed, uncompressed and in memory; the call copies those of its number, table by table, with one
statement each. Handing the values over as parameters was tried and is slower (0.64 against 0.46 ms of the server, because
it then reads 13 kB of text), so this is the faster floor. It reads nothing else, decides nothing, hashes nothing; keys,
indexes, guards and policies are those of the store.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.floor import TABLES
from tests.bench.pg_figures import Run, Volume, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from tests.bench.pg_ground import Ground
    from tests.servers.postgres import Database

    Connection = psycopg.Connection[tuple[object, ...]]

#: How each client finds its own commands: those of its turn, as the threads of the engine's run do.
_SCRIPT = "\\set turn :turn + 1\n\\set number :turn * :clients + :client_id\nSELECT bench.approve(:number);\n"
#: An outbox row speaks of a notice or of the case: a notice leads to its case.
_OWNERS = (
    "(SELECT number, case_id AS owner FROM bench.command UNION ALL"
    " SELECT number, n.id FROM bench.command JOIN notice n USING (case_id) WHERE n.xmin::text::bigint >= {mark})"
)


@dataclass(frozen=True, slots=True)
class Floor:
    """A database in which the rows of every approval lie ready.

    Shapes:
        template: its name. digests: table -> what the recorded run left there, as one hash.
    """

    template: str
    digests: dict[str, str]


def mark(connection: Connection) -> int:
    """Return the number of a transaction: whatever is written after it bears a higher one."""
    found = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
    assert found is not None
    return int(str(found[0]))


def stage(ground: Ground, recorded: Database, since: int, commands: Iterable[tuple[int, str, str]]) -> Floor:
    """Make the floor's database from a run of the engine.

    Shapes:
        recorded: where the engine ran. since: `mark` before it began.
        commands: (number, command id, case id).
    """
    made = ground.copy(ground.template)
    with ground.server.superuser(recorded.name) as source, ground.server.superuser(made.name) as target:
        with source.transaction():
            source.execute(
                "CREATE TABLE bench.command (number integer, command text, case_id text PRIMARY KEY)"
            )
            with source.cursor().copy("COPY bench.command FROM STDIN") as rows:
                for command in commands:
                    rows.write_row(command)
        written = [table for table, volume in volumes(source, since).items() if volume.rows]
        if unknown := set(written) - set(TABLES):
            raise RuntimeError(
                f"an approval writes {', '.join(sorted(unknown))}, of which the floor knows nothing"
            )
        target.execute("GRANT USAGE ON SCHEMA bench TO tiendo_app")
        body = []
        for table in sorted(written, key=[*TABLES].index):
            _carry_over(source, target, table, since)
            body += _statements(target, table)
        target.execute(
            "CREATE FUNCTION bench.approve(the_number integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
            + " ".join(body)
            + " END $$"
        )
        target.execute("GRANT SELECT ON ALL TABLES IN SCHEMA bench TO tiendo_app")
        target.execute("VACUUM ANALYZE")
        return Floor(made.name, _digests(source, written, since))


def run(ground: Ground, floor: Floor, clients: int, commands: int, *, warm: int) -> Run:
    """Let pgbench write every recorded approval, and check that the rows are those of the recorded run.

    Shapes:
        clients: on at most two threads. commands: divisible by clients. warm: of each client, not counted.
    """
    pgbench = ground.server.programs / "pgbench"
    if not pgbench.exists():
        raise RuntimeError(f"the floor needs pgbench beside the server's programs; {pgbench} is not there")
    with ground.fresh(floor.template) as database:
        with ground.server.superuser(database.name) as connection:
            since = mark(connection)
        script, log = ground.folder / "floor.sql", ground.folder / "floor"
        script.write_text(_SCRIPT, encoding="utf-8")
        for old in ground.folder.glob("floor.[0-9]*"):
            old.unlink()
        before = ground.busy_seconds()
        done = subprocess.run(
            [
                str(pgbench), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
                f"--jobs={min(clients, 2)}", f"--transactions={commands // clients}", f"--file={script}",
                "--define=turn=-1", f"--define=clients={clients}", "--log", f"--log-prefix={log}", database.app_url,
            ],
            check=False, capture_output=True, text=True, cwd=ground.folder,
            env={"PGOPTIONS": "-c tiendo.reads=engine -c jit=off"},
        )  # fmt: skip
        server = ground.busy_seconds() - before
        if done.returncode:
            raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
        with ground.server.superuser(database.name) as connection:
            wrote = volumes(connection, since)
            written = [table for table, volume in wrote.items() if volume.rows]
            if commands == len(ground.cases) and _digests(connection, written, since) != floor.digests:
                raise RuntimeError("the floor did not write the rows of the recorded run")
        return run_of(_logged(ground, clients, warm), wrote, server_seconds=server, commands=commands)


def volumes(connection: Connection, since: int) -> dict[str, Volume]:
    """Return for every table how many rows were inserted or changed since a mark, and how many bytes they hold as text."""
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()
    found = {}
    for (table,) in names:
        asked = f"SELECT count(*), coalesce(sum(octet_length(t::text)), 0) FROM {table} t WHERE xmin::text::bigint >= {since}"
        row = connection.execute(asked.encode()).fetchone()
        assert row is not None
        found[str(table)] = Volume(int(str(row[0])), int(str(row[1])))
    return found


def _digests(connection: Connection, tables: Sequence[str], since: int) -> dict[str, str]:
    found = {}
    for table in tables:
        asked = (
            f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM {table} t"
            f" WHERE xmin::text::bigint >= {since}"
        )
        row = connection.execute(asked.encode()).fetchone()
        assert row is not None
        found[table] = str(row[0])
    return found


def _columns(connection: Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        (f"public.{table}",),
    ).fetchall()
    return [str(row[0]) for row in rows]


def _carry_over(source: Connection, target: Connection, table: str, since: int) -> None:
    """Bring the rows of the recorded run, each with the number of its approval, into an unlogged table.

    They are copied as they come from outside: a value that the store compresses is compressed when it is written.
    """
    columns = _columns(target, table)
    named = ", ".join(f't."{name}"' for name in columns)
    target.execute(
        f"CREATE UNLOGGED TABLE bench.{table} AS SELECT 0 AS number, {named} FROM {table} t LIMIT 0".encode()
    )
    wide = target.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attlen = -1",
        (f"bench.{table}",),
    )
    for (name,) in wide.fetchall():
        target.execute(f'ALTER TABLE bench.{table} ALTER COLUMN "{name}" SET STORAGE PLAIN'.encode())
    belongs = TABLES[table][1]
    if table == "receipt":
        owners, belongs = "(SELECT number, command AS owner FROM bench.command)", "command"
    else:
        owners = _OWNERS.format(mark=since)
    asked = (
        f"COPY (SELECT o.number, {named} FROM {table} t JOIN {owners} o ON o.owner = t.{belongs}"
        f" WHERE t.xmin::text::bigint >= {since} ORDER BY o.number) TO STDOUT (FORMAT binary)"
    )
    with (
        source.cursor().copy(asked.encode()) as out,
        target.cursor().copy(f"COPY bench.{table} FROM STDIN (FORMAT binary)".encode()) as into,
    ):
        for piece in out:
            into.write(piece)


def _statements(target: Connection, table: str) -> list[str]:
    """Return what writes the rows of one approval into a table: those that change one, then those that are new."""
    columns, key = _columns(target, table), TABLES[table][0]
    same = " AND ".join(f't."{name}" = s."{name}"' for name in key)
    there = f"EXISTS (SELECT 1 FROM {table} t WHERE {same})"
    found = []
    for kind, which in (("changed", there), ("new", f"NOT {there}")):
        staged = f"bench.{table}_{kind}"
        target.execute(f"CREATE UNLOGGED TABLE {staged} (LIKE bench.{table} INCLUDING STORAGE)".encode())
        done = target.execute(
            f"INSERT INTO {staged} SELECT * FROM bench.{table} s WHERE {which} ORDER BY number".encode()
        )
        if not done.rowcount:
            continue
        target.execute(f"CREATE INDEX ON {staged} (number)".encode())
        if kind == "new":
            named = ", ".join(f'"{name}"' for name in columns)
            found.append(
                f"INSERT INTO {table} ({named}) SELECT {named} FROM {staged} WHERE number = the_number;"
            )
        else:
            sets = ", ".join(f'"{name}" = s."{name}"' for name in _changing(target, table, columns, same))
            found.append(
                f"UPDATE {table} t SET {sets} FROM {staged} s WHERE s.number = the_number AND {same};"
            )
    target.execute(f"DROP TABLE bench.{table}".encode())
    return found


def _changing(target: Connection, table: str, columns: Sequence[str], same: str) -> list[str]:
    """Return the columns that a recorded approval gave another value at all."""
    differs = ", ".join(
        f'coalesce(bool_or(t."{name}"::text IS DISTINCT FROM s."{name}"::text), false)' for name in columns
    )
    row = target.execute(
        f"SELECT {differs} FROM {table} t JOIN bench.{table}_changed s ON {same}".encode()
    ).fetchone()
    assert row is not None
    return [name for name, is_changed in zip(columns, row, strict=True) if is_changed]


def _logged(ground: Ground, clients: int, warm: int) -> list[tuple[list[float], float]]:
    """Return for each client what its transactions took, in µs, and how long it was at them, in s; without the first."""
    took: list[list[float]] = [[] for _ in range(clients)]
    ends: list[list[float]] = [[] for _ in range(clients)]
    for file in ground.folder.glob("floor.[0-9]*"):
        for line in file.read_text(encoding="utf-8").splitlines():
            client, _, micros, _, seconds, fraction = line.split()[:6]
            took[int(client)].append(float(micros))
            ends[int(client)].append(int(seconds) + int(fraction) / 1e6)
    return [(one[warm:], end[-1] - end[warm - 1]) for one, end in zip(took, ends, strict=True)]
