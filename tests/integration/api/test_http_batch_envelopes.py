"""Writes under one signature for many: each is taken by itself and proves alone."""

from dataclasses import replace

import pytest

from ledger.envelope import BatchMember, decode_evidence
from tests.integration.api.conftest import County, registration
from tests.integration.api.test_http_bad_input import refused


@pytest.fixture
def batch(county: County):
    drafts = [registration(county.clinic)[0] for _ in range(5)]
    return county.clinic.key.sign_batch(county.served.parts.settings.origin, drafts)


def post(author, write, **headers):
    return author.post("/v1/records", write, **headers)


def test_lines_of_a_batch_are_taken_in_any_order_and_prove_alone(county, batch):
    answers = [post(county.clinic, write) for write in (batch[3], batch[0], batch[4])]
    assert [answer.status_code for answer in answers] == [201] * 3
    reader = county.served.parts.reader
    for answer, write in zip(answers, (batch[3], batch[0], batch[4]), strict=True):
        entry = answer.json()
        stored = reader.envelope(author_envelope(entry["entry"]))
        assert decode_evidence(stored) == write.envelope
    county.served.verified()


def author_envelope(entry: str) -> str:
    return entry.partition('"envelope":"')[2][:64]


def test_a_line_sent_twice_gets_its_first_answer(county, batch):
    first, again = (post(county.clinic, batch[1]) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["position"] == first.json()["position"]


def bent(member: BatchMember, **changes) -> BatchMember:
    return replace(member, **changes)


def test_a_line_that_the_batch_does_not_hold_is_refused(county, batch):
    """Another's place, another's path, another size, and a line smuggled in."""
    head = county.served.head()
    one, two = batch[0].envelope, batch[1].envelope
    for forged in (
        bent(one, index=1),
        bent(one, path=two.path),
        bent(one, size=4),
        bent(one, path=()),
    ):
        refused(post(county.clinic, replace(batch[0], envelope=forged)), 403, "signature-refused")
    smuggled = county.clinic.sign(registration(county.clinic)[0])
    forged = bent(one, payload=smuggled.statement.encode())
    refused(post(county.clinic, replace(smuggled, envelope=forged)), 403, "signature-refused")
    assert county.served.head() == head


def test_a_batch_that_another_signed_is_refused(county, batch):
    answer = post(county.other_clinic, batch[2])
    refused(answer, 403, "key-unknown")


def test_an_event_s_envelope_does_not_pass_for_a_batch_s(county, batch):
    single = county.clinic.sign(registration(county.clinic)[0])
    forged = bent(batch[0].envelope, envelope=single.envelope)
    refused(post(county.clinic, replace(batch[0], envelope=forged)), 400, "malformed-statement")
    bare = replace(batch[0], envelope=batch[0].envelope.envelope)
    refused(post(county.clinic, bare), 400, "malformed-statement")
