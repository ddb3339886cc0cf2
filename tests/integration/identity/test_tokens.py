"""Tokens of an issuer in another process, over HTTP: which are accepted, whose they are, and until when."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.oidc_issuer import OidcIssuer
from cluster.identity.settings import AuthSettings
from cluster.identity.tokens import Tokens
from cluster.instance.ports import accepts, free_ports
from optionchain.access.roles import RESEARCHER, VIEWER
from optionchain.context import Principal
from optionchain.errors import NotFound, Unavailable
from tests.integration.identity.replicas import FIXED, Replica
from tests.waiting import eventually, until

pytestmark = pytest.mark.anyio
Opened = Callable[..., Awaitable[Replica]]

US = "optionchain"


@dataclass(frozen=True)
class Provider:
    """The issuer, as a test speaks to it."""

    url: str

    def sign(self, *, alg: str = "RS256", kid: str | None = None, **claims: Any) -> str:
        """A token that is right, but for these claims; None leaves one out."""
        now = int(time.time())
        right = {
            "iss": self.url,
            "aud": US,
            "sub": "anna",
            "tenant": "desk",
            "roles": [VIEWER],
            "exp": now + 600,
            "nbf": now - 1,
            "jti": "7",
        }
        said = {name: value for name, value in (right | claims).items() if value is not None}
        asked = {"alg": alg, "claims": said} | ({"kid": kid} if kid else {})
        return str(self.told("/sign", **asked))

    def told(self, path: str, **body: Any) -> Any:
        return httpx.post(self.url + path, json=body, trust_env=False).raise_for_status().json()

    @property
    def fetches(self) -> int:
        """How often its description was asked for."""
        return int(self.told("/fetches")["fetches"])


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    [port] = free_ports(1)
    script = Path(__file__).with_name("provider.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)])
    try:
        eventually(lambda: accepts(port), "the issuer listens")
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def opened(provider: Provider, replica: Opened) -> Callable[..., Awaitable[tuple[Tokens, Replica]]]:
    """Opens a process that accepts its tokens."""

    async def open_one(**settings: Any) -> tuple[Tokens, Replica]:
        given = {"oidc_issuer": provider.url, "oidc_audience": US, "oidc_refetch_seconds": 0.1, **settings}
        one = await replica(**given)
        issuer = OidcIssuer(provider.url)
        tokens = Tokens(
            one.held, issuer, one.denials, one.following, AuthSettings(**given), observer=one.observer
        )
        return tokens, one

    return open_one


@pytest.fixture
async def tokens(opened: Any) -> Tokens:
    return (await opened())[0]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_token_says_whose_it_is_and_what_it_may(
    algorithm: str, provider: Provider, tokens: Tokens
) -> None:
    found = await tokens.principal(provider.sign(alg=algorithm))

    assert found == Principal("desk", "anna", frozenset({VIEWER}))


async def test_keys_work_beside_tokens(tokens: Tokens) -> None:
    assert (await tokens.principal(FIXED)) is not None
    assert await tokens.principal("never-was-a-key-1234") is None
    assert await tokens.principal(None) is None


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_no_signature_and_a_public_key_as_a_shared_secret_are_refused(
    algorithm: str, provider: Provider, tokens: Tokens
) -> None:
    assert await tokens.principal(provider.sign())  # the keys are known

    assert await tokens.principal(provider.sign(alg=algorithm)) is None


NOW = time.time


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 257},
        {"tenant": None},
        {"tenant": "a b"},
        {"tenant": {"$ne": ""}},
    ],
    ids=str,
)
async def test_a_token_that_is_not_meant_for_us_is_refused(
    claims: dict[str, Any], provider: Provider, tokens: Tokens
) -> None:
    assert await tokens.principal(provider.sign(**claims)) is None


async def test_one_of_several_audiences_will_do(provider: Provider, tokens: Tokens) -> None:
    assert await tokens.principal(provider.sign(aud=["another", US]))


@pytest.mark.parametrize(
    ("claim", "seconds", "is_accepted"),
    [("exp", -20, True), ("exp", -40, False), ("nbf", 20, True), ("nbf", 40, False)],
)
async def test_clocks_may_be_apart_by_the_leeway_and_no_more(
    claim: str, seconds: int, is_accepted: bool, provider: Provider, tokens: Tokens
) -> None:
    token = provider.sign(**{claim: int(time.time()) + seconds})

    assert (await tokens.principal(token) is not None) is is_accepted


async def test_a_token_is_verified_once_and_forgotten_when_it_expires(
    provider: Provider, opened: Any
) -> None:
    tokens, _ = await opened(oidc_leeway_seconds=0.0)
    token = provider.sign(exp=int(time.time()) + 2)
    assert await tokens.principal(token)

    # A coroutine that is not suspended ends with the first step.
    with pytest.raises(StopIteration) as found:
        tokens.principal(token).send(None)
    assert found.value.value.subject == "anna"

    async def is_refused() -> bool:
        return await tokens.principal(token) is None

    await until(is_refused, "it expires")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-4] + "AAAA",
        lambda token: token.rsplit(".", 1)[0] + ".",
        lambda token: ".".join([token.split(".")[0], "e30", token.split(".")[2]]),
        lambda token: "eyJhbGciOiJSUzI1NiJ9" + token[token.index(".") :],
        lambda token: "eyJ!." + token.split(".", 1)[1],
        lambda token: token.split(".")[0] + "..",
    ],
)
async def test_a_token_that_was_tampered_with_is_refused(
    spoil: Callable[[str], str], provider: Provider, tokens: Tokens
) -> None:
    assert await tokens.principal(spoil(provider.sign())) is None


async def test_a_key_of_another_issuer_under_the_id_of_ours_is_refused(
    provider: Provider, tokens: Tokens
) -> None:
    token = provider.sign()
    provider.told("/rotate")
    kid = provider.told("/jwks")["keys"][2]["kid"]
    assert await tokens.principal(token) is None, "its key was withdrawn before anybody knew it"

    assert await tokens.principal(provider.sign(alg="ES256", kid=kid)) is None


async def test_a_new_key_is_fetched_when_the_first_token_by_it_comes(provider: Provider, opened: Any) -> None:
    tokens, _ = await opened(oidc_refetch_seconds=0.1)
    assert await tokens.principal(provider.sign())
    provider.told("/rotate")

    async def is_accepted() -> bool:
        return await tokens.principal(provider.sign()) is not None

    await until(is_accepted, "the new key is known")


async def test_what_a_withdrawn_key_signed_is_refused_at_the_next_fetch(
    provider: Provider, opened: Any
) -> None:
    tokens, _ = await opened(oidc_refresh_seconds=1.0)
    token = provider.sign()
    assert await tokens.principal(token)
    provider.told("/rotate")

    async def is_refused() -> bool:
        return await tokens.principal(token) is None

    await until(is_refused, "its key is gone")


async def test_made_up_keys_make_nobody_ask_the_issuer_more_often_than_is_set(
    provider: Provider, opened: Any
) -> None:
    tokens, _ = await opened(oidc_refetch_seconds=300.0)
    assert await tokens.principal(provider.sign())

    for number in range(50):
        assert await tokens.principal(provider.sign(kid=f"made-up-{number}")) is None

    assert provider.fetches == 1


async def test_while_the_issuer_is_silent_its_last_keys_serve(provider: Provider, opened: Any) -> None:
    tokens, _ = await opened(oidc_refresh_seconds=1.0)
    assert await tokens.principal(provider.sign())
    provider.told("/change", is_silent=True)

    for number in range(5):
        assert await tokens.principal(provider.sign(jti=str(number)))
    fresh, _ = await opened()
    with pytest.raises(Unavailable, match="the issuer of tokens"):
        await fresh.principal(provider.sign())


async def test_an_issuer_that_calls_itself_otherwise_is_not_believed(
    provider: Provider, tokens: Tokens
) -> None:
    provider.told("/change", named="https://evil.example")

    with pytest.raises(Unavailable):
        await tokens.principal(provider.sign())


async def test_denied_tokens_and_subjects_work_nowhere_within_a_second(
    provider: Provider, opened: Any
) -> None:
    one, of_one = await opened()
    other, of_other = await opened()
    of_other.following.begin()
    await until(lambda: of_other.following.hears, "it hears of changes")
    stolen, of_anna, of_ben = provider.sign(), provider.sign(jti="8"), provider.sign(sub="ben", jti="9")
    for each in (stolen, of_anna, of_ben):
        assert await one.principal(each)
        assert await other.principal(each)

    async def denied(token: str) -> bool:
        return await other.principal(token) is None

    service = of_one.denial_service
    await service.deny("jti", "7", until=None, made_by="owner")
    await until(lambda: denied(stolen), "the stolen one works no more", patience_seconds=1.0)
    assert await other.principal(of_anna)
    denial = await service.deny("subject", "anna", until=None, made_by="owner")
    await until(lambda: denied(of_anna), "none of hers works", patience_seconds=1.0)
    assert await one.principal(of_anna) is None
    assert await other.principal(of_ben)

    assert [each.value for each in await service.listed()] == ["anna", "7"]
    await service.allow(denial.id)

    async def works() -> bool:
        return await other.principal(of_anna) is not None

    await until(works, "hers work again")
    with pytest.raises(NotFound):
        await service.allow(denial.id)


@pytest.mark.parametrize(
    ("settings", "claims", "roles"),
    [
        ({}, {"roles": "viewer researcher"}, {VIEWER, RESEARCHER}),
        ({}, {"roles": ["root", "caller", 7]}, set()),
        ({}, {"roles": None}, set()),
        ({"oidc_roles": "quants=researcher"}, {"roles": ["quants", "viewer"]}, {RESEARCHER}),
        ({"oidc_roles_claim": "realm_access.roles"}, {"realm_access": {"roles": ["viewer"]}}, {VIEWER}),
        ({"oidc_roles_claim": "https://x.example/r"}, {"https://x.example/r": ["viewer"]}, {VIEWER}),
    ],
    ids=["text", "strangers", "none", "renamed", "nested", "a URL"],
)
async def test_roles_are_what_the_settings_make_of_a_claim(
    settings: dict[str, str], claims: dict[str, Any], roles: set[str], provider: Provider, opened: Any
) -> None:
    tokens, _ = await opened(**settings)

    found = await tokens.principal(provider.sign(**claims))

    assert found is not None
    assert found.roles == roles


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"oidc_issuer": "http://issuer.example", "oidc_audience": US}, "https://"),
        ({"oidc_issuer": "https://issuer.example"}, "OCS_AUTH_OIDC_AUDIENCE"),
        ({"oidc_roles": "quants"}, "value=role"),
        ({"oidc_roles": "quants=root"}, "roles are"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        AuthSettings(**settings)
