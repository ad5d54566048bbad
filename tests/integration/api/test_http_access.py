"""Who looked: noted before the answer, shown to those it concerns, and not to be taken away."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege

from bootstrap.embedded.postgres import EmbeddedPostgres
from commands.access import Broken, check_journal, close_minutes
from ledger.entry import Entry
from ledger.store.connections import connect
from tests.days import today
from tests.drafts import id_number
from tests.integration.api.conftest import Author, Child, County, Served, citizen, register

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def mother_number() -> str:
    return id_number("19870202")


@pytest.fixture(scope="module")
def child(county: County, mother_number: str) -> Child:
    child = register(county.clinic, mother_number=mother_number)
    county.served.caught_up()
    return child


@pytest.fixture(scope="module")
def mother(county: County, mother_number: str) -> Author:
    return citizen(county.served, mother_number)


@pytest.fixture(scope="module")
def superuser(served: Served, postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    name = conninfo_to_dict(served.parts.settings.keys_url or "")["dbname"]
    with psycopg.connect(postgres.superuser_url(name), autocommit=True) as connection:
        yield connection


def seen(reader: Author, child: Child) -> list[dict]:
    answer = reader.get(f"/v1/records/{child.record}/access")
    assert answer.status_code == 200, answer.text
    return answer.json()["reads"]


def close_now(served: Served, superuser: psycopg.Connection) -> int:
    """Close every minute that has rows, as if it were over."""
    superuser.execute(
        "UPDATE access.closed SET through ="
        " greatest(through, (SELECT max(minute) FROM access.reads))"
    )
    return close_minutes(served.parts.services, served.views.access)


def checked(served: Served) -> tuple[int, list[Broken]]:
    entries = [Entry.decode(raw) for _, raw in served.parts.reader.access_closings(0, 10_000)]
    return check_journal(served.views.access, entries)


def test_a_mother_sees_who_looked_and_why(county: County, child: Child, mother: Author):
    path = f"/v1/records/{child.record}"
    county.clinic.get(path)
    county.cdc.served.http.get(
        f"{path}/timeline", headers=county.cdc.bearer | {"Access-Purpose": "outbreak"}
    )
    county.clinic.call("/v1/records/search", {"id_number": child.mother_number})
    lines = [(line["role"], line["purpose"], line["what"]) for line in seen(mother, child)]
    assert lines[:4] == [
        ("guardian", "own-record", "access"),
        ("clinic", "care", "search"),
        ("county-cdc", "outbreak", "timeline"),
        ("clinic", "care", "record"),
    ]
    assert seen(mother, child)[-1]["organisation_name"] == "第一门诊"
    assert "reader" not in seen(mother, child)[0]


def test_a_head_of_staff_tells_readers_apart_without_their_names(county: County, child: Child):
    county.clinic.get(f"/v1/records/{child.record}")
    lines = seen(county.cdc, child)
    assert len({line["reader"] for line in lines if line["role"] == "clinic"}) == 1
    assert all(set(line["reader"]) <= set("0123456789abcdef") for line in lines)


@pytest.mark.parametrize("who", ["other_clinic", "far_clinic", "school", "operator"])
def test_nobody_else_sees_who_looked(county: County, child: Child, who: str):
    author: Author = getattr(county, who)
    assert author.get(f"/v1/records/{child.record}/access").status_code == 404
    assert author.get(f"/v1/records/{uuid4()}/access").status_code == 404


def test_another_child_s_mother_does_not_either(county: County, child: Child):
    stranger = citizen(county.served, id_number("19850505"))
    assert stranger.get(f"/v1/records/{child.record}/access").status_code == 404


def test_a_purpose_that_is_none_reads_nothing(county: County, child: Child):
    before = len(seen(county.cdc, child))
    answer = county.clinic.served.http.get(
        f"/v1/records/{child.record}",
        headers=county.clinic.bearer | {"Access-Purpose": "curiosity"},
    )
    assert answer.status_code == 422
    assert "王小明" not in answer.text
    assert len(seen(county.cdc, child)) == before + 1  # the second look at the journal itself


def test_what_cannot_be_noted_is_not_answered(
    county: County, child: Child, superuser: psycopg.Connection
):
    superuser.execute("REVOKE EXECUTE ON FUNCTION access.note FROM vaxledger_journal")
    try:
        answer = county.clinic.get(f"/v1/records/{child.record}")
    finally:
        superuser.execute("GRANT EXECUTE ON FUNCTION access.note TO vaxledger_journal")
    assert answer.status_code == 503
    assert "王小明" not in answer.text
    assert county.clinic.get(f"/v1/records/{child.record}").status_code == 200


def test_many_readers_at_once_are_all_noted(county: County, child: Child):
    before = len(seen(county.cdc, child))
    threads = [
        threading.Thread(target=county.clinic.get, args=(f"/v1/records/{child.record}",))
        for _ in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen(county.cdc, child)) == before + 24 + 1


def test_a_minute_is_closed_once_with_the_root_of_its_rows(
    county: County, child: Child, served: Served, superuser: psycopg.Connection
):
    county.clinic.get(f"/v1/records/{child.record}")
    head = served.head()
    logged = close_now(served, superuser)
    assert logged > 0
    assert served.head() == head + logged
    assert close_now(served, superuser) == 0  # nothing was read since
    superuser.execute("DELETE FROM access.logged")  # as if each had died before noting it
    assert close_minutes(served.parts.services, served.views.access) >= logged
    assert served.head() == head + logged
    assert checked(served)[1] == []


def test_two_closers_at_once_log_a_minute_once(
    county: County, child: Child, served: Served, superuser: psycopg.Connection
):
    close_now(served, superuser)
    county.clinic.get(f"/v1/records/{child.record}")
    head = served.head()
    superuser.execute("UPDATE access.closed SET through = (SELECT max(minute) FROM access.reads)")
    threads = [
        threading.Thread(target=close_minutes, args=(served.parts.services, served.views.access))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served.head() == head + 1


def test_nothing_comes_to_a_minute_that_is_closed(
    county: County, child: Child, served: Served, superuser: psycopg.Connection
):
    close_now(served, superuser)
    through = superuser.execute("SELECT through FROM access.closed").fetchone()[0]
    county.clinic.get(f"/v1/records/{child.record}")
    newest = superuser.execute(
        "SELECT minute FROM access.reads ORDER BY at DESC LIMIT 1"
    ).fetchone()
    assert newest[0] > through
    assert checked(served)[1] == []


ATTACKS = {
    "one row removed": "DELETE FROM access.reads WHERE id = %(row)s",
    "all rows of the minute removed": "DELETE FROM access.reads WHERE minute = %(minute)s",
    "the reader is another": "UPDATE access.reads SET reader = %(other)s WHERE id = %(row)s",
    "the purpose is another": "UPDATE access.reads SET purpose = 'audit' WHERE id = %(row)s",
    "the record is taken out": "UPDATE access.reads SET records = '{}' WHERE id = %(row)s",
    "a row more": "INSERT INTO access.reads SELECT gen_random_uuid(), minute, at, organisation,"
    " role, reader, purpose, what, records FROM access.reads WHERE id = %(row)s",
    "moved to another minute": "UPDATE access.reads SET minute = minute - interval '1 day'"
    " WHERE id = %(row)s",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_superuser_s_change_to_a_closed_minute_is_found(
    attack: str, county: County, child: Child, served: Served, superuser: psycopg.Connection
):
    county.clinic.get(f"/v1/records/{child.record}")
    close_now(served, superuser)
    assert checked(served)[1] == []
    row, minute = superuser.execute(
        "SELECT id, minute FROM access.reads ORDER BY minute DESC, id LIMIT 1"
    ).fetchone()
    kept = superuser.execute("SELECT * FROM access.reads").fetchall()
    superuser.execute(ATTACKS[attack], {"row": row, "minute": minute, "other": b"x" * 32})
    found = {one.minute for one in checked(served)[1]}
    superuser.execute("DELETE FROM access.reads")
    with superuser.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO access.reads VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", kept
        )
    assert minute.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") in found
    assert checked(served)[1] == []


def test_the_journal_s_role_changes_and_removes_nothing(served: Served):
    with connect(served.parts.settings.keys_url, "vaxledger_journal") as connection:
        for statement in (
            "DELETE FROM access.reads",
            "UPDATE access.reads SET purpose = 'audit'",
            "UPDATE access.closed SET through = now()",
            "INSERT INTO access.reads SELECT * FROM access.reads",
            "SELECT FROM keys.people_keys",
        ):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)


def run(served: Served, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "cli", "access", *words, "--json"],
        cwd=ROOT,
        env=dict(served.parts.settings.environment()),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_commands_verify_the_journal_and_report_the_year(
    county: County, child: Child, served: Served, superuser: psycopg.Connection
):
    county.clinic.get(f"/v1/records/{child.record}")
    close_now(served, superuser)
    done = run(served, "verify")
    assert (done.returncode, json.loads(done.stdout)["broken"]) == (0, []), done.stderr
    year = today().year
    report = json.loads(run(served, "report", "--year", str(year)).stdout)
    assert report["reads"] >= 1
    assert report["records"] >= 1
    assert {"organisation", "role", "purpose", "what", "reads"} == set(report["by"][0])
    (row,) = superuser.execute("SELECT id FROM access.reads ORDER BY minute, id LIMIT 1").fetchone()
    superuser.execute("DELETE FROM access.reads WHERE id = %s", [row])
    assert run(served, "verify").returncode == 1
