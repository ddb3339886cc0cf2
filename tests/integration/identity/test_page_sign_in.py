"""The page signs in at an issuer that is none of ours: authorization code with PKCE, in a real browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from playwright.async_api import async_playwright, expect

from adapters.oidc_issuer import OidcIssuer
from cluster.identity.settings import AuthSettings
from cluster.identity.tokens import Tokens
from cluster.instance.ports import free_ports
from tests.browsing import launching
from tests.integration.http.in_process_service import service
from tests.integration.identity.replicas import Replica
from tests.issuers import US, Issuer
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
# Silent, and nothing of it is kept: it ends with the test.
QUIET: dict[str, Any] = {"log_config": None, "lifespan": "off"}


async def test_somebody_signs_in_at_the_issuer_and_is_known(
    issuer: Issuer, redis: RedisServer, replica: Callable[..., Awaitable[Replica]]
) -> None:
    given = {"oidc_issuer": issuer.url, "oidc_audience": US, "oidc_tenant_claim": "sub", "oidc_client_id": US}
    async with httpx.AsyncClient(base_url=issuer.url, trust_env=False) as known:
        (await known.put("/users/anna", json={"roles": ["viewer"]})).raise_for_status()
    one = await replica(**given)
    tokens = Tokens(
        one.held,
        OidcIssuer(issuer.url),
        one.denials,
        one.following,
        AuthSettings(**given),
        observer=one.observer,
    )
    asked: list[str] = []
    proven: list[str] = []
    [port] = free_ports(1)
    async with service(redis, "page", {"authentication": tokens}, auth=given) as running:
        server = uvicorn.Server(uvicorn.Config(running.app, port=port, **QUIET))
        serving = asyncio.create_task(server.serve())
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(**launching(driver.chromium.executable_path))
            page = await browser.new_page()

            async def allowed(route: Any) -> None:
                """What this issuer knows nothing of: pages that read its answers, and clients without a secret."""
                sent = route.request.post_data
                if sent:
                    proven.append(parse_qs(sent)["code_verifier"][0])
                    answer = await route.fetch(post_data=f"{sent}&client_secret=any")
                else:
                    answer = await route.fetch()
                headers = {**answer.headers, "Access-Control-Allow-Origin": "*"}
                await route.fulfill(response=answer, headers=headers)

            await page.route(f"{issuer.url}/.well-known/**", allowed)
            await page.route(f"{issuer.url}/oauth2/token", allowed)
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.get_by_role("button", name="Sign in at").click()
            await page.locator("input[name=sub]").fill("anna")
            await page.get_by_role("button", name="Authorize").click()
            await expect(page.locator("#caller")).to_contain_text("anna")
            await expect(page.get_by_text("Your key may look, and not make markets.")).to_be_visible()
            assert page.url == f"http://127.0.0.1:{port}/"
            kept = await page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
            await browser.close()
        server.should_exit = True
        await serving

    assert kept == "{}{}"
    [authorization] = {each for each in asked if "/oauth2/authorize" in each}
    query = parse_qs(urlsplit(authorization).query)
    assert query["code_challenge_method"] == ["S256"]
    digest = hashlib.sha256(proven[0].encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
