"""Migrations, and who may do what in the log's database."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from bootstrap.migrate import (
    MIGRATIONS,
    PINNED,
    MigrationChangedError,
    migrate,
    migrate_all,
    pins,
)
from ledger.store.connections import connect
from tests.crash.serving import until

TABLES = (
    "head", "entries", "envelopes", "idempotency", "claims", "blobs", "tiles", "checkpoint",
    "checkpoints", "cosigned", "witnesses", "halt", "former_checkpoints",
)  # fmt: skip
ALLOWED = {
    "vaxledger_append": {
        ("SELECT", table)
        for table in (
            "head", "entries", "envelopes", "idempotency", "claims", "blobs", "checkpoint", "halt"
        )
    }
    | {("INSERT", table) for table in ("entries", "envelopes", "idempotency", "claims", "blobs")}
    | {("UPDATE", "head"), ("DELETE", "claims")},
    "vaxledger_integrate": {
        ("SELECT", table) for table in ("head", "entries", "tiles", "checkpoint", "checkpoints")
    }
    | {("INSERT", "tiles"), ("INSERT", "checkpoints"), ("UPDATE", "tiles")}
    | {("UPDATE", "checkpoint"), ("SELECT", "halt"), ("INSERT", "halt"), ("DELETE", "halt")},
    "vaxledger_read": {("SELECT", table) for table in TABLES},
    "vaxledger_erase": {("SELECT", "blobs"), ("DELETE", "blobs")},
    "vaxledger_witness": {
        ("SELECT", table) for table in ("checkpoint", "tiles", "cosigned", "witnesses")
    }
    | {("INSERT", "cosigned"), ("UPDATE", "cosigned"), ("DELETE", "cosigned")}
    | {("INSERT", "witnesses"), ("UPDATE", "witnesses")},
}  # fmt: skip


def test_a_second_run_finds_nothing_to_do(databases):
    assert migrate_all(databases.log, databases.keys) == []


def test_six_processes_at_once_apply_each_file_once(fresh_database):
    databases = fresh_database()
    barrier = threading.Barrier(6)

    def run(_: int) -> list[str]:
        barrier.wait()
        return migrate_all(databases.log, databases.keys)

    with ThreadPoolExecutor(6) as pool:
        applied = [name for names in pool.map(run, range(6)) for name in names]
    files = [str(file.relative_to(MIGRATIONS)) for file in MIGRATIONS.glob("*/*.sql")]
    assert sorted(applied) == sorted(files)


def test_an_applied_file_that_was_edited_is_refused(fresh_database, tmp_path):
    url = fresh_database().log
    file = tmp_path / "0001_first.sql"
    file.write_text("CREATE TABLE public.one (id int)")
    assert migrate(url, tmp_path) == ["0001_first.sql"]
    file.write_text("CREATE TABLE public.two (id int)")
    with pytest.raises(MigrationChangedError):
        migrate(url, tmp_path)


def test_the_digest_of_every_migration_is_pinned_for_ever():
    assert pins() == PINNED.read_text(encoding="utf-8"), "a new file: `make docs` pins it"


def test_a_pinned_file_that_was_edited_or_is_gone_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE public.one (id int)")
    (tmp_path / "SHA256SUMS").touch()
    for name, place in (("MIGRATIONS", tmp_path), ("PINNED", tmp_path / "SHA256SUMS")):
        monkeypatch.setattr(f"bootstrap.migrate.{name}", place)
    pinned = pins()
    (tmp_path / "SHA256SUMS").write_text(pinned)
    (folder / "0002_second.sql").write_text("SELECT 1")
    assert pins().startswith(pinned), "a new one comes to them"
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    (folder / "0001_first.sql").write_text("CREATE TABLE public.two (id int)")
    with pytest.raises(MigrationChangedError):
        pins()
    (folder / "0001_first.sql").unlink()
    with pytest.raises(MigrationChangedError):
        pins()


def test_a_file_that_fails_leaves_nothing_of_itself_and_all_before_it(fresh_database, tmp_path):
    url = fresh_database().log
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE public.good (id int)")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE public.bad (id int); SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(url, tmp_path)
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE public.bad (id int)")
    assert migrate(url, tmp_path) == ["0002_bad.sql"]


def test_a_migration_that_was_killed_leaves_nothing_and_the_next_is_not_kept_waiting(
    fresh_database, tmp_path
):
    url = fresh_database().log
    slow = tmp_path / "0001_slow.sql"
    slow.write_text("CREATE TABLE public.half (id int); SELECT pg_sleep(3600)")
    code = "import sys; from pathlib import Path; from bootstrap.migrate import migrate;"
    words = [sys.executable, "-c", f"{code} migrate(sys.argv[1], Path(sys.argv[2]))", url, tmp_path]
    asleep = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'"""
    with psycopg.connect(url, autocommit=True) as connection:
        with subprocess.Popen(words, cwd=MIGRATIONS.parents[1]) as process:
            until(lambda: connection.execute(asleep).fetchone() == (1,), "nothing sleeps", 60)
            process.kill()
        until(lambda: connection.execute(asleep).fetchone() == (0,), "it still sleeps", 60)
    slow.write_text("CREATE TABLE public.half (id int)")
    assert migrate(url, tmp_path) == ["0001_slow.sql"]


@pytest.fixture(scope="module")
def shared(fresh_database):
    databases = fresh_database()
    migrate_all(databases.log, databases.keys)
    return databases


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_may_do_exactly_what_its_part_needs(role, shared):
    with connect(shared.log, role) as connection:
        rows = connection.execute(
            "SELECT privilege, t FROM unnest(%s::text[]) AS t,"
            " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'])"
            " AS privilege WHERE has_table_privilege('ledger.' || t, privilege)",
            [list(TABLES)],
        ).fetchall()
    assert set(rows) == ALLOWED[role]


@pytest.mark.parametrize("table", ["entries", "envelopes", "idempotency"])
@pytest.mark.parametrize("role", ALLOWED)
def test_nobody_changes_or_removes_what_was_logged(role, table, shared):
    column = {"entries": "entry", "envelopes": "envelope", "idempotency": "request"}[table]
    with connect(shared.log, role) as connection:
        for statement in (
            f"UPDATE ledger.{table} SET {column} = {column}",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table}",
            f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL",
            f"DROP TABLE ledger.{table}",
        ):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)


def test_the_login_role_is_no_superuser_and_inherits_none_of_the_roles(log_url, rows):
    assert rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    assert rows(
        "SELECT inherit_option, set_option FROM pg_auth_members m"
        " WHERE m.member = current_user::regrole AND m.roleid = 'vaxledger_append'::regrole"
        " AND set_option"
    ) == [(False, True)]


def test_what_runs_as_the_owner_finds_no_type_or_table_of_its_caller(shared):
    for url in (shared.log, shared.keys):
        with psycopg.connect(url) as connection:
            paths = connection.execute(
                "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace NOT IN"
                " (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%')"
            ).fetchall()
        for name, config in paths:  # named last, the caller's own schema is looked at last
            assert config == ["search_path=pg_catalog, pg_temp"], name
    assert {"insert_keys", "note", "close_past"} <= {name for name, _ in paths}


def test_the_vault_stores_and_finds_keys_but_destroys_none(shared):
    with connect(shared.keys, "vaxledger_vault") as connection:
        connection.execute("SELECT FROM keys.people_keys")
        for statement in ("DELETE FROM keys.people_keys", "UPDATE keys.people_keys SET kek = ''"):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)
