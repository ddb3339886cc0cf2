"""The page's pictures: what they show, and what hands do to them, by keys as by the mouse."""

from __future__ import annotations

import base64
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from optionchain_client import Client
from tests.browsing import Visit
from tests.clusters import Cluster
from tests.e2e.page.streams import latest

pytestmark = pytest.mark.timeout(300)  # the first test waits for the shared instance, and for a browser

SURFACE = ".plot:has(canvas:not(.moving))"
EYE = f"document.querySelector('{SURFACE}')?.layout.scene.camera.eye"
# A picture of its own on the page, of a surface or of two lines over a band; of both axes the range is given.
BEGIN = """async ([width, height, isSurface]) => {
    const here = document.querySelector("script[type=module]").src;
    const { Picture } = await import(new URL("picture.js", here).href);
    const picture = new Picture("under test");
    picture.element.style.cssText = "position: absolute; left: 0; top: 0; z-index: 9; background: var(--paper);";
    picture.frame.style.cssText = `width: ${width}px; height: ${height}px; flex: none`;
    document.body.append(picture.element);
    const at = Array.from({ length: 13 }, (_, number) => number);
    const range = [0, 12];
    const title = { text: "one" };
    const line = { mode: "lines", line: { color: "#0000ff", width: 4 } };
    const [traces, layout] = isSurface
        ? [
            [{
                type: "surface", showscale: false, colorscale: [[0, "#ff0000"], [1, "#0000ff"]],
                x: at.map(() => at.map((each) => 500 * each)), y: at.map((each) => at.map(() => each)),
                z: at.map((row) => at.map((column) => 0.2 + 0.001 * (row - 6) * (column - 6))),
            }],
            { margin: { l: 0, r: 0, t: 0, b: 0 }, scene: {
                xaxis: { title, range: [-1000, 8000] }, yaxis: { title, range }, zaxis: { title, range: [0.1, 0.3] },
            } },
        ]
        : [
            [{ x: at, y: at.map((each) => 1000000 + each), ...line },
                { x: at, y: at.map((each) => 1000012 - each / 2), ...line }],
            { xaxis: { title, range }, yaxis: { title, range: [1000000, 1000013] } },
        ];
    window.underTest = { picture, show: (isMoving) => picture.show(traces, layout, { isMoving }) };
    underTest.show(false);
}"""
# Where a shot has colours at all: what is drawn has, and paper, axes and texts have none.
COLOURED = """async (shot) => {
    const image = new Image();
    image.src = `data:image/png;base64,${shot}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, image.width, image.height);
    const found = [];
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue] = data.subarray(at, at + 3);
        if (Math.max(red, green, blue) - Math.min(red, green, blue) > 60) found.push(at / 4);
    }
    return found;
}"""


def heston(visit: Visit) -> Page:
    """A market that rests."""
    page = visit.page
    page.get_by_role("button", name=re.compile("Heston with a smile")).click()
    page.locator(".chain tbody th").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("toolbar", name="Time")).not_to_have_attribute("aria-busy", "true")
    return page


def coloured(page: Page) -> set[int]:
    """As it is once it changes no more: plotly draws in 3-D some frames later, and tells nobody when."""
    before: list[int] = []
    for _ in range(50):
        shot = page.locator(".frame").last.screenshot()
        now = page.evaluate(COLOURED, base64.b64encode(shot).decode())
        if now and now == before:
            break
        before = now
    return set(before)


@pytest.mark.parametrize(
    ("what", "size", "keys"),
    [
        ("surface", (600, 400), ()),
        ("surface", (600, 400), ("ArrowRight", "Shift+ArrowLeft", "ArrowUp", "ArrowUp", "+")),
        ("surface", (280, 400), ("Shift+ArrowDown", "-")),
        ("lines", (600, 300), ()),
    ],
)
def test_what_plays_is_painted_where_plotly_draws_what_rests(
    visit: Visit, what: str, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    """Plotly tells nobody its lens, nor the room that it leaves for labels: another release of it may have others."""
    page = visit.page
    page.evaluate(BEGIN, [*size, what == "surface"])
    visit.drawn()
    page.evaluate("underTest.picture.frame.focus({ focusVisible: false })")
    for key in keys:
        page.keyboard.press(key)
    plotly = coloured(page)
    page.evaluate("underTest.show(true)")
    page.locator("canvas.moving").wait_for()
    canvas = coloured(page)
    assert len(plotly) > 1000
    alike = len(plotly & canvas) / len(plotly | canvas)
    assert alike > 0.93, f"plotly draws the {what} elsewhere than moving.js paints it: {alike:.0%} alike"


def test_a_surface_is_turned_by_keys_and_by_the_mouse(visit: Visit) -> None:
    page = heston(visit)
    page.get_by_role("tab", name="Surface").click()
    page.wait_for_function(f"() => {EYE}")
    page.get_by_label("Along").focus()
    page.keyboard.press("Tab")
    surface = page.get_by_role("application", name=re.compile("Surface of SPX"))
    expect(surface).to_be_focused()
    expect(surface).to_have_accessible_description(re.compile("arrow keys .* to turn it"))
    expect(page.get_by_text("arrow keys (with Shift: further) to turn it")).to_be_visible()

    def turned_by(act: Any) -> dict[str, float]:
        before = page.evaluate(EYE)
        act()
        page.wait_for_function(f"(before) => JSON.stringify({EYE}) !== JSON.stringify(before)", arg=before)
        return dict(page.evaluate(EYE))

    first = page.evaluate(EYE)
    right = turned_by(lambda: page.keyboard.press("ArrowRight"))
    assert right["x"] < first["x"]  # the eye goes left, the surface right
    assert turned_by(lambda: page.keyboard.press("Shift+ArrowDown"))["z"] > right["z"] + 0.3
    near = turned_by(lambda: page.keyboard.press("+"))
    assert near["x"] ** 2 + near["y"] ** 2 < right["x"] ** 2 + right["y"] ** 2
    assert turned_by(lambda: page.keyboard.press("Home")) == first

    box = surface.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    dragged = turned_by(lambda: page.mouse.move(box["x"] + 240, box["y"] + 200, steps=3))
    page.mouse.up()
    assert dragged["x"] < first["x"]
    turned_by(lambda: page.mouse.wheel(0, -100))

    # As long as it plays fast, a canvas shows it; what one has turned stays so.
    page.keyboard.press("Home")
    page.get_by_label("Speed").select_option("10 steps/s")
    page.get_by_role("button", name="Play").click()
    page.locator(f"{SURFACE} canvas.moving").wait_for()
    surface.focus()
    playing = turned_by(lambda: page.keyboard.press("ArrowLeft"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("canvas.moving")).to_have_count(0)
    assert page.evaluate(EYE) == playing


def test_a_part_of_a_picture_is_looked_at_by_keys(visit: Visit) -> None:
    page = heston(visit)
    smile = page.get_by_role("application", name=re.compile("Smile of SPX"))
    ranges = """() => {
        const { xaxis, yaxis } = document.querySelectorAll(".plot")[1].layout;
        return [xaxis.range, yaxis.range];
    }"""
    wide = "([[low, high]]) => high - low"
    page.wait_for_function("() => document.querySelectorAll('.plot')[1].layout?.xaxis.range")
    whole = page.evaluate(ranges)
    smile.focus()
    expect(smile.locator("+ .hint")).to_be_visible()
    page.keyboard.press("+")
    near = page.evaluate(ranges)
    assert page.evaluate(wide, near) < page.evaluate(wide, whole)
    page.keyboard.press("ArrowRight")
    right = page.evaluate(ranges)
    assert right[0][0] > near[0][0]
    assert right[1] == near[1]

    # The next step is looked at in the same place; Home shows all of it.
    drawn = "Number(document.querySelectorAll('.plot')[1].dataset.drawn)"
    before = page.evaluate(drawn)
    page.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_function(f"(before) => {drawn} > before", arg=before)
    assert page.evaluate(ranges)[0] == pytest.approx(right[0])
    smile.focus()
    page.keyboard.press("Home")
    page.wait_for_function(
        f"(least) => {{ const [[low, high]] = ({ranges})(); return high - low > least; }}",
        arg=page.evaluate(wide, near) * 1.1,
    )


def test_the_pictures_show_the_numbers_of_the_service(
    visit: Visit, api: httpx.Client, cluster: Cluster
) -> None:
    page = heston(visit)
    listed, [snapshot] = latest(api, greeks="first")
    spot, chains = snapshot["underlying"]["price"], snapshot["chains"]

    def nearest(chain: dict[str, Any]) -> dict[str, Any]:
        return min(chain["contracts"], key=lambda each: abs(each["strike"] - spot))

    def shown(picture: str, expected: list[float], axis: str = "y") -> None:
        """The last line of the picture, or the first row of the surface."""
        page.get_by_role("tab", name=picture).click()
        page.wait_for_function(
            """([expected, axis]) => {
                const data = document.querySelectorAll(".plot")[1].data ?? [];
                const all = data.map((each) => each.type === "surface" ? each[axis].at(-1) : each[axis]);
                const isIt = (each) => each.every((one, at) => Math.abs(one - expected[at]) < 1e-9);
                return all.some((each) => each?.length === expected.length && isIt(each));
            }""",
            arg=[expected, axis],
        )

    shown("Term structure", [nearest(chain)["implied_volatility"] for chain in chains])
    shown("Smile", [each["implied_volatility"] for each in chains[0]["contracts"]])
    for along, value in (
        ("delta", lambda each: each["call"]["delta"]),
        ("moneyness", lambda each: each["strike"] / spot),
        ("strike", lambda each: each["strike"]),
    ):
        page.get_by_label("Along").select_option(along)
        shown("Surface", [value(each) for each in chains[-1]["contracts"]], "x")
    shown("Surface", [chains[-1]["days_to_expiration"]] * len(chains[-1]["contracts"]), "y")
    page.get_by_role("tab", name="By strike").click()
    for name in ("gamma", "delta", "vega", "theta", "rho"):
        page.get_by_label("Value").select_option(name)
        of = {
            "gamma": lambda each: each["gamma"],
            "delta": lambda each: each["call"]["delta"],
        }.get(name, lambda each, name=name: each["call"]["greeks"][name])
        shown("By strike", [of(each) for each in chains[0]["contracts"]])

    with Client(cluster.state.base_url, cluster.state.api_key) as client:
        fan = client.open_simulation(listed["id"]).fan(paths=200)
    expect(
        page.get_by_role("application", name=re.compile("over quantiles of 200 other paths"))
    ).to_be_visible()
    drawn = page.evaluate("document.querySelectorAll('.plot')[0].data.map((each) => [...each.y])")
    assert all(quantile in drawn for quantile in fan["prices"])
