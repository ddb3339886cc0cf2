"""What changed while nobody listened is not known, so what is known is asked for again."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from actors.configuration.actor import ConfigActor, ConfigSources
from actors.settings import ConfigSettings
from adapters.circuit_breaker import CircuitBreaker
from adapters.encryption import Keyring
from optionchain.configuration.versions import Configuration
from optionchain.errors import Unavailable
from tests.unit.history.kept import KeptCache
from tests.waiting import until

pytestmark = pytest.mark.anyio

# Nothing becomes old by time, within a test.
SETTINGS = ConfigSettings(unheard_seconds=60.0, fresh_seconds=3600.0, stale_seconds=0.0)


class Stored:
    """A configuration that others write, and what is heard of that."""

    def __init__(self):
        self.version, self.listened = 1, 0
        self.heard = asyncio.Queue()

    async def get_config(self, name):
        return Configuration(
            name=name,
            version=self.version,
            values={},
            saved_by="another cluster",
            saved_at=datetime(2026, 1, 5, tzinfo=UTC),
        )

    async def changes(self):
        while True:
            self.listened += 1
            heard = await self.heard.get()
            if isinstance(heard, Exception):
                raise heard
            yield heard

    async def tell(self, heard):
        """Returns once it has been heard, and is listened for the next."""
        before = self.listened
        self.heard.put_nowait(heard)
        await until(lambda: self.listened > before, "it is heard")


@pytest.fixture
async def stored():
    return Stored()


@pytest.fixture
async def cache():
    return KeptCache()


@pytest.fixture
async def actor(stored, cache, monkeypatch):
    monkeypatch.setattr("actors.configuration.actor.SILENT_SOURCE_SECONDS", 0.0)
    sources = ConfigSources(stored, cache, CircuitBreaker("mongodb"), Keyring(""))
    actor = ConfigActor(lambda: sources, SETTINGS)
    await actor.status()
    await until(lambda: stored.listened, "it listens")
    yield actor
    await actor.close()


async def version(actor):
    return orjson.loads((await actor.get("any")).value)["version"]


@pytest.mark.parametrize("heard", [None, ("any", 2), Unavailable("mongodb")], ids=["begin", "change", "loss"])
async def test_whatever_may_have_changed_is_asked_for_again(actor, stored, heard):
    await stored.tell(None)
    assert await version(actor) == 1
    stored.version = 2
    assert await version(actor) == 1

    await stored.tell(heard)

    assert await version(actor) == 2


async def test_what_others_changed_is_nothing_to_those_that_stay(actor, stored):
    await stored.tell(None)
    assert await version(actor) == 1
    stored.version = 2

    await stored.tell(("other", 2))

    assert await version(actor) == 1


async def test_what_is_known_counts_for_long_only_while_changes_are_heard(actor, stored, cache):
    counts = []

    for heard in (None, Unavailable("mongodb")):
        await version(actor)
        counts.append(cache.kept_seconds["config:any"])
        await stored.tell(heard)
        stored.version += 1
        await cache.delete("config:any")
    await version(actor)

    assert [*counts, cache.kept_seconds["config:any"]] == [60.0, 3600.0, 60.0]
