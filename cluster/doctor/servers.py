"""What Redis, MongoDB and the service itself must be like."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from adapters.mongo.connection import open_mongo
from adapters.mongo.members import Member
from adapters.redis.connection import open_redis
from adapters.server_facts import MongoFacts, RedisFacts, mongo_facts, redis_facts
from adapters.settings import MongoSettings, RedisSettings
from cluster.doctor.finding import Finding, Grade, judged
from cluster.instance.service import READY, health
from cluster.instance.state import InstanceState
from cluster.settings import Settings
from optionchain.errors import Unavailable

SLOW_SECONDS, MOST_SKEW_SECONDS = 0.02, 1.0
# What the loss of a site may cost of what its copy was not waited for.
MOST_BEHIND_SECONDS = 5.0
REDIS, MONGO = "Redis", "MongoDB"


def server_findings(settings: Settings, state: InstanceState | None) -> Iterable[Finding]:
    """Ask the servers that the settings name, or that the running instance has.

    Args:
        settings: All of them.
        state: What runs of the instance, if any.
    """
    redis_url = settings.redis.url.get_secret_value() if settings.redis.url else state and state.redis_url
    mongo_uri = settings.mongo.uri.get_secret_value() if settings.mongo.uri else state and state.mongo_uri
    given = settings.with_changes(
        {
            "redis": {"url": redis_url} if redis_url else {},
            "mongo": {"uri": mongo_uri} if mongo_uri else {},
        }
    )
    if redis_url:
        yield from _asked(REDIS, "OCS_REDIS_URL", lambda: _redis(given.redis))
    else:
        yield Finding(REDIS, Grade.GOOD, "a private one will be started")
    if mongo_uri:
        yield from _asked(
            MONGO, "OCS_MONGO_URI", lambda: _mongo(given.mongo, is_private=not settings.mongo.uri)
        )
    else:
        yield Finding(MONGO, Grade.GOOD, "a private one will be started")
    if state is not None:
        found = health(state.base_url)["http"]
        yield judged(
            "service",
            found if found != READY else f"{READY}, at {state.base_url}",
            is_good=found == READY,
            remedy="`optionchain up` starts anew what has failed; `optionchain logs` may tell why",
        )


def redis_findings(facts: RedisFacts, settings: RedisSettings) -> Iterable[Finding]:
    """Judge a Redis of sessions."""
    yield judged(
        f"{REDIS}: answer",
        f"{facts.seconds * 1000:.1f} ms",
        is_good=facts.seconds < SLOW_SECONDS,
        remedy="every step waits for it: bring it nearer, or see what keeps it busy",
        otherwise=Grade.DOUBTFUL,
    )
    yield judged(
        f"{REDIS}: disk",
        "appends every write" if facts.is_on_disk else "keeps nothing",
        is_good=facts.is_on_disk,
        remedy="appendonly yes, appendfsync always: otherwise what was acknowledged is lost with the server",
    )
    yield judged(
        f"{REDIS}: when full",
        facts.eviction,
        is_good=facts.eviction == "noeviction",
        remedy="maxmemory-policy noeviction: otherwise it forgets sessions (OCS_CACHE_REDIS_URL is for what may be)",
    )
    yield judged(
        f"{REDIS}: replicas",
        str(facts.replicas),
        is_good=facts.replicas >= settings.wait_replicas,
        remedy=f"OCS_REDIS_WAIT_REPLICAS waits for {settings.wait_replicas}: every step is 503 until they are there",
    )
    yield _clock(REDIS, facts.skew_seconds)


def mongo_findings(facts: MongoFacts, *, is_private: bool) -> Iterable[Finding]:
    """Judge a MongoDB; a private one is by itself."""
    yield judged(
        f"{MONGO}: answer",
        f"{facts.seconds * 1000:.1f} ms",
        is_good=facts.seconds < SLOW_SECONDS,
        remedy="history and configurations wait for it: bring it nearer, or see what keeps it busy",
        otherwise=Grade.DOUBTFUL,
    )
    yield judged(
        f"{MONGO}: replica set",
        f"{facts.replica_set}, {facts.members} members" if facts.replica_set else "it is by itself",
        is_good=is_private or facts.replica_set is not None,
        remedy="make it a replica set, of one member at least: changes of the configuration are announced then",
        otherwise=Grade.DOUBTFUL,
    )
    if facts.is_journaled is not None:
        yield judged(
            f"{MONGO}: write concern",
            "a majority, on disk" if facts.is_journaled else "a majority, in memory",
            is_good=facts.is_journaled,
            remedy="writeConcernMajorityJournalDefault: true (rs.reconfig): otherwise what was acknowledged is lost "
            "when a majority loses power",
        )
    if facts.unknown_mode is not None:
        yield Finding(
            f"{MONGO}: w={facts.unknown_mode}",
            Grade.BAD,
            "the set has no such mode, and refuses every write",
            "name it in settings.getLastErrorModes (rs.reconfig), or take it out of OCS_MONGO_URI",
        )
    yield from map(_hidden, facts.hidden)
    yield judged(
        f"{MONGO}: indexes",
        f"{', '.join(facts.unindexed)}: not unique" if facts.unindexed else "those that writers rely on",
        is_good=not facts.unindexed,
        remedy="`optionchain redeploy`, or a restart: each is made before the next write to its collection; documents "
        "that are there twice must be removed before",
    )
    yield _clock(MONGO, facts.skew_seconds)


def _hidden(member: Member) -> Finding:
    """A member that no client sees: as a rule the copy in a second site."""
    seconds = f"{member.seconds_behind:.1f} s"
    told = f"{seconds} behind" if member.is_there else f"not heard of for {seconds}"
    is_close = member.seconds_behind <= MOST_BEHIND_SECONDS
    return judged(
        f"{MONGO}: hidden member {member.host}",
        f"{told}, and votes" if member.votes else told,
        is_good=member.is_there and is_close and not member.votes,
        remedy="start it, or see what its disk and its line are busy with: what it does not have is lost with the "
        "first site"
        if not (member.is_there and is_close)
        else "votes: 0 (rs.reconfig), so that no majority of the first site hangs on the second",
        otherwise=Grade.DOUBTFUL if member.is_there else Grade.BAD,
    )


def _clock(server: str, seconds: float) -> Finding:
    return judged(
        f"{server}: clock",
        f"{abs(seconds):.1f} s {'before' if seconds > 0 else 'behind'} ours",
        is_good=abs(seconds) <= MOST_SKEW_SECONDS,
        remedy="have NTP set the clocks of both machines: sessions end by one, keys by the other",
        otherwise=Grade.DOUBTFUL,
    )


async def _redis(settings: RedisSettings) -> list[Finding]:
    client = open_redis(settings)
    try:
        return list(redis_findings(await redis_facts(client, settings.timeout_seconds), settings))
    finally:
        await client.aclose()


async def _mongo(settings: MongoSettings, *, is_private: bool) -> list[Finding]:
    client = open_mongo(settings)
    try:
        return list(mongo_findings(await mongo_facts(client, settings.database), is_private=is_private))
    finally:
        await client.close()


def _asked(server: str, variable: str, ask: Callable[[], Awaitable[list[Finding]]]) -> Iterable[Finding]:
    async def asked() -> list[Finding]:
        return await ask()

    try:
        return asyncio.run(asked())
    except Unavailable as problem:
        remedy = f"start it, or correct {variable}"
        return [Finding(server, Grade.BAD, f"gives no answer: {problem}", remedy)]
