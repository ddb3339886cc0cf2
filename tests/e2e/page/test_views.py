"""The other views in a real browser: two markets compared, a sweep run, history imported, the system seen."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from cluster.api_keys import parse_keys
from optionchain.access.roles import Permission
from tests.browsing import Visit
from tests.clusters import OTHER_KEYS, Cluster

XSS = "<img src=x onerror=document.title=1>"
SWEEP = """
base:
  symbol: SPX
  steps: 20
  initial_price: 100.0
  volatility: 0.2
  days_to_expiration: 30
  seed: {seed}
  method:
    GeometricBrownian: {{dt: 0.004, drift: 0.0, volatility: 0.2}}
scenarios: [{{volatility: 0.1}}, {{volatility: 0.3}}]
measures: [terminal_price]
paths: 50
"""

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser


def test_two_markets_of_one_seed_are_compared(visit: Visit, api: httpx.Client) -> None:
    page = visit.view("Compare")
    page.get_by_role("button", name="Create both").first.click()
    page.get_by_role("button", name="Step n").click()
    served = page.locator("dd", has_text="11 of 250")
    expect(served).to_have_count(2)
    visit.drawn()
    both = api.get("/api/v2/simulations", params={"limit": 2}).json()["data"]
    one, other = (each["parameters"] for each in both)
    assert one["seed"] == other["seed"]
    assert {one["volatility"], other["volatility"]} == {0.12, 0.24}

    smiles = page.locator(".plot").filter(visible=True)
    box = smiles.nth(1).bounding_box()
    assert box is not None
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across + box["width"] / 4, down - box["height"] / 4, steps=4)
    page.mouse.up()
    linked = """([least, most]) => {
        const [one, other] = [...document.querySelectorAll(".plot")].slice(1)
            .map((each) => String([each.layout.xaxis.range, each.layout.yaxis.range]));
        const [low, high] = document.querySelectorAll(".plot")[1].layout.xaxis.range;
        return one === other && least < high - low && high - low < most;
    }"""
    page.wait_for_function(linked, arg=[0.1, 1])  # of 0.3 to 1.7 times the price
    page.get_by_role("application", name="Smile of market B").focus()
    page.keyboard.press("Home")
    page.wait_for_function(linked, arg=[1, 3])
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_function(linked, arg=[0.1, 1.3])


def test_a_sweep_is_followed_to_its_end_and_a_cell_opens_its_path(visit: Visit, api: httpx.Client) -> None:
    page = visit.view("Sweeps")
    page.get_by_label("Seed").fill(str(uuid.uuid4().int % 2**31))
    page.get_by_label("Parameter").nth(1).select_option("method.drift")
    page.get_by_label("Paths of each scenario").fill("40")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("completed · 15 scenarios")).to_be_visible(timeout=60_000)
    visit.drawn()
    expect(page.get_by_role("table", name="15 scenarios").locator("tbody tr")).to_have_count(15)
    visit.picture("sweep")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 16

    sweep = api.get("/api/v1/sweeps", params={"limit": 1}).json()["data"][0]
    rows = api.get(f"/api/v1/sweeps/{sweep['id']}/results").json()

    def opens(row: dict[str, Any]) -> None:
        """The path of the row is a market."""
        page.wait_for_url(re.compile("#/market"))
        page.locator(".chain tbody th").first.wait_for()
        shown = api.get("/api/v2/simulations", params={"limit": 1}).json()["data"][0]["parameters"]
        assert (shown["volatility"], shown["seed"]) == (row["volatility"], row["seed"])
        assert shown["method"]["GeometricBrownian"]["drift"] == row["method.drift"]
        visit.view("Sweeps")

    page.locator(".big tbody tr").nth(2).get_by_role("button").click()
    opens(rows[2])

    # The map shows any statistic; its cells are chosen by keys, or by the mouse.
    page.get_by_label("Statistic").select_option("terminal_price_std")
    picture = page.get_by_role("application", name="terminal price std by volatility and method.drift")
    page.wait_for_function(
        "(most) => Math.max(...document.querySelector('.plot:has(.heatmaplayer .hm)').data[0].z.flat()) === most",
        arg=max(row["terminal_price_std"] for row in rows),
    )
    expect(picture).to_have_accessible_description(re.compile("arrow keys and press Enter"))
    picture.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    said = page.locator(".said", has_text="method.drift")
    expect(said).to_have_text(re.compile("^volatility 0.175, method.drift 0.05: "))
    visit.picture("sweep-by-keys")
    page.keyboard.press("Enter")
    opens(rows[4])
    box = page.locator(".plot .heatmaplayer").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 10)
    page.wait_for_timeout(200)  # plotly looks for what is under the mouse no oftener
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + 10)
    opens(rows[14])

    # Of one parameter, its quantiles are bands; a point of them opens a path too.
    page.get_by_label("Down").select_option("volatility")
    page.get_by_label("Statistic").select_option("terminal_price_mean")
    page.wait_for_function(
        "() => document.querySelectorAll('.plot')[0].data.filter((each) => each.fill === 'tonexty').length >= 2"
    )
    page.get_by_role("application", name="terminal price mean by volatility").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(said.or_(page.locator(".said", has_text="volatility 0.175: "))).to_be_visible()
    page.keyboard.press("Enter")
    opens(rows[3])


def test_a_sweep_is_pasted_as_it_is_written_for_the_command_line(visit: Visit, api: httpx.Client) -> None:
    page = visit.view("Sweeps")
    page.get_by_text("Or paste YAML or JSON").click()
    page.get_by_label("Definition").fill("base: &a {b: *a}")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("aliases are not taken")
    page.get_by_label("Definition").fill(SWEEP.format(seed=uuid.uuid4().int % 2**31))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("completed · 2 scenarios")).to_be_visible(timeout=60_000)

    # Its base has no calendar; a row opens the path all the same.
    page.locator(".big tbody tr").nth(1).get_by_role("button").click()
    page.locator(".chain tbody th").first.wait_for()
    expect(page.locator("#notices")).to_contain_text("not one of 30 days")
    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator("output")).to_contain_text("2 of 20")
    sweep = api.get("/api/v1/sweeps", params={"limit": 1}).json()["data"][0]
    base = api.get(f"/api/v1/sweeps/{sweep['id']}/definition").json()["base"]
    row = api.get(f"/api/v1/sweeps/{sweep['id']}/results").json()[1]
    assert row["volatility"] == 0.3
    base["method"]["GeometricBrownian"]["volatility"] = 0.3
    unsaid = {"risk_free_rate": 0.0, "dividend_yield": 0.0, "time_frame": "Day"}
    session = api.post("/api/v1/chain", json={**unsaid, **base, "volatility": 0.3, "seed": row["seed"]})
    query = {"sessionid": session.json()["id"], "count": 2}
    snapshots = api.post("/api/v1/chain/step", params=query).json()["snapshots"]
    price = snapshots[1]["price"]
    expect(page.locator(".facts dd").nth(1)).to_have_text(f"{price:,.2f}")


def test_a_sweep_is_cancelled_and_gone_on_with_and_its_progress_survives_a_broken_line(
    visit: Visit, api: httpx.Client
) -> None:
    page = visit.view("Sweeps")
    asked: list[str] = []

    def broken_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
            return
        sweep = route.request.url.split("/")[-2]
        shown = api.get(f"/api/v1/sweeps/{sweep}").json()
        body = f"event: progress\ndata: {json.dumps({**shown, 'state': 'running'})}\n\n"
        route.fulfill(
            status=200, content_type="text/event-stream", body=body
        )  # it ends, and the sweep does not

    page.route("**/events", broken_once)
    page.get_by_text("Or paste YAML or JSON").click()
    many = SWEEP.replace("steps: 20", "steps: 200").replace("paths: 50", "paths: 20000")
    many = re.sub("scenarios: .*", "grid: {{volatility: {{from: 0.1, to: 0.6, points: 60}}}}", many)
    page.get_by_label("Definition").fill(many.format(seed=uuid.uuid4().int % 2**31))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text(re.compile("running · 60 scenarios"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("cancelled · 60 scenarios"))).to_be_visible(timeout=60_000)
    assert len(asked) >= 2
    listed = page.get_by_role("button", name=re.compile("60 × 20,000 · cancelled"))
    expect(listed.first).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(re.compile("completed · 60 scenarios"))).to_be_visible(timeout=120_000)
    expect(page.get_by_role("table", name="60 scenarios")).to_be_visible()


def test_a_table_of_five_thousand_rows_has_only_those_in_sight(visit: Visit) -> None:
    """Scrolled from end to end, each frame draws some dozens of rows."""
    page = visit.view("Sweeps")
    page.get_by_text("Or paste YAML or JSON").click()
    many = SWEEP.replace("steps: 20", "steps: 2").replace("paths: 50", "paths: 2")
    many = re.sub("scenarios: .*", "grid: {{volatility: {{from: 0.1, to: 0.6, points: 5000}}}}", many)
    page.get_by_label("Definition").fill(many.format(seed=uuid.uuid4().int % 2**31))
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("completed · 5000 scenarios of 2 paths")).to_be_visible(timeout=120_000)
    table = page.locator(".big")
    expect(table).to_be_visible()
    median = table.evaluate(
        """async (element) => {
            const times = [];
            for (let at = 0; at < 20; at++) {
                const began = performance.now();
                element.scrollTop = element.scrollHeight * at / 20;
                await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
                times.push(performance.now() - began);
            }
            element.scrollTop = element.scrollHeight;
            return times.sort((one, other) => one - other)[10];
        }"""
    )
    expect(table.get_by_role("button", name="4,999")).to_be_visible()
    assert table.locator("tbody tr").count() < 100
    assert median < 250  # milliseconds, on a busy machine


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file onto the page, as a mouse does."""
    data = page.evaluate_handle(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            return data;
        }""",
        [name, text],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})


def test_a_file_is_dropped_in_and_shown_with_what_it_rejects(visit: Visit, api: httpx.Client) -> None:
    asset = f"P{uuid.uuid4().hex[:8]}".upper()
    days = [f"2024-01-{day:02d},1,{day + 101},1,{day + 100}" for day in range(1, 29)]
    page = visit.view("History")
    page.get_by_label("As the asset").fill(asset)
    drop(page, "prices.csv", "\n".join(["date,open,high,low,close", *days, f"2024-01-29,1,2,1,{XSS}"]) + "\n")
    report = page.locator("[role=status]", has_text=asset)
    expect(report).to_contain_text(f"{asset}: 28 of 29 rows stored")
    expect(report.locator("pre")).to_contain_text(XSS)
    assert page.locator("main img[src]").count() == 0
    assert api.get(f"/api/v1/historical/{asset}/range").json()["prices"]["Day"]["to"] == "2024-01-28"
    visit.drawn()
    expect(page.get_by_role("application", name=f"Prices of {asset}")).to_be_visible()

    page.get_by_label("As the asset").fill("NOT AN ASSET")
    drop(page, "prices.csv", "date,close\n2024-01-01,1\n")
    expect(page.locator(".field-problem")).to_contain_text("must be 1 to 32 of the characters")


def test_the_chain_of_a_past_day_is_shown(visit: Visit, cluster: Cluster, api: httpx.Client) -> None:
    asset = f"Q{uuid.uuid4().hex[:8]}".upper()
    contracts = [
        {
            "strike": strike,
            "call": {"bid": 1.0, "ask": 1.2, "implied_volatility": 0.2},
            "put": {"bid": 0.8, "ask": 1.0},
        }
        for strike in (95.0, 100.0, 105.0)
    ]
    chain = {
        "quote_time": "2024-01-02T21:00:00Z",
        "underlying": {"price": 100.0},
        "chains": [{"expiration": "2024-01-19", "contracts": contracts}],
    }
    api.put(f"/api/v1/historical/{asset}/2024-01-02", json=chain).raise_for_status()
    page = visit.view("History")
    page.get_by_label("Asset", exact=True).select_option(asset)
    expect(page.locator(".chain tbody tr")).to_have_count(3)
    expect(page.locator(".chain tbody")).to_contain_text("20.00%")


def test_the_system_shows_what_it_needs_and_what_it_has(visit: Visit, cluster: Cluster) -> None:
    page = visit.view("System")
    for name in ("redis", "mongodb"):
        expect(page.get_by_role("row", name=re.compile(f"{name} up"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("alive"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("sessions-0"))).to_be_visible()
    expect(page.locator("dt", has_text="Step, p99")).to_be_visible()
    expect(page.get_by_role("link", name="Ray")).to_have_attribute("href", cluster.state.ray_dashboard)

    # By the metrics of the cluster itself.
    for told in ("Requests in all", "Steps served", "Sessions alive"):
        count = page.locator(".facts div", has=page.locator("dt", has_text=told)).locator("dd")
        expect(count).to_have_text(re.compile("^[0-9,]+$"))
    links = {"Grafana": "https://grafana.test/d/1", "Jaeger": "https://jaeger.test/"}

    def with_links(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "links": links})

    page.route("**/api/v1/system", with_links)
    page.get_by_role("button", name="Look again").click()
    for name, address in links.items():
        expect(page.get_by_role("link", name=name)).to_have_attribute("href", address)


def test_tasks_are_scheduled_paused_run_and_cancelled(
    visit: Visit, visitor: Callable[..., Visit], api: httpx.Client
) -> None:
    name = f"clean-up {uuid.uuid4().hex[:8]}"
    task = {
        "name": name,
        "kind": "session_cleanup",
        "timing": {"every_seconds": 3600, "start": "2099-01-01T00:00:00Z"},
    }
    page = visit.view("Tasks")
    page.get_by_text("Schedule a task").click()
    definition = page.get_by_label("Task", exact=True)
    assert json.loads(definition.input_value())["kind"] == "sweep"  # the example of the documentation
    definition.fill(json.dumps({**task, "kind": "none"}))
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("must be one of sweep")
    definition.fill(json.dumps(task))
    page.get_by_role("button", name="Schedule", exact=True).click()

    row = page.get_by_role("row", name=re.compile(name))
    expect(row).to_contain_text("every 3,600 s")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    expect(row).to_contain_text("active")
    row.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("table", name=re.compile("Its runs"))).to_contain_text(
        "succeeded", timeout=60_000
    )

    owner = api.get("/api/v1/caller").json()["tenant"]
    looker = api.post("/api/v1/keys", json={"owner": owner, "roles": ["viewer"]}).json()
    other = visitor()
    other.open("#/tasks")
    other.sign_in(looker["key"])
    expect(other.page.get_by_role("row", name=re.compile(name))).to_contain_text("active")
    expect(other.page.get_by_role("button", name=re.compile("Pause|Run now|Cancel|Schedule"))).to_have_count(
        0
    )

    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("cancelled")
    expect(row.get_by_role("button", name=re.compile("Pause|Cancel"))).to_have_count(0)
    [mine] = [each for each in api.get("/api/v1/tasks").json()["data"] if each["name"] == name]
    assert mine["state"] == "cancelled"


def test_who_may_only_do_some_things_is_offered_those(visitor: Callable[..., Visit]) -> None:
    key = next(
        key for key, principal in parse_keys(OTHER_KEYS).items() if not principal.may(Permission.ADMINISTER)
    )
    visit = visitor()
    visit.open("#/history")
    visit.sign_in(key)
    visit.page.get_by_role("heading", name="History").wait_for()
    expect(visit.page.locator(".drop")).to_have_count(0)
    page = visit.view("System")
    expect(page.get_by_text("it needs the role operator")).to_be_visible()
