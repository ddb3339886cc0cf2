"""The composition root: the only place that names both the actors and the adapters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypedDict

import ray
from ray.actor import ActorHandle

from actors.configuration.actor import ConfigActor, ConfigSources
from actors.configuration.live import LiveConfiguration
from actors.history.actor import HistoryActor, HistorySources
from actors.ray_runtime import RayRuntime
from actors.sessions.actor import SessionActor
from actors.sessions.gateway import SessionGateway
from actors.sessions.placement import parse_placement
from actors.sessions.ray_transport import RaySessionTransport
from actors.shared_actor import SharedActor
from actors.shared_services import RayConfigurations, RayHistory
from adapters.circuit_breaker import CircuitBreaker
from adapters.mongo_config import MongoConfigRepository
from adapters.mongo_connection import MongoServer, open_mongo
from adapters.mongo_history import MongoHistoricalRepository
from adapters.mongo_sweeps import MongoSweepIndex
from adapters.ray_metrics import RaySessionMetrics
from adapters.redis_allowances import RedisAllowances
from adapters.redis_cache import RedisCacheService
from adapters.redis_connection import open_redis
from adapters.redis_idempotency import RedisAnswers
from adapters.redis_session_store import RedisSessionStore, open_session_store
from cluster.metrics_page import cluster_metrics
from cluster.settings import Settings
from cluster.sweeps.gateway import SweepGateway, open_sweeps
from optionchain.configuration.simulator import SIMULATOR
from optionchain.ports import Dependency, SessionStore

MAX_CONCURRENT_BATCHES = 1000
# What the process of an actor takes of its own. Ray places actors that ask for nothing at random: asking for
# memory is what spreads them over the nodes.
ACTOR_MEMORY_BYTES = 64 << 20


HISTORY_ACTOR, CONFIG_ACTOR = "history", "configuration"


class OpenServices(TypedDict):
    """What the HTTP service needs; see `serve_app.services`."""

    gateway: SessionGateway
    store: SessionStore
    answers: RedisAnswers
    allowances: RedisAllowances | None
    dependencies: dict[str, Dependency]
    helpers: dict[str, Dependency]
    history: RayHistory
    configurations: RayConfigurations
    live_configuration: LiveConfiguration
    sweeps: SweepGateway
    metrics: Callable[[], Awaitable[bytes]]


def _session_store_opener(settings: Settings) -> Callable[[], RedisSessionStore]:
    return partial(open_session_store, settings.redis, ttl_seconds=settings.session.ttl_seconds)


def session_actor_finder(settings: Settings) -> Callable[[str], ActorHandle[Any]]:
    """A function from an actor's name to the actor, which is created where there is none."""

    def find(name: str) -> ActorHandle[Any]:
        open_store = _session_store_opener(settings)
        return _named_actor(
            settings, SessionActor, name, name, open_store, RaySessionMetrics, RayRuntime(), settings.session
        )

    return find


def _named_actor(settings: Settings, kind: type, name: str, *arguments: Any) -> ActorHandle[Any]:
    """The actor of a name, created where there is none; it outlives us, and Ray starts it again when it dies."""
    actor: Any = ray.remote(kind)
    options = actor.options(
        name=name,
        namespace=settings.ray.namespace,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        max_task_retries=0,
        num_cpus=0,
        memory=ACTOR_MEMORY_BYTES,
        max_concurrency=MAX_CONCURRENT_BATCHES,
        scheduling_strategy="SPREAD",
    )
    handle: ActorHandle[Any] = options.remote(*arguments)
    return handle


def open_gateway(settings: Settings) -> SessionGateway:
    """The way to the session actors from this process."""
    session = settings.session
    transport = RaySessionTransport(
        session_actor_finder(settings), timeout_seconds=session.delivery_timeout_seconds
    )
    return SessionGateway(
        parse_placement(session.placement),
        transport,
        max_waiting=session.max_waiting,
        max_batch=session.max_batch,
        timeout_seconds=session.timeout_seconds,
    )


def open_answers(settings: Settings) -> RedisAnswers:
    """The first answers to keyed requests, as this process reaches them."""
    return RedisAnswers(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        ttl_seconds=settings.http.idempotency_seconds,
        max_bytes=settings.http.idempotency_max_bytes,
        total_bytes=settings.http.idempotency_megabytes << 20,
    )


def open_allowances(settings: Settings) -> RedisAllowances | None:
    """How many requests each caller may make; None where there is no limit."""
    if not settings.rate.per_minute:
        return None
    return RedisAllowances(open_redis(settings.redis), settings.rate, prefix=settings.redis.prefix)


def open_cache(settings: Settings) -> RedisCacheService:
    """The cache of this process: a bounded part of its own in front of Redis."""
    return RedisCacheService(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        local_bytes=settings.cache.local_megabytes << 20,
        redis_bytes=settings.cache.redis_megabytes << 20,
    )


def open_history_sources(settings: Settings) -> HistorySources:
    """What the history actor reads and writes."""
    repository = MongoHistoricalRepository(open_mongo(settings.mongo), settings.mongo.database)
    return HistorySources(repository, open_cache(settings), CircuitBreaker("the history store"))


def open_config_sources(settings: Settings) -> ConfigSources:
    """What the configuration actor reads and writes."""
    repository = MongoConfigRepository(open_mongo(settings.mongo), settings.mongo.database)
    return ConfigSources(repository, open_cache(settings), CircuitBreaker("the configuration store"))


def history_actor(settings: Settings) -> ActorHandle[Any]:
    """The one history actor, created where there is none."""
    open_sources = partial(open_history_sources, settings)
    return _named_actor(settings, HistoryActor, HISTORY_ACTOR, open_sources, settings.history)


def config_actor(settings: Settings) -> ActorHandle[Any]:
    """The one configuration actor, created where there is none."""
    open_sources = partial(open_config_sources, settings)
    return _named_actor(settings, ConfigActor, CONFIG_ACTOR, open_sources, settings.config)


def open_history(settings: Settings) -> RayHistory:
    """The way to the one history actor."""
    find = partial(history_actor, settings)
    return RayHistory(SharedActor(find, what="the history", timeout_seconds=settings.history.timeout_seconds))


def open_configurations(settings: Settings) -> RayConfigurations:
    """The way to the one configuration actor."""
    find = partial(config_actor, settings)
    timeout = settings.config.timeout_seconds
    return RayConfigurations(SharedActor(find, what="the configuration", timeout_seconds=timeout))


def open_services(settings: Settings) -> OpenServices:
    """Everything that one HTTP replica uses."""
    store = _session_store_opener(settings)()
    mongo = MongoServer(open_mongo(settings.mongo))
    configurations = open_configurations(settings)
    for actor in (history_actor(settings), config_actor(settings)):
        actor.status.remote()  # so that they warm up and listen before anybody asks
    return OpenServices(
        gateway=open_gateway(settings),
        store=store,
        answers=open_answers(settings),
        allowances=open_allowances(settings),
        dependencies={"redis": store},
        helpers={"mongodb": mongo},
        history=open_history(settings),
        configurations=configurations,
        live_configuration=LiveConfiguration(
            partial(configurations.get, SIMULATOR), max_age_seconds=settings.config.replica_seconds
        ),
        sweeps=open_sweeps(settings, partial(MongoSweepIndex, settings.mongo)),
        metrics=cluster_metrics,
    )
