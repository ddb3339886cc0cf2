"""API keys: how they are written, kept, and found in a request."""

from __future__ import annotations

import base64
import hmac
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from cluster.api_keys import kept_key, parse_keys
from cluster.settings import AuthSettings
from optionchain.errors import Unauthenticated
from serve_app.edge.authentication import Authenticator, presented_secret
from serve_app.edge.boundary import is_public
from tests.callers import principal

ALICE, BOB = "alice-key-0123456789", "bob-key-0123456789ab"
KEYS = f"alice:admin={ALICE}, bob={BOB},"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def authenticator(keys: str = KEYS, *, enabled: bool = True) -> Authenticator:
    return Authenticator(AuthSettings(enabled=enabled, keys=SecretStr(keys)))


def test_keys_name_their_owners_and_administrators() -> None:
    assert parse_keys(KEYS) == {
        ALICE: principal("alice", is_admin=True),
        BOB: principal("bob"),
    }


def test_a_key_may_contain_an_equals_sign() -> None:
    assert list(parse_keys("alice=0123456789abcdef==")) == ["0123456789abcdef=="]


@pytest.mark.parametrize(
    "entry",
    [
        "alice",
        "=0123456789abcdef",
        "a b=0123456789abcdef",
        "a:root=0123456789abcdef",
        "alice=short",
        "x" * 65 + "=0123456789abcdef",
    ],
)
def test_a_bad_entry_is_refused_without_repeating_its_key(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^(each entry must be|the key of alice must have)") as refusal:
        parse_keys(entry)

    assert "0123456789abcdef" not in str(refusal.value)


def test_a_first_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "api_key"

    key = kept_key(file)

    assert len(key) >= 32
    assert kept_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_instances_have_different_keys(tmp_path: Path) -> None:
    assert kept_key(tmp_path / "one") != kept_key(tmp_path / "two")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": BOB},
        {"x-api-key": BOB},
        {"Authorization": f"Bearer {BOB}"},
        {"Authorization": f"bearer  {BOB} "},
        {"Authorization": basic("anybody", BOB)},
        {"Authorization": basic("", BOB)},
    ],
    ids=["header", "lower-case header", "bearer", "sloppy bearer", "basic", "basic without user"],
)
def test_a_key_is_found_wherever_clients_put_it(headers: dict[str, str]) -> None:
    assert authenticator().authenticate(Headers(headers)) == principal("bob")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": BOB[:-1]},
        {"X-API-Key": BOB + "x"},
        {"X-API-Key": "clé"},
        {"Authorization": BOB},
        {"Authorization": "Bearer"},
        {"Authorization": f"Digest {BOB}"},
        {"Authorization": basic(BOB, "")},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
    ],
    ids=str,
)
def test_no_key_and_a_wrong_key_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        authenticator().authenticate(Headers(headers))


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return left == right

    monkeypatch.setattr(hmac, "compare_digest", compare)
    authenticator().authenticate({"x-api-key": ALICE})

    assert len(compared) == 2, "the first key matched, and yet the second was compared"
    assert {len(digest) for pair in compared for digest in pair} == {32}, "equal lengths, whatever was sent"


def test_without_authentication_everybody_is_the_same_administrator() -> None:
    assert authenticator(enabled=False).authenticate({}) == principal("public", is_admin=True)


def test_no_keys_at_all_let_nobody_in() -> None:
    with pytest.raises(Unauthenticated):
        authenticator("").authenticate({"x-api-key": ""})


def test_a_password_may_contain_colons() -> None:
    assert presented_secret({"authorization": basic("user", "a:b:c")}) == "a:b:c"


@pytest.mark.parametrize("path", ["/health", "/ready", "/docs", "/swagger-ui/", "/api-docs/openapi.json"])
def test_health_and_documentation_are_public(path: str) -> None:
    assert is_public(path)


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/chain", "/healthy", "/docsx", "/metrics", "//health", "/api/health"]
)
def test_everything_else_is_not(path: str) -> None:
    assert not is_public(path)
