"""The composition root: the only place that names both the actors and the adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypedDict

from ray.actor import ActorHandle

from actors.calendars import Calendars
from actors.configuration.actor import ConfigActor, ConfigSources
from actors.configuration.live import LiveConfiguration
from actors.history.actor import HistoryActor, HistorySources
from actors.loop_watch import LoopWatch, OpenWatch
from actors.named import NamedActor, NamedActors, find_or_make
from actors.ray_runtime import RayRuntime
from actors.sessions.actor import SessionActor
from actors.sessions.gateway import SessionGateway, SessionTransport
from actors.sessions.placement import parse_placement
from actors.sessions.ray_transport import RaySessionTransport
from actors.sessions.socket_transport import SocketSessionTransport
from actors.shared import SharedActor, SharedActors
from actors.shared_services import RayConfigurations, RayHistory
from adapters.circuit_breaker import CircuitBreaker
from adapters.encryption import Keyring
from adapters.metrics.rows import CONFIGURATION, HISTORY, HTTP, SCHEDULER, SESSION, SHARED_PROCESS
from adapters.metrics.server_watch import watch_servers
from adapters.mongo.audit import MongoAudit
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import MongoServer, open_mongo
from adapters.mongo.sweeps import MongoSweepIndex
from adapters.redis.allowances import RedisAllowances
from adapters.redis.cache import RedisCacheService, open_snapshot_cache
from adapters.redis.connection import open_redis
from adapters.redis.idempotency import RedisAnswers
from adapters.redis.session_store import RedisSessionStore, open_session_store
from adapters.telemetry.observers import open_observer
from cluster.audit.trail import Trail
from cluster.certificate_files import certificate_files
from cluster.history_stores import open_history_repository
from cluster.identity.held_denials import DenialService
from cluster.identity.key_service import KeyService
from cluster.identity.opening import open_identity
from cluster.instance.report import ClusterReport, report
from cluster.metrics.agents import cluster_metrics
from cluster.quotas.keeping import Quotas
from cluster.quotas.opening import open_quotas
from cluster.requests import open_allowances, open_answers, open_strangers
from cluster.secrets import secrets_of
from cluster.settings import Settings
from cluster.sweeps.gateway import SweepGateway, open_sweeps
from cluster.tasks.opening import scheduler_actor
from optionchain.configuration.simulator import SIMULATOR
from optionchain.expirations.exchanges import compute_apart
from optionchain.observed_port import told
from optionchain.observing import Observer
from optionchain.ports import Authentication, Dependency, SessionStore


class OpenServices(TypedDict):
    """What the HTTP service needs; see `serve_app.services`."""

    observer: Observer
    gateway: SessionGateway
    store: SessionStore
    calendars: Calendars
    answers: RedisAnswers
    allowances: RedisAllowances | None
    strangers: RedisAllowances | None
    authentication: Authentication
    keys: KeyService
    denials: DenialService
    quotas: Quotas | None
    record: Trail
    audit: MongoAudit
    dependencies: dict[str, Dependency]
    helpers: dict[str, Dependency]
    history: RayHistory
    configurations: RayConfigurations
    live_configuration: LiveConfiguration
    sweeps: SweepGateway
    metrics: Callable[[], Awaitable[bytes]]
    report: Callable[[], Awaitable[ClusterReport]]


def _session_store_opener(settings: Settings) -> Callable[[], RedisSessionStore]:
    return partial(
        open_session_store,
        settings.redis,
        ttl_seconds=settings.session.ttl_seconds,
        keyed_seconds=settings.http.idempotency_seconds,
    )


def open_calendars(settings: Settings, observer: Observer) -> Calendars:
    """What provides this process with calendars; from now on it computes none itself."""
    compute_apart()
    return Calendars(observer, patience_seconds=settings.session.timeout_seconds)


def open_watch(settings: Settings) -> OpenWatch:
    """What opens the watch on the loop of a process."""
    return partial(LoopWatch, held_seconds=settings.telemetry.loop_milliseconds / 1000.0)


def _observer(settings: Settings, process: str) -> Observer:
    """The observer of this process, by what kind it is."""
    return open_observer(settings.telemetry, process, secrets_of(settings))


def session_actor_finder(settings: Settings) -> Callable[[str], ActorHandle[Any]]:
    """A function from an actor's name to the actor, which is created where there is none."""

    def find(name: str) -> ActorHandle[Any]:
        return find_or_make(
            SessionActor,
            name,
            name,
            _session_store_opener(settings),
            partial(open_snapshot_cache, settings.cache_server, settings.session.shared_megabytes),
            partial(_observer, settings, SESSION),
            partial(open_calendars, settings),
            RayRuntime(),
            settings.session,
            open_watch(settings),
            partial(open_history_repository, settings.mongo) if settings.session.keep_steps else None,
            namespace=settings.ray.namespace,
            cpus=settings.ray.cpus_of_actor(settings.session.placement),
        )

    return find


def open_gateway(settings: Settings, observer: Observer | None = None) -> SessionGateway:
    """The way to the session actors from this process."""
    session = settings.session
    return SessionGateway(
        parse_placement(session.placement),
        open_session_transport(settings, observer),
        max_waiting=session.max_waiting,
        timeout_seconds=session.timeout_seconds,
        observer=observer,
    )


def open_session_transport(settings: Settings, observer: Observer | None = None) -> SessionTransport:
    """What carries calls to the session actors, as the settings say."""
    session = settings.session
    actors = NamedActors(session_actor_finder(settings), what="the session actor", observer=observer)
    over_ray = RaySessionTransport(
        actors, max_batch=session.max_batch, timeout_seconds=session.delivery_timeout_seconds
    )
    if session.transport == "ray":
        return over_ray
    return SocketSessionTransport(actors, RayRuntime(), over_ray, session, observer=observer)


def open_cache(settings: Settings, observer: Observer | None = None) -> RedisCacheService:
    """The cache of this process: a bounded part of its own in front of Redis."""
    return RedisCacheService(
        open_redis(settings.cache_server),
        prefix=settings.redis.prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        local_bytes=settings.cache.local_megabytes << 20,
        redis_bytes=settings.cache.redis_megabytes << 20,
        observer=observer,
    )


def open_history_sources(settings: Settings) -> HistorySources:
    """What the history actor reads and writes."""
    observer = _shared_observer(settings, HISTORY)
    repository = open_history_repository(settings.mongo, observer)
    breaker = CircuitBreaker("the history store", observer=observer)
    return HistorySources(repository, open_cache(settings, observer), breaker)


def open_config_sources(settings: Settings) -> ConfigSources:
    """What the configuration actor reads and writes. There is one, so its process watches the servers as well."""
    observer = _shared_observer(settings, CONFIGURATION)
    watch_servers(settings.redis, settings.mongo, certificate_files(settings), observer)
    repository = MongoConfigRepository(open_mongo(settings.mongo, observer), settings.mongo.database)
    breaker = CircuitBreaker("the configuration store", observer=observer)
    sealing = Keyring(settings.encryption.key.get_secret_value())
    return ConfigSources(repository, open_cache(settings, observer), breaker, sealing)


def _history(settings: Settings) -> HistoryActor:
    return HistoryActor(
        partial(open_history_sources, settings),
        settings.history,
        partial(_shared_observer, settings, HISTORY),
    )


def _configuration(settings: Settings) -> ConfigActor:
    return ConfigActor(
        partial(open_config_sources, settings),
        settings.config,
        partial(_shared_observer, settings, CONFIGURATION),
    )


def _scheduler(settings: Settings) -> SharedActor:
    observer = partial(_shared_observer, settings, SCHEDULER)
    return scheduler_actor(settings, observer, open_calendars, open_history)


def _shared_observer(settings: Settings, service: str) -> Observer:
    return _observer(settings, _home(settings, service))


SHARED: Mapping[str, Callable[[Settings], SharedActor]] = {
    HISTORY: _history,
    CONFIGURATION: _configuration,
    SCHEDULER: _scheduler,
}


def shared_actors(settings: Settings) -> list[ActorHandle[Any]]:
    """The actors that serve history and configurations and fire tasks, created where there are none."""
    return [_shared_actor(settings, name) for name in {_home(settings, each) for each in SHARED}]


def _home(settings: Settings, service: str) -> str:
    """The name of the actor that a service lives in."""
    return SHARED_PROCESS if settings.ray.shares_process else service


def _shared_actor(settings: Settings, name: str) -> ActorHandle[Any]:
    services = SHARED if name == SHARED_PROCESS else {name: SHARED[name]}
    makers = {service: partial(make, settings) for service, make in services.items()}
    return find_or_make(
        SharedActors, name, makers, partial(_watch, settings, name), namespace=settings.ray.namespace
    )


def _watch(settings: Settings, process: str) -> LoopWatch:
    return open_watch(settings)(_observer(settings, process))


def _way_to(
    settings: Settings, service: str, timeout_seconds: float, observer: Observer | None
) -> NamedActor:
    actors = NamedActors(partial(_shared_actor, settings), what=f"the {service}", observer=observer)
    return NamedActor(actors, _home(settings, service), service=service, timeout_seconds=timeout_seconds)


def open_history(settings: Settings, observer: Observer | None = None) -> RayHistory:
    """The way to the history service."""
    return RayHistory(_way_to(settings, HISTORY, settings.history.timeout_seconds, observer))


def open_configurations(settings: Settings, observer: Observer | None = None) -> RayConfigurations:
    """The way to the configuration service."""
    return RayConfigurations(_way_to(settings, CONFIGURATION, settings.config.timeout_seconds, observer))


def open_services(settings: Settings) -> OpenServices:
    """Everything that one HTTP replica uses."""
    observer = _observer(settings, HTTP)
    store = told(_session_store_opener(settings)(), observer, "redis.call", role="session")
    mongo = open_mongo(settings.mongo)
    identity = open_identity(settings, mongo, observer)
    audit = MongoAudit(mongo, settings.mongo.database)
    configurations = open_configurations(settings, observer)
    for actor in shared_actors(settings):
        actor.status.remote()  # so that they warm up and listen before anybody asks
    return OpenServices(
        observer=observer,
        gateway=open_gateway(settings, observer),
        store=store,
        calendars=open_calendars(settings, observer),
        answers=told(open_answers(settings), observer, "redis.call", role="answers"),
        allowances=open_allowances(settings, observer),
        strangers=open_strangers(settings, observer),
        authentication=identity.authentication,
        keys=identity.keys,
        denials=identity.denials,
        quotas=open_quotas(settings, mongo, identity, observer),
        record=Trail(audit, settings.audit, observer=observer),
        audit=audit,
        dependencies={"redis": store},
        helpers={"mongodb": MongoServer(mongo), **identity.helpers},
        history=open_history(settings, observer),
        configurations=configurations,
        live_configuration=LiveConfiguration(
            partial(configurations.get, SIMULATOR),
            max_age_seconds=settings.config.replica_seconds,
            observer=observer,
        ),
        sweeps=open_sweeps(settings, partial(MongoSweepIndex, settings.mongo)),
        metrics=cluster_metrics,
        report=partial(asyncio.to_thread, report, settings.ray.namespace),
    )
