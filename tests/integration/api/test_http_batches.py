"""Many writes in one request: a verdict for each, and nothing that a single write could not do."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from api import batches
from api.batches import MAX_LINES
from api.body import MAX_BODY_BYTES
from api.parts import PER_SENDER
from client.bulk import PATH
from client.errors import ReceiptError
from client.http import AsyncClient, Caller, Client
from client.signing import Draft, SignedWrite
from client.sources import StoreSource
from client.trust import Trust
from client.verify import verify_log
from tests import drafts
from tests.integration.api.conftest import (
    Author,
    Child,
    County,
    dose,
    register,
    registration,
)
from tests.integration.api.test_http_bad_input import refused

NDJSON = "application/x-ndjson"


def signed(author: Author, drafts: Sequence[Draft]) -> list[SignedWrite]:
    return author.key.sign_batch(author.served.parts.settings.origin, drafts)


def newborns(author: Author, count: int) -> list[Draft]:
    return [registration(author)[0] for _ in range(count)]


def course(author: Author, child: Child, count: int) -> list[Draft]:
    """Doses of one child, each at the version that the one before leaves."""
    days = [f"2015-0{month}-15" for month in range(1, count + 1)]
    made = [dose(author, child, occurred_on=day) for day in days]
    return [replace(one, expected_version=number) for number, one in enumerate(made, 1)]


@pytest.mark.parametrize(
    ("line", "verdict"), [(b"{", "malformed-json"), (b"{}", "malformed-statement")]
)
def test_nonsense_is_not_read_for_ever_and_each_line_has_its_verdict(
    county: County, line: bytes, verdict: str
):
    head, clinic = county.served.head(), county.clinic
    sender = replace(clinic, principal=replace(clinic.principal, subject=f"of {verdict}"))
    found = list(map(outcome, verdicts(send(sender, (line + b"\n") * MAX_LINES))))
    assert len(found) == MAX_LINES
    assert found[: PER_SENDER.burst] == [verdict] * PER_SENDER.burst
    assert set(found[PER_SENDER.burst :]) <= {verdict, "asked-too-often"}
    assert "asked-too-often" in found
    assert county.served.head() == head
    refused(send(sender, line + b"\n"), 429, "asked-too-often")


def body_of(writes: Sequence[SignedWrite]) -> bytes:
    return b"".join(write.body() + b"\n" for write in writes)


def send(author: Author, body: bytes, **headers: str) -> httpx.Response:
    sent = {**author.bearer, "Content-Type": NDJSON, **headers}
    return author.served.http.post(PATH, content=body, headers=sent, timeout=60)


def verdicts(answer: httpx.Response) -> list[dict]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON), answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["line"] for one in found] == list(range(1, len(found) + 1))
    return found


def outcome(verdict: dict) -> int | str:
    problem = verdict.get("problem")
    return problem["type"].removeprefix("/problems/") if problem else verdict["status"]


def outcomes(author: Author, body: bytes) -> list[int | str]:
    return [outcome(one) for one in verdicts(send(author, body))]


def test_every_line_is_written_stands_alone_and_the_whole_log_holds(county: County):
    child = register(county.clinic)
    writes = signed(county.clinic, [*newborns(county.clinic, 3), *course(county.clinic, child, 4)])
    found = verdicts(send(county.clinic, body_of(writes)))
    assert [one["status"] for one in found] == [201] * 7
    assert [one["version"] for one in found] == [1, 1, 1, 2, 3, 4, 5]
    assert [one["replayed"] for one in found] == [False] * 7
    origin = county.clinic.served.parts.settings.origin
    trust = Trust.parse(county.served.http.get("/log.vkey").content, origin)
    token = county.served.token(county.clinic.principal)
    with Client(Caller(county.served.url, token, trust, county.clinic.key)) as client:
        for one, write in zip(found, writes, strict=True):
            assert client.receipt(one["receipt"], write).position == one["position"]
        with pytest.raises(ReceiptError):
            client.receipt(found[0]["receipt"], writes[1])
    county.served.caught_up()
    verify_log(StoreSource(county.served.parts.reader), trust)


def test_the_same_request_again_brings_the_same_positions_and_writes_nothing(county: County):
    body = body_of(signed(county.clinic, newborns(county.clinic, 4)))
    first = verdicts(send(county.clinic, body))
    head = county.served.head()
    again = verdicts(send(county.clinic, body))
    assert [one["position"] for one in again] == [one["position"] for one in first]
    assert {one["replayed"] for one in again} == {True}
    assert county.served.head() == head


def test_a_line_twice_in_one_batch_is_written_once(county: County):
    (write,) = signed(county.clinic, newborns(county.clinic, 1))
    head = county.served.head()
    one, other = verdicts(send(county.clinic, body_of([write, write])))
    assert one["position"] == other["position"] == head + 1
    assert (one["replayed"], other["replayed"]) == (False, True)
    assert county.served.head() == head + 1


def test_a_line_that_was_sent_alone_before_is_no_other_write(county: County):
    write, other = signed(county.clinic, newborns(county.clinic, 2))
    alone = county.clinic.post("/v1/records", write).json()
    found = verdicts(send(county.clinic, body_of([other, write])))
    assert (found[1]["position"], found[1]["replayed"]) == (alone["position"], True)


def test_one_bad_line_among_good_ones_is_told_and_hinders_nobody(county: County):
    writes = signed(county.clinic, newborns(county.clinic, 6))
    lines = [write.body() for write in writes]
    lines[1] = lines[1][:-5]
    lines[2] = b""
    lines[3] = lines[3] + b" " * MAX_BODY_BYTES
    lines[4] = b"[" * 40 + b"]" * 40
    head = county.served.head()
    assert outcomes(county.clinic, b"\n".join(lines)) == [
        *(201, "malformed-json", "malformed-json", "body-too-large", "nested-too-deep", 201)
    ]
    assert county.served.head() == head + 2


def test_a_broken_rule_in_the_middle_of_a_course_stops_that_child_alone(county: County):
    ill, well = register(county.clinic), register(county.clinic)
    bent = course(county.clinic, ill, 3)
    bent[1] = replace(bent[1], data={**bent[1].data, "occurred_on": "2013-01-01"})
    drafts = [
        one for pair in zip(bent, course(county.clinic, well, 3), strict=True) for one in pair
    ]
    found = outcomes(county.clinic, body_of(signed(county.clinic, drafts)))
    assert found[1::2] == [201, 201, 201]
    assert found[0] == 201
    assert isinstance(found[2], str)
    assert found[4] == "version-conflict"


def test_members_that_the_batch_does_not_hold_are_refused_line_by_line(county: County):
    """Another's place, another's path, another size, a line smuggled in; one is left as it was."""
    writes = signed(county.clinic, newborns(county.clinic, 5))
    one, two = writes[0].envelope, writes[1].envelope
    stranger = county.clinic.sign(newborns(county.clinic, 1)[0])
    smuggled = replace(one, payload=stranger.statement.encode())
    forged = [
        replace(writes[0], envelope=replace(one, index=1)),
        replace(writes[0], envelope=replace(one, path=two.path)),
        replace(writes[0], envelope=replace(one, size=4)),
        replace(stranger, envelope=smuggled),
        writes[4],
    ]
    head = county.served.head()
    assert outcomes(county.clinic, body_of(forged)) == [*["signature-refused"] * 4, 201]
    assert county.served.head() == head + 1


def test_a_signed_root_over_other_payloads_covers_no_line(county: County):
    writes = signed(county.clinic, newborns(county.clinic, 3))
    root = signed(county.clinic, newborns(county.clinic, 3))[0].envelope.envelope
    forged = [replace(one, envelope=replace(one.envelope, envelope=root)) for one in writes]
    assert outcomes(county.clinic, body_of(forged)) == ["signature-refused"] * 3


def test_a_batch_that_another_clinic_signed_is_refused(county: County):
    writes = signed(county.clinic, newborns(county.clinic, 3))
    assert outcomes(county.other_clinic, body_of(writes)) == ["key-unknown"] * 3


def test_what_a_clinic_may_not_write_alone_it_may_not_write_among_others(county: County):
    """A dose in another clinic's name, a record for another to manage, an organisation."""
    far, near = county.far_clinic, county.clinic
    child = register(near)
    in_its_name = course(near, child, 1)[0]
    for_it = registration(near)[0]
    origin = county.served.parts.settings.origin
    _, founding = drafts.organisation(origin, "第三门诊", "clinic", near.principal.division)
    forbidden = [in_its_name, for_it, founding]
    paths = (f"/v1/records/{child.record}/doses", "/v1/records", "/v1/organisations")
    alone = [far.post(*one) for one in zip(paths, forbidden, strict=True)]
    assert [one.status_code for one in alone] == [404, 403, 403]
    head = county.served.head()
    own = newborns(far, 1)
    inside = outcomes(far, body_of(signed(far, [*forbidden, *own])))
    assert inside == [*(one.json()["type"].rpartition("/")[2] for one in alone), 201]
    assert county.served.head() == head + 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"{}\n" * (batches.MAX_LINES + 1), {}, 413, "too-many-lines"),
        (b" " * (batches.MAX_BATCH_BYTES + 1), {}, 413, "body-too-large"),
        (b"", {}, 422, "malformed-body"),
        (b"\n \n", {}, 422, "malformed-body"),
        (b"{}\n", {"Content-Type": "application/json"}, 415, "unsupported-media-type"),
        (b"{}\n", {"Content-Encoding": "gzip"}, 415, "unsupported-media-type"),
        (b"{}\n", {"Authorization": "Bearer x"}, 401, "unauthenticated"),
    ],
)
def test_a_request_over_the_limits_is_refused_as_a_whole(
    county: County, body: bytes, headers: dict[str, str], status: int, slug: str
):
    head = county.served.head()
    sent = {**county.clinic.bearer, "Content-Type": NDJSON, **headers}
    with httpx.Client(
        base_url=county.served.url, timeout=60
    ) as http:  # the server may close the connection
        refused(http.post(PATH, content=body, headers=sent, timeout=60), status, slug)
    assert county.served.head() == head


def test_whoever_does_not_wait_is_told_where_receipts_will_be(county: County):
    body = body_of(signed(county.clinic, newborns(county.clinic, 2)))
    found = verdicts(send(county.clinic, body, Prefer="respond-async"))
    assert {one["status"] for one in found} <= {201, 202}
    assert [one["receipt"] for one in found] == [f"/v1/receipts/{one['position']}" for one in found]


def test_the_clients_sign_send_and_read_verdicts(county: County):
    origin = county.clinic.served.parts.settings.origin
    trust = Trust.parse(county.served.http.get("/log.vkey").content, origin)
    token = county.served.token(county.clinic.principal)
    caller = Caller(county.served.url, token, trust, county.clinic.key)
    child = register(county.clinic)
    good, late = newborns(county.clinic, 1)[0], course(county.clinic, child, 2)[1]
    with Client(caller) as client:
        one, other = client.submit_batch([good, late])
        assert one.problem is None
        assert other.problem is not None
        assert other.problem.problem["type"] == "/problems/version-conflict"
        assert client.receipt(one.receipt).position == one.position

    async def again() -> None:
        async with AsyncClient(caller) as client:
            (verdict,) = await client.submit_batch(newborns(county.clinic, 1))
            assert (await client.receipt(verdict.receipt)).position == verdict.position

    asyncio.run(again())


def test_a_child_and_its_doses_may_come_in_one_request(county: County):
    drafts_, children = [], []
    for _ in range(3):
        draft, child = registration(county.clinic, number=drafts.id_number())
        drafts_ += [draft, *course(county.clinic, child, 3)]
        children.append(child)
    body = body_of(signed(county.clinic, drafts_))
    assert outcomes(county.clinic, body) == [201] * 12
    assert outcomes(county.clinic, body) == [201] * 12, "the same again"
    county.served.caught_up()
    for child in children:
        shown = county.clinic.get(f"/v1/records/{child.record}").json()
        assert (shown["version"], len(shown["doses"])) == (4, 3)
        assert shown["recipient"]["name"] == "王小明"


def test_siblings_in_one_request_share_their_mother(county: County):
    number = drafts.id_number("19880101", is_female=True)
    first, child = registration(county.clinic, mother_number=number)
    mother = str(child.mother)
    second, _ = registration(county.clinic, mother_number=number)
    (other,) = (who for who in second.private if "birth_date" not in second.private[who])
    guardians = [{"person": mother, "relation": "mother"}]
    shared = replace(
        second,
        data={**second.data, "guardians": guardians},
        private={
            child.mother if who == other else who: part for who, part in second.private.items()
        },
    )
    body = body_of(signed(county.clinic, [first, shared, *course(county.clinic, child, 1)]))
    assert outcomes(county.clinic, body) == [201] * 3


def test_a_refused_dose_takes_none_of_its_child_with_it_that_rests_on_others(county: County):
    """A line after it expects the version that it would have made; another does not."""
    child = register(county.clinic)
    early = dose(county.clinic, child, occurred_on="2013-01-01")
    good = dose(county.clinic, child, occurred_on="2015-01-15")
    lost = replace(dose(county.clinic, child, occurred_on="2015-02-15"), expected_version=3)
    last = replace(dose(county.clinic, child, occurred_on="2015-03-15"), expected_version=2)
    twin = replace(good, idempotency_key=uuid4())
    lines = signed(county.clinic, [early, good, lost, last, twin])
    assert outcomes(county.clinic, body_of(lines)) == [
        "dose-before-birth",
        201,
        "version-conflict",
        201,
        "version-conflict",
    ]


def test_one_package_is_given_once_however_many_lines_claim_it(county: County):
    children = [register(county.clinic) for _ in range(3)]
    package = {"vaccinator": "赵医生", "package_code": "81000000000000000042"}
    given = []
    for child in children:
        draft = dose(county.clinic, child)
        ((who, part),) = draft.private.items()
        given.append(replace(draft, private={who: {**part, **package}}))
    found = outcomes(county.clinic, body_of(signed(county.clinic, given)))
    assert sorted(map(str, found)) == ["201", "claim-taken", "claim-taken"]
