"""What the store of tasks and runs must do, on a real mongod and on the embedded server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.mongo.connection import open_mongo
from adapters.mongo.task_runs import MongoRunQueue
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from optionchain.errors import InvalidInput, LeaseLost, NotFound, Overloaded, WrongState
from optionchain.tasks import At, Every, Order, Run, Schedule, firing

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 5, 14, 30, 0, 678_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Store:
    """A scheduler and a queue of one database, and the clock of the scheduler."""

    scheduler: MongoScheduler
    queue: MongoRunQueue
    now: datetime = NOW

    async def schedule(self, owner: str = "desk", **changes: Any) -> str:
        given = {"timing": Every(60.0, NOW)} | {
            name: changes.pop(name) for name in ("timing", "ends_at", "jitter_seconds") if name in changes
        }
        order = Order(kind="export", parameters={"url": "/x/{date}"}, owner=owner, **changes)
        return await self.scheduler.schedule_task(order, Schedule(**given))

    async def fired(self, task_id: str, owner: str = "desk", **order: Any) -> Run:
        """The run of a task that is due now."""
        task = await self.scheduler.task(owner, task_id)
        found = firing(task, self.now + MINUTE, grace_seconds=3600)
        await self.queue.fire(task, found.times[:1], found.next_for)
        (run,) = [each for each in await self.waiting(owner) if each.task_id == task_id]
        return run

    async def waiting(self, owner: str = "desk") -> list[Run]:
        found = await self.queue.waiting(self.now + 2 * MINUTE, most_of_owner=100)
        return list(found.get(owner, []))

    async def claimed(self, task_id: str) -> Run:
        run = await self.queue.claim(await self.fired(task_id), self.now)
        assert run is not None
        return run


@pytest.fixture
async def store(mongo: MongoSettings) -> AsyncIterator[Store]:
    client = open_mongo(mongo)
    found = Store(None, MongoRunQueue(client, mongo.database))  # type: ignore[arg-type]
    found.scheduler = MongoScheduler(client, mongo.database, most_of_owner=5, clock=lambda: found.now)
    yield found
    await client.close()


async def test_a_task_is_kept_as_it_is(store: Store) -> None:
    task_id = await store.schedule(name="nightly", priority=7, jitter_seconds=3.0, max_attempts=2)

    task = await store.scheduler.task("desk", task_id)

    assert task.order == Order(
        kind="export",
        parameters={"url": "/x/{date}"},
        owner="desk",
        name="nightly",
        priority=7,
        max_attempts=2,
    )
    assert task.schedule == Schedule(timing=Every(60.0, NOW), jitter_seconds=3.0)
    assert (task.state, task.created_at, task.next_for) == ("active", NOW, NOW + MINUTE)


async def test_the_same_id_is_the_same_task(store: Store) -> None:
    order, schedule = Order(kind="x", parameters={}, owner="desk"), Schedule(timing=Every(60.0, NOW))
    ids = [await store.scheduler.schedule_task(order, schedule, task_id="once") for _ in range(2)]

    total, _ = await store.scheduler.list_scheduled_tasks("desk", offset=0, limit=10)

    assert (ids, total) == (["once", "once"], 1)


async def test_nobody_sees_what_is_anothers(store: Store) -> None:
    task_id = await store.schedule()

    for ask in (
        store.scheduler.task("other", task_id),
        store.scheduler.cancel_task("other", task_id),
        store.scheduler.pause("other", task_id),
        store.scheduler.resume("other", task_id),
        store.scheduler.run_now("other", task_id),
        store.scheduler.runs("other", task_id, offset=0, limit=10),
        store.scheduler.requeue("other", task_id, "r"),
    ):
        with pytest.raises(NotFound, match=f"task not found: {task_id}"):
            await ask
    assert await store.scheduler.list_scheduled_tasks("other", offset=0, limit=10) == (0, [])


async def test_tasks_are_listed_page_by_page_the_latest_first(store: Store) -> None:
    ids = []
    for _ in range(4):
        store.now += MINUTE
        ids.append(await store.schedule())

    total, page = await store.scheduler.list_scheduled_tasks("desk", offset=1, limit=2)

    assert (total, [task.id for task in page]) == (4, [ids[2], ids[1]])


async def test_an_owner_has_so_many_tasks_that_are_not_over(store: Store) -> None:
    ids = [await store.schedule() for _ in range(5)]

    with pytest.raises(Overloaded):
        await store.schedule()
    await store.schedule("another")
    await store.scheduler.cancel_task("desk", ids[0])
    await store.schedule()


async def test_what_would_never_be_due_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="timing: has passed"):
        await store.schedule(timing=At(NOW - timedelta(hours=1)))


async def test_an_active_task_is_due_when_its_time_has_come(store: Store) -> None:
    task_id = await store.schedule()

    assert await store.queue.due(NOW + timedelta(seconds=59), limit=10) == []
    assert [task.id for task in await store.queue.due(NOW + MINUTE, limit=10)] == [task_id]
    await store.scheduler.pause("desk", task_id)
    assert await store.queue.due(NOW + MINUTE, limit=10) == []


async def test_a_time_has_one_run_whoever_fires_it(store: Store) -> None:
    task_id = await store.schedule()
    task = await store.scheduler.task("desk", task_id)
    found = firing(task, NOW + MINUTE, grace_seconds=60)

    counts = [await store.queue.fire(task, found.times, found.next_for) for _ in range(2)]

    assert counts == [1, 0]
    assert [run.scheduled_for for run in await store.waiting()] == [NOW + MINUTE]
    assert (await store.scheduler.task("desk", task_id)).next_for == NOW + 2 * MINUTE


async def test_whoever_comes_late_does_not_set_a_task_back(store: Store) -> None:
    task_id = await store.schedule()
    old = await store.scheduler.task("desk", task_id)
    await store.queue.fire(old, [NOW + MINUTE], NOW + 2 * MINUTE)
    new = await store.scheduler.task("desk", task_id)
    await store.queue.fire(new, [NOW + 2 * MINUTE], NOW + 3 * MINUTE)

    await store.queue.fire(old, [NOW + MINUTE], NOW + 2 * MINUTE)

    assert (await store.scheduler.task("desk", task_id)).next_for == NOW + 3 * MINUTE
    assert len(await store.waiting()) == 2


async def test_a_task_without_a_further_time_has_ended(store: Store) -> None:
    task_id = await store.schedule(timing=At(NOW))
    task = await store.scheduler.task("desk", task_id)
    await store.queue.fire(task, [NOW], None)

    assert (await store.scheduler.task("desk", task_id)).state == "ended"
    with pytest.raises(WrongState, match="is ended"):
        await store.scheduler.pause("desk", task_id)
    again = await store.scheduler.run_now("desk", task_id)
    assert again.state == "scheduled"


async def test_of_two_who_claim_a_run_one_has_it(store: Store) -> None:
    run = await store.fired(await store.schedule())

    first, second = await store.queue.claim(run, NOW), await store.queue.claim(run, NOW)

    assert first is not None
    assert (first.state, first.token, first.attempts, first.started_at) == ("running", 1, 1, NOW)
    assert second is None
    assert await store.waiting() == []
    assert [each.id for each in await store.queue.running()] == [run.id]


async def test_a_lost_run_is_taken_up_and_its_first_worker_is_refused(store: Store) -> None:
    first = await store.claimed(await store.schedule())
    seen = await store.queue.beat(first, ["half"])
    assert await store.queue.claim(first, NOW) is None  # it has moved on since it was seen

    second = await store.queue.claim(seen, NOW)

    assert second is not None
    assert (second.token, second.attempts) == (2, 2)
    for late in (
        store.queue.beat(first, []),
        store.queue.finish(first, "succeeded", NOW),
        store.queue.retry(first, NOW, NOW, error="late"),
    ):
        with pytest.raises(LeaseLost):
            await late
    finished = await store.queue.finish(second, "succeeded", NOW, result={"rows": 7}, log=["whole"])
    assert (finished.state, finished.result, finished.log) == ("succeeded", {"rows": 7}, ("whole",))


async def test_a_success_is_remembered_by_its_task(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    await store.queue.finish(run, "succeeded", NOW + 2 * MINUTE)

    task = await store.scheduler.task("desk", run.task_id)

    assert (task.last_success_for, task.last_success_at) == (NOW + MINUTE, NOW + 2 * MINUTE)


async def test_a_failed_attempt_is_tried_again_when_its_pause_is_over(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    await store.queue.retry(run, store.now + 4 * MINUTE, NOW, error="silent")

    assert await store.waiting() == []
    store.now += 2 * MINUTE
    (again,) = await store.waiting()

    assert (again.attempts, again.error) == (1, "silent")
    claimed = await store.queue.claim(again, NOW)
    assert claimed is not None
    assert (claimed.attempts, claimed.token) == (2, 2)


async def test_a_pause_that_a_jumping_clock_has_made_is_none(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    await store.queue.retry(run, store.now + timedelta(hours=1), NOW, error="silent")

    assert [each.id for each in await store.waiting()] == [run.id]


async def test_nothing_begins_after_a_cancellation(store: Store) -> None:
    task_id = await store.schedule()
    task = await store.scheduler.task("desk", task_id)
    run = await store.fired(task_id)

    cancelled = await store.scheduler.cancel_task("desk", task_id)

    assert cancelled.state == "cancelled"
    assert await store.queue.claim(run, NOW) is None
    # One that was under way when it was cancelled makes a run after all: nobody begins it.
    await store.queue.fire(task, [NOW + 7 * MINUTE], NOW + 8 * MINUTE)
    (late,) = [each for each in await _all_waiting(store) if each.task_id == task_id]
    assert await store.queue.claim(late, NOW) is None
    _, runs = await store.scheduler.runs("desk", task_id, offset=0, limit=10)
    assert {each.state for each in runs} == {"cancelled"}
    assert (await store.scheduler.task("desk", task_id)).next_for == NOW + 2 * MINUTE


async def _all_waiting(store: Store) -> list[Run]:
    found = await store.queue.waiting(NOW + timedelta(hours=1), most_of_owner=100)
    return [run for runs in found.values() for run in runs]


async def test_what_runs_hears_of_its_cancellation(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    await store.scheduler.cancel_task("desk", run.task_id)

    assert not (await store.queue.beat(run, [])).is_wanted
    retried = await store.queue.retry(run, NOW, NOW, error="in vain")
    assert retried.state == "cancelled"
    with pytest.raises(WrongState, match="was cancelled"):
        await store.scheduler.run_now("desk", run.task_id)


async def test_a_pause_is_not_made_up_for(store: Store) -> None:
    task_id = await store.schedule()
    assert (await store.scheduler.pause("desk", task_id)).state == "paused"
    store.now += 10 * MINUTE

    resumed = await store.scheduler.resume("desk", task_id)

    assert (resumed.state, resumed.next_for) == ("active", NOW + 11 * MINUTE)
    assert (await store.scheduler.resume("desk", task_id)).next_for == NOW + 11 * MINUTE


async def test_a_task_can_be_due_at_other_times_from_now_on(store: Store) -> None:
    task_id = await store.schedule(jitter_seconds=5.0)
    await store.scheduler.pause("desk", task_id)
    later = Schedule(timing=Every(3600.0, NOW - MINUTE))

    told = await store.scheduler.reschedule("desk", task_id, later)

    assert told == await store.scheduler.task("desk", task_id)
    assert (told.schedule, told.next_for, told.state) == (later, NOW + 59 * MINUTE, "paused")
    with pytest.raises(NotFound):
        await store.scheduler.reschedule("other", task_id, later)
    await store.scheduler.cancel_task("desk", task_id)
    with pytest.raises(WrongState):
        await store.scheduler.reschedule("desk", task_id, later)


async def test_what_is_asked_for_now_waits_now(store: Store) -> None:
    task_id = await store.schedule()
    runs = [await store.scheduler.run_now("desk", task_id) for _ in range(2)]

    assert [run.id for run in await store.waiting()] == [runs[0].id] == [runs[1].id]
    assert runs[0].scheduled_for == NOW


async def test_of_an_owners_runs_the_highest_priority_goes_first(store: Store) -> None:
    low, high = await store.schedule(priority=1), await store.schedule(priority=9)
    for task_id in (low, high):
        await store.scheduler.run_now("desk", task_id)
    other = await store.schedule("other")
    await store.scheduler.run_now("other", other)

    assert [run.task_id for run in await store.waiting()] == [high, low]
    assert [run.task_id for run in await store.waiting("other")] == [other]


async def test_what_failed_for_good_is_requeued_when_somebody_says_so(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    with pytest.raises(WrongState, match="only one that failed"):
        await store.scheduler.requeue("desk", run.task_id, run.id)
    await store.queue.finish(run, "failed", NOW, error="poison")
    total, (dead,) = await store.scheduler.runs("desk", run.task_id, offset=0, limit=5, state="failed")
    assert (total, dead.error) == (1, "poison")

    again = await store.scheduler.requeue("desk", run.task_id, run.id)

    assert (again.state, again.attempts) == ("scheduled", 0)
    claimed = await store.queue.claim(again, NOW)
    assert claimed is not None
    assert claimed.token == 2
    with pytest.raises(NotFound, match="run not found"):
        await store.scheduler.requeue("desk", run.task_id, "none")


async def test_depths_are_by_kind_and_state(store: Store) -> None:
    run = await store.claimed(await store.schedule())
    await store.scheduler.run_now("desk", run.task_id)

    assert await store.queue.depths() == {("export", "running"): 1, ("export", "scheduled"): 1}


async def test_what_is_over_for_long_is_forgotten(store: Store) -> None:
    done = await store.claimed(await store.schedule())
    await store.queue.finish(done, "succeeded", NOW)
    ended = await store.schedule(timing=At(NOW))
    await store.queue.fire(await store.scheduler.task("desk", ended), [], None)

    assert await store.queue.forget(NOW) == 0
    assert await store.queue.forget(NOW + MINUTE) == 2

    assert (await store.scheduler.runs("desk", done.task_id, offset=0, limit=5))[0] == 0
    with pytest.raises(NotFound):
        await store.scheduler.task("desk", ended)
    assert replace(await store.scheduler.task("desk", done.task_id)).state == "active"
