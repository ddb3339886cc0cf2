"""What every store of keys must do, on a real mongod and on the embedded server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from optionchain.access.api_keys import ApiKey, digest_of
from optionchain.access.roles import OPERATOR, VIEWER, Permission
from optionchain.errors import NotFound

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 5, 14, 30, 0, 678_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
READ = Permission.READ.value


def key(key_id: str, **changes: Any) -> ApiKey:
    given: dict[str, Any] = {
        "owner": "desk",
        "roles": frozenset({VIEWER, OPERATOR}),
        "digest": digest_of(key_id),
        "note": "of the backtests",
        "created_at": NOW,
        "created_by": "owner",
    }
    return ApiKey(id=key_id, **{**given, **changes})


@pytest.fixture
async def keys(mongo: MongoSettings) -> AsyncIterator[MongoApiKeys]:
    client = open_mongo(mongo)
    yield MongoApiKeys(client, mongo.database)
    await client.close()


async def test_a_key_is_kept_as_it_is(keys: MongoApiKeys) -> None:
    whole = key(
        "1", expires_at=NOW + HOUR, revoked_at=NOW, last_used_at=NOW, replaces="0", scopes=frozenset({READ})
    )
    await keys.add(whole)

    assert await keys.get("1") == whole


async def test_what_is_not_there_is_not_found(keys: MongoApiKeys) -> None:
    for ask in (keys.get("1"), keys.revoke("1", NOW)):
        with pytest.raises(NotFound, match="API key not found: 1"):
            await ask


async def test_those_that_work_are_neither_revoked_nor_expired(keys: MongoApiKeys) -> None:
    for each in (
        key("endless"),
        key("later", expires_at=NOW + HOUR),
        key("now", expires_at=NOW),
        key("revoked", revoked_at=NOW),
    ):
        await keys.add(each)

    assert {each.id for each in await keys.working(NOW, limit=10)} == {"endless", "later"}
    assert len(await keys.working(NOW, limit=1)) == 1


async def test_a_key_is_revoked_once(keys: MongoApiKeys) -> None:
    await keys.add(key("1"))

    first, again = await keys.revoke("1", NOW), await keys.revoke("1", NOW + HOUR)

    assert first.revoked_at == again.revoked_at == NOW


async def test_a_key_is_never_made_to_last_longer(keys: MongoApiKeys) -> None:
    await keys.add(key("1"))

    await keys.expire("1", NOW + HOUR)
    await keys.expire("1", NOW + 2 * HOUR)

    assert (await keys.get("1")).expires_at == NOW + HOUR


async def test_the_latest_use_counts_whoever_tells_it_first(keys: MongoApiKeys) -> None:
    await keys.add(key("1"))
    await keys.add(key("2"))

    await keys.used({"1": NOW + HOUR, "2": NOW})
    await keys.used({"1": NOW})
    await keys.used({})

    assert (await keys.get("1")).last_used_at == NOW + HOUR
    assert (await keys.get("2")).last_used_at == NOW


async def test_keys_are_listed_in_pages_those_made_last_first(keys: MongoApiKeys) -> None:
    for number in range(3):
        await keys.add(key(str(number), created_at=NOW + number * HOUR))

    total, page = await keys.listed(offset=1, limit=1)

    assert (total, [each.id for each in page]) == (3, ["1"])
