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
from optionchain.errors import InvalidInput, Unavailable
from optionchain.observing import Unobserved
from tests.recording import Recording
from tests.unit.history.kept import KeptCache
from tests.waiting import turns, until

pytestmark = pytest.mark.anyio

# Nothing becomes old by time, within a test.
SETTINGS = ConfigSettings(unheard_seconds=60.0, fresh_seconds=3600.0, stale_seconds=0.0)


class Stored:
    """A configuration that others write, and what is heard of that."""

    def __init__(self):
        self.version, self.listened, self.asked = 1, 0, 0
        self.heard = asyncio.Queue()

    async def get_config(self, name):
        self.asked += 1
        return Configuration(
            name=name,
            version=self.version,
            values={},
            saved_by="another cluster",
            saved_at=datetime(2026, 1, 5, tzinfo=UTC),
        )

    async def save_config(self, name, values, **named):
        return await self.get_config(name)

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


def actor_of(stored, cache, observer=None):
    sources = ConfigSources(stored, cache, CircuitBreaker("mongodb"), Keyring(""))
    return ConfigActor(lambda: sources, SETTINGS, lambda: observer or Unobserved())


@pytest.fixture
async def actor(stored, cache, monkeypatch):
    monkeypatch.setattr("actors.configuration.actor.SILENT_SOURCE_SECONDS", 0.0)
    actor = actor_of(stored, cache)
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


@pytest.mark.parametrize(
    "first_call",
    [
        lambda actor: actor.status(),
        lambda actor: actor.get("any"),
        lambda actor: actor.save("any", {}, 0, "anna"),
    ],
    ids=["status", "get", "save"],
)
async def test_an_actor_that_ray_has_started_again_listens_from_its_first_call_until_it_is_closed(
    stored, cache, first_call
):
    before = asyncio.all_tasks()
    actor = actor_of(stored, cache)

    await first_call(actor)

    await until(lambda: stored.listened, "it listens")
    await actor.close()
    assert asyncio.all_tasks() <= before


async def test_a_source_of_no_changes_is_told_of_once_until_one_is_heard(stored, cache, monkeypatch):
    monkeypatch.setattr("actors.configuration.actor.SILENT_SOURCE_SECONDS", 0.0)
    observer = Recording()
    actor = actor_of(stored, cache, observer)
    told = []
    await actor.status()
    await until(lambda: stored.listened, "it listens")

    for begin in ([], [None]):
        for heard in [*begin, *[Unavailable("mongodb")] * 4]:
            await stored.tell(heard)
        told.append(len(observer.failures))

    await actor.close()
    assert told == [1, 2]
    assert {operation.name for operation, _ in observer.failures} == {"configuration.listen"}


async def test_a_source_that_fails_is_left_alone_for_a_while(stored, cache):
    actor = actor_of(stored, cache)
    await actor.status()
    await until(lambda: stored.listened, "it listens")

    stored.heard.put_nowait(Unavailable("mongodb"))
    await turns()

    assert stored.listened == 1
    await actor.close()


async def test_what_is_no_name_is_asked_of_nobody(actor, stored):
    with pytest.raises(InvalidInput):
        await actor.get("no name")

    assert stored.asked == 0
