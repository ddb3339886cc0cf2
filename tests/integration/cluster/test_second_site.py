"""The stores of a second site follow the first, say how far, and take over when it is lost, and not before."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import Result
from pymongo.errors import PyMongoError
from typer.testing import CliRunner

from adapters.metrics.server_watch import ServerWatch
from adapters.mongo.config import MongoConfigRepository
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from cluster.commands.app import app as doctor
from cluster.commands.site import app
from cluster.settings import Settings
from cluster.standby import copies, promote
from optionchain.errors import InvalidInput, Unavailable
from proving.drills.site_loss import UNWAITED, WAITED, beating, lost_seconds
from proving.drills.two_sites import Site, follow, follows, join
from tests.integration.backup.filled import NOW
from tests.integration.history import mongo_servers
from tests.recording import Recording
from tests.unit.history.samples import chain
from tests.waiting import until

MISSED_SECONDS = 3.0
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site, str]]:
    """The last test loses the first of them."""
    folder = tmp_path_factory.mktemp("sites")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(mongo_servers.mongod()).parent}{os.pathsep}{os.environ['PATH']}")
        first, second = (Site.in_folder(name, folder / name) for name in ("first", "second"))
    try:
        first.start()
        second.start(following=first)
        yield first, second, asyncio.run(join(first, second))
    finally:
        first.kill()
        second.kill()


def of(site: Site) -> Settings:
    return Settings().with_changes({"redis": {"url": site.redis.url}, "mongo": {"uri": site.uri}})


async def save(uri: str, version: int) -> None:
    """A version of a configuration and a chain, by the adapters that the service writes them by."""
    async with open_mongo(MongoSettings(uri=uri, timeout_seconds=5)) as client:
        await MongoConfigRepository(client, "sited").save_config(
            "simulator", {"n": version}, expected_version=version, saved_by="owner", saved_at=NOW
        )
    await save_chain(uri)


async def save_chain(uri: str) -> None:
    async with open_mongo(MongoSettings(uri=uri, timeout_seconds=5)) as client:
        await MongoHistoricalRepository(client, "sited").save_historical_chain(chain())


async def test_a_write_that_the_second_site_must_have_is_not_acknowledged_without_it(
    sites: tuple[Site, Site, str],
) -> None:
    first, second, uri = sites
    await save_chain(uri)
    there, levels_there = await asyncio.to_thread(_told_of_copy, uri), await _watched(first, uri)
    await asyncio.to_thread(second.kill)

    await save_chain(uri.replace("&w=bothSites", ""))
    with pytest.raises(Unavailable):
        await save_chain(uri)

    async def is_missed() -> bool:
        """Longer than any lag that there was: it is not just behind."""
        levels = await _watched(first, uri)
        return levels["mongodb.standby_lag_seconds"] > MISSED_SECONDS and not levels["redis.replicas"]

    await until(is_missed, "the watch misses it", patience_seconds=60)
    gone = await asyncio.to_thread(_told_of_copy, uri)
    assert (there["grade"], gone["grade"]) == ("good", "bad")
    assert "s behind" in there["told"]
    assert "not heard of for" in gone["told"]
    assert levels_there["mongodb.standby_lag_seconds"] < MISSED_SECONDS
    assert levels_there["mongodb.replica_lag_seconds"] < MISSED_SECONDS
    assert levels_there["redis.replicas"] == 1

    second.start(following=first)
    await follows(second)


async def test_a_copy_that_votes_is_no_mere_copy(sites: tuple[Site, Site, str]) -> None:
    _, second, uri = sites
    before = await asyncio.to_thread(_site, "status", second)
    await _second_votes(uri, votes=1)
    voting = await asyncio.to_thread(_site, "status", second)
    told = await asyncio.to_thread(_told_of_copy, uri)
    await _second_votes(uri, votes=0)

    assert (before.exit_code, voting.exit_code) == (0, 1)
    assert "mongo: a member here votes" in voting.output
    assert (told["grade"], "and votes" in told["told"]) == ("doubtful", True)


async def _second_votes(uri: str, *, votes: int) -> None:
    async with open_mongo(MongoSettings(uri=uri, timeout_seconds=20)) as client:

        async def has_begun() -> bool:
            config = (await client.admin.command("replSetGetConfig"))["config"]
            config["members"][1]["votes"] = votes
            config["version"] += 1
            with suppress(PyMongoError):  # while the one before is being agreed on
                await client.admin.command("replSetReconfig", config)
                return True
            return False

        await until(has_begun, f"it has {votes} votes")


async def _watched(first: Site, uri: str) -> Mapping[str, float]:
    """What the watch of the first site's stores tells."""
    observer, settings = Recording(), MongoSettings(uri=uri, timeout_seconds=5)
    watch = ServerWatch(first.open_redis(), open_mongo(settings), observer)
    await watch.look()
    await watch.close()
    return observer.levels


def _told_of_copy(uri: str) -> Mapping[str, str]:
    """What the doctor says of the hidden member."""
    told = CliRunner().invoke(doctor, ["doctor", "--json"], env={"OCS_MONGO_URI": uri}).stdout
    (found,) = [each for each in json.loads(told) if each["what"].startswith("MongoDB: hidden member")]
    return dict(found)


async def test_a_second_site_takes_over_with_all_that_was_waited_for(sites: tuple[Site, Site, str]) -> None:
    first, second, uri = sites
    for version in range(3):
        await save(uri, version)
    async with beating(first, uri) as beats:
        await until(lambda: all(beat.acknowledged for beat in beats.values()), "every clock was written")
        followed = await copies(of(second))
        with pytest.raises(InvalidInput, match=r"still hears the first one \(redis, mongo\): two would take"):
            await promote(of(second))
        await asyncio.to_thread(first.kill)
    status = await asyncio.to_thread(_site, "status", second)

    async def hears_nothing() -> bool:
        return not any(copy.hears_the_first for copy in (await copies(of(second))).values())

    await until(hears_nothing, "the second site hears nothing", patience_seconds=60)
    told = await asyncio.to_thread(_site, "promote", second)

    assert {name: (copy.is_first, copy.hears_the_first) for name, copy in followed.items()} == {
        "redis": (False, True),
        "mongo": (False, True),
    }
    assert all(copy.seconds_behind < 5 for copy in followed.values())
    assert status.exit_code in (0, 1)
    assert "take writes" in told.output
    lost = await lost_seconds(beats, second)
    assert {name: seconds for name, seconds in lost.items() if name.endswith(f", {WAITED}")} == {
        f"Redis, {WAITED}": 0.0,
        f"MongoDB, {WAITED}": 0.0,
    }
    assert all(seconds < 5 for name, seconds in lost.items() if name.endswith(UNWAITED))
    # It takes writes, and promoting it again changes nothing.
    await save(second.uri, 3)
    assert all(copy.is_first for copy in (await promote(of(second))).values())

    await follow(first, second)
    async with open_mongo(MongoSettings(uri=second.uri, timeout_seconds=5)) as client:
        assert (await MongoConfigRepository(client, "sited").get_config("simulator")).version == 4
    assert not any(copy.is_first for copy in (await copies(of(first))).values())


def _site(command: str, site: Site) -> Result:
    return CliRunner().invoke(app, [command, "--redis", site.redis.url, "--mongo", site.uri])
