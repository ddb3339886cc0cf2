"""Tasks that a service keeps by itself: backups and their proofs, as often as settings say.

Their ids follow from their kinds, so that whoever starts keeps the same ones. What was paused or cancelled stays so.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cluster.backup.settings import BackupSettings
from cluster.tasks.backups import BACKUP, BACKUP_VERIFY
from optionchain.errors import NotFound
from optionchain.ports import Scheduler
from optionchain.tasks import Every, Order, Schedule

MADE_BY = "the settings"
# Of the ids: any, and always the same.
NAMES = uuid.UUID("7b0f0d0e-51a4-4f0c-9d5c-1f6f5d0b7a11")


async def keep_standing(scheduler: Scheduler, settings: BackupSettings, now: datetime) -> None:
    """Schedule what is to be done by itself and is not scheduled yet, or for other times.

    Args:
        scheduler: Keeps the tasks.
        settings: How often.
        now: The instant.

    Raises:
        Unavailable: The store does not answer.
    """
    for task_id, order, every in _standing(settings, now):
        try:
            known = await scheduler.task(order.owner, task_id)
        except NotFound:
            await scheduler.schedule_task(order, Schedule(timing=every), task_id=task_id)
            continue
        timing = known.schedule.timing
        is_same = isinstance(timing, Every) and timing.seconds == every.seconds
        if not is_same and known.state in ("active", "paused"):
            await scheduler.reschedule(order.owner, task_id, replace(known.schedule, timing=every))


def _standing(settings: BackupSettings, now: datetime) -> Iterator[tuple[str, Order, Every]]:
    if not settings.places:
        return
    # There is something to prove once the first backup is made.
    first_proof = now + timedelta(seconds=settings.every_seconds)
    for kind, name, seconds, start in (
        (BACKUP, "backup", settings.every_seconds, now),
        (BACKUP_VERIFY, "proof of backups", settings.verify_every_seconds, first_proof),
    ):
        if seconds:
            order = Order(
                kind=kind.name, parameters={}, owner=settings.tasks_of, created_by=MADE_BY, name=name
            )
            yield str(uuid.uuid5(NAMES, kind.name)), order, Every(seconds, start)
