"""What a person sees in a browser, at the width of a telephone."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import nats
import pytest
from playwright.sync_api import Browser, Page

from bootstrap.settings import Settings
from bootstrap.subscribers import Subscribers
from client import feed
from client.credentials import Credentials
from client.subscribe import Subscription
from tests.browsers import IN_A_BROWSER, PHONE, chromium, opened_page
from tests.crash.serving import Installation, free_port, until

pytestmark = IN_A_BROWSER
Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def installation(servers_dir: Path) -> Iterator[Installation]:
    running = Installation(Settings(data_dir=servers_dir / "pages", port=free_port()))
    running.start()
    try:
        running.until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def site(installation: Installation) -> str:
    return installation.addresses().http_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_page(browser) as page:
        yield page


def test_the_first_page_speaks_chinese_first_and_fits_a_telephone(page: Page, site: str):
    page.goto(site)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("h1").inner_text() == "预防接种记录完整性账本"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_link_of_the_first_page_opens(page: Page, site: str):
    page.goto(site)
    links = page.locator("a")
    addresses = [links.nth(n).get_attribute("href") or "" for n in range(links.count())]
    assert {"/checkpoint", "/openapi.json", "/problems"} <= set(addresses)
    for address in addresses:
        answer = page.request.get(site + address)
        assert answer.ok, address


def test_a_problem_opens_into_a_page_that_says_what_to_do(page: Page, site: str):
    problem = page.request.get(f"{site}/v1/records/nothing").json()
    page.goto(site + problem["type"])
    assert page.locator("h1").inner_text() == problem["type"].rsplit("/", 1)[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_first_page_can_be_walked_with_the_keyboard(page: Page, site: str):
    page.goto(site)
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert reached[0] == "#main", "the first stop skips to the content"
    assert "/checkpoint" in reached


def elsewhere(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run it in another thread: in this one the browser's own loop runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def subscribe(installation: Installation, parked: int) -> Credentials:
    """Make a subscriber of everything, and let the server say that it gave one message up."""

    async def run() -> Credentials:
        made = await Subscribers.of(installation.settings).add("zj", "")
        users = json.loads((installation.data_dir / "nats" / "passwords.json").read_bytes())
        connection = await nats.connect(made.url, user="admin", password=users["admin"])
        said = {
            "consumer": made.durable,
            "stream_seq": parked,
            "deliveries": 20,
            "timestamp": "2026-09-01T00:00:00Z",
        }
        subject = feed.PARKED_SUBJECTS.replace("*", made.durable)
        await connection.publish(subject, json.dumps(said).encode())
        await connection.flush()
        await connection.close()
        return made

    return elsewhere(run())


async def consume(credentials: Credentials) -> None:
    """Acknowledge the first entry."""
    subscription = Subscription(credentials.server(), durable=credentials.durable)
    async with asyncio.timeout(60), aclosing(subscription.events()) as events:
        async for event in events:
            await event.ack()
            return


def test_the_operator_sees_how_everything_is_and_sends_parked_messages_again(
    page: Page, site: str, installation: Installation
):
    page.goto(f"{site}/operator")
    assert page.locator("h1").inner_text() == "登录", "nobody is shown it unasked"
    page.select_option("select[name=who]", "operator")
    page.click("main button[type=submit]")
    page.wait_for_url(f"{site}/operator")
    assert page.locator("h1 .badge").inner_text() in {"正常", "部分降级"}
    assert "还没有订阅方" in page.inner_text("main")
    workers = page.locator("section[aria-labelledby=workers] tbody th").all_inner_texts()
    assert {"integrator", "projector: people", "custodian", "publisher"} <= set(workers)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    credentials = subscribe(installation, parked=1)
    row = page.locator("tr", has_text="zj")
    until(lambda: bool(page.reload()) and row.count() == 1, "the subscriber is shown")
    until(lambda: bool(page.reload()) and row.get_by_role("button").count() == 1, "parked")
    row.get_by_role("button", name="重新投递").click()
    page.wait_for_url(f"{site}/operator")
    elsewhere(consume(credentials))
    until(lambda: bool(page.reload()) and row.get_by_role("button").count() == 0, "sent again")
    page.goto(f"{site}/operator?lang=en")
    assert page.locator("h1").inner_text().startswith("Operation")
