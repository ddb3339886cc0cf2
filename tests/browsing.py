"""A real browser in front of the running service: who opens the page, and what must never happen to them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[1] / "build" / "screenshots"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "install a browser: Debian's `chromium`, or `playwright install chromium`"
PATIENCE_MILLISECONDS = 30_000
# What the browser itself says of an answer that is no success; the page tells it in its own words.
TOLD_BY_BROWSER = "Failed to load resource"


def launching(own: str) -> dict[str, Any]:
    """How a browser is started, with the program that there is; without one, the test is skipped.

    Args:
        own: Where Playwright's would be.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), own if Path(own).exists() else None)
    if program is None:
        pytest.skip(INSTALL)
    # The surface in 3-D is drawn in software, where there is no graphics processor.
    return {"executable_path": program, "args": ["--no-sandbox", "--enable-unsafe-swiftshader"]}


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, or the one that Playwright has; without one, the test is skipped."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(**launching(driver.chromium.executable_path))
        yield browser
        browser.close()


class Visit:
    """Somebody at the page: collects what must not happen.

    Attributes:
        page: Of the browser.
        address: Of the service.
        complaints: Errors of the console and of scripts, and requests to somebody else.
    """

    def __init__(self, context: Any, address: str) -> None:
        self.context, self.address = context, address
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error.stack or error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type == "error" and TOLD_BY_BROWSER not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"request: {request.url}")

    def open(self, where: str = "") -> Any:
        self.page.goto(f"{self.address}/{where}")
        return self.page

    def sign_in(self, key: str) -> None:
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def view(self, name: str) -> Any:
        """Go to a view by its link."""
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", name=name, exact=True).wait_for()
        return self.page

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def drawn(self, selector: str = ".plot", times: int = 1) -> None:
        """Wait until a picture was drawn so often."""
        self.page.wait_for_function(
            "([selector, times]) => [...document.querySelectorAll(selector)]"
            ".some((each) => Number(each.dataset.drawn) >= times)",
            arg=[selector, times],
        )
