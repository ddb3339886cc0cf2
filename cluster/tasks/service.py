"""Tasks on behalf of HTTP callers: what they ask for is checked by its kind, then scheduled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from actors.calendars import Calendars
from adapters.mongo.connection import open_mongo
from adapters.mongo.tasks import MongoScheduler
from cluster.settings import Settings
from cluster.tasks.kind import Kind
from cluster.tasks.registry import known_kind
from optionchain.context import Principal
from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput
from optionchain.patience import MOST_RUN_ATTEMPTS, RUN_ATTEMPTS
from optionchain.ports import Scheduler
from optionchain.tasks import Order, Task
from optionchain.tasks.wire import schedule_from_wire

LONGEST_NAME = 100
HIGHEST_PRIORITY = 9


class TaskService:
    """What callers may do with their tasks.

    Args:
        scheduler: Keeps the tasks.
        calendars: Provides those of exchanges.
        settings: What kinds check parameters against.
        clock: The instant.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        calendars: Calendars,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.scheduler = scheduler
        self._calendars = calendars
        self._settings = settings
        self._clock = clock

    async def schedule(self, caller: Principal, wire: Mapping[str, Any], task_id: str | None = None) -> Task:
        """Schedule a task.

        Args:
            caller: Whose it is; that it may schedule this kind is known.
            wire: As the body of ``POST /api/v1/tasks``.
            task_id: Scheduled again under the same id it is the same; None makes one up.

        Raises:
            InvalidInput: Naming the field.
            Overloaded: The caller has too many.
        """
        kind = known_kind(wire.get("kind"))
        order, schedule = self._order(caller, kind, wire), schedule_from_wire(wire, self._clock())

        try:
            scheduled = await self._calendars.given(
                lambda: self.scheduler.schedule_task(order, schedule, task_id=task_id)
            )
        except (
            InvalidInput
        ) as error:  # there is no such exchange, as turns out when its calendar is to be made
            raise error.under("timing") if error.field == "calendar" else error from None
        return await self.scheduler.task(caller.tenant, scheduled)

    async def resume(self, caller: Principal, task_id: str) -> Task:
        """As `Scheduler.resume`."""
        return await self._calendars.given(lambda: self.scheduler.resume(caller.tenant, task_id))

    def _order(self, caller: Principal, kind: Kind, wire: Mapping[str, Any]) -> Order:
        parameters = kind.read(wire.get("parameters") or {}, self._settings)
        name = wire.get("name") or ""
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise InvalidInput("name", f"must be one line of at most {LONGEST_NAME} characters")
        return Order(
            kind=kind.name,
            parameters=parameters.model_dump(mode="json", exclude_unset=True),
            owner=caller.tenant,
            created_by=caller.subject,
            name=name,
            priority=whole("priority", wire.get("priority", 5), low=0, high=HIGHEST_PRIORITY),
            max_attempts=whole(
                "max_attempts", wire.get("max_attempts", RUN_ATTEMPTS), low=1, high=MOST_RUN_ATTEMPTS
            ),
        )


def open_tasks(settings: Settings, calendars: Calendars) -> TaskService:
    """The tasks of this process's callers."""
    return TaskService(open_scheduler(settings), calendars, settings)


def open_scheduler(settings: Settings) -> Scheduler:
    """What keeps the tasks of all owners."""
    client = open_mongo(settings.mongo)
    return MongoScheduler(client, settings.mongo.database, most_of_owner=settings.task.max_tasks)
