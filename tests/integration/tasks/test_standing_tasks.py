"""Backups that a service makes by itself: scheduled once, whoever starts and however often."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from adapters.settings import MongoSettings
from cluster.backup.settings import BackupSettings
from cluster.tasks.standing import keep_standing
from optionchain.tasks import Every, Task
from tests.integration.tasks.scheduling import START, World, world
from tests.waiting import until

pytestmark = pytest.mark.anyio
HOURLY = BackupSettings(to="/backups", every_seconds=3600, verify_every_seconds=604_800)


async def tasks(here: World, owner: str = "owner") -> dict[str, Task]:
    _, found = await here.scheduler.list_scheduled_tasks(owner, offset=0, limit=10)
    return {task.order.kind: task for task in found}


async def test_backups_are_scheduled_once_and_proven_after_the_first(mongo_there: MongoSettings) -> None:
    async with world(mongo_there) as here:
        await keep_standing(here.scheduler, HOURLY, START)
        await keep_standing(here.scheduler, HOURLY, START + timedelta(hours=5))

        found = await tasks(here)

        assert {kind: task.next_for for kind, task in found.items()} == {
            "backup": START + timedelta(hours=1),
            "backup_verify": START + timedelta(hours=1),
        }
        assert found["backup"].schedule.timing == Every(3600.0, START)
        assert (await here.scheduler.list_scheduled_tasks("owner", offset=0, limit=10))[0] == 2


async def test_nothing_is_scheduled_without_a_place_or_a_rhythm(mongo_there: MongoSettings) -> None:
    async with world(mongo_there) as here:
        await keep_standing(
            here.scheduler, BackupSettings(every_seconds=3600, verify_every_seconds=604_800), START
        )
        await keep_standing(here.scheduler, BackupSettings(to="/backups"), START)

        assert await tasks(here) == {}


async def test_another_rhythm_is_kept_from_now_on_and_what_was_paused_or_cancelled_stays_so(
    mongo_there: MongoSettings,
) -> None:
    async with world(mongo_there) as here:
        await keep_standing(here.scheduler, HOURLY, START)
        first = await tasks(here)
        await here.scheduler.pause("owner", first["backup"].id)
        await here.scheduler.cancel_task("owner", first["backup_verify"].id)

        often = BackupSettings(to="/backups", every_seconds=600, verify_every_seconds=86_400)
        await keep_standing(here.scheduler, often, START)

        second = await tasks(here)
        assert second["backup"].schedule.timing == Every(600.0, START)
        assert (second["backup"].state, second["backup_verify"].state) == ("paused", "cancelled")
        assert second["backup_verify"].schedule == first["backup_verify"].schedule


async def test_the_scheduler_keeps_them_when_it_starts(mongo_there: MongoSettings) -> None:
    async with world(mongo_there) as here:
        actor = here.actor(partial(keep_standing, here.scheduler, HOURLY))
        await actor.status()

        async def there() -> bool:
            return len(await tasks(here)) == 2

        assert await until(there, "both are scheduled")
