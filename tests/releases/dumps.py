"""What a Redis and a MongoDB hold, as text that any version of either takes back; and the files of a data folder."""

from __future__ import annotations

import base64
import json
import tarfile
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient
from pymongo.database import Database
from redis import Redis

DAY_SECONDS = 86_400
OF_MONGO = ("admin", "config", "local")
# The cache: what is not in MongoDB would be read from it.
FORGOTTEN = b"{ocs:cache}"
# Of a data folder, what no server and no process writes: the sweeps and their journals.
FOLDERS = ("sweeps",)


def dump(folder: Path, redis_url: str, mongo_uri: str, data: Path) -> None:
    """Write all of it into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with Redis.from_url(redis_url) as redis:
        keys = sorted(key for key in redis.scan_iter() if not key.startswith(FORGOTTEN))
        found = {_text(key): _value(redis, key) for key in keys}
    (folder / "redis.json").write_text(json.dumps(found, indent=0))
    with MongoClient[dict[str, Any]](mongo_uri) as mongo:
        databases = [name for name in sorted(mongo.list_database_names()) if name not in OF_MONGO]
        collections = {name: _collections(mongo[name]) for name in databases}
    (folder / "mongo.json").write_text(json_util.dumps(collections, indent=0))
    with tarfile.open(folder / "data.tar.gz", "w:gz") as archive:
        for name in FOLDERS:
            if (data / name).exists():
                archive.add(data / name, name)


def load(folder: Path, redis_url: str, mongo_uri: str, data: Path) -> None:
    """Put it into empty servers and an empty folder; what had a time to live, has a day."""
    with Redis.from_url(redis_url) as redis:
        for key, value in json.loads((folder / "redis.json").read_text()).items():
            _put(redis, _bytes(key), value)
    with MongoClient[dict[str, Any]](mongo_uri) as mongo:
        for database, collections in json_util.loads((folder / "mongo.json").read_text()).items():
            for name, stored in collections.items():
                collection = mongo[database].create_collection(name, **stored["options"])
                if stored["documents"]:
                    collection.insert_many(stored["documents"])
    with tarfile.open(folder / "data.tar.gz") as archive:
        archive.extractall(data, filter="data")


def _collections(database: Database[dict[str, Any]]) -> dict[str, Any]:
    """All but the server's own, with how they were made: as time series, or not. The service makes the indexes."""
    return {
        one["name"]: {"options": one["options"], "documents": list(database[one["name"]].find())}
        for one in sorted(database.list_collections(), key=lambda one: one["name"])
        if not one["name"].startswith("system.")
    }


def _value(redis: Redis, key: bytes) -> dict[str, Any]:
    kind = redis.type(key).decode()
    match kind:
        case "string":
            value: Any = _text(redis.get(key))
        case "hash":
            value = {_text(name): _text(field) for name, field in sorted(redis.hgetall(key).items())}
        case "set":
            value = [_text(member) for member in sorted(redis.smembers(key))]
        case "zset":
            value = [[_text(member), score] for member, score in redis.zrange(key, 0, -1, withscores=True)]
        case _:
            raise NotImplementedError(f"{key!r}: no {kind} was ever stored")
    return {"kind": kind, "value": value, "expires": redis.pttl(key) >= 0}


def _put(redis: Redis, key: bytes, stored: dict[str, Any]) -> None:
    value = stored["value"]
    match stored["kind"]:
        case "string":
            redis.set(key, _bytes(value))
        case "hash":
            redis.hset(key, mapping={_bytes(name): _bytes(field) for name, field in value.items()})
        case "set":
            redis.sadd(key, *map(_bytes, value))
        case "zset":
            redis.zadd(key, {_bytes(member): score for member, score in value})
    if stored["expires"]:
        redis.expire(key, DAY_SECONDS)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
