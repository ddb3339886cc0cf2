"""Secret configurations: nobody reads them in MongoDB or in the cache, and over HTTP administrators alone do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from actors.configuration.secrecy import Secrecy
from adapters.encryption import Keyring, new_key
from adapters.mongo.connection import open_mongo
from cluster.commands.rotation import rotated
from cluster.instance.problem import InstanceProblem
from cluster.instance.progress import Progress
from cluster.settings import Settings
from optionchain.configuration.versions import Configuration
from optionchain.errors import InvalidInput

pytestmark = pytest.mark.anyio

PATH, WORD = "/api/v1/config/sign-in", "a-word-that-nobody-else-may-read"
VALUES = {"client": {"secret": WORD}, "secret": True}
ADMIN = {"x-api-key": "anna:admin"}


async def everything_in(client, database):
    found = []
    for name in await client[database].list_collection_names():
        found += await client[database][name].find().to_list()
    return found


async def cached(redis):
    client = redis.open()
    found = [await client.dump(key) async for key in client.scan_iter()]
    await client.aclose()
    return b"".join(found)


async def test_administrators_see_the_values_and_others_that_there_are_some(world):
    saved = await world.put(f"{PATH}?secret=true", VALUES)
    seen = [await world.http.get(PATH, headers=ADMIN) for _ in range(2)]  # loaded, and then cached
    listed = (await world.http.get(f"{PATH}/history", headers=ADMIN)).json()["data"]
    parameter = await world.http.get(f"{PATH}/parameters/client.secret", headers=ADMIN)

    assert saved.status_code == 200, saved.text
    assert (saved.json()["values"], saved.json()["secret"]) == (VALUES, True)
    assert [one.json() for one in (*seen, saved)] == [saved.json()] * 3
    assert listed == [saved.json()]
    assert parameter.json()["value"] == WORD

    for path in (PATH, f"{PATH}?version=1"):
        assert (await world.http.get(path)).json() == {**saved.json(), "values": None}
    assert (await world.http.get(f"{PATH}/history")).json()["data"] == [{**saved.json(), "values": None}]
    for key in ("client.secret", "sealed", "secret"):
        assert (await world.http.get(f"{PATH}/parameters/{key}")).status_code == 404


async def test_neither_the_store_nor_the_cache_has_them_in_plain_text(world, mongo, redis):
    await world.put(f"{PATH}?secret=true", VALUES)
    await world.http.get(PATH, headers=ADMIN)

    client = open_mongo(mongo)
    stored = await everything_in(client, mongo.database)
    await client.close()

    assert any(document.get("name") == "sign-in" for document in stored)
    assert WORD not in str(stored)
    in_redis = await cached(redis)
    assert b"sign-in" in in_redis
    assert WORD.encode() not in in_redis


async def test_what_was_secret_stays_secret_and_what_sessions_need_cannot_be(world):
    await world.put(f"{PATH}?secret=true", VALUES)

    opened = await world.put(PATH, VALUES, **{"if-match": "1"})
    needed = await world.put("/api/v1/config/simulator?secret=true", {})

    assert (opened.status_code, opened.json()["field"]) == (400, "secret")
    assert (needed.status_code, needed.json()["field"]) == (400, "secret")
    second = await world.put(f"{PATH}?secret=true", {"a": 1}, **{"if-match": "1"})
    assert (second.json()["version"], second.json()["values"]) == (2, {"a": 1})


async def test_values_that_look_like_secret_ones_are_shown_as_they_are(world):
    values = {"sealed": "T0NTAQ==", "x": {"secret": True}}

    saved = await world.put("/api/v1/config/open", values)

    assert (await world.http.get("/api/v1/config/open")).json() == saved.json()
    assert saved.json()["values"] == values


async def test_one_that_is_put_in_the_place_of_another_is_not_read(world, mongo):
    for name in ("one", "two"):
        await world.put(f"/api/v1/config/{name}?secret=true", {"of": name})
    client = open_mongo(mongo)
    versions = client[mongo.database]["configurations"]
    stolen = (await versions.find_one({"name": "two"}))["values"]
    await versions.update_one({"name": "one"}, {"$set": {"values": stolen}})
    await client.close()

    answer = await world.http.get("/api/v1/config/one?version=1", headers=ADMIN)

    assert (answer.status_code, "belongs elsewhere" in answer.json()["error"]) == (500, True)


async def test_another_key_takes_over_all_that_is_stored(world, mongo):
    for version in range(3):
        await world.put(f"{PATH}?secret=true", {"of": version}, **{"if-match": str(version)})
    new = new_key()
    keys = {"encryption": {"key": f"{new},{world.key}"}, "mongo": mongo.model_dump()}

    done = await asyncio.to_thread(rotated, Settings(**keys), Progress())

    versions = await world.configurations.secret_versions()
    alone = Secrecy(Keyring(new))
    opened = [alone.shown_version({**asdict(each), "secret": True}, with_secrets=True) for each in versions]
    assert (done.versions, done.key_id) == (3, Keyring(new).sealing_id)
    assert [each["values"] for each in opened] == [{"of": 0}, {"of": 1}, {"of": 2}]


VERSION = Configuration(
    name="sign-in", version=1, values=VALUES, saved_by="anna", saved_at=datetime(2026, 1, 5, tzinfo=UTC)
)


def test_what_is_sealed_says_so_and_stays_so_under_another_key():
    old, new = new_key(), new_key()

    sealed = Secrecy(Keyring(old)).sealed(VERSION)
    again = Secrecy(Keyring(f"{new},{old}")).resealed(sealed)

    assert (sealed.is_secret, again.is_secret) == (True, True)
    shown = Secrecy(Keyring(new)).shown_version({**asdict(again), "secret": True}, with_secrets=True)
    assert shown["values"] == VALUES


def test_without_a_key_the_caller_is_told_what_is_missing():
    with pytest.raises(InvalidInput, match="secret: must be false here: OCS_ENCRYPTION_KEY: is not set"):
        Secrecy(Keyring("")).sealed(VERSION)


def test_nothing_is_rotated_where_nothing_runs(tmp_path):
    with pytest.raises(InstanceProblem, match="Nothing is running here"):
        rotated(Settings(data={"folder": tmp_path}), Progress())
