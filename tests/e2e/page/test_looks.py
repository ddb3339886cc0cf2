"""How the page is seen: by axe's rules, by day and by night, narrow and wide; and how it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browsing import Visit
from tests.clusters import Cluster

VIEWS = ("market", "compare", "sweeps", "history", "tasks", "system")
WIDTHS = (360, 1280, 3840)
SHELL_BYTES = 100_000
# Each picture in sight is as large as its place.
FITTING = """() => [...document.querySelectorAll(".plot")].filter((plot) => plot.clientWidth && plot.layout)
    .every((plot) => Math.abs(plot.querySelector(".main-svg").clientWidth - plot.clientWidth) < 2)"""
pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser


def violations(page: Any) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:150]}" for each in found for node in each["nodes"]]


def fill(page: Any, view: str) -> None:
    """Show in a view what it is there for."""
    if view == "compare":
        page.get_by_role("button", name="Create both").first.click()
        page.locator("dd", has_text="1 of 250").nth(1).wait_for()
    elif view == "sweeps":
        page.get_by_label("Parameter").nth(1).select_option("method.drift")
        page.get_by_label("Paths of each scenario").fill("20")
        page.get_by_role("button", name="Start", exact=True).click()
        page.locator(".heatmaplayer .hm").wait_for(timeout=60_000)
    elif view == "history":
        page.get_by_label("Asset", exact=True).select_option("SAMPLE")
        page.locator(".chain tbody tr").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_keeps_the_rules_of_accessibility(
    visitor: Callable[..., Visit], cluster: Cluster, scheme: str
) -> None:
    cluster.run("demo")  # it brings SAMPLE
    visit = visitor(color_scheme=scheme)
    page = visit.open()
    page.get_by_label("API key").wait_for()
    found = violations(page)
    visit.sign_in(cluster.state.api_key or "")
    page.get_by_role("button", name=re.compile("Calm index")).click()
    page.locator(".chain tbody th").first.wait_for()
    visit.drawn()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("tab", name="Surface").click()
    page.get_by_text("As code").click()
    for view in VIEWS:
        visit.open(f"#/{view}") if view != "market" else None
        expect(page.locator("nav a[aria-current]")).to_have_attribute("href", f"#/{view}")
        page.get_by_role("heading", level=1).wait_for(state="attached")
        expect(page.get_by_text("Loading")).to_have_count(0)
        fill(page, view)
        found += [f"{view}: {each}" for each in violations(page)]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900 if width < 2000 else 2160})
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_function(FITTING)
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, f"{view} at {width}"
            # The largest takes seconds to take, and looks by night as by day.
            if scheme == "light" or width < max(WIDTHS):
                visit.picture(f"{view}-{scheme}-{width}")
        page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []


def test_the_shell_is_small_and_kept(visit: Visit, cluster: Cluster) -> None:
    """What the first view loads before the first picture, in which a market can be made already."""
    expect(visit.page.get_by_role("button", name="Create market")).to_be_enabled()
    loaded = visit.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    shell = [each for each in loaded if "/page/" in each]
    assert {"main.js", "market.js", "form.js", "page.css"} <= {each.rpartition("/")[2] for each in shell}
    assert not any(each.endswith("plotly.js") for each in shell)
    with httpx.Client(base_url=cluster.state.base_url, trust_env=False) as nobody:
        page = nobody.get("/")
        files = [nobody.get(each) for each in shell]
        assert sum(len(each.content) for each in (page, *files)) < SHELL_BYTES
        again = nobody.get("/", headers={"If-None-Match": page.headers["ETag"]})
        folder = shell[0].rpartition("/")[0]
        plotly = nobody.get(f"{folder}/plotly.js")
        kept = nobody.get(shell[0], headers={"If-None-Match": files[0].headers["ETag"]})
        other = nobody.get("/page/0123/main.js")
        missing = nobody.get(f"{folder}/none.js").status_code
    assert (again.status_code, kept.status_code, page.headers["Cache-Control"]) == (304, 304, "no-cache")
    for each in (*files, plotly):
        assert each.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert each.headers["Content-Encoding"] == "gzip"
    assert other.headers["Cache-Control"] == "no-cache"
    assert missing == 404


def test_nothing_of_others_can_run_in_it_and_nobody_can_frame_it(cluster: Cluster) -> None:
    headers = httpx.get(f"{cluster.state.base_url}/", trust_env=False).headers
    policy = dict(each.strip().split(" ", 1) for each in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
