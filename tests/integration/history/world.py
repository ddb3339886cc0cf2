"""The two shared actors over real servers, and an HTTP client for each role; only Ray is left out."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import httpx
import orjson
from fastapi import FastAPI, Request

from actors.configuration.actor import ConfigActor, ConfigSources
from actors.history.actor import HistoryActor, HistorySources
from actors.settings import ConfigSettings, HistorySettings
from actors.shared_services import RayConfigurations, RayHistory
from adapters.circuit_breaker import CircuitBreaker
from adapters.mongo_config import MongoConfigRepository
from adapters.mongo_connection import open_mongo
from adapters.mongo_history import MongoHistoricalRepository
from adapters.redis_cache import RedisCacheService
from serve_app.edge.errors import install_error_handlers
from serve_app.routes import configurations as config_routes
from serve_app.routes import history as history_routes
from tests.callers import principal as principal_named
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
        prefix = f"t{uuid.uuid4().hex[:8]}"
        self.cache = RedisCacheService(redis.open(), prefix=prefix, observer=self.told)
        self.repository = MongoHistoricalRepository(open_mongo(mongo), mongo.database)
        self.configurations = MongoConfigRepository(open_mongo(mongo), mongo.database)
        breaker = CircuitBreaker("history", failures=1, pause_seconds=0.2, observer=self.told)
        history = HistorySettings(**history_settings)
        self.history = HistoryActor(
            lambda: HistorySources(self.repository, self.cache, breaker), history, lambda: self.told
        )
        sources = ConfigSources(self.configurations, self.cache, breaker)
        self.config = ConfigActor(lambda: sources, ConfigSettings(), lambda: self.told)
        app = FastAPI()
        app.state.services = SimpleNamespace(
            history=RayHistory(Here(self.history)), configurations=RayConfigurations(Here(self.config))
        )
        app.include_router(history_routes.router)
        app.include_router(config_routes.router)
        install_error_handlers(app)

        @app.middleware("http")
        async def principal(request: Request, call_next):
            is_admin = request.headers.get("x-role") == "admin"
            request.state.principal = principal_named("anna", is_admin=is_admin)
            return await call_next(request)

        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=self.transport, base_url="http://test")

    async def put(self, path, body, **headers):
        content = orjson.dumps(body)
        kind = {"content-type": "application/json", "x-role": "admin"}
        return await self.http.put(path, content=content, headers=kind | headers)

    async def aclose(self):
        await self.history.close()
        await self.config.close()
        await self.http.aclose()
        for each in (self.cache, self.repository, self.configurations):
            await each.close()
