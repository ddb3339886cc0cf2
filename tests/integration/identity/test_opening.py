"""What knows the callers of a process, as its settings ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from cluster.api_keys import OpenToAll
from cluster.identity.held_keys import HeldKeys
from cluster.identity.opening import open_identity
from cluster.identity.tokens import Tokens
from cluster.settings import Settings
from optionchain.access.roles import ADMIN
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

KEY = "key-of-owner-0123456789"
ISSUER = {"oidc_issuer": "https://issuer.example", "oidc_audience": "optionchain"}


@pytest.mark.parametrize(
    ("auth", "known_by", "helpers"),
    [
        ({"enabled": False}, OpenToAll, set()),
        ({"keys": f"owner:admin={KEY}"}, HeldKeys, {"api_keys"}),
        ({"keys": f"owner:admin={KEY}", **ISSUER}, Tokens, {"api_keys"}),
    ],
)
async def test_callers_are_known_as_the_settings_say(
    auth: dict[str, Any], known_by: type, helpers: set[str], mongo: MongoSettings, redis: RedisServer
) -> None:
    client = open_mongo(mongo)
    given = {"redis": {"url": SecretStr(redis.url), "prefix": mongo.database}, "mongo": mongo.model_dump()}
    identity = open_identity(Settings(auth=auth, **given), client, Recording())

    made = await identity.keys.create("desk", [ADMIN], note="", expires_at=None, created_by="owner")

    assert type(identity.authentication) is known_by
    assert set(identity.helpers) == helpers
    for helper in identity.helpers.values():
        await helper.ping()
    for secret in (KEY, made.secret):
        caller = await identity.authentication.principal(secret)
        assert caller is not None
        assert ADMIN in caller.roles
    await identity.close()
    await client.close()
