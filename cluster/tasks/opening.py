"""The scheduler with what it stands on: the queue in MongoDB, the workers of the cluster, and the sweep actor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.calendars import Calendars
from actors.scheduler.actor import SchedulerActor, SchedulerSources
from adapters.mongo.task_runs import open_run_queue
from cluster.settings import Settings
from cluster.sweeps.gateway import open_sweeps
from cluster.tasks.ray_runner import ByKind, RayRunner
from cluster.tasks.service import open_scheduler
from cluster.tasks.standing import keep_standing
from cluster.tasks.sweeps import SWEEP
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
            ByKind(RayRunner(settings, open_history), {SWEEP.name: open_sweeps(settings, open_history)}),
            open_calendars(settings, observer),
            partial(keep_standing, open_scheduler(settings), settings.backup),
            {SWEEP.name: settings.sweep.max_running},
        )

    return SchedulerActor(open_sources, settings.task, open_observer)
