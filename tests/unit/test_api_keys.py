"""Keys that are made while the service runs: their secrets, and until when they work."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from optionchain.access.api_keys import ApiKey, digest_of, is_owner, is_secret, new_secret
from optionchain.access.roles import VIEWER
from optionchain.context import Principal

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def key(**changes: datetime) -> ApiKey:
    return ApiKey(
        id="7",
        owner="desk",
        roles=frozenset({VIEWER}),
        digest=b"",
        note="",
        created_at=NOW,
        created_by="owner",
        **changes,
    )


def test_a_secret_has_a_prefix_for_scanners_and_256_random_bits() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"ocs_[0-9A-Za-z]{49}", secret) for secret in made)
    assert 62**43 > 2**256


def test_a_checksum_tells_a_secret_from_what_looks_like_one() -> None:
    secret = new_secret()

    assert is_secret(secret)
    for place in range(len("ocs_"), len(secret)):
        other = "0" if secret[place] != "0" else "1"
        assert not is_secret(secret[:place] + other + secret[place + 1 :]), place


@pytest.mark.parametrize(
    "text",
    ["", "ocs_", new_secret()[:-1], new_secret() + "0", "OCS_" + "0" * 49, "é" * 53],
    ids=["empty", "prefix alone", "too short", "too long", "large prefix", "no ASCII"],
)
def test_anything_else_is_no_secret(text: str) -> None:
    assert not is_secret(text)


def test_a_digest_tells_nothing_of_its_secret() -> None:
    secret = new_secret()

    assert len(digest_of(secret)) == 32
    assert digest_of(secret) != digest_of(new_secret())


def test_a_key_works_until_it_expires_or_is_revoked() -> None:
    moment = timedelta(milliseconds=1)

    assert key().works_at(NOW + timedelta(days=36_500))
    assert key(expires_at=NOW).works_at(NOW - moment)
    assert not key(expires_at=NOW).works_at(NOW)
    assert not key(revoked_at=NOW).works_at(NOW - moment), "whatever the clock of who revoked it said"


def test_who_calls_with_a_key_is_named_by_its_id() -> None:
    assert key().principal == Principal("desk", "7", frozenset({VIEWER}))


@pytest.mark.parametrize(
    ("name", "may_be"),
    [
        ("desk", True),
        ("a-b_7", True),
        ("x" * 64, True),
        ("", False),
        ("a b", False),
        ("a:b", False),
        ("x" * 65, False),
    ],
)
def test_how_a_tenant_may_be_called(name: str, may_be: bool) -> None:
    assert is_owner(name) is may_be
