"""Lists kept in a folder: the newest that was seen stays, and nobody else's is believed."""

from datetime import timedelta
from pathlib import Path

import pytest

from certificates.claims import STATEMENTS_A_LIST, StatusReference, status_of_statement
from certificates.issue import issue
from certificates.signing import PublicKey
from certificates.status import sign_status_list
from certificates.trust import sign_trust_list
from certificates.verify import Verdict
from client.credential_lists import CredentialLists
from client.errors import TrustError
from tests.unit.certificates.credentials import (
    DAY,
    ISSUER,
    NOW,
    OTHER_SIGNER,
    ROOT,
    SIGNER,
    check_statement,
    credential,
    history,
    status_list,
    trust_list,
)

FIRST = StatusReference(0, 345)
ROOTS: list[PublicKey] = [ROOT.public_key]


def folder_with(tmp_path: Path, *indexes: int) -> Path:
    (tmp_path / "status").mkdir()
    (tmp_path / "trust-list").write_bytes(sign_trust_list(trust_list(), ROOT))
    for name, uri in (
        ("0", ISSUER.status_list(0)),
        ("0-superseded", ISSUER.superseded_list(0)),
    ):
        raw = sign_status_list(status_list(*indexes, uri=uri), SIGNER)
        (tmp_path / "status" / name).write_bytes(raw)
    return tmp_path


def test_a_folder_is_all_that_it_takes(tmp_path: Path):
    text = issue(credential(history(3), status=FIRST), SIGNER)
    known = CredentialLists.load(folder_with(tmp_path), ROOTS)
    assert known.verify(text, NOW).verdict is Verdict.VALID
    assert len(known.statuses) == 2


def test_a_revoked_one_is_seen(tmp_path: Path):
    text = issue(credential(history(3), status=FIRST), SIGNER)
    known = CredentialLists.load(folder_with(tmp_path, FIRST.index), ROOTS)
    assert known.verify(text, NOW).verdict is Verdict.SUPERSEDED


def test_the_lists_of_check_statements_lie_beside_them(tmp_path: Path):
    place = status_of_statement(1234567)
    text = issue(credential(check_statement(), status=place), SIGNER)
    folder = folder_with(tmp_path)
    assert CredentialLists.load(folder, ROOTS).verify(text, NOW).verdict is Verdict.STALE_LIST
    for name, uri in (
        (f"{place.list}", ISSUER.status_list(place.list)),
        (f"{place.list}-superseded", ISSUER.superseded_list(place.list)),
    ):
        listed = status_list(place.index, uri=uri, size=STATEMENTS_A_LIST)
        (folder / "status" / name).write_bytes(sign_status_list(listed, SIGNER))
    assert CredentialLists.load(folder, ROOTS).verify(text, NOW).verdict is Verdict.SUPERSEDED


def test_a_trust_list_of_another_root_is_none(tmp_path: Path):
    with pytest.raises(TrustError):
        CredentialLists.load(folder_with(tmp_path), [OTHER_SIGNER.public_key])


def test_a_status_list_that_nobody_trusted_signed_is_none(tmp_path: Path):
    folder = folder_with(tmp_path)
    forged = sign_status_list(status_list(uri=ISSUER.status_list(0)), OTHER_SIGNER)
    (folder / "status" / "0").write_bytes(forged)
    known = CredentialLists.load(folder, ROOTS)
    assert known.statuses == ()
    text = issue(credential(history(3), status=FIRST), SIGNER)
    assert known.verify(text, NOW).verdict is Verdict.STALE_LIST


def test_lists_that_are_over_say_how_far_they_reach(tmp_path: Path):
    text = issue(credential(history(3), status=FIRST), SIGNER)
    known = CredentialLists.load(folder_with(tmp_path), ROOTS)
    found = known.verify(text, NOW + 8 * DAY)
    assert found.verdict is Verdict.STALE_LIST
    assert found.as_of is not None
    assert NOW - found.as_of < timedelta(days=1)
