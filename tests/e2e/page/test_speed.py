"""How smoothly the page plays, by the browser's own tracing: 915 strikes a step, ten steps a second."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from tests.browsing import Visit

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SECONDS = 10
# Fifteen expirations of 61 strikes.
FORM = {"weeklies": 5, "monthlies": 10}


def tasks_of_main_thread(trace: bytes) -> list[float]:
    """Milliseconds of each task of the page's main thread."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    return [
        event["dur"] / 1000
        for event in events
        if event["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and event.get("ph") == "X"
        and (event["pid"], event["tid"]) in mains
    ]


@pytest.mark.parametrize(("picture", "least_frames"), [("Smile", 30), ("Surface", 10)])
def test_it_plays_smoothly(visit: Visit, browser: Any, picture: str, least_frames: int) -> None:
    page = visit.page
    page.get_by_text("more parameters").click()
    for number, count in enumerate(FORM.values()):
        page.locator(f"[data-path='schedules[{number}].target_count']").fill(str(count))
    page.locator("[data-path='schedules[0].weekdays']").fill('["Tue"]')  # no third Friday among them
    page.locator("[data-path=chain_size]").fill("30")
    page.get_by_role("button", name="Create market").click()
    page.get_by_role("tab", name=picture).click()
    page.locator(".facts").get_by_text("915", exact=True).wait_for()
    page.get_by_label("Speed").select_option("10 steps/s")
    page.get_by_role("button", name="Play").click()
    visit.drawn(".plot.tall", 5)

    browser.start_tracing(
        page=page, categories=["devtools.timeline", "toplevel", "disabled-by-default-devtools.timeline"]
    )
    before = int(page.locator("output").inner_text().split()[0])
    frames = page.evaluate(
        """(seconds) => new Promise((resolve) => {
            const until = performance.now() + 1000 * seconds;
            let frames = 0;
            const frame = () => {
                frames += 1;
                if (performance.now() < until) requestAnimationFrame(frame);
                else resolve(frames);
            };
            requestAnimationFrame(frame);
        })""",
        SECONDS,
    )
    steps = int(page.locator("output").inner_text().split()[0]) - before
    tasks = [each for each in tasks_of_main_thread(browser.stop_tracing()) if each >= 1.0]
    p95 = statistics.quantiles(tasks, n=20)[-1]
    told = f"{frames / SECONDS:.0f} frames/s, {steps / SECONDS:.1f} steps/s"
    print(f"{picture}: {told}, tasks of 1 ms or more: p95 {p95:.0f} ms of {len(tasks)}")
    assert frames / SECONDS >= least_frames
    assert p95 <= 100
    assert steps / SECONDS >= 9
