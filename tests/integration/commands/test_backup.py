"""Backups of real databases: what they hold, what is refused, and that nothing goes back."""

import json
import resource
import shutil
from datetime import UTC, datetime

import psycopg
import pytest

from bootstrap.backup import BackupError, Folders, back_up, restore, verify
from bootstrap.folders import outside_path
from bootstrap.halting import refuse_halted
from bootstrap.log_keys import log_signers
from bootstrap.migrate import migrate_all
from bootstrap.wiring import wire
from ledger.store.errors import RolledBack
from ledger.store.integration import Integrator
from projections.change import read_change
from tests import drafts
from tests.leading import lead

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def integrate(settings):
    outside_path(settings).parent.mkdir(mode=0o700, exist_ok=True)
    integrator = Integrator(settings.database_url, log_signers(settings), outside_path(settings))
    try:
        lead(integrator)
        while integrator.round():
            pass
    finally:
        integrator.close()


def newborn(county, name):
    """Register a child; return the position of its entry."""
    child = {"name": name, "sex": "male", "birth_date": "2014-06-15"}
    mother = {"name": "李梅", "id_number": drafts.id_number("19880303", is_female=True)}
    draft, _, _ = drafts.registration(county.clinic.organisation, "410299101", child, mother)
    return county.clinic.submit(draft).position


def opened(parts, position):
    """The names that an entry has sealed, None for what does not open."""
    change = read_change(position, parts.reader.recorded(position))
    return {values and values["name"] for values in parts.vault.unseal([change]).values()}


@pytest.fixture(scope="module")
def position(county):
    return newborn(county, "王小明")


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path / "log", tmp_path / "keys", tmp_path / "secrets")


@pytest.fixture
def elsewhere(parts, fresh_database):
    """The settings of the installation with two new databases."""
    urls = fresh_database()
    return parts.settings.model_copy(update={"database_url": urls.log, "keys_url": urls.keys})


@pytest.fixture
def backup(parts, position, folders):
    integrate(parts.settings)
    return back_up(parts.settings, folders, NOW)


def test_what_is_put_back_is_the_log_and_what_was_added_since_is_missed(
    county, parts, position, backup, folders, elsewhere
):
    assert backup.size >= position
    assert restore(elsewhere, folders) == backup.size
    refuse_halted(elsewhere)  # all that was signed is there
    with wire(elsewhere) as found:
        assert opened(found, position) == {"王小明", "李梅"}
    with psycopg.connect(elsewhere.keys_url) as keys:
        keys.execute("SET ROLE vaxledger_people")
        assert keys.execute("SELECT count(*) FROM people.people").fetchone() == (0,), "made anew"
    newborn(county, "王小妹")
    integrate(parts.settings)
    with pytest.raises(RolledBack):
        refuse_halted(elsewhere)


def test_databases_with_something_in_them_are_not_touched(parts, backup, folders, elsewhere):
    with pytest.raises(BackupError, match="not empty"):
        restore(parts.settings, folders)
    migrate_all(elsewhere.database_url, elsewhere.keys_url)
    assert restore(elsewhere, folders) == backup.size, "an empty schema is nothing"
    with pytest.raises(BackupError, match="not empty"):
        restore(elsewhere, folders)


def test_a_new_machine_gets_the_secrets_and_the_checkpoint(
    backup, folders, elsewhere, position, tmp_path
):
    there = elsewhere.model_copy(update={"data_dir": tmp_path / "data"})
    assert restore(there, folders) == backup.size
    refuse_halted(there)
    with wire(there) as found:
        assert opened(found, position) == {"王小明", "李梅"}
    for folder in (folders.keys, folders.secrets, tmp_path / "data" / "secrets"):
        for path in (folder, *folder.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_backup_that_broke_off_for_want_of_room_is_none(parts, position, folders):
    integrate(parts.settings)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # the program is killed where it ends
    try:
        with pytest.raises(BackupError, match="a program of PostgreSQL failed"):
            back_up(parts.settings, folders, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(BackupError, match="no manifest"):
        verify(folders)
    with pytest.raises(BackupError, match="not empty"):
        back_up(parts.settings, folders, NOW)
    for folder in (folders.log, folders.keys, folders.secrets):
        shutil.rmtree(folder, ignore_errors=True)
    assert back_up(parts.settings, folders, NOW).size >= position


def test_without_the_secrets_the_keys_open_nothing(backup, folders, elsewhere, position, tmp_path):
    there = elsewhere.model_copy(update={"data_dir": tmp_path / "data"})
    assert restore(there, Folders(folders.log, folders.keys)) == backup.size
    with wire(there) as found, pytest.raises(Exception, match="key"):
        opened(found, position)


def test_other_secrets_are_never_replaced(backup, folders, elsewhere, tmp_path):
    there = elsewhere.model_copy(update={"data_dir": tmp_path / "data"})
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    (tmp_path / "data" / "secrets" / "pepper").write_text("0" * 64)
    with pytest.raises(BackupError, match="other secrets"):
        restore(there, folders)


def test_what_was_altered_left_out_or_mixed_is_refused(parts, backup, folders, tmp_path):
    assert {part: one.backup for part, one in verify(folders).items()} == dict.fromkeys(
        ("log", "keys", "secrets"), backup.backup
    )
    with pytest.raises(BackupError, match="not empty"):
        back_up(parts.settings, folders, NOW)
    with pytest.raises(BackupError, match="not apart"):
        Folders(tmp_path / "log", tmp_path / "log" / "keys")
    with pytest.raises(BackupError, match="another part"):
        verify(Folders(folders.keys, folders.log))
    manifest = folders.keys / "manifest.json"
    before = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(before) | {"backup": "another"}))
    with pytest.raises(BackupError, match="two backups"):
        verify(folders)
    manifest.write_text(before)
    dump = folders.keys / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1] + b"x")
    with pytest.raises(BackupError, match="files differ"):
        verify(folders)
    dump.unlink()
    with pytest.raises(BackupError, match="files differ"):
        verify(folders)
    manifest.unlink()
    with pytest.raises(BackupError, match="no manifest"):
        verify(folders)


def test_another_log_s_backup_is_refused(backup, folders, elsewhere):
    other = elsewhere.model_copy(update={"origin": "log.example/other"})
    with pytest.raises(BackupError, match="another log"):
        restore(other, folders)
