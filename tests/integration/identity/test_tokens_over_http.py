"""Tokens over HTTP, of an issuer that is none of ours: somebody signs in with it, and calls the service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.oidc_issuer import OidcIssuer
from cluster.identity.settings import AuthSettings
from cluster.identity.tokens import Tokens
from tests.integration.http.in_process_service import Service, service
from tests.integration.identity.replicas import FIXED, Replica
from tests.issuers import US, Issuer
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
Opened = Callable[..., Awaitable[Replica]]

DENIED = "/api/v1/denied-tokens"


@pytest.fixture
async def running(issuer: Issuer, redis: RedisServer, replica: Opened) -> AsyncIterator[Service]:
    given = {"oidc_issuer": issuer.url, "oidc_audience": US, "oidc_tenant_claim": "sub"}
    one = await replica(**given)
    tokens = Tokens(
        one.held,
        OidcIssuer(issuer.url),
        one.denials,
        one.following,
        AuthSettings(**given),
        observer=one.observer,
    )
    others = {"authentication": tokens, "keys": one.service, "denials": one.denial_service}
    async with service(redis, "tokens", others) as running:
        yield running


async def test_whoever_signs_in_may_do_what_the_roles_of_the_token_may(
    running: Service, issuer: Issuer
) -> None:
    token = issuer.signed_in("anna", roles=["viewer"])

    async with running.client(None) as anna:
        anna.headers["Authorization"] = f"Bearer {token}"
        assert (await anna.get("/api/v1/chain/sessions")).status_code == 200
        assert (await anna.post("/api/v1/chain", json={})).status_code == 403
        assert (await anna.get(DENIED)).status_code == 403


async def test_a_token_for_somebody_else_is_refused_and_the_caller_told_what_it_may_be(
    running: Service, issuer: Issuer
) -> None:
    async with running.client(issuer.signed_in("anna", client_id="another", roles=["admin"])) as thief:
        answer = await thief.get("/api/v1/chain/sessions")

    assert answer.status_code == 401
    assert answer.json() == {
        "error": "the token is not accepted: it may have expired, or be meant for others"
    }


async def test_an_administrator_cuts_off_a_subject_and_lets_it_in_again(
    running: Service, issuer: Issuer
) -> None:
    token = issuer.signed_in("ben", roles=["viewer"])
    async with running.client(FIXED) as admin, running.client(token) as ben:
        before = await ben.get("/api/v1/chain/sessions")
        denied = await admin.post(DENIED, json={"kind": "subject", "value": "ben"})
        meanwhile = await ben.get("/api/v1/chain/sessions")
        listed = await admin.get(DENIED)
        allowed = await admin.delete(f"{DENIED}/{denied.json()['id']}")
        again = await admin.delete(f"{DENIED}/{denied.json()['id']}")

    assert (before.status_code, denied.status_code, meanwhile.status_code) == (200, 201, 401)
    assert listed.json() == {"data": [denied.json()]}
    assert allowed.json() == denied.json()
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "aud", "value": "x"}, "kind"),
        ({"kind": "jti", "value": ""}, "value"),
        ({"kind": "jti", "value": "x" * 257}, "value"),
        ({"kind": "jti", "value": "two\nlines"}, "value"),
        ({"kind": "jti", "value": {"$ne": 1}}, "value"),
        ({"kind": "jti", "value": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"kind": "jti", "value": "x", "colour": 1}, "colour"),
    ],
)
async def test_a_wrong_denial_is_named(body: dict, field: str, running: Service) -> None:
    async with running.client(FIXED) as admin:
        answer = await admin.post(DENIED, json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
