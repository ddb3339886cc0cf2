"""Blocks as Ray tasks: a bounded number in flight, retried when a worker or a node dies."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import ray
from ray import ObjectRef, cloudpickle
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)

from adapters.metrics.hand_over import ray_metrics
from optionchain.errors import InvalidInput
from optionchain.measures import measure_name
from optionchain.observing import Observer
from optionchain.sweeps.blocks import (
    Failure,
    Outcome,
    PathKeeper,
    Piece,
    Row,
    blocks_per_scenario,
    run_and_keep,
)
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Pending

# What Ray tells us when it has given up a task that something outside it ended.
LOST = (NodeDiedError, ObjectLostError, OutOfMemoryError, WorkerCrashedError)
# One runs and one waits, so that no worker is idle between two.
TASKS_PER_SLOT = 2
# How many times longer than they should take tasks have to end by themselves when nobody waits for them any more.
ENDING_TASKS = 2.0
# One thread, for there are as many workers as cores. Ray keeps the workers of an environment for that environment, so
# these, whose priority is low, never become session actors.
WORKER_VARIABLES = {"OMP_NUM_THREADS": "1"}
# How often we look whether the cluster has grown: on a large one that takes a while.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRay:
    """Blocks as Ray tasks.

    On the cluster that this process is connected to; else on the one at `address` (or RAY_ADDRESS); else on
    one of its own on this machine, for as long as the sweep takes.

    Tasks ask for CPUs and session actors for none, so a sweep never takes an actor's place; and the workers
    lower their priority, so that a session's step comes first on a shared machine. On a big cluster, keep
    them apart with `resources`: ``{"sweep": 1}`` runs on the nodes started with that resource.

    Attributes:
        address: Of a Ray cluster; ``local`` for one of its own.
        workers: Tasks that run at a time, >= 1; None means as many as the cluster has CPUs for.
        cpus_per_task: > 0.
        resources: Custom resources that each task asks for.
        retries: How often a task is run again after its worker or node died; then its blocks are tried one
            by one, and a block that still kills its worker fails its scenario.
        niceness: Of the workers, 0 to 19.
        seconds_per_task: What a task should take.
        runtime_env: Of the tasks, as `ray.remote` takes it.
        observer: Told what sweeps do here; by default Ray's metrics.
        is_wanted: Asked every few seconds, however long a block takes; False ends the sweep as Ctrl-C does.
    """

    address: str | None = None
    workers: int | None = None
    cpus_per_task: float = 1.0
    resources: Mapping[str, float] = field(default_factory=dict)
    retries: int = 3
    niceness: int = 10
    seconds_per_task: float = 1.0
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    observer: Observer = field(default_factory=ray_metrics)
    is_wanted: Callable[[], bool] = lambda: True

    def check(self, sweep: SweepDefinition) -> None:
        """Refuse measures that cannot be sent.

        Raises:
            InvalidInput: The error says which and why.
        """
        for measure in sweep.measures:
            try:
                cloudpickle.dumps(measure)  # type: ignore[no-untyped-call]
            except Exception as error:
                name = measure_name(measure)
                raise InvalidInput(f"measures.{name}", f"cannot be sent to workers: {error}") from error

    def outcomes(
        self, sweep: SweepDefinition, pending: Pending, keeper: PathKeeper | None
    ) -> Iterator[Outcome]:
        """As `Engine.outcomes`."""
        with self._connected() as tasks_per_slot:
            yield from _Flight(self, sweep, pending, keeper, tasks_per_slot).outcomes()

    def slots(self) -> int:
        """Tasks that can run at a time."""
        if self.workers is not None:
            return self.workers
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return max(int(resources.get("CPU", 1.0) / self.cpus_per_task), 1)

    def remote(self) -> Any:
        """The function that runs on workers."""
        environment = {"env_vars": WORKER_VARIABLES} | dict(self.runtime_env)
        return _REMOTE.options(
            num_cpus=self.cpus_per_task,
            resources=dict(self.resources) or None,
            max_retries=self.retries,
            retry_exceptions=False,
            runtime_env=environment,
            name="sweep",
        )

    @contextmanager
    def _connected(self) -> Iterator[int]:
        """A connection, and how many tasks may be under way for each slot.

        On somebody else's cluster a second one would run as well, where `workers` says how many may.
        """
        if ray.is_initialized():
            yield TASKS_PER_SLOT if self.workers is None else 1
            return
        address = self.address or os.environ.get("RAY_ADDRESS") or "local"
        is_own = address == "local"
        own: dict[str, Any] = {"num_cpus": self.workers, "include_dashboard": False} if is_own else {}
        ray.init(address=address, log_to_driver=False, **own)
        try:
            yield TASKS_PER_SLOT if is_own or self.workers is None else 1
        finally:
            ray.shutdown()


class _Flight:
    """Tasks under way.

    Args:
        engine: How they are run.
        sweep: Shipped once.
        pending: Hands out blocks.
        keeper: Takes the paths that are kept.
        tasks_per_slot: That may be under way.
    """

    def __init__(
        self,
        engine: OnRay,
        sweep: SweepDefinition,
        pending: Pending,
        keeper: PathKeeper | None,
        tasks_per_slot: int,
    ) -> None:
        self._tasks_per_slot = tasks_per_slot
        self._engine = engine
        self._sweep = sweep
        self._pending = pending
        self._keeper = keeper
        self._remote = engine.remote()
        # Packed here and unpacked there by us, so that what cannot be unpacked is told as what it is.
        self._shipped = ray.put(cloudpickle.dumps(sweep))  # type: ignore[no-untyped-call]
        self._again: deque[tuple[int, int]] = deque()
        self._tasks: dict[ObjectRef[Outcome], tuple[int, int]] = {}
        self._slots, self._next_look = 0, -math.inf

    def outcomes(self) -> Iterator[Outcome]:
        try:
            while self._start():
                ready, _ = ray.wait(list(self._tasks), num_returns=1, timeout=PATIENCE_SECONDS)
                for reference in ready:
                    outcome = self._outcome(reference)
                    if outcome is not None:
                        self._pending.observe(outcome)
                        self._start()  # before it is taken in, so that no worker waits for that
                        yield outcome
                if not self._engine.is_wanted():
                    raise KeyboardInterrupt
        finally:
            self._end()

    def _end(self) -> None:
        """Cancel what does not end by itself in a moment.

        To cancel a task in the very moment in which its answer comes aborts the whole process, within Ray's C++
        ("Tried to complete task that was not pending").
        """
        if not self._tasks:
            return
        patience = ENDING_TASKS * self._engine.seconds_per_task * self._tasks_per_slot
        _, running = ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=patience)
        for reference in running:
            ray.cancel(reference, force=True)

    def _start(self) -> bool:
        """Fill the cluster; returns whether anything is under way."""
        slots = self._known_slots()
        while len(self._tasks) < slots * self._tasks_per_slot:
            task = self._again.popleft() if self._again else self._pending.take(slots)
            if task is None:
                break
            # In a list, so that Ray passes the reference on and the worker unpacks the sweep just once.
            reference = self._remote.remote([self._shipped], *task, self._keeper, self._engine.niceness)
            self._tasks[reference] = task
        return bool(self._tasks)

    def _known_slots(self) -> int:
        if time.monotonic() >= self._next_look:
            self._slots = self._engine.slots()
            self._next_look = time.monotonic() + PATIENCE_SECONDS
        return self._slots

    def _outcome(self, reference: ObjectRef[Outcome]) -> Outcome | None:
        start, stop = self._tasks.pop(reference)
        try:
            return ray.get(reference)
        except LOST as error:
            if stop - start == 1:
                return _lost(self._sweep, start, error)
            middle = math.ceil((start + stop) / 2)
            self._again.extend([(start, middle), (middle, stop)])
        except TaskCancelledError:
            self._again.append((start, stop))
        except RayTaskError as error:
            if isinstance(error.cause, ImportError | AttributeError):
                reason = f"cannot be unpacked by workers: {error.cause}"
                raise InvalidInput("measures", reason) from error
            raise
        return None


def _run_on_worker(
    shipped: list[ObjectRef[bytes]], start: int, stop: int, keeper: PathKeeper | None, niceness: int
) -> Outcome:
    if os.getpriority(os.PRIO_PROCESS, 0) < niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    return run_and_keep(_unpacked(shipped[0]), start, stop, keeper)


# Made once, for Ray ships each remote function that is made to the workers.
_REMOTE = ray.remote(_run_on_worker)


@lru_cache(maxsize=1)
def _unpacked(reference: ObjectRef[bytes]) -> SweepDefinition:
    sweep: SweepDefinition = cloudpickle.loads(ray.get(reference))
    return sweep


def _lost(sweep: SweepDefinition, block: int, error: Exception) -> Outcome:
    """A block that nobody survives to compute."""
    per_scenario = blocks_per_scenario(sweep)
    scenario, number = divmod(block, per_scenario)
    failure = Failure(f"its worker died, again and again: {type(error).__name__}")
    rows = (Row(scenario, failure),) if per_scenario == 1 else ()
    pieces = () if rows else (Piece(scenario, number, number + 1, failure),)
    return Outcome(start=block, stop=block + 1, rows=rows, pieces=pieces)
