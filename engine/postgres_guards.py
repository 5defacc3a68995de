"""Guards inside a PostgreSQL store: what nobody may change, what the working role may do, what a reader may see.

They are created anew at the end of every migration, by the owner, and compared with what must be there whenever the
store is opened. They stop accidents, injected SQL and a forgotten filter, not the owner; that is what the chain is for.

Row security repeats the one filter of visibility (engine/visibility.py). A connection says in `tiendo.reads` for whom it
reads: `engine` for the transactions of commands, else the ids of what a person is bound to. Whoever says nothing sees
nothing. Only operators that leak nothing are used, because others would keep the planner from the indexes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.append_only import GuardsMissing
from engine.table_names import APPEND_ONLY, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from engine.append_only import Ask

#: The role that everything but migrations runs as.
APP = "tiendo_app"
_READS = "current_setting('tiendo.reads', true)"
_ENGINE = f"({_READS} = 'engine')"
#: Function -> its body; each refuses with a broken constraint, as SQLite's guards do.
_FUNCTIONS = {
    "tiendo_append_only": """
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
""",
    "tiendo_only_erased": """
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'personal_value is erased, not deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.value IS NOT NULL OR NEW.salt IS NOT NULL OR NEW.commitment <> OLD.commitment
     OR NEW.context <> OLD.context OR NEW.subject <> OLD.subject THEN
    RAISE EXCEPTION 'personal_value can only be erased' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
""",
}
_ROOTS = "SELECT p.case_id FROM case_party p WHERE p.bound = ANY (string_to_array(current_setting('tiendo.reads', true), ' '))"
#: Table -> what a row must fulfil to be seen. Only commands write, and only they hand out the bytes of files, after they
#: looked at the case.
_SEEN = {
    "workflow_case": f"{_ENGINE} OR root IN ({_ROOTS})",
    "transition_log": f"{_ENGINE} OR subject_kind <> 'case'"  # noqa: S608 - our own words
    " OR EXISTS (SELECT 1 FROM workflow_case c WHERE c.id = transition_log.subject)",
    "file": _ENGINE,
    "file_chunk": _ENGINE,
}
#: Tables whose rows change all the time: dead ones are taken away early, so that looking for what is due stays short.
_RESTLESS = ("outbox", "timer", "unfolded", "workflow_case", "number_series", "serving")


def triggers() -> dict[str, tuple[str, str]]:
    """Return name -> (table, statement) of every trigger."""
    found: dict[str, tuple[str, str]] = {}
    for table in (*APPEND_ONLY, "personal_value"):
        function = "tiendo_only_erased" if table == "personal_value" else "tiendo_append_only"
        for deed in ("UPDATE", "DELETE", "TRUNCATE"):
            name = f"guard_{table}_{deed.lower()}"
            scope = "STATEMENT" if deed == "TRUNCATE" else "ROW"
            found[name] = (
                table,
                f"CREATE TRIGGER {name} BEFORE {deed} ON public.{table} FOR EACH {scope} EXECUTE FUNCTION {function}()",
            )
    return found


def rights(table: str) -> tuple[str, ...]:
    """Return what the working role may do with a table."""
    if table in APPEND_ONLY:
        return ("SELECT", "INSERT")
    if table == "personal_value":
        return ("SELECT", "INSERT", "UPDATE")
    return ("SELECT",) if table == "alembic_version" else ("SELECT", "INSERT", "UPDATE", "DELETE")


def install(connection: Connection) -> None:
    """Create functions, triggers, policies, rights and orders of sorting anew; safe to run again."""
    run = connection.exec_driver_sql
    there = _tables_there(connection)
    _sort_by_code_point(connection, there)
    for name, body in _FUNCTIONS.items():
        run(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET search_path = pg_catalog, public AS $guard${body}$guard$".replace("%", "%%")
        )
    for name, (table, statement) in triggers().items():
        if table in there:
            run(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            run(statement)
            run(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    for table, seen in _SEEN.items():
        if table in there:
            run(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            run(f"DROP POLICY IF EXISTS seen ON {table}")
            run(f"CREATE POLICY seen ON {table} TO {APP} USING ({seen}) WITH CHECK {_ENGINE}")
    run(f"GRANT USAGE ON SCHEMA public TO {APP}")
    for table in there:
        run(f"REVOKE ALL ON {table} FROM PUBLIC, {APP}")
        run(f"GRANT {', '.join(rights(table))} ON {table} TO {APP}")
    for table in _RESTLESS:
        if table in there:
            run(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 85)")


def lift(connection: Connection) -> None:
    """Take the policies away before a migration: what a policy names can't be dropped or altered."""
    for table in _tables_there(connection):
        connection.exec_driver_sql(f"DROP POLICY IF EXISTS seen ON {table}")


def _tables_there(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).scalars()
    return sorted(set(found) & {*TABLES, "alembic_version"})


def _sort_by_code_point(connection: Connection, there: list[str]) -> None:
    """Give every text column the order of its code points: what sorts must not depend on how a database was made."""
    columns = connection.exec_driver_sql(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND o.collname <> 'C'"
    ).all()
    for table in there:
        changes = [
            f'ALTER COLUMN "{name}" TYPE {kind} COLLATE "C"' for each, name, kind in columns if each == table
        ]
        if changes:
            connection.exec_driver_sql(f"ALTER TABLE {table} {', '.join(changes)}")


def check(ask: Ask, path: str) -> None:
    """Compare the guards in the store with those that must be there.

    Errors:
        GuardsMissing: naming every guard that is missing, changed or not ours.
    """
    wrong = {*_wrong_triggers(ask), *_wrong_functions(ask), *_wrong_policies(ask)}
    if wrong:
        raise GuardsMissing(path=path, names=", ".join(sorted(wrong)))


def _wrong_triggers(ask: Ask) -> set[str]:
    rows = ask(
        "SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"  # noqa: S608
        f" WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND c.relname IN {_listed(TABLES)}"
    )
    found = {name: (statement, enabled) for name, statement, enabled in rows}
    must = {name: (statement, "A") for name, (_, statement) in triggers().items()}
    return {name for name in must.keys() | found.keys() if must.get(name) != found.get(name)}


def _wrong_functions(ask: Ask) -> set[str]:
    rows = ask(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"  # noqa: S608
        f" AND proname IN {_listed(_FUNCTIONS)}"
    )
    found = {row[0]: row[1] for row in rows}
    return {name for name, body in _FUNCTIONS.items() if found.get(name) != body}


def _wrong_policies(ask: Ask) -> set[str]:
    rows = ask(
        "SELECT c.relname, c.relrowsecurity, p.polname, p.polpermissive, pg_get_expr(p.polqual, c.oid),"  # noqa: S608
        " pg_get_expr(p.polwithcheck, c.oid) FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
        f" WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN {_listed(TABLES)}"
    )
    found = {
        (table, name): (on, permissive, _bare(seen), _bare(written))
        for table, on, name, permissive, seen, written in rows
        if name is not None or table in _SEEN
    }
    must = {(table, "seen"): (True, True, _bare(seen), _bare(_ENGINE)) for table, seen in _SEEN.items()}
    return {
        f"policy of {table}"
        for table, name in must.keys() | found.keys()
        if must.get((table, name)) != found.get((table, name))
    }


def _listed(names: Iterable[str]) -> str:
    """Return words of our own as SQL."""
    quoted = (f"'{name}'" for name in names)
    return f"({', '.join(quoted)})"


def _bare(expression: str | None) -> str:
    """Return an expression without what the server adds when it writes it down: brackets, casts and blanks."""
    return re.sub(r"::(text|character varying)(\[\])?|[\s()]", "", expression or "").lower()
