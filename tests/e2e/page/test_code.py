"""Every view's "as code", run as it is written, and the link beside it, opened by somebody else."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browsing import Visit
from tests.clusters import Cluster
from tests.e2e.page.as_code import Code

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser


@pytest.fixture
def opened(visitor: Callable[..., Visit], cluster: Cluster) -> Callable[[str], Page]:
    """A link, opened by somebody who has not been here."""

    def open_(link: str) -> Page:
        other = visitor()
        other.open(link)
        other.sign_in(cluster.state.api_key or "")
        return other.page

    return open_


def facts(page: Page) -> list[str]:
    return [str(each) for each in page.locator(".facts dd").all_inner_texts()]


def test_the_lines_of_a_market_give_the_picture_and_the_step_that_are_shown(
    visit: Visit, cluster: Cluster, opened: Callable[[str], Page]
) -> None:
    page = visit.page
    page.get_by_role("button", name=re.compile("Heston with a smile")).click()
    page.locator(".chain tbody th").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Step n").click()
    expect(page.locator("output")).to_contain_text(re.compile("1[0-9] of 250"))
    slider = page.get_by_label("Step that is shown")
    slider.fill("4")
    expect(page.locator("output")).to_contain_text("looking back at step 4")
    page.get_by_label("Greeks").select_option("first order")
    page.get_by_role("tab", name="Surface").click()
    page.get_by_label("Value").select_option("vega")
    page.get_by_label("Along").select_option("delta")
    price = facts(page)[1]
    code = Code(page, cluster.state.api_key)

    library = code.lines("Library")
    assert "chain.plot_surface('vega', by='delta').show()".replace("'", '"') in library
    assert f"{float(code.python('Library').split()[-1]):,.2f}" == price
    assert f"{float(code.python('client').split()[2]):,.2f}" == price
    snapshot = json.loads(code.curl())["snapshots"][-1]
    assert f"{snapshot['underlying']['price']:,.2f}" == price
    assert "vega" in snapshot["chains"][0]["contracts"][0]["call"]["greeks"]

    link = code.link()
    assert (cluster.state.api_key or "?") not in library + code.lines("client") + code.lines("curl") + link
    other = opened(link)
    expect(other.locator("output")).to_contain_text("5 of 250")
    assert facts(other) == facts(page)
    expect(other.get_by_role("tab", name="Surface")).to_have_attribute("aria-selected", "true")
    expect(other.get_by_label("Along")).to_have_value("delta")
    expect(other.locator(".chain thead").first).to_contain_text("Vega")
    other.get_by_label("Greeks").select_option("delta, gamma")
    expect(other.get_by_label("Value")).to_have_value("implied_volatility")  # vegas are not served any more
    page.get_by_role("tab", name="Term structure").click()
    assert (
        len(code.python("Library").splitlines())
        == 1 + page.get_by_role("tablist", name="Expirations").get_by_role("tab").count()
    )


def test_the_lines_of_compared_markets_give_both(
    visit: Visit, cluster: Cluster, opened: Callable[[str], Page]
) -> None:
    page = visit.view("Compare")
    page.get_by_role("button", name="Create both").first.click()
    page.get_by_role("button", name="Step both").click()
    expect(page.locator("dd", has_text="2 of 250")).to_have_count(2)
    prices = facts(page)[::4]
    code = Code(page, cluster.state.api_key)
    for name, price in zip("AB", prices, strict=True):
        page.get_by_role("tab", name=f"Market {name}").click()
        assert f"{float(code.python('client').split()[2]):,.2f}" == price
        assert f"{float(code.python('Library').split()[-1]):,.2f}" == price
    with page.expect_download() as download:
        page.get_by_role("button", name="PARQUET").nth(1).click()
    assert download.value.path().read_bytes()[:4] == b"PAR1"

    other = opened(code.link())
    expect(other.locator("dd", has_text="2 of 250")).to_have_count(2)
    assert facts(other)[::4] == prices


def test_the_lines_of_a_sweep_give_its_table(
    visit: Visit, cluster: Cluster, opened: Callable[[str], Page]
) -> None:
    page = visit.view("Sweeps")
    page.get_by_label("Seed").fill(str(uuid.uuid4().int % 2**31))
    page.get_by_label("Paths of each scenario").fill("10")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("completed · 5 scenarios")).to_be_visible(timeout=60_000)
    code = Code(page, cluster.state.api_key)
    shown = page.locator(".big tbody tr").first.locator("td").all_inner_texts()[5]  # the first mean
    library = code.python("Library")
    assert shown in {f"{float(number):,.6g}" for number in re.findall(r"\d+\.\d+", library)}
    assert code.python("client") == library
    assert json.loads(code.curl())["scenarios"] == 5

    other = opened(code.link())
    definition = json.loads(other.get_by_label("Definition").input_value())
    assert definition["paths"] == 10
    expect(other.locator("progress")).to_have_count(0)  # a link starts nothing
    other.get_by_role("button", name="Start", exact=True).click()
    expect(other.get_by_text("completed · 5 scenarios")).to_be_visible(timeout=60_000)
    assert other.locator(".big tbody tr").first.locator("td").all_inner_texts()[5] == shown


def test_the_lines_of_the_history_give_its_bars_and_its_chain(
    visit: Visit, cluster: Cluster, api: httpx.Client, opened: Callable[[str], Page]
) -> None:
    asset = f"C{uuid.uuid4().hex[:8]}".upper()
    days = "\n".join(f"2024-03-{day:02d},1,{day + 101},1,{day + 100}" for day in range(1, 11))
    name = {"name": "prices.csv", "timeframe": "Day"}
    api.post(
        f"/api/v1/historical/{asset}/imports", params=name, content=f"date,open,high,low,close\n{days}\n"
    ).raise_for_status()
    contract = {"strike": 105.0, "call": {"bid": 1.0, "ask": 1.25}}
    chain = {
        "quote_time": "2024-03-05T21:00:00Z",
        "underlying": {"price": 105.0},
        "chains": [{"expiration": "2024-03-15", "contracts": [contract]}],
    }
    api.put(f"/api/v1/historical/{asset}/2024-03-05", json=chain).raise_for_status()
    page = visit.view("History")
    page.get_by_label("Asset", exact=True).select_option(asset)
    page.get_by_label("From", exact=True).fill("2024-03-04")
    page.locator(".chain tbody tr").wait_for()
    code = Code(page, cluster.state.api_key)
    bars, found = code.curl().replace("}{", "}\n{").splitlines()
    assert [bar["close"] for bar in json.loads(bars)["data"]] == [float(day + 100) for day in range(4, 11)]
    assert json.loads(found)["chains"][0]["contracts"][0]["call"]["ask"] == 1.25
    printed = code.python("client")
    assert "104.0" in printed
    assert "103.0" not in printed
    assert "1.25" in printed

    other = opened(code.link())
    expect(other.get_by_label("Asset", exact=True)).to_have_value(asset)
    expect(other.get_by_label("From", exact=True)).to_have_value("2024-03-04")


@pytest.mark.parametrize(("view", "told"), [("Tasks", '"data"'), ("System", "sessions-0")])
def test_the_lines_of_what_is_watched_run(
    visit: Visit, cluster: Cluster, opened: Callable[[str], Page], view: str, told: str
) -> None:
    page = visit.view(view)
    code = Code(page, cluster.state.api_key)
    assert told in code.curl()
    code.python("client")
    opened(code.link()).get_by_role("heading", name=view, exact=True).wait_for()
