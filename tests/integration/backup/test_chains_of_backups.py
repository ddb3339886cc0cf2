"""What a chain of increments promises, whatever becomes of the backups that it consists of."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.copies import Wanted
from adapters.encryption import Keyring, new_key
from adapters.redis.connection import open_redis
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores
from cluster.backup.jobs import pruned
from cluster.backup.manifest import Manifest
from cluster.backup.place import Place
from cluster.backup.restoring import Restoring, restore
from cluster.backup.retention import Retention
from cluster.backup.saving import save
from cluster.backup.verifying import verify
from cluster.settings import Settings
from optionchain.errors import Damaged
from tests.integration.backup.changing import CHAIN, change, held, step
from tests.integration.backup.filled import COUNTS, everything
from tests.integration.backup.opened import opened
from tests.waiting import until

pytestmark = pytest.mark.anyio
WHOLE = Saving(part_bytes=4_000, increments=3, is_whole=True)


@pytest.fixture
def mongo(secantus_uri: str) -> MongoSettings:
    """One server is enough: how each is read is told elsewhere."""
    return MongoSettings(
        uri=SecretStr(secantus_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )


async def test_an_earlier_backup_brings_back_what_there_was_then(
    place: Place, stores: Stores, other: Stores, settings: Settings
) -> None:
    await save(stores, place, CHAIN)
    before = await everything(stores)
    middle = await save(stores, place, CHAIN)
    await change(settings)
    await save(stores, place, CHAIN)

    await restore(other, place, middle, Restoring())

    assert await everything(other) == before


async def test_a_session_that_has_not_changed_lives_as_long_as_it_had_left(
    place: Place, stores: Stores, other: Stores, settings: Settings
) -> None:
    await save(stores, place, CHAIN)
    client = open_redis(settings.redis)
    await client.expire(f"{settings.redis.prefix}:session:{{session-01}}", 900)
    await client.aclose()

    latest = await save(stores, place, CHAIN)
    await restore(other, place, latest, Restoring(wanted=Wanted(sessions=frozenset({"session-01"}))))

    (back,) = await other.contents["sessions"].stored([{"_id": "session-01"}])
    assert held(latest) == {}
    assert back is not None
    assert 600_000 < back["lives_ms"] <= 900_000


async def test_a_session_that_went_back_by_force_and_on_again_is_another(
    place: Place, stores: Stores, other: Stores, settings: Settings
) -> None:
    first = await save(stores, place, CHAIN)
    await step(settings, "session-01", "one way")
    await save(stores, place, CHAIN)
    await restore(stores, place, first, Restoring(overwrites=True))
    await step(settings, "session-01", "another way")

    latest = await save(stores, place, CHAIN)
    await restore(other, place, latest, Restoring())

    assert held(latest) == {"sessions": 1}
    assert (await everything(other))["sessions"] == (await everything(stores))["sessions"]


async def test_a_chain_is_bounded_and_kept_as_long_as_one_of_its_backups(
    place: Place, stores: Stores
) -> None:
    made = [await save(stores, place, CHAIN) for _ in range(6)]
    place.verified(made[1].id, datetime.now(UTC))
    ids = [manifest.id for manifest in made]

    gone = pruned(place, Retention(0, 0, 0, 0), now=datetime.now(UTC) + timedelta(minutes=1))

    assert [manifest.depth for manifest in made] == [0, 1, 2, 3, 0, 1]
    assert gone == [ids[3], ids[2]]
    assert place.complete() == [ids[0], ids[1], ids[4], ids[5]]
    assert (await save(stores, place, WHOLE)).depth == 0


async def test_no_increment_is_made_of_what_cannot_be_relied_on(
    place: Place, stores: Stores, tmp_path: Path
) -> None:
    keyring, backups = Keyring(new_key()), tmp_path / "backups"

    async def made(keyring: Keyring) -> Manifest:
        return await save(stores, place, Saving(keyring, part_bytes=4_000, increments=3))

    first, second = await made(keyring), await made(keyring)
    min((backups / first.id).glob("sessions/*.part")).unlink()
    after_a_missing_part, third = await made(keyring), await made(keyring)
    shutil.rmtree(backups / after_a_missing_part.id)
    after_a_missing_base = await made(keyring)
    after_another_key = await made(Keyring(new_key()))

    assert [each.depth for each in (first, second, third)] == [0, 1, 1]
    assert [each.depth for each in (after_a_missing_part, after_a_missing_base, after_another_key)] == [0] * 3
    assert after_another_key.counts == COUNTS


async def test_a_base_that_is_damaged_or_missing_is_named(
    place: Place, stores: Stores, other: Stores, tmp_path: Path
) -> None:
    whole = await save(stores, place, CHAIN)
    latest = await save(stores, place, CHAIN)
    part = min((tmp_path / "backups" / whole.id).glob("sessions/*.part"))

    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(Damaged, match=f"{part.name} of backup {whole.id}"):
        await restore(other, place, latest, Restoring())
    place.remove(whole.id)
    with pytest.raises(Damaged, match=f"it is an increment of {whole.id}, which is missing"):
        await verify(place, latest.id, None)

    assert await other.holding() == []


async def test_what_an_increment_tells_of_and_does_not_hold_is_found(
    place: Place, stores: Stores, settings: Settings
) -> None:
    await save(stores, place, CHAIN)
    await change(settings)
    latest = await save(stores, place, CHAIN)
    told = {name: getattr(latest, name) for name in Manifest.__slots__}
    without_sessions = told | {"parts": {**latest.parts, "sessions": []}}
    place.finish(Manifest(**without_sessions), None)

    with pytest.raises(Damaged, match=f"sessions session-.*backup {latest.id} tells of it"):
        await verify(place, latest.id, None)


async def test_the_base_of_an_increment_that_is_being_made_is_kept(
    place: Place, stores: Stores, settings: Settings, other: Stores
) -> None:
    whole = await save(stores, place, CHAIN)
    for number in range(10, 20):
        await step(settings, f"session-{number:02d}", "later")
    async with opened(settings) as others:
        slow = Saving(part_bytes=2_000, bytes_per_second=2_000, increments=3)
        interrupted = asyncio.create_task(save(others, place, slow))
        (left,) = await until(place.unfinished, "a part is written")
        interrupted.cancel()
        await asyncio.gather(interrupted, return_exceptions=True)
    await save(stores, place, WHOLE)

    now = datetime.now(UTC)
    assert pruned(place, Retention(0, 0, 0, 0), now=now) == []
    assert pruned(place, Retention(0, 0, 0, 0), now=now + timedelta(days=1)) == [whole.id, left]

    # It is not gone on with.
    latest = await save(stores, place, CHAIN)
    await restore(other, place, latest, Restoring())
    assert latest.depth == 1
    assert await everything(other) == await everything(stores)
