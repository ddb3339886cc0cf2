"""What a mongos is told to shard history. None has been told it here: what is known without one is tested."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.sharding import shard, shard_commands
from adapters.settings import MongoSettings
from cluster.commands.history import app
from optionchain.errors import InvalidInput
from tests.unit.history.samples import chain, prices

pytestmark = pytest.mark.anyio


def test_the_commands_are_these() -> None:
    shown = CliRunner().invoke(app, ["shard"]).output.splitlines()

    assert [json.loads(line) for line in shown] == [
        {"enableSharding": "optionchain"},
        {
            "shardCollection": "optionchain.historical_chains_heads",
            "key": {"asset": 1, "date": 1},
            "unique": True,
        },
        {
            "shardCollection": "optionchain.historical_chains",
            "key": {"key.asset": 1, "key.date": 1},
            "timeseries": {"timeField": "time", "metaField": "key", "granularity": "hours"},
        },
        {
            "shardCollection": "optionchain.historical_prices_heads",
            "key": {"asset": 1, "timeframe": 1, "chunk": 1},
            "unique": True,
        },
        {
            "shardCollection": "optionchain.historical_prices",
            "key": {"key.asset": 1, "key.timeframe": 1, "key.chunk": 1},
            "timeseries": {"timeField": "time", "metaField": "key", "granularity": "hours"},
        },
    ]


async def test_their_keys_are_those_of_the_collections(mongod_uri: str) -> None:
    """A sharded collection has an index that begins with its key, a unique one exactly that; and the same options."""
    client = open_mongo(MongoSettings(uri=SecretStr(mongod_uri), timeout_seconds=20))
    history = MongoHistoricalRepository(client, "sharded")
    await history.save_historical_chain(chain())
    await history.save_time_series(prices([100.0]))
    database = client["sharded"]
    for command in shard_commands("sharded")[1:]:
        name = command["shardCollection"].partition(".")[2]
        indexes = await database[name].index_information()
        wanted = list(command["key"].items())
        assert any(
            index["key"][: len(wanted)] == wanted
            and (index.get("unique", False) or not command.get("unique"))
            for index in indexes.values()
        ), name
        if "timeseries" in command:
            (options,) = [each async for each in await database.list_collections(filter={"name": name})]
            assert command["timeseries"].items() <= options["options"]["timeseries"].items()
    await client.drop_database("sharded")
    await client.close()


async def test_whoever_is_no_mongos_is_told_nothing(mongo: MongoSettings) -> None:
    client = open_mongo(mongo)

    with pytest.raises(InvalidInput, match="OCS_MONGO_URI: leads to no mongos"):
        await shard(client, mongo.database)

    assert mongo.database not in await client.list_database_names()
    await client.close()
