"""What is saved comes back as it was, on a real mongod and on the embedded server."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.copies import StartedAnew, Wanted
from adapters.encryption import Keyring, new_key
from adapters.mongo.api_keys import MongoApiKeys
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.connection import open_redis
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores
from cluster.backup.place import Place
from cluster.backup.restoring import Restoring, restore
from cluster.backup.saving import save
from cluster.backup.verifying import verify
from cluster.settings import Settings
from optionchain import __version__
from optionchain.errors import InvalidInput, LeaseLost, NotFound
from optionchain.numerics import IDENTITY
from optionchain.ports import Checkpoint
from optionchain.session import Advance, Session
from tests.integration.backup.filled import (
    COUNTS,
    KEY,
    NOW,
    SESSIONS,
    everything,
    found_session,
    save_sessions,
    session_store,
    stepped,
)
from tests.integration.backup.opened import opened
from tests.integration.sessions.session_examples import after
from tests.unit.history.samples import chain
from tests.waiting import eventually

pytestmark = pytest.mark.anyio
SMALL = Saving(part_bytes=4_000)


async def test_everything_comes_back_into_empty_stores(place: Place, stores: Stores, other: Stores) -> None:
    before = await everything(stores)

    manifest = await save(stores, place, SMALL)
    restored = await restore(other, place, manifest, Restoring())

    assert manifest.counts == COUNTS
    assert {kind: len(items) for kind, items in before.items()} == COUNTS
    assert await everything(other) == before
    assert +restored.total == {"restored": sum(COUNTS.values())}


async def test_a_manifest_says_what_a_backup_is_of_and_when(
    place: Place, stores: Stores, settings: Settings
) -> None:
    began = datetime.now(UTC).replace(microsecond=0)

    manifest = place.manifest((await save(stores, place, SMALL)).id, None)

    assert began <= manifest.started_at <= manifest.ended_at <= datetime.now(UTC)
    assert (manifest.release, manifest.numerics) == (__version__, IDENTITY)
    assert manifest.source == stores.source
    assert settings.mongo.database in str(manifest.source)
    assert "only-on-loopback" not in str(manifest.source)
    assert all(len(part.digest) == 64 for parts in manifest.parts.values() for part in parts)


async def test_restoring_again_changes_nothing(place: Place, stores: Stores, other: Stores) -> None:
    manifest = await save(stores, place, SMALL)
    await restore(other, place, manifest, Restoring())

    again = await restore(other, place, manifest, Restoring(adds=True))

    assert +again.total == {"same": sum(COUNTS.values())}


async def test_mongodb_is_of_one_point_in_time_where_its_server_can(
    place: Place, stores: Stores, mongo: MongoSettings
) -> None:
    manifest = await save(stores, place, SMALL)

    assert mongo.uri is not None
    assert manifest.is_point_in_time == ("replicaSet" in mongo.uri.get_secret_value())


async def test_a_session_comes_back_with_the_life_and_the_memory_that_it_had(
    place: Place, stores: Stores, settings: Settings
) -> None:
    saved = await found_session(settings, "session-01")
    await _let_live(settings, "session-01", seconds=900)
    manifest = await save(stores, place, SMALL)
    (item,) = await stores.contents["sessions"].stored([{"_id": "session-01"}])
    await _delete(settings, saved)

    restored = await restore(
        stores, place, manifest, Restoring(wanted=Wanted(sessions=frozenset({"session-01"})))
    )

    assert restored.counts["sessions"]["restored"] == 1
    assert await found_session(settings, "session-01") == saved
    (back,) = await stores.contents["sessions"].stored([{"_id": "session-01"}])
    assert item is not None
    assert back is not None
    assert back["beside"] == item["beside"] != {}
    assert 600_000 < back["lives_ms"] <= 900_000


async def _delete(settings: Settings, *sessions: Session) -> None:
    store = session_store(settings)
    await store.delete(sessions)
    await store.close()


async def _let_live(settings: Settings, session_id: str, *, seconds: int) -> None:
    client = open_redis(settings.redis)
    await client.expire(f"{settings.redis.prefix}:session:{{{session_id}}}", seconds)
    await client.aclose()


async def test_a_session_that_is_stepped_meanwhile_is_saved_as_it_stood_at_one_acknowledged_step(
    place: Place, stores: Stores, other: Stores, settings: Settings
) -> None:
    store, names = session_store(settings), [f"session-{number:02d}" for number in range(SESSIONS)]
    sessions = dict(await store.get(names))
    acknowledged = {name: [session] for name, session in sessions.items()}
    saving = asyncio.create_task(save(stores, place, Saving(part_bytes=1_000)))
    while not saving.done():
        await store.ping()  # when every step is served, too, the loop must turn
        for name in names:
            before = acknowledged[name][-1]
            if before.current_step < before.total_steps:
                later = after(before, Advance(f"{name} {before.version}", is_keyed=True))
                assert await store.save([Checkpoint(later, before=before)]) == [None]
                acknowledged[name].append(later)
    await store.close()

    await restore(other, place, await saving, Restoring())

    back = session_store(_redis_of(other, str(other.source["prefix"])))
    restored = await back.get(names)
    assert all(restored[name] in acknowledged[name] for name in names)
    # Some were saved at a later step than the one that they had when it began, or nothing was proven.
    assert any(restored[name].version > sessions[name].version for name in names)
    for name in names:
        keyed = [one.command_id for one in restored[name].served]
        assert {one.command_id for one in (await back.recall({name: keyed}))[name]} == set(keyed)
    await back.close()


async def test_the_sessions_of_one_owner_come_back_and_nothing_else(
    place: Place, stores: Stores, other: Stores
) -> None:
    manifest = await save(stores, place, SMALL)

    restored = await restore(other, place, manifest, Restoring(wanted=Wanted(owner="owner-1")))

    assert {kind: counts["restored"] for kind, counts in restored.counts.items() if counts["restored"]} == {
        "sessions": SESSIONS // 4,
        "simulation_results": 1,
    }
    assert await other.holding() == ["simulation_results", "sessions"]


async def test_one_version_of_a_configuration_and_one_asset_come_back(
    place: Place, stores: Stores, other: Stores
) -> None:
    manifest = await save(stores, place, SMALL)

    one = await restore(
        other, place, manifest, Restoring(wanted=Wanted(configuration="simulator", version=2))
    )
    asset = await restore(other, place, manifest, Restoring(wanted=Wanted(asset="NDX")))

    assert (one.total["restored"], asset.total["restored"]) == (1, 1)
    assert set(asset.chains) == {"NDX"}
    (version,) = (await everything(other))["configurations"]
    assert version["version"] == 2  # type: ignore[index]


async def test_what_is_newer_is_kept_and_shown_unless_told(
    place: Place, stores: Stores, settings: Settings
) -> None:
    manifest = await save(stores, place, SMALL)
    saved = await found_session(settings, "session-01")
    later = after(saved, Advance("later"))
    await save_sessions(settings, [Checkpoint(later, before=saved)])
    client = open_mongo(settings.mongo)
    history = MongoHistoricalRepository(client, settings.mongo.database)
    await history.save_historical_chain(chain(level=0.5))
    await client.close()

    trial = await restore(stores, place, manifest, Restoring(adds=True, is_trial=True))
    kept = await restore(stores, place, manifest, Restoring(adds=True))

    assert trial.total == kept.total
    assert kept.total["kept"] == 2
    assert sorted(conflict.partition(":")[0] for conflict in kept.conflicts) == [
        "historical_chains",
        "sessions",
    ]
    assert await found_session(settings, "session-01") == later
    forced = await restore(stores, place, manifest, Restoring(overwrites=True))
    assert forced.total["restored"] == 2
    assert await found_session(settings, "session-01") == saved


async def test_what_is_older_is_brought_forward(place: Place, stores: Stores, other: Stores) -> None:
    manifest = await save(stores, place, SMALL)
    prefix = str(other.source["prefix"])
    settings = _redis_of(other, prefix)
    await save_sessions(settings, stepped(1)[:1])

    restored = await restore(other, place, manifest, Restoring(adds=True))

    assert restored.counts["sessions"]["restored"] == SESSIONS
    assert (await found_session(settings, "session-01")).version == 2


def _redis_of(stores: Stores, prefix: str) -> Settings:
    sessions = stores.contents["sessions"]
    pool = sessions._hashes._client.connection_pool.connection_kwargs  # type: ignore[attr-defined]
    url = f"redis://:{pool['password']}@{pool['host']}:{pool['port']}/0"
    return Settings().with_changes({"redis": {"url": SecretStr(url), "prefix": prefix}})


async def test_a_key_that_was_revoked_since_stays_revoked(
    place: Place, stores: Stores, settings: Settings
) -> None:
    manifest = await save(stores, place, SMALL)
    client = open_mongo(settings.mongo)
    keys = MongoApiKeys(client, settings.mongo.database)
    await keys.revoke(KEY.id, NOW)

    await restore(stores, place, manifest, Restoring(overwrites=True))

    assert (await keys.get(KEY.id)).revoked_at == NOW
    await client.close()


async def test_stores_that_are_in_use_are_left_alone_unless_told(place: Place, stores: Stores) -> None:
    manifest = await save(stores, place, SMALL)

    with pytest.raises(InvalidInput, match=r"stores that are in use: they have configurations,.*--force"):
        await restore(stores, place, manifest, Restoring())


async def test_what_no_backup_has_is_said(place: Place, stores: Stores, other: Stores) -> None:
    manifest = await save(stores, place, SMALL)

    with pytest.raises(NotFound, match="what is wanted"):
        await restore(other, place, manifest, Restoring(wanted=Wanted(sessions=frozenset({"nobody"}))))


async def test_collections_that_nobody_knows_are_named(
    place: Place, stores: Stores, settings: Settings
) -> None:
    await stores.mongo[settings.mongo.database]["of_tomorrow"].insert_one({})

    manifest = await save(stores, place, SMALL)

    assert manifest.not_saved == ["of_tomorrow"]


async def test_a_sealed_backup_is_verified_by_its_key(place: Place, stores: Stores) -> None:
    keyring = Keyring(new_key())
    manifest = await save(stores, place, Saving(keyring, part_bytes=4_000))

    proven = await verify(place, manifest.id, keyring)

    assert (proven.items, proven.replayed) == (sum(COUNTS.values()), 8)
    assert place.verified_at(manifest.id) is not None
    assert b"owner-1" not in b"".join(place.read(manifest.id, part) for part in manifest.parts["sessions"])


def _save_slowly(settings: Settings, url: str) -> None:
    async def slowly() -> None:
        async with opened(settings) as stores:
            await save(stores, Place(url, "to"), Saving(part_bytes=2_000, bytes_per_second=3_000))

    asyncio.run(slowly())


async def test_a_backup_that_is_killed_is_gone_on_with(
    place: Place, stores: Stores, settings: Settings, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    victim = context.Process(target=_save_slowly, args=(settings, place.url))
    victim.start()
    eventually(lambda: len(list(tmp_path.glob("backups/*/*/*.part"))) >= 5, "five parts", patience_seconds=60)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    (unfinished,) = place.unfinished()
    assert place.complete() == []
    there = {part.name for part in place.parts(unfinished)}

    manifest = await save(stores, place, SMALL)

    assert manifest.id == unfinished
    assert manifest.counts == COUNTS
    assert there <= {part.name for parts in manifest.parts.values() for part in parts}
    assert not manifest.is_point_in_time


async def test_who_was_overtaken_stops(place: Place, stores: Stores) -> None:
    place.begin("b", {}, None)
    token = place.claim("b")
    place.check_claim("b", token)

    place.claim("b")

    with pytest.raises(LeaseLost):
        place.check_claim("b", token)


async def test_redis_that_was_started_again_is_read_anew(
    place: Place, stores: Stores, settings: Settings
) -> None:
    sessions = stores.contents["sessions"]
    batches = [batch async for batch in sessions.read()]
    mark = {**batches[0].next, "node": "", "cursor": 7, "run": "of another server"}

    with pytest.raises(StartedAnew):
        await anext(sessions.read(mark))
