"""API keys: how they are written, kept, and found in a request."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from cluster.api_keys import KnownKeys, OpenToAll, kept_key, parse_keys
from optionchain.access.roles import (
    ADMIN,
    CALLER,
    GIVEN_ROLES,
    GRANTS,
    OPERATOR,
    SCOPES,
    VIEWER,
    Permission,
    narrowed,
    read_scopes,
)
from optionchain.context import Principal
from serve_app.edge.authentication import authenticated, presented_secret
from serve_app.edge.caller import trace_of
from serve_app.edge.errors import Unauthenticated

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice-key-0123456789", "bob-key-0123456789ab"
KEYS = f"alice:admin={ALICE}, bob={BOB},"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def caller(headers: dict[str, str], keys: str = KEYS) -> Principal:
    return await authenticated(KnownKeys(parse_keys(keys)), Headers(headers))


def test_keys_name_their_owners_and_administrators() -> None:
    assert parse_keys(KEYS) == {
        ALICE: Principal("alice", "alice", frozenset({ADMIN})),
        BOB: Principal("bob", "bob", frozenset({CALLER})),
    }


def test_a_key_may_have_roles() -> None:
    [principal] = parse_keys(f"alice:viewer+operator={ALICE}").values()

    assert principal == Principal("alice", "alice", frozenset({VIEWER, OPERATOR}))


def test_a_key_may_contain_an_equals_sign() -> None:
    assert list(parse_keys("alice=0123456789abcdef==")) == ["0123456789abcdef=="]


@pytest.mark.parametrize(
    "entry",
    [
        "alice",
        "=0123456789abcdef",
        "a b=0123456789abcdef",
        "a:root=0123456789abcdef",
        "a:=0123456789abcdef",
        "a:admin+root=0123456789abcdef",
        "a:caller=0123456789abcdef",
        "alice=short",
        "x" * 65 + "=0123456789abcdef",
    ],
)
def test_a_bad_entry_is_refused_without_repeating_its_key(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^(each entry must be|the key of alice must have)") as refusal:
        parse_keys(entry)

    assert "0123456789abcdef" not in str(refusal.value)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"


def test_the_page_says_what_every_role_may() -> None:
    def row(role: str) -> str:
        granted = [each for each in Permission if each in GRANTS[role] and each is not Permission.PUBLIC]
        return f"| {'none, in `OCS_AUTH_KEYS`' if role == CALLER else f'`{role}`'} | {', '.join(granted)} |"

    rows = [row(role) for role in (*GIVEN_ROLES, CALLER)]

    assert "\n".join(rows) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("scope", SCOPES)
def test_who_is_narrowed_to_a_scope_may_do_that_and_say_who_it_is(scope: Permission) -> None:
    roles = frozenset({ADMIN})
    narrow = Principal("alice", "alice", narrowed(roles, read_scopes([scope], roles)))

    assert {each for each in Permission if narrow.may(each)} == {Permission.IDENTIFY, scope}
    assert narrowed(roles, read_scopes([], roles)) == roles


def test_who_has_no_role_may_do_nothing() -> None:
    assert not any(Principal("alice", "alice").may(permission) for permission in Permission)


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
async def test_a_key_is_found_wherever_clients_put_it(headers: dict[str, str]) -> None:
    assert await caller(headers) == Principal("bob", "bob", frozenset({CALLER}))


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
        {"Authorization": "Basic é"},
    ],
    ids=str,
)
async def test_no_key_and_a_wrong_key_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        await caller(headers)


def test_no_key_is_kept_as_it_is() -> None:
    known = KnownKeys(parse_keys(KEYS))

    assert ALICE not in str(vars(known))


async def test_a_key_that_is_no_text_of_unicode_is_a_wrong_key() -> None:
    assert await KnownKeys(parse_keys(KEYS)).principal("\ud800") is None


async def test_without_authentication_everybody_is_the_same_administrator() -> None:
    assert await OpenToAll().principal(None) == Principal("public", "public", frozenset({ADMIN}))


async def test_no_keys_at_all_let_nobody_in() -> None:
    with pytest.raises(Unauthenticated):
        await caller({"x-api-key": ""}, keys="")


def test_a_password_may_contain_colons() -> None:
    assert presented_secret(Headers({"authorization": basic("user", "a:b:c")})) == "a:b:c"


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("given", [TRACE, "cc" + TRACE[2:]])
def test_a_trace_is_kept_as_it_came(given: str) -> None:
    assert trace_of(Headers({"traceparent": given})) == given


def test_of_a_later_version_of_traces_what_is_known_is_kept() -> None:
    assert trace_of(Headers({"traceparent": f"cc{TRACE[2:]}-what-the-future-brings"})) == "cc" + TRACE[2:]


# The malformed ones of https://github.com/w3c/trace-context/blob/main/test/test.py
@pytest.mark.parametrize(
    "given",
    [
        "",
        "foo",
        TRACE.upper(),
        TRACE + ".",
        TRACE + "-what-the-future-brings",
        "cc" + TRACE[2:] + ".what-the-future-brings",
        "ff" + TRACE[2:],
        TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        TRACE.replace("b7ad6b7169203331", "0" * 16),
        TRACE[:-1],
        TRACE.replace("-01", "-0g"),
    ],
)
def test_a_malformed_trace_is_none(given: str) -> None:
    assert trace_of(Headers({"traceparent": given})) == ""


def test_two_traces_are_none() -> None:
    assert trace_of(Headers(raw=[(b"traceparent", TRACE.encode())] * 2)) == ""
