"""The two shared actors over real servers, and an HTTP client for each role; only Ray is left out."""

from __future__ import annotations

import uuid

import httpx
import orjson

from actors.configuration.actor import ConfigActor, ConfigSources
from actors.history.actor import HistoryActor, HistorySources
from actors.settings import ConfigSettings, HistorySettings
from actors.shared_services import RayConfigurations, RayHistory
from adapters.circuit_breaker import CircuitBreaker
from adapters.encryption import Keyring, new_key
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from tests.asgi import service_of
from tests.recording import Recording


class Here:
    """A shared actor in this process, where a `NamedActor` would be."""

    def __init__(self, actor):
        self._actor = actor

    async def call(self, context, method, *arguments, is_repeatable=True):
        return await self._actor.call(context, method, arguments)


class World:
    """The two actors, and an HTTP client for each role."""

    def __init__(self, mongo, redis, **history_settings):
        self.told = Recording()
        self.key = new_key()
        self.prefix = f"t{uuid.uuid4().hex[:8]}"
        self.cache = RedisCacheService(redis.open(), prefix=self.prefix, observer=self.told)
        self.repository = MongoHistoricalRepository(open_mongo(mongo), mongo.database)
        self.configurations = MongoConfigRepository(open_mongo(mongo), mongo.database)
        breaker = CircuitBreaker("history", failures=1, pause_seconds=0.2, observer=self.told)
        history = HistorySettings(**history_settings)
        self.history = HistoryActor(
            lambda: HistorySources(self.repository, self.cache, breaker), history, lambda: self.told
        )
        sources = ConfigSources(self.configurations, self.cache, breaker, Keyring(self.key))
        self.config = ConfigActor(lambda: sources, ConfigSettings(), lambda: self.told)
        app = service_of(
            "anna",
            history=RayHistory(Here(self.history)),
            configurations=RayConfigurations(Here(self.config)),
        )
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=self.transport, base_url="http://test")

    async def put(self, path, body, **headers):
        content = orjson.dumps(body)
        kind = {"content-type": "application/json", "x-api-key": "anna:admin"}
        return await self.http.put(path, content=content, headers=kind | headers)

    async def aclose(self):
        await self.history.close()
        await self.config.close()
        await self.http.aclose()
        for each in (self.cache, self.repository, self.configurations):
            await each.close()
