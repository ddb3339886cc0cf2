"""The page's form is what the OpenAPI document says, and its presets are markets."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browsing import Visit
from tests.clusters import Cluster
from tests.e2e.page.streams import latest

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser
DOCUMENT = "**/api-docs/openapi.json"
PRESETS = ("Heston with a smile", "Calm index", "Crash", "Meme stock", "Replay of SAMPLE")
# Fields that only repeat what a server says.
ECHOED = {"effective_start", "tzdb_version", "calendar_version", "rng", "numerics"}


def about(page: Page, path: str) -> str:
    """The help of a field, which is read out with it."""
    field = page.locator(f"[data-path='{path}']")
    return str(page.locator(f"#{field.get_attribute('aria-describedby')}").text_content())


def test_the_form_has_each_parameter_with_its_label_its_range_its_unit_and_its_default(
    visit: Visit, api: httpx.Client
) -> None:
    page = visit.page
    page.locator("[data-path=symbol]").wait_for()
    schema = api.get("/api-docs/openapi.json").json()["components"]["schemas"]["SimulationRequest"]
    shown = set(page.locator("aside [data-path]").evaluate_all("all => all.map((each) => each.dataset.path)"))
    headings = page.locator("aside legend, aside label").all_text_contents()
    for name in schema["properties"].keys() - ECHOED:
        assert any(path == name or path.startswith(f"{name}[") for path in shown), name
        assert name.replace("_", " ").capitalize() in headings

    assert about(page, "initial_price") == "Price at step 0, in currency units (0.000001 to 1,000,000,000)"
    assert about(page, "chain_size") == "Strikes a side; empty means 30 (0 to 500)"
    assert about(page, "method.Heston.theta") == "Long-run variance: a volatility squared. (0 to 25)"
    assert about(page, "volatility").endswith("(above 0, at most 5)")
    field = page.locator("[data-path=steps]")
    assert [field.get_attribute(name) for name in ("min", "max", "type")] == ["1", "10000", "number"]
    assert page.locator("[data-path=exercise] option").all_text_contents() == [
        "–",
        "european",
        "american",
        "bermudan",
    ]


def test_a_new_model_is_in_the_form_without_a_change_to_the_page(visit: Visit, cluster: Cluster) -> None:
    def with_another_model(route: Route) -> None:
        document = route.fetch().json()
        method: dict[str, Any] = document["components"]["schemas"]["SimulationRequest"]["properties"][
            "method"
        ]
        while "$ref" in method:
            method = document["components"]["schemas"][method["$ref"].rpartition("/")[2]]
        wobble = {
            "type": "number",
            "minimum": 0,
            "maximum": 3,
            "description": "How much it wobbles, per year.",
        }
        model = {"type": "object", "properties": {"wobble": wobble}, "required": ["wobble"]}
        method["oneOf"].append(
            {
                "type": "object",
                "properties": {"Wobbling": model},
                "required": ["Wobbling"],
                "description": "A new one.",
            }
        )
        route.fulfill(json=document)

    page = visit.page
    page.route(DOCUMENT, with_another_model)
    page.reload()
    visit.sign_in(cluster.state.api_key or "")
    page.locator("select[data-path=method]").select_option("Wobbling")
    page.locator("[data-path='method.Wobbling.wobble']").fill("2")
    assert about(page, "method.Wobbling.wobble") == "How much it wobbles, per year. (0 to 3)"
    with page.expect_request(
        lambda each: each.method == "POST" and each.url.endswith("/simulations")
    ) as sent:
        page.get_by_role("button", name="Create market").click()
    assert json.loads(sent.value.post_data or "")["method"] == {"Wobbling": {"wobble": 2}}
    expect(page.locator("aside [role=alert]")).to_contain_text("method")  # which this service has not


def test_each_preset_is_a_market_that_plays(visit: Visit, cluster: Cluster) -> None:
    cluster.run("demo")  # it brings SAMPLE
    page = visit.page
    for preset in PRESETS:
        page.reload()
        visit.sign_in(cluster.state.api_key or "")
        page.get_by_role("button", name=re.compile(preset)).click()
        expect(page.locator("output")).to_contain_text(re.compile("^([2-9]|[0-9]{2,}) of (250|100) served"))
        expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_chain_is_as_traders_know_it(visit: Visit, api: httpx.Client) -> None:
    page = visit.page
    page.get_by_role("button", name=re.compile("Calm index")).click()
    page.locator(".chain tbody th").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("toolbar", name="Time")).not_to_have_attribute("aria-busy", "true")
    assert page.locator(".chain thead tr").first.inner_text().split() == ["Calls", "Puts"]
    columns = ["Delta", "IV", "Bid", "Ask", "Strike", "Ask", "Bid", "IV", "Delta"]
    assert page.locator(".chain thead tr").nth(1).locator("th").all_inner_texts() == columns

    page.get_by_role("button", name="Reset").click()
    expect(page.locator("output")).to_contain_text("1 of 250")
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".chain [data-move]").first).to_be_visible()
    _, [before, now] = latest(api, 2)
    spot = now["underlying"]["price"]
    chain = now["chains"][0]
    [earlier] = [each for each in before["chains"] if each["expires_at"] == chain["expires_at"]]
    was = {each["strike"]: each for each in earlier["contracts"]}
    contracts = {each["strike"]: each for each in chain["contracts"]}
    nearest = min(contracts, key=lambda strike: abs(strike - spot))
    lit = 0
    for row in page.locator(".chain tbody tr:not(.space)").all():
        strike = float(row.locator("th").inner_text().replace(",", ""))
        cells = row.locator("td")
        contract = contracts[strike]
        texts = cells.all_inner_texts()
        assert texts[2] == f"{contract['call']['bid']:,.2f}"
        assert texts[5] == f"{contract['put']['bid']:,.2f}"
        assert texts[1] == f"{contract['implied_volatility']:,.2%}"
        in_the_money = cells.evaluate_all("all => all.map((each) => each.className === 'itm')")
        assert in_the_money == [strike < spot] * 4 + [strike >= spot] * 4
        assert (row.get_attribute("aria-current") == "true") == (strike == nearest)
        if strike in was:
            change = contract["call"]["bid"] - was[strike]["call"]["bid"]
            move = cells.nth(2).get_attribute("data-move")
            assert move == ("up" if change > 0 else "down" if change < 0 else None)
            lit += move is not None
    assert lit > 5
