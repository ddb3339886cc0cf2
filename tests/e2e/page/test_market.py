"""The page's market in a real browser: made, stepped, played, looked back at, handed on as code and as a link."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Response, expect

from cluster.commands.first_session import page_address
from optionchain.models import model_schema
from tests.browsing import Visit
from tests.clusters import Cluster
from tests.e2e.page.as_code import Code
from tests.waiting import eventually

# On each picture there is a canvas, and on each canvas something.
PAINTED = """() => {
    const all = [...document.querySelectorAll("canvas.moving")];
    const isPainted = (each) => each.getContext("2d").getImageData(0, 0, each.width, each.height).data.some(Boolean);
    return all.length === 2 && all.every(isPainted);
}"""
XSS = "<img/src=x/onerror=document.title=1>"

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser


def served(visit: Visit, count: int) -> None:
    expect(visit.page.locator("output")).to_contain_text(f"{count} of", timeout=20_000)


def make(visit: Visit, preset: str) -> None:
    visit.page.get_by_role("button", name=re.compile(preset)).click()
    visit.page.locator(".chain tbody th").first.wait_for()


def paused(visit: Visit) -> int:
    """Pause, and return how many steps were served."""
    visit.page.get_by_role("button", name="Pause").click()
    expect(visit.page.get_by_role("button", name="Play")).to_be_visible()
    expect(visit.page.get_by_role("toolbar", name="Time")).not_to_have_attribute("aria-busy", "true")
    return int(visit.page.locator("output").inner_text().split()[0])


def test_the_address_that_is_printed_shows_a_moving_surface(
    visitor: Callable[..., Visit], cluster: Cluster
) -> None:
    """The first minute of somebody who knows options: one click, a Heston surface that moves, and its lines."""
    visit = visitor()
    address = page_address(cluster.state)
    assert "#code=" in address
    visit.page.goto(address)
    expect(visit.page.get_by_role("tab", name="Surface")).to_have_attribute("aria-selected", "true")
    visit.drawn(".plot.tall", 3)
    assert "code" not in visit.page.url
    assert visit.page.evaluate("sessionStorage.length") == 0
    visit.picture("market")

    count = paused(visit)
    code = Code(visit.page, cluster.state.api_key)
    assert "chain.plot_surface(" in code.lines("Library")
    shown = visit.page.locator(".facts dd").nth(1).inner_text()
    assert count >= 2
    assert f"{float(code.python('Library').split()[-1]):,.2f}" == shown
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.get_by_role("button", name="Copy").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    assert visit.page.evaluate("navigator.clipboard.readText()").strip() == code.lines("Library").strip()

    # What worked once does not work again.
    again = visitor()
    again.page.goto(address)
    expect(again.page.get_by_text("The code in the address does not work any more")).to_be_visible()


def test_a_wrong_key_is_told_and_a_right_one_is_kept_where_that_is_asked(
    visitor: Callable[..., Visit], cluster: Cluster
) -> None:
    visit = visitor()
    visit.open()
    visit.sign_in("not-a-key-of-anybody")
    expect(visit.page.get_by_role("alert")).to_contain_text("not known")
    visit.page.get_by_label("Keep it").check()
    visit.sign_in(cluster.state.api_key or "")
    visit.page.get_by_role("heading", name="Make a market").wait_for()

    visit.page.reload()
    visit.page.get_by_role("heading", name="Make a market").wait_for()
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_label("API key")).to_be_visible()
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_the_form_has_every_model_of_the_library(visit: Visit) -> None:
    kind = visit.page.locator("select[data-path=method]")
    kind.wait_for()
    models = {each["required"][0] for each in model_schema()["oneOf"]}
    offered = set(kind.locator("option").evaluate_all("all => all.map((each) => each.value)"))
    assert offered == models
    assert len(offered) >= 10
    for model in sorted(offered):
        kind.select_option(model)
        assert visit.page.locator(f"[data-path^='method.{model}.']").count() >= 2, model


def test_a_market_is_stepped_looked_back_at_and_reset(visit: Visit, api: httpx.Client) -> None:
    make(visit, "Calm index")
    count = paused(visit)
    visit.page.get_by_role("button", name="Step", exact=True).click()
    served(visit, count + 1)
    visit.page.get_by_label("Steps at once").fill("5")
    visit.page.get_by_role("button", name="Step n").click()
    served(visit, count + 6)
    price = visit.page.locator(".facts dd").nth(1)
    last = price.inner_text()

    slider = visit.page.get_by_label("Step that is shown")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(visit.page.locator("output")).to_contain_text(f"looking back at step {count}")
    expect(price).not_to_have_text(last)
    listed = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]
    assert listed["cursor"]["current_step"] == count + 6  # it stays where it was

    visit.page.get_by_role("button", name="Reset").click()
    served(visit, 1)
    expect(price).to_have_text("5,000.00")
    expect(visit.page.locator(".chain tr[aria-current] th")).to_have_text("5,000")
    again = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]
    assert again["parameters"]["seed"] == listed["parameters"]["seed"]
    assert api.get(f"/api/v2/simulations/{listed['id']}").status_code == 404


def test_tabs_of_expirations_and_pictures_go_by_keys(visit: Visit) -> None:
    make(visit, "Crash")
    paused(visit)
    expirations = visit.page.get_by_role("tablist", name="Expirations").get_by_role("tab")
    expirations.first.focus()
    visit.page.keyboard.press("ArrowRight")
    expect(expirations.nth(1)).to_have_attribute("aria-selected", "true")
    expect(expirations.nth(1)).to_be_focused()
    for picture in ("Smile", "Surface", "Term structure", "By strike"):
        visit.page.get_by_role("tab", name=picture).click()
        expect(visit.page.get_by_role("application", name=re.compile(picture))).to_be_visible()
    visit.page.get_by_label("Value").select_option("vega")
    expect(visit.page.locator(".chain thead").first).to_contain_text("Vega")


def test_what_plays_fast_is_drawn_lightly_and_by_plotly_when_it_rests(visit: Visit) -> None:
    page = visit.page
    make(visit, "Heston with a smile")
    paused(visit)
    page.get_by_role("tab", name="Surface").click()
    page.get_by_label("Speed").select_option("10 steps/s")
    page.get_by_role("button", name="Play").click()
    for picture in ("Surface", "Smile"):
        page.get_by_role("tab", name=picture).click()
        page.wait_for_function(PAINTED)
    paused(visit)
    expect(page.locator("canvas.moving")).to_have_count(0)
    shown = page.locator(".facts dd").nth(1).inner_text().replace(",", "")
    page.wait_for_function(
        """(price) => {
            const [{ data, layout }] = document.querySelectorAll(".plot");
            const [low, high] = layout.yaxis.range ?? [0, 0];
            return data.length > 1 && Math.abs(data.at(-1).y.at(-1) - price) < 0.01 && low < price && price < high;
        }""",
        arg=float(shown),
    )


def test_an_input_at_fault_is_pointed_at(visit: Visit) -> None:
    visit.page.locator("[data-path='method.Heston.rho']").fill("-1.5")
    visit.page.get_by_role("button", name="Create market").click()
    wrong = visit.page.locator("[data-path='method.Heston.rho']")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    expect(visit.page.locator("aside [role=alert]")).to_contain_text("method.Heston.rho")


def test_a_symbol_that_looks_like_markup_is_text(visit: Visit) -> None:
    visit.page.locator("[data-path=symbol]").fill(XSS)
    visit.page.get_by_role("button", name="Create market").click()
    expect(visit.page.locator(".facts dd").first).to_have_text(XSS)
    visit.drawn()
    expect(visit.page.locator(".chain caption")).to_contain_text(XSS)
    assert visit.page.locator("main img[src], main svg image[href='x']").count() == 0
    assert "OptionChain" in visit.page.title()


def test_terms_roots_and_further_underlyings_are_shown(
    visitor: Callable[..., Visit], cluster: Cluster
) -> None:
    rule = {"kind": "monthly_third_friday", "target_count": 2, "expiration_time": "16:00"}
    method = {"GeometricBrownian": {"drift": 0.0, "volatility": 0.2}}
    market = {
        "symbol": "SPX",
        "initial_price": 5000.0,
        "volatility": 0.2,
        "method": method,
        "steps": 5,
        "start_at": "2026-01-05T14:30:00Z",
        "time_frame": "Day",
        "timezone": "America/New_York",
        "expiration_time": "16:00",
        "schedules": [
            {**rule, "rule_id": "am", "settlement": "AM", "root": "SPX"},
            {**rule, "rule_id": "pm", "settlement": "PM", "root": "SPXW"},
        ],
        "risk_free_rate": 0.04,
        "dividend_yield": 0.0,
        "chain_size": 3,
        "seed": 7,
        "exercise": "american",
        "multiplier": 100.0,
        "currency": "USD",
        "tick_size": 0.05,
        "underlyings": [{"symbol": "QQQ", "initial_price": 500.0, "method": method}],
    }
    of = base64.urlsafe_b64encode(json.dumps({"request": market, "step": 0}).encode()).decode()
    visit = visitor()
    page = visit.open(f"#/market?of={of.rstrip('=')}")
    visit.sign_in(cluster.state.api_key or "")

    served(visit, 1)
    expirations = page.get_by_role("tablist", name="Expirations").get_by_role("tab")
    expect(expirations).to_have_text(
        ["16 Jan 26 SPX AM", "16 Jan 26 SPXW PM", "20 Feb 26 SPX AM", "20 Feb 26 SPXW PM"]
    )
    expirations.nth(1).click()
    caption = page.locator(".chain caption")
    expect(caption).to_contain_text(
        "root SPXW, settlement PM, exercise american, multiplier 100, currency USD, tick size 0.05"
    )
    page.get_by_role("tab", name="QQQ").click()
    expect(caption).to_contain_text("QQQ 500.00")
    expect(page.locator(".chain tr[aria-current] th")).to_have_text("500")


def test_what_is_exported_is_what_the_route_gives(visit: Visit, api: httpx.Client) -> None:
    make(visit, "Calm index")
    paused(visit)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="CSV").click()
    listed = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]
    query = {"format": "csv", "dataset": "option_chains"}
    whole = api.get(f"/api/v2/simulations/{listed['id']}/export", params=query).content
    assert download.value.path().read_bytes() == whole


def test_a_closed_tab_leaves_no_session(visit: Visit, api: httpx.Client) -> None:
    def creates(answer: Response) -> bool:
        return answer.request.method == "POST" and answer.url.endswith("/api/v2/simulations")

    with visit.page.expect_response(creates) as created:
        make(visit, "Calm index")
    mine = f"/api/v2/simulations/{created.value.json()['id']}"
    paused(visit)
    assert api.get(mine).status_code == 200
    visit.page.close(run_before_unload=True)
    eventually(lambda: api.get(mine).status_code == 404, "the session is deleted")


def test_playing_goes_on_when_the_service_is_back(visit: Visit, cluster: Cluster) -> None:
    make(visit, "Calm index")
    visit.page.get_by_label("Speed").select_option("as fast as it goes")
    visit.drawn(times=2)
    with cluster.unsupervised():  # else it may be back before one has read the notice
        for proxy in cluster.named("haproxy"):
            proxy.kill()
        expect(visit.page.locator("#notices")).to_contain_text("does not answer")
        visit.picture("service-down")
    expect(visit.page.locator("#notices")).to_contain_text("is back", timeout=60_000)
    count = int(visit.page.locator("output").inner_text().split()[0])
    visit.page.wait_for_function(
        "least => parseInt(document.querySelector('output').textContent) > least", arg=count
    )


def test_a_market_that_is_gone_can_be_made_again(visit: Visit, api: httpx.Client) -> None:
    make(visit, "Calm index")
    paused(visit)
    listed = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]
    api.delete(f"/api/v2/simulations/{listed['id']}").raise_for_status()
    visit.page.get_by_role("button", name="Step", exact=True).click()
    expect(visit.page.locator("#notices")).to_contain_text("expired")
    visit.page.get_by_role("button", name="Make it again").click()
    served(visit, 1)
