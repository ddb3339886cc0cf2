"""The page of whoever asks too often, in a real browser: it counts down, and plays on by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import async_playwright, expect

from cluster.instance.ports import free_ports
from tests.browsing import launching
from tests.integration.http.in_process_service import ALICE, service
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio
# So many at once, which the files of the page take that are asked for without a key; and then one in four seconds.
LIMITED = {"per_minute": 15, "burst": 40}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as server:
        yield server


async def test_too_many_requests_are_counted_down(redis: RedisServer) -> None:
    [port] = free_ports(1)
    async with service(redis, "page", rate=LIMITED) as running, async_playwright() as driver:
        config = uvicorn.Config(running.app, port=port, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        browser = await driver.chromium.launch(**launching(driver.chromium.executable_path))
        page = await browser.new_page()
        refused: list[str] = []
        page.on("response", lambda each: refused.append(each.url) if each.status == 429 else None)
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.get_by_label("API key").fill(ALICE)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("button", name=re.compile("Calm index")).click()
        await page.get_by_label("Speed").select_option("as fast as it goes")

        notices, served = page.locator("#notices"), page.locator("output")
        await expect(notices).to_contain_text(re.compile("Too many requests: on in [34] s"), timeout=20_000)
        at = int((await served.inner_text()).split()[0])
        await expect(notices).to_contain_text(re.compile("on in [12] s"))
        assert refused
        assert "/step" in refused[-1]
        await expect(served).to_contain_text(f"{at + 1} of 250", timeout=20_000)
        await browser.close()
        server.should_exit = True
        await serving
