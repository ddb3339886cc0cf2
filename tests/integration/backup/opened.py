"""Stores for tests, each with keys and a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.settings import MongoSettings
from cluster.backup.contents import Stores, open_stores
from cluster.settings import Settings
from tests.servers import RedisServer

_NUMBERS = itertools.count()


def uri_of(mongo: MongoSettings) -> str:
    assert mongo.uri is not None
    return mongo.uri.get_secret_value()


def settings_on(
    redis: RedisServer, mongo: MongoSettings, folder: Path, *, database: str | None = None
) -> Settings:
    number = next(_NUMBERS)
    return Settings(data={"folder": folder / str(number)}).with_changes(
        {
            "redis": {"url": redis.url, "prefix": f"t{number}", "timeout_seconds": 20},
            "mongo": {"uri": uri_of(mongo), "database": database or mongo.database, "timeout_seconds": 20},
        }
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    async with open_stores(settings, name="tested", output=f"{settings.data.folder}/sweeps") as stores:
        yield stores
