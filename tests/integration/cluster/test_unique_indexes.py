"""The unique indexes that are looked for are those that our writers make: none is forgotten, and none made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.audit import MongoAudit
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.indexes import UNIQUE_INDEXES, unindexed
from adapters.mongo.sweeps import MongoSweepIndex
from adapters.settings import MongoSettings
from tests.integration.history import mongo_servers

DATABASE = "optionchain"


@pytest.mark.anyio
async def test_every_writer_makes_the_index_that_is_looked_for(tmp_path: Path) -> None:
    with mongo_servers.replica_set(tmp_path, 1) as started:
        async with AsyncMongoClient(started.uri) as client:
            for writer in (MongoConfigRepository, MongoApiKeys, MongoAudit):
                await writer(client, DATABASE)._prepare()
            await MongoHistoricalRepository(client, DATABASE)._prepare()
            sweeps = MongoSweepIndex(MongoSettings(uri=SecretStr(started.uri)))
            sweeps._prepare()
            sweeps.close()
            database = client[DATABASE]
            made = {
                name: tuple(field for field, _ in index["key"])
                for name in await database.list_collection_names()
                for index in (await database[name].index_information()).values()
                if index.get("unique")
            }

            assert made == dict(UNIQUE_INDEXES)
            assert await unindexed(database) == ()

            await database["audit"].drop_index([("writer", 1), ("number", 1)])

            assert await unindexed(database) == ("audit",)
