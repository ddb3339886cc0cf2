"""What does a run: claims it, calls the function of its kind, keeps the lease, and says what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cluster.settings import Settings
from cluster.tasks.kind import Kind
from cluster.tasks.work import HistoryCalls, Stopped, Work
from optionchain.context import Context, Principal
from optionchain.errors import Defect, LeaseLost, OptionChainError, Unavailable
from optionchain.observing import Observer, observed, tell_failure
from optionchain.patience import FAILED_RUN
from optionchain.ports.tasks import RunQueue
from optionchain.tasks import Run

# So soon a worker hears that its run is not wanted.
BEAT_SECONDS = 1.0


class Worker:
    """Does runs.

    Args:
        queue: Of runs.
        kinds: By name.
        settings: Given to the functions.
        open_history: Likewise.
        observer: Told of each attempt: ``task.work``.
        clock: The instant.
    """

    def __init__(
        self,
        queue: RunQueue,
        kinds: Mapping[str, Kind],
        settings: Settings,
        open_history: Callable[[], HistoryCalls],
        observer: Observer,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._queue = queue
        self._kinds = kinds
        self._settings = settings
        self._open_history = open_history
        self._observer = observer
        self._clock = clock

    async def run(self, run: Run) -> Run | None:
        """Do a run, and return it as it ended; None where another was first, or has taken it up."""
        claimed = await self._queue.claim(run, self._clock())
        if claimed is None:
            return None
        work = Work(claimed, self._settings, self._open_history)
        beating = asyncio.create_task(self._beat(work))
        try:
            return await self._ended(work)
        except LeaseLost:
            return None
        finally:
            beating.cancel()

    async def _ended(self, work: Work) -> Run:
        run = work.run
        try:
            result = await self._computed(work)
        except Stopped:
            return await self._said(lambda: self._queue.finish(run, "cancelled", self._clock(), log=work.log))
        except Exception as error:
            return await self._failed(work, error)
        return await self._said(
            lambda: self._queue.finish(run, "succeeded", self._clock(), result=result, log=work.log)
        )

    async def _computed(self, work: Work) -> Mapping[str, Any]:
        order = work.run.order
        kind = self._kinds.get(order.kind)
        if kind is None or kind.run is None:  # of another release
            raise Unavailable(f"the kind {order.kind}")
        context = Context(Principal(order.owner, order.created_by))
        with observed(self._observer, "task.work", context, kind=kind.name, run=work.run.id) as operation:
            if trace := operation.context.trace:
                await self._queue.beat(work.run, work.log, trace=trace)
            parameters = kind.read(order.parameters, self._settings)
            return await asyncio.to_thread(kind.run, work, parameters)

    async def _failed(self, work: Work, error: Exception) -> Run:
        run, now = work.run, self._clock()
        reason = str(error if isinstance(error, OptionChainError) else Defect())
        is_hopeless = isinstance(error, OptionChainError) and not error.retryable
        if is_hopeless or run.attempts >= run.order.max_attempts:
            return await self._said(
                lambda: self._queue.finish(run, "failed", self._clock(), error=reason, log=work.log)
            )
        pause = min(FAILED_RUN.first_seconds * 2 ** (run.attempts - 1), FAILED_RUN.longest_seconds)
        return await self._said(
            lambda: self._queue.retry(
                run, now + timedelta(seconds=pause), self._clock(), error=reason, log=work.log
            )
        )

    async def _said(self, say: Callable[[], Any]) -> Run:
        """Say what became of a run, for as long as nobody else has it."""
        while True:
            try:
                said: Run = await say()
            except Unavailable as error:
                tell_failure(self._observer, "task.say", error)
                await asyncio.sleep(BEAT_SECONDS)
            else:
                return said

    async def _beat(self, work: Work) -> None:
        """Keep the lease, and hear whether the run is wanted."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                beaten = await self._queue.beat(work.run, work.log)
            except LeaseLost:
                work.stop()
                return
            except Unavailable:
                continue  # the store is silent for everybody: nobody takes the run up meanwhile
            if not beaten.is_wanted:
                work.stop()
