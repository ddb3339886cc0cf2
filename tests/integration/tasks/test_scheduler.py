"""What the scheduler does with due tasks: fires them once, has them done, and takes up what dead workers leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from actors.scheduler.actor import SchedulerActor
from actors.scheduler.heartbeats import Heartbeats
from adapters.mongo.task_runs import MongoRunQueue
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.work import Work
from cluster.tasks.worker import Worker
from optionchain.errors import InvalidInput, Unavailable
from optionchain.observing import Operation
from optionchain.tasks import Every
from tests.integration.tasks.scheduling import MINUTE, START, World, a_kind, no_history, world
from tests.recording import Recording
from tests.waiting import turns, until

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


class Deeds:
    """The kinds of these tests, and what they have done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.fails = 0

    def quick(self, work: Work, _: Any) -> Mapping[str, Any]:
        work.say("done")
        self.done.append(work.run.id)
        return {"for": work.scheduled_for.isoformat()}

    def slow(self, work: Work, _: Any) -> Mapping[str, Any]:
        self.begun.release()
        while not self.may_end.wait(0.01):
            work.check()
        work.check()
        self.done.append(work.run.id)
        return {}

    def deaf(self, _: Work, __: Any) -> Mapping[str, Any]:
        self.begun.release()
        self.may_end.wait(20.0)
        return {}

    def faulty(self, _: Work, __: Any) -> Mapping[str, Any]:
        self.fails -= 1
        if self.fails >= 0:
            raise Unavailable("the vendor")
        return {"ok": True}

    def poison(self, work: Work, _: Any) -> Mapping[str, Any]:
        raise KeyError("a bug")

    def hopeless(self, work: Work, _: Any) -> Mapping[str, Any]:
        raise InvalidInput("file", "has no rows")


@pytest.fixture
def deeds() -> Deeds:
    return Deeds()


@pytest.fixture
async def here(mongo_there: MongoSettings, deeds: Deeds) -> AsyncIterator[World]:
    names = ("quick", "slow", "deaf", "faulty", "poison", "hopeless")
    async with world(mongo_there, *(a_kind(name, getattr(deeds, name)) for name in names)) as found:
        yield found
        deeds.may_end.set()


async def test_a_due_task_is_done_and_what_came_of_it_is_told(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("quick"), here.actor()
    await actor.look()
    assert await here.runs(task_id) == []

    await here.turn(MINUTE)
    await actor.look()
    (run,) = await here.states(task_id, "succeeded")

    assert deeds.done == [run.id]
    assert (run.result, run.log, run.attempts) == ({"for": "2026-01-05T14:31:00+00:00"}, ("done",), 1)
    assert (await here.shown(task_id)).last_success_for == START + MINUTE
    await until(lambda: not actor._at_work, "nothing is kept of what is over")


async def test_each_attempt_is_told_with_how_late_it_began_and_what_became_of_it(
    here: World, deeds: Deeds
) -> None:
    deeds.fails = 1
    observer = Recording()
    actor = here.actor(observer=observer)
    for kind in ("quick", "faulty"):
        await here.task(kind)
    await here.turn(MINUTE + timedelta(seconds=5))

    await actor.look()
    await until(lambda: observer.counts["task.ended"] == 2, "both attempts are told")

    told = {
        operation.facts["kind"]: operation for operation in observer.ended if operation.name == "task.run"
    }
    assert {kind: operation.facts["state"] for kind, operation in told.items()} == {
        "quick": "succeeded",
        "faulty": "retried",
    }
    for operation in told.values():
        assert (operation.facts["late"], operation.facts["waited"], operation.seconds) == (5.0, 5.0, 0.0)
    assert sorted(labels["state"] for name, labels in observer.labels if name == "task.ended") == [
        "retried",
        "succeeded",
    ]


async def test_times_that_nobody_was_there_for_are_told_and_made_up_for(here: World, deeds: Deeds) -> None:
    observer = Recording()
    task_id, actor = await here.task("quick"), here.actor(observer=observer)
    await here.turn(timedelta(), of_wall=MINUTE)
    await actor.look()
    assert observer.counts["task.misfires"] == 0

    await here.turn(timedelta(), of_wall=5 * MINUTE)
    await actor.look()

    await here.states(task_id, *["succeeded"] * 6)
    assert [labels for name, labels in observer.labels if name == "task.misfires"] == [{"kind": "quick"}]


async def test_it_looks_again_when_the_next_is_due(here: World) -> None:
    await here.task("quick")
    actor = here.actor()
    await here.turn(timedelta(seconds=59.4))

    assert await actor.look() == pytest.approx(0.6)


async def test_from_its_first_call_on_it_looks_by_itself_and_with_it_everything_ends(
    here: World, deeds: Deeds
) -> None:
    observer = Recording()
    actor = here.actor(observer=observer)
    await here.task("slow")
    await here.turn(MINUTE)
    assert not _under_way()

    assert await actor.status() == "up"
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    await until(lambda: "task.tell" in observer.names(), "it tells of the queue")
    assert {"SchedulerActor._serve", "Heartbeats.keep_house", "SchedulerActor._done"} <= _under_way()
    await actor.close()

    assert not _under_way()


def _under_way() -> set[str]:
    """What of the scheduler's runs."""
    names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    return {name for name in names if name.startswith(("SchedulerActor.", "Heartbeats.", "Workers."))}


async def test_who_waits_for_a_place_has_it_as_soon_as_one_is_free_and_nobody_looks_in_vain(
    mongo_there: MongoSettings, deeds: Deeds
) -> None:
    observer, kind = Recording(), a_kind("quick", deeds.quick)
    async with world(mongo_there, kind, max_running=1, look_seconds=60.0) as here:
        tasks = [await here.task("quick") for _ in range(3)]
        await here.turn(MINUTE)

        await here.actor(observer=observer).status()
        for task_id in tasks:
            await here.states(task_id, "succeeded")
        await turns()

    # One when it begins, and one after each run.
    assert 3 <= len([name for name, _ in observer.labels if name == "task.looked"]) <= 4


async def test_what_is_on_its_way_to_a_worker_is_in_nobodys_way(
    mongo_there: MongoSettings, deeds: Deeds
) -> None:
    async with world(mongo_there, a_kind("quick", deeds.quick), max_running=3) as here:
        actor, (workers,) = here.actor(), here.workers
        workers.slow_start = asyncio.Event()  # nobody takes a run up yet, and each waits as before
        for _ in range(3):
            task_id = await here.task("quick")
            await here.scheduler.run_now("desk", task_id)
            await actor.look()
            await turns()

        assert len(workers.at_work) == 3
        workers.slow_start.set()
        await here.states(task_id, "succeeded")


async def test_two_schedulers_fire_a_time_once(here: World, deeds: Deeds) -> None:
    task_id = await here.task("quick")
    first, second = here.actor(), here.actor()
    for _ in range(5):
        await here.turn(timedelta(), of_wall=MINUTE)
        await first.look()
        await second.look()

    runs = await here.states(task_id, *["succeeded"] * 5)

    assert sorted(deeds.done) == [run.id for run in runs]
    assert {run.attempts for run in runs} == {1}


async def test_a_clock_that_jumps_an_hour_loses_nothing_and_repeats_nothing(
    here: World, deeds: Deeds
) -> None:
    task_id, actor = await here.task("quick"), here.actor()
    for jump in (MINUTE, HOUR, -HOUR, MINUTE, HOUR + MINUTE):
        await here.turn(timedelta(), of_wall=jump)
        await actor.look()

    async def all_done() -> bool:
        await actor.look()
        return len(deeds.done) == 63

    await until(all_done, "every minute has its run")
    assert len(set(deeds.done)) == 63
    runs = await here.states(task_id, *["succeeded"] * 63)
    assert [run.scheduled_for for run in runs] == [START + minutes * MINUTE for minutes in range(1, 64)]


async def test_the_run_of_a_dead_worker_is_taken_up_within_its_lease(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("slow"), here.actor()
    await here.turn(MINUTE)
    await actor.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    (run,) = await here.runs(task_id)
    here.workers[0].kill(run.id)
    await until(lambda: not here.workers[0].at_work, "its worker is dead")

    await actor.look()
    await here.turn(timedelta(seconds=14))
    await actor.look()
    assert not here.workers[0].at_work
    await here.turn(timedelta(seconds=2))
    deeds.may_end.set()
    await actor.look()

    (run,) = await here.states(task_id, "succeeded")
    assert (run.attempts, run.token) == (2, 2)


async def test_a_worker_that_is_long_in_coming_to_take_a_run_up_is_not_killed(
    here: World, deeds: Deeds
) -> None:
    task_id, actor = await here.task("slow"), here.actor()
    workers = here.workers[0]
    await here.turn(MINUTE)
    await actor.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    (run,) = await here.runs(task_id)
    workers.kill(run.id)
    await until(lambda: not workers.at_work, "its worker is dead")
    await actor.look()
    workers.slow_start = asyncio.Event()  # as a process that has yet to start
    at_work = []
    for _ in range(3):
        await here.turn(timedelta(seconds=16), of_wall=timedelta())
        await actor.look()
        await turns()
        at_work.append(workers.at_work.get(run.id))
    assert at_work[0] is at_work[1] is at_work[2] is not None

    deeds.may_end.set()
    workers.slow_start.set()

    (run,) = await here.states(task_id, "succeeded")
    assert (run.attempts, run.token) == (2, 2)


async def test_another_scheduler_takes_up_what_a_dead_one_had_handed_out(here: World, deeds: Deeds) -> None:
    task_id, first = await here.task("slow"), here.actor()
    await here.turn(MINUTE)
    await first.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    await first.close()

    second = here.actor()
    await second.look()
    await here.turn(timedelta(seconds=16))
    deeds.may_end.set()
    await second.look()

    (run,) = await here.states(task_id, "succeeded")
    assert run.attempts == 2


class Silent(Worker):
    """Works, and says nothing of it."""

    async def _beat(self, work: Work) -> None:
        await asyncio.Event().wait()


async def test_a_worker_that_says_nothing_is_ended_and_its_run_taken_up(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("slow"), here.actor()
    workers = here.workers[0]
    workers.worker.__class__ = Silent
    await here.turn(MINUTE)
    await actor.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    (run,) = await here.runs(task_id)
    silent = workers.at_work[run.id]
    await actor.look()
    await here.turn(timedelta(seconds=16))
    await actor.look()
    await until(silent.done, "it is ended")

    deeds.may_end.set()
    await actor.look()

    (run,) = await here.states(task_id, "succeeded")
    assert run.attempts == 2


async def test_what_a_dead_scheduler_had_handed_out_and_nobody_wants_is_cancelled(
    mongo_there: MongoSettings, deeds: Deeds
) -> None:
    async with world(mongo_there, a_kind("slow", deeds.slow), stop_seconds=600.0) as here:
        task_id, first = await here.task("slow"), here.actor()
        await here.turn(MINUTE)
        await first.look()
        await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
        await first.close()
        deeds.may_end.set()
        await here.scheduler.cancel_task("desk", task_id)

        second = here.actor()
        await second.look()
        await here.turn(timedelta(seconds=16))
        await second.look()

        await here.states(task_id, "cancelled")


async def test_a_run_whose_workers_die_again_and_again_ends_as_failed(here: World, deeds: Deeds) -> None:
    observer = Recording()
    task_id, actor = await here.task("slow", max_attempts=2), here.actor(observer=observer)
    await here.turn(MINUTE)
    for _ in range(2):
        await actor.look()
        await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
        for run in await here.runs(task_id):
            here.workers[0].kill(run.id)
        await until(lambda: not here.workers[0].at_work, "its worker is dead")
        await actor.look()
        await here.turn(timedelta(seconds=16))
    await actor.look()

    run = (await here.runs(task_id))[0]
    assert (run.state, run.attempts) == ("failed", 2)
    assert run.error == "its worker died, again and again"
    assert ("task.ended", {"kind": "slow", "state": "failed"}) in observer.labels


async def test_what_may_succeed_later_is_tried_again_after_growing_pauses(here: World, deeds: Deeds) -> None:
    deeds.fails = 2
    task_id, actor = await here.task("faulty"), here.actor()
    await here.scheduler.run_now("desk", task_id)
    pauses = []
    for _ in range(2):
        await actor.look()
        (run,) = await here.states(task_id, "scheduled")
        run = await _attempted(here, task_id, len(pauses) + 1)
        assert run.error == "the vendor is not available right now: try again"
        pauses.append((run.available_at - here.now).total_seconds())
        await here.turn(timedelta(seconds=pauses[-1]))
    await actor.look()

    (run,) = await here.states(task_id, "succeeded")
    assert pauses == [5.0, 10.0]
    assert (run.attempts, run.error) == (3, None)


async def _attempted(here: World, task_id: str, attempts: int) -> Any:
    async def there() -> Any:
        (run,) = await here.runs(task_id)
        return run if (run.state, run.attempts) == ("scheduled", attempts) else None

    return await until(there, f"attempt {attempts} is over")


async def test_poison_ends_after_its_attempts_and_can_be_requeued(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("poison", max_attempts=1), here.actor()
    await here.scheduler.run_now("desk", task_id)
    await actor.look()
    (run,) = await here.states(task_id, "failed")
    assert run.error == "Internal server error"  # what a bug says is in the log of the service

    await here.scheduler.requeue("desk", task_id, run.id)
    await actor.look()

    (again,) = await here.states(task_id, "failed")
    assert (again.attempts, again.token) == (1, 2)


async def test_what_cannot_succeed_is_not_tried_again(here: World) -> None:
    observer = Recording()
    task_id, actor = await here.task("hopeless"), here.actor(observer=observer)
    await here.scheduler.run_now("desk", task_id)
    await actor.look()

    (run,) = await here.states(task_id, "failed")
    assert (run.attempts, run.error) == (1, "file: has no rows")
    (told,) = await until(lambda: [each for each in observer.ended if each.name == "task.run"], "it is told")
    assert told in observer.begun
    assert (told.facts["state"], told.facts["late"], told.facts["waited"]) == ("failed", 0.0, 0.0)


async def test_a_cancelled_run_stops_and_has_no_effect(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("slow"), here.actor()
    await here.turn(MINUTE)
    await actor.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")

    await here.scheduler.cancel_task("desk", task_id)

    await here.states(task_id, "cancelled")
    await here.turn(5 * MINUTE)
    await actor.look()
    assert deeds.done == []


async def test_a_cancelled_run_that_does_not_listen_has_its_worker_killed(here: World, deeds: Deeds) -> None:
    task_id, actor = await here.task("deaf"), here.actor()
    await here.turn(MINUTE)
    await actor.look()
    await until(lambda: deeds.begun.acquire(blocking=False), "it runs")
    await here.scheduler.cancel_task("desk", task_id)
    await actor.look()
    assert here.workers[0].at_work
    await here.turn(timedelta(seconds=11))

    await actor.look()

    await here.states(task_id, "cancelled")
    await until(lambda: not here.workers[0].at_work, "its worker is gone")


async def test_owners_take_turns_within_bounds(mongo_there: MongoSettings, deeds: Deeds) -> None:
    kind = a_kind("slow", deeds.slow)
    async with world(mongo_there, kind, max_running=3, max_running_of_owner=2) as here:
        many = [await here.task("slow", owner="many") for _ in range(4)]
        few = await here.task("slow", owner="few")
        for task_id in many:
            await here.scheduler.run_now("many", task_id)
        await here.scheduler.run_now("few", few)
        actor = here.actor()
        for _ in range(3):
            await actor.look()

        states = [(await here.runs(task_id, "many"))[0].state for task_id in many]
        for _ in range(3):
            await until(lambda: deeds.begun.acquire(blocking=False), "three run")
        running = await until(lambda: _running(here, many, few), "three run")

        assert running == (2, 1)
        assert states.count("scheduled") >= 2
        deeds.may_end.set()
        for _ in range(2):
            await actor.look()


async def _running(here: World, many: list[str], few: str) -> tuple[int, int] | None:
    states = [(await here.runs(task_id, "many"))[0].state for task_id in many]
    found = states.count("running"), [run.state for run in await here.runs(few, "few")].count("running")
    return found if sum(found) == 3 else None


async def test_a_task_without_a_success_is_overdue_until_it_has_one(here: World, deeds: Deeds) -> None:
    deeds.fails = 1
    task_id, actor = await here.task("faulty", name="nightly"), here.actor()
    told = Recording()
    queue = MongoRunQueue(here.open(), here.mongo.database)
    beats = Heartbeats(queue, here.settings, told, lambda: here.now)
    await here.turn(MINUTE)
    await actor.look()
    await _attempted(here, task_id, 1)
    await here.turn(timedelta(), of_wall=HOUR + MINUTE)
    await beats.tell()
    assert told.levels["task.overdue"] == 1

    await actor.look()
    await until(lambda: _none_waits(here, task_id, actor), "all are done")
    told.levels.clear()
    await beats.tell()

    assert (told.levels["task.overdue"], told.levels["task.waiting"]) == (0, 0)
    assert told.levels["task.succeeded"] == here.now.timestamp()


class OfKinds(Recording):
    """Keeps what is told of each kind of task."""

    def __init__(self) -> None:
        super().__init__()
        self.of_kinds: dict[tuple[str, str], float] = {}

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        super().counted(quantity, amount, **labels)
        self.of_kinds[quantity, labels.get("kind", "")] = amount


async def test_now_and_then_it_tells_how_many_wait_keeps_what_stands_and_forgets_what_is_old(
    here: World, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.scheduler.heartbeats.SECONDS_BETWEEN", 0.01)
    deeds.fails = 1
    old, actor = await here.task("quick"), here.actor()
    await here.turn(MINUTE)
    await actor.look()
    await here.states(old, "succeeded")
    await here.turn(timedelta(days=here.settings.keep_days + 1))
    young, recent = [await here.task(kind, timing=Every(60.0, here.now)) for kind in ("faulty", "quick")]
    await here.turn(MINUTE)
    await here.scheduler.pause("desk", old)
    await actor.look()
    await _attempted(here, young, 1)
    await here.states(recent, "succeeded")
    told, stood = OfKinds(), list[datetime]()

    async def stands(now: datetime) -> None:
        stood.append(now)

    queue = MongoRunQueue(here.open(), here.mongo.database)
    beats = asyncio.create_task(Heartbeats(queue, here.settings, told, lambda: here.now, stands).keep_house())
    await until(lambda: len([name for name, _ in told.labels if name == "task.overdue"]) > 6, "it has told")
    beats.cancel()

    assert (told.of_kinds["task.waiting", "faulty"], told.of_kinds["task.running", "faulty"]) == (1, 0)
    assert stood == [here.now]
    assert [len(await here.runs(task)) for task in (old, young, recent)] == [0, 1, 1]


async def _none_waits(here: World, task_id: str, actor: SchedulerActor) -> bool:
    await actor.look()
    return {run.state for run in await here.runs(task_id)} == {"succeeded"}


async def test_a_run_names_its_trace(here: World, deeds: Deeds) -> None:
    task_id = await here.task("quick")
    run = await here.scheduler.run_now("desk", task_id)
    queue = MongoRunQueue(here.open(), here.mongo.database)
    worker = Worker(queue, here.kinds, Settings(), no_history, Traced(), clock=lambda: here.now)

    await worker.run(run)

    (done,) = await here.states(task_id, "succeeded")
    assert done.trace == TRACE


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Traced(Recording):
    """Gives every operation a span, as traces do."""

    def started(self, operation: Operation) -> None:
        operation.context = operation.context._replace(trace=TRACE)
