"""What the page is when something is missing: keys that end, markup in answers, waiting, no mouse, and no browser."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from playwright.sync_api import Page, Route, expect

from tests import browsing
from tests.browsing import SCREENSHOTS, Visit
from tests.clusters import Cluster
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
XSS = "<img src=x onerror=document.title=1>"
FOCUSED = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    const width = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
    return [`${element.getAttribute("role") ?? element.localName}: ${name.trim()}`, width];
}"""

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser


def stops(page: Page) -> dict[str, float]:
    """What the Tab key comes by from the top of the page, with the width of the outline there."""
    found: dict[str, float] = {}
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.locator(".skip").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")  # by a key, as everything after it
    for _ in range(200):
        stop = page.evaluate(FOCUSED)
        if stop is None or (stop[0] in found and len(found) > 5 and stop[0].startswith("a: To the content")):
            break
        found[stop[0]] = stop[1]
        page.keyboard.press("Tab")
    return found


def test_the_tab_key_comes_to_everything_and_shows_where_it_is(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("button", name=re.compile("Heston with a smile")).click()
    page.locator(".chain tbody th").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    visit.drawn()
    page.get_by_text("As code").click()
    found = stops(page)
    unseen = [name for name, width in found.items() if width < 2]
    assert unseen == []
    shown = (
        "a: Compare",
        "button: Step",
        "button: Play",
        "input: Step that is shown",
        "tab: Smile",
        "select: Along",
    )
    wanted = (
        *shown,
        "application: Path of the price",
        "application: Smile of SPX",
        "tab: ",
        "region: Option chain",
    )
    for each in (
        *wanted,
        "button: CSV",
        "pre: As code",
        "button: Copy",
        "a: this market",
        "button: Sign out",
    ):
        assert any(name.startswith(each) for name in found), each
    # What a mouse could click and no key could reach.
    mute = (
        page.locator("main, header")
        .locator(":is([onclick], [role=tab], button, a, summary, select, input)")
        .filter(visible=True)
    )
    names = mute.evaluate_all(
        "all => all.filter((each) => each.tabIndex < 0 && !each.matches('[role=tab]')).map((each) => each.outerHTML)"
    )
    assert names == []


def test_a_key_that_ends_meanwhile_is_told_and_asked_for_again(
    visitor: Callable[..., Visit], api: httpx.Client, cluster: Cluster
) -> None:
    made = api.post("/api/v1/keys", json={"owner": "leaving", "roles": ["trader"]}).json()
    visit = visitor()
    page = visit.open()
    visit.sign_in(made["key"])
    page.get_by_role("button", name=re.compile("Calm index")).click()
    page.locator(".chain tbody th").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    api.delete(f"/api/v1/keys/{made['id']}").raise_for_status()
    expect(page.get_by_role("button", name="Step", exact=True)).to_be_enabled()

    def asked_again() -> bool:
        page.get_by_role("button", name="Step", exact=True).or_(page.get_by_label("API key")).first.click()
        return bool(page.get_by_text("The session has ended").is_visible())

    eventually(asked_again, "all replicas have heard of it")
    expect(page.get_by_text("The session has ended: the key is not known any more.")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    visit.sign_in(cluster.state.api_key or "")
    page.get_by_role("heading", name="Make a market").wait_for()


def test_what_answers_say_is_text_and_waiting_is_shown(visit: Visit) -> None:
    page = visit.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v2/simulations", hold)
    page.locator("[data-path=symbol]").wait_for()
    page.get_by_role("button", name="Create market").click()
    expect(page.locator("[aria-busy=true]", has_text="Making the market …")).to_be_visible()
    held[0].fulfill(status=400, json={"error": f"symbol: {XSS}", "field": "symbol"})
    expect(page.locator("aside [role=alert]")).to_have_text(f"symbol: {XSS}")
    page.unroute("**/api/v2/simulations")
    page.route("**/api/v1/historical/assets", lambda route: route.fulfill(status=500, json={"error": XSS}))
    page.get_by_role("link", name="History").click()
    expect(page.locator("#notices")).to_contain_text(XSS)
    assert page.locator("img").count() == 0
    assert "OptionChain" in page.title()


def test_a_service_that_is_down_is_waited_for(visitor: Callable[..., Visit]) -> None:
    visit = visitor()
    visit.page.route("**/api/v1/sign-in", lambda route: route.abort())
    page = visit.open()
    expect(page.get_by_role("heading", name="The service does not answer")).to_be_visible()
    page.unroute("**/api/v1/sign-in")
    expect(page.get_by_label("API key")).to_be_visible()


def test_who_has_nothing_yet_is_told_how_to_begin(visitor: Callable[..., Visit], api: httpx.Client) -> None:
    made = api.post("/api/v1/keys", json={"owner": "beginner", "roles": ["researcher"]}).json()
    visit = visitor()
    page = visit.open()
    visit.sign_in(made["key"])
    expect(page.get_by_text("Choose one to begin with, or fill in the parameters.")).to_be_visible()
    for view, said in (("Sweeps", "None yet."), ("Tasks", "Nothing is scheduled.")):
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.get_by_text(said)).to_be_visible()


def test_a_stranger_without_a_browser_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "PROGRAMS", ())
    with pytest.raises(pytest.skip.Exception, match="install a browser: Debian's `chromium`"):
        browsing.launching("/nowhere")


def test_the_readme_shows_two_screenshots_and_all_of_them_are_kept() -> None:
    shown = re.findall(
        r"!\[[^\]]+\]\((docs/images/page-[\w-]+\.png)\)", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert len(shown) == 2
    for each in shown:
        header = (ROOT / each).read_bytes()[:24]
        assert struct.unpack(">II", header[16:24]) == (1280, 900)  # as a visitor's window
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    kept = [
        step["with"]["path"]
        for job in jobs.values()
        for step in job["steps"]
        if "upload" in step.get("uses", "")
    ]
    assert str(SCREENSHOTS.relative_to(ROOT)) in kept
