"""The composition root: the only place that names both the actors and the adapters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict

import ray
from ray.actor import ActorHandle

from actors.placement import parse_placement
from actors.ray_runtime import RayRuntime
from actors.ray_transport import RaySessionTransport
from actors.session_actor import SessionActor
from actors.session_gateway import SessionGateway
from adapters.mongo_connection import MongoServer, open_mongo
from adapters.ray_metrics import RaySessionMetrics
from adapters.redis_connection import open_redis
from adapters.redis_idempotency import RedisAnswers
from adapters.redis_session_store import RedisSessionStore
from cluster.settings import Settings
from optionchain.ports import Dependency, SessionStore

MAX_CONCURRENT_BATCHES = 1000
# What the process of an actor takes of its own. Ray places actors that ask for nothing at random: asking for
# memory is what spreads them over the nodes.
ACTOR_MEMORY_BYTES = 64 << 20


class OpenServices(TypedDict):
    """What the HTTP service needs; see `serve_app.services`."""

    gateway: SessionGateway
    store: SessionStore
    answers: RedisAnswers
    dependencies: dict[str, Dependency]


def open_session_store(settings: Settings) -> RedisSessionStore:
    """The session store of this process."""
    return RedisSessionStore(
        open_redis(settings.redis),
        prefix=settings.redis.prefix,
        ttl_seconds=settings.session.ttl_seconds,
        wait_replicas=settings.redis.wait_replicas,
        timeout_seconds=settings.redis.timeout_seconds,
    )


def session_actor_finder(settings: Settings) -> Callable[[str], ActorHandle[Any]]:
    """A function from an actor's name to the actor, which is created where there is none."""

    def find(name: str) -> ActorHandle[Any]:
        actor: Any = ray.remote(SessionActor)
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
        handle: ActorHandle[Any] = options.remote(
            name, partial(open_session_store, settings), RaySessionMetrics, RayRuntime(), settings.session
        )
        return handle

    return find


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
    )


def open_services(settings: Settings) -> OpenServices:
    """Everything that one HTTP replica uses."""
    store = open_session_store(settings)
    mongo = MongoServer(open_mongo(settings.mongo))
    return OpenServices(
        gateway=open_gateway(settings),
        store=store,
        answers=open_answers(settings),
        dependencies={"redis": store, "mongodb": mongo},
    )
