"""Opens what knows the callers of a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient

from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.denials import MongoDenials
from adapters.oidc_issuer import OidcIssuer
from adapters.redis.connection import open_redis
from adapters.redis.notices import RedisNotices
from cluster.api_keys import KnownKeys, OpenToAll, parse_keys
from cluster.identity.following import LIST, Following
from cluster.identity.held_denials import DenialService, HeldDenials
from cluster.identity.held_keys import HeldKeys
from cluster.identity.key_service import KeyService
from cluster.identity.telling import Telling
from cluster.identity.tokens import Tokens
from cluster.settings import Settings
from optionchain.observing import Observer
from optionchain.ports import Authentication, Dependency


class Identity(NamedTuple):
    """How callers are known: who finds them, what administrators change, what keeps a process current about that and
    tells of it, what /ready asks of it, and how it ends."""

    authentication: Authentication
    keys: KeyService
    denials: DenialService
    following: Following
    telling: Telling
    helpers: dict[str, Dependency]
    close: Callable[[], Awaitable[None]]


def open_identity(
    settings: Settings, mongo: AsyncMongoClient[dict[str, Any]], observer: Observer
) -> Identity:
    """Who has which key, as the settings and MongoDB say, and what changes those of MongoDB.

    Args:
        settings: All settings.
        mongo: An open client.
        observer: Told of what cannot be heard or read.
    """
    auth = settings.auth
    repository = MongoApiKeys(mongo, settings.mongo.database)
    notices = RedisNotices(
        open_redis(settings.redis),
        f"{settings.redis.prefix}:api-keys",
        whose=LIST,
        timeout_seconds=settings.redis.timeout_seconds,
    )
    fixed = KnownKeys(parse_keys(auth.keys.get_secret_value()))
    following = Following(notices, poll_seconds=auth.poll_seconds, observer=observer)
    held = HeldKeys(fixed, repository, following, auth, observer=observer)
    telling = Telling(notices, following.heard, observer=observer)
    service = KeyService(repository, telling, max_keys=auth.max_keys)
    denied = MongoDenials(mongo, settings.mongo.database)
    denials = DenialService(denied, telling, max_denials=auth.max_denials)

    async def close() -> None:
        await following.close()
        await notices.close()

    if not auth.enabled:
        return Identity(OpenToAll(), service, denials, following, telling, {}, close)
    following.begin()  # so that it knows them before anybody asks
    callers: Authentication = held
    if auth.oidc_issuer:
        held_denials = HeldDenials(denied, max_denials=auth.max_denials)
        following.follow(held_denials)
        issuer = OidcIssuer(auth.oidc_issuer)
        callers = Tokens(held, issuer, held_denials, following, auth, observer=observer)
    return Identity(callers, service, denials, following, telling, {"api_keys": following}, close)
