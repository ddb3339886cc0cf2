"""Runs as tasks of Ray: each in a process of its own, wherever the cluster has processors free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError

from actors.scheduler.runner import Runner
from cluster.settings import Settings
from cluster.tasks.work import HistoryCalls
from optionchain.errors import Unavailable
from optionchain.tasks import Run

# Of a run: so the cluster has as many at work as it has processors free.
CPUS = 1.0


class RayRunner:
    """The `Runner` of a cluster.

    Args:
        settings: All settings; a worker does not read the environment of its node.
        open_history: Opens the way to the history service, in a worker.
    """

    def __init__(self, settings: Settings, open_history: Callable[[Settings], HistoryCalls]) -> None:
        self._settings = settings
        self._open_history = open_history
        self._references: dict[str, Any] = {}

    async def run(self, run: Run) -> Run | None:
        """As `Runner.run`."""
        options = _REMOTE.options(num_cpus=CPUS, name=f"task:{run.order.kind}", max_retries=0)
        reference = options.remote(self._settings, self._open_history, run)
        self._references[run.id] = reference
        try:
            ended: Run | None = await reference
        except RayError as error:
            raise Unavailable("the worker of a task") from error
        finally:
            del self._references[run.id]
        return ended

    def kill(self, run_id: str) -> None:
        """As `Runner.kill`."""
        reference = self._references.get(run_id)
        if reference is not None:
            with suppress(RayError):
                ray.cancel(reference, force=True)


class ByKind:
    """The `Runner` of all kinds.

    Args:
        most: That of most.
        others: Those of the kinds that have one of their own.
    """

    def __init__(self, most: Runner, others: Mapping[str, Runner]) -> None:
        self._most = most
        self._others = others

    async def run(self, run: Run) -> Run | None:
        """As `Runner.run`."""
        return await self._others.get(run.order.kind, self._most).run(run)

    def kill(self, run_id: str) -> None:
        """As `Runner.kill`."""
        for runner in (self._most, *self._others.values()):
            runner.kill(run_id)


def _work(settings: Settings, open_history: Callable[[Settings], HistoryCalls], run: Run) -> Run | None:
    """What a worker process does."""
    return asyncio.run(_worked(settings, open_history, run))


async def _worked(
    settings: Settings, open_history: Callable[[Settings], HistoryCalls], run: Run
) -> Run | None:
    # Here: only a worker needs all that the kinds need.
    from adapters.metrics.rows import TASK  # noqa: PLC0415
    from adapters.mongo.connection import open_mongo  # noqa: PLC0415
    from adapters.mongo.task_runs import MongoRunQueue  # noqa: PLC0415
    from adapters.telemetry.observers import open_observer  # noqa: PLC0415
    from cluster.secrets import secrets_of  # noqa: PLC0415
    from cluster.tasks.registry import KINDS  # noqa: PLC0415
    from cluster.tasks.worker import Worker  # noqa: PLC0415

    client = open_mongo(settings.mongo)
    try:
        queue = MongoRunQueue(client, settings.mongo.database)
        observer = open_observer(settings.telemetry, TASK, secrets_of(settings))
        return await Worker(queue, KINDS, settings, partial(open_history, settings), observer).run(run)
    finally:
        await client.close()


# Made once, for Ray ships each remote function that is made to the workers.
_REMOTE = ray.remote(_work)
