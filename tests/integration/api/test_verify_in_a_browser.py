"""The page that verifies credentials: in a real browser, offline, beside our own verifier."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, BrowserContext, Page, expect

from certificates import base45, cbor
from certificates.check_statement import CheckStatement
from certificates.claims import STATEMENT_LISTS, status_of_statement
from certificates.container import decode_container, encode_container
from certificates.issue import issue
from certificates.qr import Code
from certificates.school_verdict import SchoolVerdict
from certificates.signing import Es256Signer, Sign1, sign
from certificates.verify import Verdict, verify
from tests.browsers import IN_A_BROWSER, PHONE, before_the_camera, chromium
from tests.integration.api.conftest import County
from tests.integration.api.family import ok
from tests.integration.api.test_http_credentials import (
    Carrier,
    carrier,
    correct,
    lists_of,
    renew,
    verdict_within_a_minute,
)
from tests.qr_codes import film, pixels

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def camera(tmp_path_factory) -> Path:
    """What stands before the browser's camera, once it is switched on."""
    return tmp_path_factory.mktemp("camera") / "film.y4m"


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Browser]:
    with chromium(*before_the_camera(camera)) as running:
        yield running


@pytest.fixture(scope="module")
def held(county: County) -> Carrier:
    return carrier(county)


@dataclass
class Opened:
    """The page in a browser of its own, and everything that it asked the server for."""

    context: BrowserContext
    page: Page
    asked: list[str]

    def verdict(self, text: str) -> str:
        self.page.fill("#text", text)
        self.page.click("#paste button")
        self.page.wait_for_selector("#result [data-verdict]:focus", timeout=60_000)
        found = self.page.get_attribute("#result [data-verdict]", "data-verdict")
        self.page.evaluate("document.querySelector('#result').replaceChildren()")
        assert found is not None
        return found


@pytest.fixture
def opened(browser: Browser, county: County, held: Carrier) -> Iterator[Opened]:
    held.carried()
    with_size = {"width": PHONE["width"], "height": PHONE["height"]}
    context = browser.new_context(viewport=with_size, locale="zh-CN")
    page, asked, complaints = context.new_page(), [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.goto(f"{county.served.url}/verify")
    page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    yield Opened(context, page, asked)
    context.close()
    assert not complaints


def test_a_certificate_is_shown_in_chinese_with_all_its_doses(opened: Opened, held: Carrier):
    text = held.carried()["credential"]
    opened.page.fill("#text", text)
    opened.page.click("#paste button")
    opened.page.wait_for_selector("#result [data-verdict=valid]", timeout=60_000)
    said = opened.page.inner_text("#result")
    for expected in ("有效", "王小明", "2014-06-15", "2014-08-15", "2014-09-20", "不等于没有接种"):
        assert expected in said
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def image_of(held: Carrier) -> bytes:
    headers = held.mother.bearer | {"Accept": "image/png"}
    answer = held.county.served.http.get(held.path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_picture_of_a_code_is_read_in_the_browser(opened: Opened, held: Carrier):
    opened.asked.clear()
    picture = {"name": "code.png", "mimeType": "image/png", "buffer": image_of(held)}
    opened.page.set_input_files("#picture input", picture)
    opened.page.wait_for_selector("#result [data-verdict=valid]", timeout=60_000)
    assert opened.asked == []
    blank = Code.of("VSC1:").png()
    opened.page.set_input_files("#picture input", {**picture, "buffer": blank})
    opened.page.wait_for_selector("#result [data-verdict=altered]", timeout=60_000)


def test_a_code_before_the_camera_is_read(opened: Opened, held: Carrier, camera: Path):
    camera.write_bytes(film(pixels(image_of(held))))
    opened.page.click("#scan")
    opened.page.wait_for_selector("#result [data-verdict=valid]", timeout=60_000)
    assert "王小明" in opened.page.inner_text("#result")
    expect(opened.page.locator("#camera")).to_be_hidden()


def test_it_verifies_without_a_network_after_it_was_opened_once(
    opened: Opened, county: County, held: Carrier
):
    text = held.carried()["credential"]
    opened.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    opened.context.set_offline(offline=True)
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    assert opened.verdict(text) == "valid"
    opened.context.set_offline(offline=False)


def test_nothing_of_a_credential_leaves_the_browser(opened: Opened, held: Carrier):
    opened.asked.clear()
    assert opened.verdict(held.carried()["credential"]) == "valid"
    assert opened.asked == []


def test_the_browser_says_what_our_own_verifier_says(opened: Opened, county: County):
    """All eight verdicts, on this day, when the lists are old, and when all has run out."""
    family = carrier(county)
    corrected, school = family.carried()["credential"], family.verdict()["credential"]
    correct(family, family.doses[0], "immediate")
    renew(county)
    county.served.caught_up()
    valid, lost = family.carried()["credential"], family.verdict()
    gone = {"credential": lost["id"], "reason": "lost"}
    ok(family.mother.call(f"/v1/certificates/{family.certificate}/credential-revocations", gone))
    half = len(valid) // 2
    other = "A" if valid[half] != "A" else "B"
    texts = [
        *(valid, corrected, school, lost["credential"], of_tomorrow(county, valid)),
        *(valid[:half] + other + valid[half + 1 :], valid[:-3], valid + "00", valid.lower()),
        *("HC1:", "hello", "HC1:" + "Z" * 5_000, "HC1:6BF", f"{valid} "),
        hostile(county, valid)[5],
    ]
    verdict_within_a_minute(county, corrected, Verdict.SUPERSEDED)
    verdict_within_a_minute(county, lost["credential"], Verdict.REVOKED)
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    trust, statuses = lists_of(county)
    now, said = datetime.now(UTC), set()
    for at in (now, now + timedelta(days=8), now + timedelta(days=900)):
        opened.page.clock.set_fixed_time(at)
        expected = [str(verify(text, trust, statuses, at).verdict) for text in texts]
        assert [opened.verdict(text) for text in texts] == expected
        said |= set(expected)
    assert said == set(Verdict)


def test_a_check_statement_is_shown_as_its_clinic_issued_it(
    opened: Opened, county: County, held: Carrier
):
    trust, statuses = lists_of(county, STATEMENT_LISTS)
    verdict = verify(held.verdict()["credential"], trust, [], datetime.now(UTC)).credential
    assert verdict is not None
    assert isinstance(verdict.content, SchoolVerdict)
    stated = CheckStatement(verdict.content, "410275101-A8D55B")
    status = status_of_statement(verdict.content.log.position)
    signer = county.served.parts.credential_keys.newest.signer
    text = issue(replace(verdict, status=status, content=stated), signer)
    assert verify(text, trust, statuses, datetime.now(UTC)).verdict is Verdict.VALID
    opened.page.fill("#text", text)
    opened.page.click("#paste button")
    opened.page.wait_for_selector("#result [data-verdict=valid]", timeout=60_000)
    said = opened.page.inner_text("#result")
    for expected in ("附件2", "410275101-A8D55B", "需补种", "王小明"):
        assert expected in said


def of_tomorrow(county: County, text: str) -> str:
    """What the platform would issue for the same person in a day."""
    trust, statuses = lists_of(county)
    found = verify(text, trust, statuses, datetime.now(UTC)).credential
    assert found is not None
    signer = county.served.parts.credential_keys.newest.signer
    return issue(replace(found, issued_at=found.issued_at + timedelta(days=1)), signer)


def test_a_list_of_nobody_who_is_trusted_changes_nothing(opened: Opened, held: Carrier):
    """Neither a forged list nor an older one takes the place of the newest that was seen."""
    text = held.carried()["credential"]
    for body in (b"", b"\xd2\x84", b"\x00" * 100):
        opened.context.route(
            "**/certificates/**", lambda route, _, body=body: route.fulfill(status=200, body=body)
        )
        opened.page.click("#update")
        expect(opened.page.locator("#lists")).not_to_be_empty()
        assert opened.verdict(text) == "valid"
        opened.context.unroute("**/certificates/**")


def test_the_page_speaks_english_too(opened: Opened, county: County, tmp_path: Path):
    opened.page.goto(f"{county.served.url}/verify?lang=en")
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    assert "Verify a vaccination certificate" in opened.page.inner_text("h1")
    assert opened.verdict("HC1:") == "altered"


def hostile(county: County, text: str) -> list[str]:
    """Texts that somebody made who has our format, our lists, and now and then our key."""
    raw = decode_container(text)
    signed = Sign1.parse(raw)
    signer = county.served.parts.credential_keys.newest.signer
    stranger = Es256Signer(ec.generate_private_key(ec.SECP256R1()))

    def spelled(one: Sign1) -> str:
        return encode_container(one.encode())

    def wrapped(bomb: bytes) -> str:
        return "HC1:" + base45.encode(zlib.compress(bomb, 9))

    status = county.served.http.get("/certificates/trust-list").content
    return [
        spelled(replace(signed, algorithm=0)),
        spelled(replace(signed, algorithm=-37)),
        spelled(replace(signed, signature=b"")),
        spelled(replace(signed, signature=bytes(64))),
        spelled(replace(signed, kid=stranger.kid)),
        encode_container(sign(signed.payload, stranger)),
        encode_container(sign(signed.payload, signer, "application/statuslist+cwt")),
        encode_container(sign(signed.payload + b"\x00", signer)),
        encode_container(sign(b"\xbf\xff", signer)),
        encode_container(sign(cbor.encode({1: "CN-999999", 4: 2, 6: 1, -260: {}}), signer)),
        encode_container(status),
        wrapped(bytes(3_000_000)),
        wrapped(raw + bytes(20_000)),
        "HC1:" + "A" * 10_240,
    ]


def test_the_browser_refuses_what_our_own_verifier_refuses(
    opened: Opened, county: County, held: Carrier
):
    text = held.carried()["credential"]
    texts = hostile(county, text)
    trust, statuses = lists_of(county)
    expected = [str(verify(one, trust, statuses, datetime.now(UTC)).verdict) for one in texts]
    assert [opened.verdict(one) for one in texts] == expected
    assert set(expected) == {"altered", "unknown-issuer"}


def test_every_changed_byte_of_a_credential_is_noticed(opened: Opened, held: Carrier):
    raw = decode_container(held.carried()["credential"])
    bent = [
        encode_container(raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :])
        for at in range(0, len(raw), 7)
    ]
    found = opened.page.evaluate(
        """async (texts) => {
            const { verify, trustList } = await import("/credential.js");
            const words = JSON.parse(document.querySelector("#words").textContent);
            const bytes = (one) => Uint8Array.from(atob(one), (c) => c.charCodeAt(0));
            const roots = words.roots.map(bytes);
            const raw = await (await fetch("/certificates/trust-list")).arrayBuffer();
            const trust = await trustList(new Uint8Array(raw), roots);
            const all = texts.map((text) => verify(text, trust, [], Date.now() / 1000));
            return (await Promise.all(all)).map((one) => one.verdict);
        }""",
        bent,
    )
    assert len(found) == len(bent)
    assert set(found) <= {"altered", "unknown-issuer"}
