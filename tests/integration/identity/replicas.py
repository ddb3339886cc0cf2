"""Processes that hold keys, each on lines to real servers that can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from pymongo.uri_parser import parse_uri

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.connection import open_mongo
from adapters.mongo.denials import MongoDenials
from adapters.redis.connection import open_redis
from adapters.redis.notices import RedisNotices
from adapters.settings import MongoSettings, RedisSettings
from cluster.api_keys import KnownKeys, parse_keys
from cluster.identity.following import LIST, Following
from cluster.identity.held_denials import DenialService, HeldDenials
from cluster.identity.held_keys import HeldKeys
from cluster.identity.key_service import KeyService
from cluster.identity.settings import AuthSettings
from cluster.identity.telling import Telling
from tests.lines import Line, line_to
from tests.recording import Recording
from tests.servers import RedisServer

FIXED = "fixed-key-0123456789"


@dataclass
class Replica:
    """A process that holds keys."""

    held: HeldKeys
    following: Following
    denials: HeldDenials
    service: KeyService
    denial_service: DenialService
    telling: Telling
    repository: MongoApiKeys
    observer: Recording
    redis: Line
    mongo: Line


@asynccontextmanager
async def replica_of(mongo: MongoSettings, redis: RedisServer, **settings: Any) -> AsyncIterator[Replica]:
    """A process that holds the keys of a database.

    Args:
        mongo: Where they are.
        redis: Where notices are told.
        settings: Of authentication.
    """
    assert mongo.uri is not None
    [(_, port)] = parse_uri(mongo.uri.get_secret_value())["nodelist"]
    async with AsyncExitStack() as stack:
        to_redis = await stack.enter_async_context(line_to(redis.port))
        to_mongo = await stack.enter_async_context(line_to(port))
        uri = SecretStr(f"mongodb://127.0.0.1:{to_mongo.port}/?directConnection=true")
        client = open_mongo(MongoSettings(uri=uri, database=mongo.database, timeout_seconds=2))
        stack.push_async_callback(client.close)
        url = SecretStr(redis.url.replace(str(redis.port), str(to_redis.port)))
        notices = RedisNotices(open_redis(RedisSettings(url=url)), f"{mongo.database}:api-keys", whose=LIST)
        stack.push_async_callback(notices.close)
        repository, observer = MongoApiKeys(client, mongo.database), Recording()
        auth = AuthSettings(**settings)
        following = Following(notices, poll_seconds=auth.poll_seconds, observer=observer)
        stack.push_async_callback(following.close)
        fixed = KnownKeys(parse_keys(f"owner:admin={FIXED}"))
        held = HeldKeys(fixed, repository, following, auth, observer=observer)
        telling = Telling(notices, following.heard, observer=observer)
        service = KeyService(repository, telling, max_keys=auth.max_keys)
        denied = MongoDenials(client, mongo.database)
        denials = HeldDenials(denied, max_denials=auth.max_denials)
        following.follow(denials)
        denial_service = DenialService(denied, telling, max_denials=auth.max_denials)
        yield Replica(
            held,
            following,
            denials,
            service,
            denial_service,
            telling,
            repository,
            observer,
            to_redis,
            to_mongo,
        )
