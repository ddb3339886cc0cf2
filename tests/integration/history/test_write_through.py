"""What was written is in the cache for the next reader, and never anything older, whatever dies in between."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from actors.configuration.actor import ConfigActor, ConfigSources
from actors.history.actor import HistoryActor, HistorySources
from actors.settings import ConfigSettings, HistorySettings
from adapters.circuit_breaker import CircuitBreaker
from adapters.encryption import Keyring
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from adapters.settings import MongoSettings, RedisSettings
from optionchain.errors import NotFound, OptionChainError, Unavailable
from optionchain.ports import Cached
from tests.lines import line_to
from tests.servers import PASSWORD
from tests.unit.history.samples import chain
from tests.waiting import passing, until

pytestmark = pytest.mark.anyio

DAY = date(2024, 1, 2)
HOURS = 3600.0
PATIENCE_SECONDS = 0.3


@dataclass
class Moments:
    """Where a test steps in between the store and the cache."""

    after_store: list[Any] = field(default_factory=list)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    loads: int = 0

    def __post_init__(self) -> None:
        self.loaded.set()

    async def load(self) -> None:
        self.loads += 1
        await self.loaded.wait()

    async def stored(self) -> None:
        while self.after_store:
            self.after_store.pop()()


class Configurations(MongoConfigRepository):
    moments: Moments

    async def save_config(self, *arguments, **named):
        saved = await super().save_config(*arguments, **named)
        await self.moments.stored()
        return saved

    async def get_config(self, *arguments, **named):
        found = await super().get_config(*arguments, **named)
        await self.moments.load()
        return found


class History(MongoHistoricalRepository):
    moments: Moments

    async def save_historical_chain(self, chain):
        revision = await super().save_historical_chain(chain)
        await self.moments.stored()
        return revision

    async def get_historical_chain(self, *arguments):
        found = await super().get_historical_chain(*arguments)
        await self.moments.load()
        return found


class ConfigurationSubject:
    """A configuration whose n-th version says n."""

    def __init__(self, repository, cache, breaker):
        self.repository = repository
        # Nothing becomes old by time: only what is heard or written makes it so.
        settings = ConfigSettings(unheard_seconds=HOURS, fresh_seconds=HOURS)
        self.actor = ConfigActor(lambda: ConfigSources(repository, cache, breaker, Keyring("")), settings)

    async def write(self, number):
        await self.actor.save("any", {"number": number}, number - 1, "anna")

    async def read(self) -> tuple[int, Cached]:
        found = await self.actor.get("any")
        return orjson.loads(found.value)["values"]["number"], found

    async def stored(self, repository) -> int:
        try:
            return (await repository.get_config("any")).version
        except NotFound:
            return 0


class ChainSubject:
    """A chain whose n-th revision has a price of 100 + n."""

    def __init__(self, repository, cache, breaker):
        self.repository = repository
        settings = HistorySettings(chain_seconds=HOURS, warm_days=0)
        self.actor = HistoryActor(lambda: HistorySources(repository, cache, breaker), settings)

    async def write(self, number):
        await self.actor.save_chain(replace(chain(day=DAY), underlying_price=100.0 + number))

    async def read(self) -> tuple[int, Cached]:
        found = await self.actor.chain("SPX", DAY)
        return round(orjson.loads(found.value)["underlying"]["price"] - 100.0), found

    async def stored(self, repository) -> int:
        try:
            return round((await repository.get_historical_chain("SPX", DAY)).underlying_price - 100.0)
        except NotFound:
            return 0


SUBJECTS = {
    "configuration": (ConfigurationSubject, Configurations, MongoConfigRepository),
    "chain": (ChainSubject, History, MongoHistoricalRepository),
}


class World:
    """An actor whose lines to MongoDB and Redis can be cut, and a model of what it may answer."""

    def __init__(self, kind, mongo_uri, redis, lines, patience_seconds):
        subject, repository, plain = SUBJECTS[kind]
        self.mongo, self.redis = lines
        self.moments, database = Moments(), f"t{uuid.uuid4().hex[:12]}"
        through = MongoSettings(
            uri=SecretStr(f"mongodb://127.0.0.1:{self.mongo.port}/?directConnection=true"),
            timeout_seconds=patience_seconds,
        )
        url = SecretStr(f"redis://:{PASSWORD}@127.0.0.1:{self.redis.port}/0")
        self.direct = plain(open_mongo(MongoSettings(uri=SecretStr(mongo_uri))), database)
        self.emptier = redis.open()
        client = open_redis(RedisSettings(url=url, timeout_seconds=PATIENCE_SECONDS))
        self.cache = RedisCacheService(client, prefix=database, timeout_seconds=PATIENCE_SECONDS)
        self.cache._breaker = CircuitBreaker("the cache", failures=1, pause_seconds=0.0)
        self.repository = repository(open_mongo(through), database)
        self.repository.moments = self.moments
        breaker = CircuitBreaker("the store", failures=1, pause_seconds=0.0)
        self.subject = subject(self.repository, self.cache, breaker)
        self.acknowledged, self.slow_read = 0, None
        self.prefix = database

    async def write(self):
        number = await self.subject.stored(self.direct) + 1
        with contextlib.suppress(Unavailable):
            await self.subject.write(number)
            self.acknowledged = number

    async def write_and_redis_dies_between(self):
        self.moments.after_store.append(self.redis.cut)
        await self.write()
        self.moments.after_store.clear()

    async def write_and_mongodb_dies_between(self):
        self.moments.after_store.append(self.mongo.cut)
        await self.write()
        self.moments.after_store.clear()

    async def write_whose_answer_is_lost(self):
        def lose():
            raise Unavailable("the store")

        self.moments.after_store.append(lose)
        await self.write()
        self.moments.after_store.clear()

    async def read(self):
        await self._checked(self.acknowledged)

    async def begin_slow_read(self):
        """It has loaded what is stored now, and does not get on."""
        if self.slow_read is None:
            self.moments.loaded.clear()
            self.slow_read = asyncio.create_task(self._checked(self.acknowledged))
            await passing(0.01)

    async def end_slow_read(self):
        self.moments.loaded.set()
        if self.slow_read is not None:
            await self.slow_read
            self.slow_read = None

    async def cut_redis(self):
        self.redis.cut()

    async def mend_redis(self):
        self.redis.mend()

    async def empty_redis(self):
        await self.emptier.flushall()

    async def cut_mongodb(self):
        self.mongo.cut()

    async def mend_mongodb(self):
        self.mongo.mend()

    async def _checked(self, acknowledged):
        try:
            number, found = await self.subject.read()
        except OptionChainError:
            return
        assert found.is_stale or number >= acknowledged, f"{number} though {acknowledged} was acknowledged"

    async def settled(self):
        """Everything is back: what is stored is what is read."""
        await self.end_slow_read()
        self.redis.mend()
        self.mongo.mend()
        latest = await self.subject.stored(self.direct)
        if latest == 0:
            return

        async def is_read():
            with contextlib.suppress(Unavailable):
                number, found = await self.subject.read()
                return number == latest and not found.is_stale
            return False

        await until(is_read, f"{latest} is read", patience_seconds=10.0)

    async def aclose(self):
        self.moments.loaded.set()
        if self.slow_read is not None:
            self.slow_read.cancel()
        await self.subject.actor.close()
        await self.cache.close()
        await self.repository.close()
        await self.emptier.aclose()
        await self.direct._client.drop_database(self.prefix)
        await self.direct.close()


@contextlib.asynccontextmanager
async def opened(kind, mongo_uri, redis, *, mongo_delay=0.0, patience_seconds=PATIENCE_SECONDS):
    mongo_port = int(mongo_uri.split("/")[2].split(":")[1])
    async with (
        line_to(mongo_port, mongo_delay) as to_mongo,
        line_to(redis.port) as to_redis,
        contextlib.aclosing(World(kind, mongo_uri, redis, (to_mongo, to_redis), patience_seconds)) as world,
    ):
        yield world


EVENTS = [name for name, value in vars(World).items() if asyncio.iscoroutinefunction(value)]
EVENTS = [name for name in EVENTS if not name.startswith("_") and name not in ("settled", "aclose")]


@pytest.mark.parametrize("kind", SUBJECTS)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=12))
@settings(max_examples=12, phases=[Phase.generate])  # an example takes a second: too long to shrink one
async def test_no_reader_gets_what_is_older_than_what_was_acknowledged(kind, events, mongod_uri, redis):
    async with opened(kind, mongod_uri, redis) as world:
        for event in events:
            await getattr(world, event)()
        await world.settled()


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_what_was_written_is_there_for_the_next_reader(kind, mongod_uri, redis):
    async with opened(kind, mongod_uri, redis) as world:
        for number in (1, 2):
            await world.write()
            loads = world.moments.loads

            read, found = await world.subject.read()

            assert (read, found.is_stale) == (number, False)
            assert world.moments.loads == loads, "it was in the cache"


async def test_a_chain_that_was_written_is_byte_for_byte_what_would_be_loaded(mongod_uri, redis):
    odd = replace(chain(day=DAY), quote_time=datetime(2024, 1, 2, 21, 0, 0, 123_999, UTC))
    async with opened("chain", mongod_uri, redis) as world:
        await world.subject.actor.save_chain(odd)
        written = (await world.subject.read())[1].value
        await world.emptier.flushall()
        world.cache._local.clear()

        assert (await world.subject.read())[1].value == written


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_slow_mongodb_is_waited_for_and_asked_once_for_all(kind, mongod_uri, redis):
    delay_seconds = 0.1
    async with opened(kind, mongod_uri, redis, mongo_delay=delay_seconds, patience_seconds=3.0) as world:
        await world.write()
        await world.emptier.flushall()
        world.cache._local.clear()
        loads = world.moments.loads

        reads = await asyncio.gather(*(world.subject.read() for _ in range(50)))

        assert {number for number, _ in reads} == {1}
        # One for all; and once more where the change is heard of meanwhile, late as everything here.
        assert loads < world.moments.loads <= loads + 2
        assert not any(found.is_stale for _, found in reads)
