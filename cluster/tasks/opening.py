"""The scheduler with what it stands on: the queue in MongoDB, and the workers of the cluster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from adapters.mongo.task_runs import open_run_queue
from cluster.settings import Settings
from cluster.tasks.ray_runner import RayRunner
from cluster.tasks.service import open_scheduler
from cluster.tasks.standing import keep_standing
from cluster.tasks.work import HistoryCalls
from optionchain.observing import Observer


def scheduler_actor(
    settings: Settings,
    open_observer: Callable[[], Observer],
    open_calendars: Callable[[Settings, Observer], Calendars],
    open_history: Callable[[Settings], HistoryCalls],
) -> SchedulerActor:
    """The actor, undecorated.

    Args:
        settings: All of them; workers are given them too.
        open_observer: Opens the observer of the actor's process.
        open_calendars: Opens what provides it with calendars.
        open_history: Opens the way to the history service, in workers.
    """

    def open_sources() -> SchedulerSources:
        observer = open_observer()
        return SchedulerSources(
            open_run_queue(settings.mongo, observer),
            RayRunner(settings, open_history),
            open_calendars(settings, observer),
            partial(keep_standing, open_scheduler(settings), settings.backup),
        )

    return SchedulerActor(open_sources, settings.task, open_observer)
