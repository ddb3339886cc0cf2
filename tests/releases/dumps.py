"""What a Redis and a MongoDB hold, as text that any version of either takes back; and the files of a data folder."""

from __future__ import annotations

import base64
import json
import tarfile
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient
from redis import Redis

DAY_SECONDS = 86_400
# Of a data folder, what no server and no process writes: the sweeps and their journals.
FOLDERS = ("sweeps",)


def dump(folder: Path, redis_url: str, mongo_uri: str, data: Path) -> None:
    """Write all of it into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with Redis.from_url(redis_url) as redis:
        found = {_text(key): _value(redis, key) for key in sorted(redis.scan_iter())}
    (folder / "redis.json").write_text(json.dumps(found, indent=0))
    with MongoClient[dict[str, Any]](mongo_uri) as mongo:
        names = [name for name in mongo.list_database_names() if name not in {"admin", "config", "local"}]
        collections = {
            f"{name}/{collection}": list(mongo[name][collection].find())
            for name in sorted(names)
            for collection in sorted(mongo[name].list_collection_names())
        }
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
    collections = json_util.loads((folder / "mongo.json").read_text())
    with MongoClient[dict[str, Any]](mongo_uri) as mongo:
        for place, documents in collections.items():
            name, _, collection = place.partition("/")
            if documents:
                mongo[name][collection].insert_many(documents)
    with tarfile.open(folder / "data.tar.gz") as archive:
        archive.extractall(data, filter="data")


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
