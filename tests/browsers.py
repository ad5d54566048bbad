"""A real browser for tests of pages: Chromium, which CI installs and a developer may lack."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
_PATIENCE = 60_000.0
"""Milliseconds: a slow machine is no failure."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="no Chromium on this machine (Debian: apt-get install chromium)",
    ),
]
"""The `pytestmark` of every file that opens pages."""


def before_the_camera(film: Path) -> tuple[str, ...]:
    """Arguments of a browser whose camera sees a film, read once it is switched on."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Start Chromium; for a module's fixture, since its event loop is in nobody else's way then.

    Args:
        *arguments: Of its command line, beside those that every test needs.
    """
    assert CHROMIUM is not None, "CI installs Chromium; see .ci/run"
    expect.set_options(timeout=_PATIENCE)
    given = [*_ARGUMENTS, *arguments]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=given)
        yield browser
        browser.close()


@contextmanager
def opened_page(browser: Browser, viewport: dict[str, int] = PHONE) -> Iterator[Page]:
    """Open a page of a size; in the end the browser must not have complained of anything."""
    page = browser.new_page(viewport=viewport, locale="zh-CN")
    page.set_default_timeout(_PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert not complaints, "the browser complained"
