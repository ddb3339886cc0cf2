import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest
from pydantic import SecretStr

from adapters.mongo.connection import open_mongo
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from cluster.instance.ports import free_ports
from cluster.settings import Settings
from cluster.sweeps.accepting import sweep_id
from cluster.sweeps.gateway import open_sweeps
from cluster.sweeps.records import SweepRecord, SweepRecords
from cluster.sweeps.service import SweepService
from optionchain import InvalidInput
from optionchain.errors import Conflict, HasFailed, NotFound, NotOver, Overloaded, Unavailable
from optionchain.observing import Unobserved
from optionchain.patience import Pauses
from optionchain.sweeps import InProcess
from optionchain.sweeps.wire import sweep_from_wire
from optionchain.tasks import Every, Order, Schedule
from tests.callers import on_behalf_of
from tests.integration.sweeps.sweep_services import (
    PATIENCE_SECONDS,
    TASKS,
    Gated,
    Here,
    Sweeping,
    no_cluster,
    sweeping,
    wait,
)
from tests.integration.tasks.scheduling import no_history
from tests.unit.sweeps.sweep_documents import SMALL
from tests.waiting import eventually, until


class Leaving(Gated):
    """An engine whose run, once it is told to stop, says so and does not end before it is let go."""

    def __init__(self):
        super().__init__()
        self.is_leaving = threading.Event()
        self.may_leave = threading.Event()

    def outcomes(self, sweep, pending, folder):
        try:
            yield from super().outcomes(sweep, pending, folder)
        except GeneratorExit:
            self.is_leaving.set()
            assert self.may_leave.wait(PATIENCE_SECONDS)
            raise

    def open(self):
        super().open()
        self.may_leave.set()


@pytest.fixture
def world(tmp_path, mongo_there, monkeypatch) -> Iterator[Sweeping]:
    # What goes back into the queue is begun again at once.
    monkeypatch.setattr("cluster.tasks.worker.FAILED_RUN", Pauses(first_seconds=0.01, longest_seconds=0.01))
    with sweeping(mongo_there, tmp_path) as found:
        yield found


@pytest.fixture
def open_service(world):
    return world.open


def test_a_sweep_is_accepted_computed_and_fetched_in_every_format(open_service):
    service = open_service()

    identity = service.submit("first", SMALL)["id"]
    shown = wait(service, "first", identity)

    assert (shown["state"], shown["scenarios"], shown["progress"]["share"]) == ("completed", 6, 1.0)
    frame = pl.read_parquet(io.BytesIO(service.results("first", identity, "parquet")))
    assert frame["terminal_price_mean"].is_not_null().sum() == 6
    assert pl.read_csv(service.results("first", identity, "csv")).height == 6
    assert pl.read_ipc_stream(service.results("first", identity, "arrow")).equals(frame)
    rows = orjson.loads(service.results("first", identity, "json"))
    assert rows[3]["terminal_price_mean"] == frame["terminal_price_mean"][3]


def test_no_cell_of_a_table_in_csv_is_a_formula(open_service):
    service = open_service()
    shocks = [{"name": '=HYPERLINK("http://x")', "spot": 0.1}, {"name": "+1"}, {"name": "plain"}]

    identity = service.submit("first", SMALL | {"grid": {"symbol": ["@SUM(A1)", "SPX"]}, "shocks": shocks})[
        "id"
    ]
    wait(service, "first", identity)

    table = pl.read_csv(service.results("first", identity, "csv"))
    assert set(table["symbol"]) == {"'@SUM(A1)", "SPX"}
    assert set(table["shock"]) == {'\'=HYPERLINK("http://x")', "'+1", "plain"}
    as_it_is = orjson.loads(service.results("first", identity, "json"))
    assert {row["symbol"] for row in as_it_is} == {"@SUM(A1)", "SPX"}


@asynccontextmanager
async def posted(mongo, owner="first"):
    """The queue as its own routes see it, the one task that an owner has posted, and what tells its runs."""
    async with open_mongo(mongo) as client:
        scheduler = MongoScheduler(client, mongo.database, most_of_owner=1000)
        _, (task,) = await scheduler.list_scheduled_tasks(owner, offset=0, limit=10, is_posted=True)

        async def runs():
            _, found = await scheduler.runs(owner, task.id, offset=0, limit=10)
            return {each.id: each for each in found}

        yield scheduler, task, runs


@pytest.mark.anyio
async def test_a_posted_sweep_is_a_run_of_the_queue_of_tasks(open_service, mongo_there):
    service = open_service()
    identity = (await asyncio.to_thread(service.submit, "first", SMALL))["id"]
    await asyncio.to_thread(wait, service, "first", identity)

    async with posted(mongo_there) as (scheduler, task, runs):
        (run,) = (await runs()).values()
        others, _ = await scheduler.list_scheduled_tasks("first", offset=0, limit=10)

    assert (task.order.kind, task.order.parameters, task.state) == ("sweep", {"sweep_id": identity}, "ended")
    assert (run.order.owner, run.state, run.attempts, run.token) == ("first", "succeeded", 1, 1)
    assert run.result == {"sweep_id": identity, "scenarios": 6, "paths": 20}
    assert run.log == (f"sweep {identity}: 6 scenarios of 20 paths",)
    assert others == 0  # it is not among what is scheduled


@pytest.mark.anyio
async def test_a_posted_sweep_can_be_cancelled_as_the_task_that_it_is(open_service, mongo_there):
    engine = Gated()
    service = open_service(engine)
    identity = (await asyncio.to_thread(service.submit, "first", SMALL))["id"]
    assert await asyncio.to_thread(engine.is_computing.wait, PATIENCE_SECONDS)
    async with posted(mongo_there) as (scheduler, task, runs):
        ((run, before),) = (await runs()).items()
        await scheduler.cancel_task("first", task.id)

        async def heard():
            return (await runs())[run].beat >= before.beat + 2

        await until(heard, "its worker hears of it")
    engine.gate.set()
    shown = await asyncio.to_thread(wait, service, "first", identity)

    assert shown["state"] == "cancelled"
    rows = orjson.loads(await asyncio.to_thread(service.results, "first", identity, "json"))
    assert 1 <= len(rows) == shown["progress"]["scenarios"] < 6


def test_without_the_queue_nothing_is_accepted_and_what_is_over_is_still_read(world, tmp_path, monkeypatch):
    service = world.open()
    done = service.submit("first", SMALL)["id"]
    before = wait(service, "first", done)
    (port,) = free_ports(1)
    silent = MongoSettings(uri=SecretStr(f"mongodb://127.0.0.1:{port}"), timeout_seconds=0.3)
    settings = Settings(mongo=silent, sweep={"output": str(tmp_path)}, task=TASKS)
    alone = SweepService(lambda _: InProcess(), settings, no_history)

    with pytest.raises(Unavailable, match="the task queue is not available right now"):
        alone.submit("first", SMALL | {"seed": 2})

    assert alone.listed("first", offset=0, limit=9) == (1, [before | {"progress": None}])
    assert alone.definition("first", done) == SMALL
    assert len(orjson.loads(alone.results("first", done, "json"))) == 6
    assert alone.submit("first", SMALL)["state"] == alone.cancel("first", done)["state"] == "completed"
    assert {path.name for path in tmp_path.iterdir()} == {done}
    alone.close()


def test_what_was_recorded_and_not_put_in_line_is_computed_all_the_same(open_service, tmp_path):
    sweep = sweep_from_wire(SMALL)
    record, _ = SweepRecord.of(sweep_id("first", sweep.id), "first", sweep).due_again()
    SweepRecords(str(tmp_path), Unobserved()).begin(record, SMALL)

    service = open_service()

    assert wait(service, "first", record.id)["state"] == "completed"
    assert service.submit("first", SMALL)["id"] == record.id


SCHEDULED = {"sweep": SMALL | {"base": SMALL["base"] | {"seed": {"$run": "number"}}}}


@pytest.mark.anyio
async def test_a_scheduled_sweep_is_cancelled_without_its_task(open_service, mongo_there):
    engine = Gated()
    service = open_service(engine)
    order = Order(kind="sweep", parameters=SCHEDULED, owner="first")
    async with open_mongo(mongo_there) as client:
        scheduler = MongoScheduler(client, mongo_there.database, most_of_owner=9)
        task_id = await scheduler.schedule_task(
            order, Schedule(timing=Every(3600.0, datetime.now(UTC) + timedelta(hours=1)))
        )
        run = await scheduler.run_now("first", task_id)
        assert await asyncio.to_thread(engine.is_computing.wait, PATIENCE_SECONDS)
        _, (sweep,) = service.listed("first", offset=0, limit=9)

        await asyncio.to_thread(service.cancel, "first", sweep["id"])
        engine.gate.set()
        shown = await asyncio.to_thread(wait, service, "first", sweep["id"])

        _, (ended,) = await scheduler.runs("first", task_id, offset=0, limit=9)
        task = await scheduler.task("first", task_id)

    assert sweep["id"] == sweep_id("first", run.id)
    assert (shown["state"], ended.state, task.state) == ("cancelled", "cancelled", "active")
    definition = service.definition("first", sweep["id"])
    assert definition["base"]["seed"] == int(run.scheduled_for.timestamp())


def test_a_run_that_another_has_replaced_changes_nothing(open_service, mongo_there):
    service = open_service(Gated())
    identity = service.submit("first", SMALL)["id"]
    assert service._records.find("first", identity).run

    async def run_again():
        async with posted(mongo_there) as (scheduler, task, runs):
            run = await scheduler.run_now("first", task.id)

            async def over():
                found = (await runs())[run.id]
                return found if found.is_over else None

            return await until(over, "the other run is over")

    other = asyncio.run(run_again())

    assert (other.state, other.error) == (
        "failed",
        f"sweep {identity} is computed by another run: post it again",
    )
    assert service.status("first", identity)["state"] == "running"


def test_the_same_sweep_again_is_the_same_and_another_callers_is_not(open_service):
    service = open_service()

    first, again, other = (service.submit(owner, SMALL)["id"] for owner in ("first", "first", "second"))

    assert first == again != other
    with pytest.raises(NotFound):
        service.status("second", first)
    with pytest.raises(NotFound):
        service.results("second", first, "json")
    with pytest.raises(NotFound):
        service.cancel("second", first)


def test_a_cancelled_sweep_keeps_what_is_done_and_can_go_on(open_service):
    engine = Gated()
    service = open_service(engine)
    identity = service.submit("first", SMALL)["id"]

    service.cancel("first", identity)
    engine.gate.set()

    assert wait(service, "first", identity)["state"] == "cancelled"
    done = orjson.loads(service.results("first", identity, "json"))
    assert len(done) < 6
    service.submit("first", SMALL)
    assert wait(service, "first", identity)["state"] == "completed"
    assert len(orjson.loads(service.results("first", identity, "json"))) == 6


def test_results_are_not_there_before_the_end(open_service):
    service = open_service(Gated())
    identity = service.submit("first", SMALL)["id"]

    with pytest.raises(Conflict, match="its results come"):
        service.results("first", identity, "json")


def test_more_sweeps_than_a_caller_may_have_are_refused(open_service):
    service = open_service(Gated(), max_unfinished=2, max_running=1)
    for seed in (1, 2):
        service.submit("first", SMALL | {"seed": seed})

    with pytest.raises(Overloaded):
        service.submit("first", SMALL | {"seed": 3})

    assert service.submit("second", SMALL)["state"] in ("queued", "running")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grid": {"volatility": {"from": 0.1, "to": 0.2, "points": 11}}}, "grid"),
        # Counted before its values are looked at, which are out of range and would take a minute.
        ({"grid": {"volatility": {"from": 8.0, "to": 9.0, "points": 1_000_000}}}, "grid"),
        ({"grid": None, "scenarios": [{"volatility": 0.2}] * 11}, "scenarios"),
        ({"shocks": [{"name": "none"}, {"name": "crash", "spot": -0.2}]}, "grid"),
        ({"paths": 10_000}, "paths"),
        ({"keep": "paths"}, "keep"),
        ({"quantiles": [0.0001 * level for level in range(200)]}, "measures"),
    ],
)
def test_a_sweep_beyond_the_limits_is_refused(open_service, changes, field):
    service = open_service(max_scenarios=10, max_prices=1e6, max_numbers=1000)

    with pytest.raises(InvalidInput) as caught:
        service.submit("first", SMALL | changes)

    assert caught.value.field == field


def test_a_new_service_knows_the_old_ones_sweeps_and_goes_on_with_them(open_service):
    finished, gated = open_service(), Gated()
    done = finished.submit("first", SMALL)["id"]
    wait(finished, "first", done)
    finished.close()
    stopped = open_service(gated)
    open_one = stopped.submit("first", SMALL | {"seed": 3})["id"]
    gated.gate.set()
    stopped.close()

    service = open_service()

    assert service.status("first", done)["state"] == "completed"
    assert len(orjson.loads(service.results("first", done, "json"))) == 6
    assert wait(service, "first", open_one)["state"] == "completed"


def test_the_oldest_sweeps_that_are_over_are_forgotten_with_their_folders(open_service, tmp_path):
    service = open_service(max_kept=2)
    ids = []
    for seed in (1, 2, 3):
        ids.append(service.submit("first", SMALL | {"seed": seed})["id"])
        wait(service, "first", ids[-1])
    service.close()

    assert {path.name for path in tmp_path.iterdir()} == set(ids[1:])
    with pytest.raises(NotFound):
        service.status("first", ids[0])
    fewer = open_service(max_kept=1)
    assert fewer.status("first", ids[2])["state"] == "completed"
    assert {path.name for path in tmp_path.iterdir()} == {ids[2]}


def test_a_callers_many_sweeps_do_not_push_out_those_of_others(open_service):
    service = open_service(max_kept=2)
    submitted = [("first", 1), ("second", 1), ("second", 2), ("second", 3)]
    ids = []
    for owner, seed in submitted:
        ids.append(service.submit(owner, SMALL | {"seed": seed})["id"])
        wait(service, owner, ids[-1])
    service.close()

    assert [shown["id"] for shown in service.listed("first", offset=0, limit=9)[1]] == ids[:1]
    assert [shown["id"] for shown in service.listed("second", offset=0, limit=9)[1]] == ids[-1:]


def test_a_sweep_that_is_not_over_is_never_forgotten(open_service):
    gated = Gated()
    service = open_service(gated, max_kept=1, max_running=2)
    waiting = [service.submit("first", SMALL | {"seed": seed})["id"] for seed in (1, 2, 3)]

    assert {service.status("first", each)["state"] for each in waiting} <= {"queued", "running"}


def test_a_folder_that_a_service_cannot_read_does_not_keep_it_from_starting(open_service, tmp_path):
    older = open_service()
    known = older.submit("first", SMALL)["id"]
    wait(older, "first", known)
    older.close()
    (tmp_path / known / "state.json").unlink()
    for name, content in (("damaged", b"{"), ("foreign", b'{"owner": "first", "sweep": {"bse": 1}}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "request.json").write_bytes(content)

    service = open_service()

    assert wait(service, "first", known)["state"] == "completed"


@pytest.fixture
def leaving(open_service):
    """A sweep that was cancelled, has noticed it, and is on its way out."""
    engine = Leaving()
    service = open_service(engine)
    identity = service.submit("first", SMALL)["id"]
    assert engine.is_computing.wait(PATIENCE_SECONDS)
    service.cancel("first", identity)
    engine.gate.set()
    assert engine.is_leaving.wait(PATIENCE_SECONDS)
    return service, engine, identity


def test_a_sweep_that_is_wanted_again_while_it_stops_goes_on(leaving):
    service, engine, identity = leaving

    again = service.submit("first", SMALL)
    engine.may_leave.set()

    assert (again["id"], again["state"]) == (identity, "queued")
    shown = wait(service, "first", identity)
    assert (shown["state"], shown["progress"]["share"]) == ("completed", 1.0)


def test_the_last_word_of_a_caller_counts(leaving):
    service, engine, identity = leaving

    service.submit("first", SMALL)
    service.cancel("first", identity)
    engine.may_leave.set()

    assert wait(service, "first", identity)["state"] == "cancelled"


def is_open(service):
    try:
        service.submit("second", SMALL)
    except Unavailable:
        return False
    return True


def close_while(service, engine):
    """Close a service whose run is let go only after the service knows that it closes."""
    closing = threading.Thread(target=service.close)
    closing.start()
    eventually(lambda: not is_open(service), "it takes no more sweeps", patience_seconds=PATIENCE_SECONDS)
    engine.open()
    closing.join(PATIENCE_SECONDS)
    assert not closing.is_alive()


def test_a_sweep_that_is_wanted_again_while_its_service_closes_goes_on_in_the_next_one(leaving, open_service):
    service, engine, identity = leaving
    service.submit("first", SMALL)

    close_while(service, engine)

    assert wait(open_service(), "first", identity)["state"] == "completed"


def test_a_sweep_that_was_cancelled_before_its_service_closed_stays_cancelled(leaving, open_service):
    service, engine, identity = leaving

    close_while(service, engine)

    assert wait(open_service(), "first", identity)["state"] == "cancelled"


def test_a_sweep_that_is_cancelled_while_it_waits_ends_at_once(open_service):
    service = open_service(Gated(), max_running=1, max_unfinished=2)
    running, waiting = (service.submit("first", SMALL | {"seed": seed})["id"] for seed in (1, 2))

    service.cancel("first", waiting)

    assert wait(service, "first", waiting)["state"] == "cancelled"
    assert orjson.loads(service.results("first", waiting, "json")) == []
    assert service.submit("first", SMALL | {"seed": 3})["state"] == "queued"
    eventually(lambda: service.status("first", running)["state"] == "running", "the first one runs")


def test_a_cancellation_that_its_service_did_not_live_to_carry_out_is_not_forgotten(open_service, tmp_path):
    engine = Gated()
    service = open_service(engine)
    identity = service.submit("first", SMALL)["id"]
    assert engine.is_computing.wait(PATIENCE_SECONDS)
    service.cancel("first", identity)
    state = tmp_path / identity / "state.json"
    as_after_a_kill = state.read_bytes()
    engine.open()
    service.close()
    state.write_bytes(as_after_a_kill)

    assert wait(open_service(), "first", identity)["state"] == "cancelled"


def test_a_sweep_that_cannot_be_recorded_is_not_accepted(open_service, tmp_path):
    service = open_service(max_unfinished=1)
    in_the_way = tmp_path / sweep_id("first", sweep_from_wire(SMALL).id)
    in_the_way.touch()
    with pytest.raises(FileExistsError):
        service.submit("first", SMALL)
    in_the_way.unlink()

    identity = service.submit("first", SMALL)["id"]

    assert wait(service, "first", identity)["state"] == "completed"


class Records:
    """An index that keeps its records in a list, or does not answer."""

    def __init__(self, error=None):
        self.kept = []
        self._error = error

    def record(self, sweep, folder, facts):
        if self._error is not None:
            raise self._error
        self.kept.append((sweep, folder, dict(facts)))

    def forget(self, folder):
        if self._error is not None:
            raise self._error
        self.kept = [record for record in self.kept if not record[1].startswith(folder)]

    def close(self):
        return


def test_the_index_forgets_what_the_service_forgets(open_service):
    index = Records()
    service = open_service(open_index=lambda: index, max_kept=1)

    for seed in (1, 2):
        identity = service.submit("first", SMALL | {"seed": seed})["id"]
        wait(service, "first", identity)
    service.close()

    assert index.kept
    assert all(identity in folder for _, folder, _ in index.kept)


def test_the_index_knows_whose_sweep_it_is_and_where(open_service, tmp_path):
    index = Records()
    service = open_service(open_index=lambda: index)

    identity = service.submit("first", SMALL)["id"]
    wait(service, "first", identity)

    sweep, folder, last = index.kept[-1]
    assert sweep == sweep_from_wire(SMALL).id
    assert folder == f"{tmp_path}/{identity}/{sweep}"
    assert (last["owner"], last["state"], last["scenarios"], last["total_scenarios"]) == (
        "first",
        "completed",
        6,
        6,
    )
    assert [facts["state"] for _, _, facts in index.kept] == ["running", "completed"]
    assert orjson.loads(index.kept[0][2]["definition"])["paths"] == 20


@pytest.mark.parametrize("error", [Unavailable("the index"), OverflowError("of a number")])
def test_an_index_that_fails_costs_no_sweep(open_service, error):
    service = open_service(open_index=lambda: Records(error), max_kept=1)

    for seed in (1, 2):
        identity = service.submit("first", SMALL | {"seed": seed})["id"]
        assert wait(service, "first", identity)["state"] == "completed"


class Broken(InProcess):
    """An engine that always fails."""

    def outcomes(self, sweep, pending, folder):
        raise OSError("/secret/path")


def test_a_sweep_that_failed_says_that_waiting_does_not_help(open_service):
    service = open_service(Gated())
    identity = service.submit("first", SMALL)["id"]
    with pytest.raises(NotOver) as early:
        service.results("first", identity, "json")
    service._computing.open_engine = lambda _: Broken()
    failed = service.submit("first", SMALL | {"seed": 3})["id"]
    wait(service, "first", failed)
    with pytest.raises(HasFailed) as late:
        service.results("first", failed, "json")

    assert (early.value.retryable, late.value.retryable) == (True, False)
    assert "not over" not in str(late.value)


def test_a_sweep_that_breaks_tells_no_details(open_service):
    service = open_service()
    service._computing.open_engine = lambda _: Broken()
    identity = service.submit("first", SMALL)["id"]

    shown = wait(service, "first", identity)

    assert (shown["state"], shown["error"]) == ("failed", "Internal server error")


def test_a_list_of_sweeps_survives_a_restart(open_service):
    before = open_service()
    ids = [before.submit("first", SMALL | {"seed": seed})["id"] for seed in (1, 2)]
    for identity in ids:
        wait(before, "first", identity)
    listed = before.listed("first", offset=0, limit=10)
    before.close()

    total, shown = open_service().listed("first", offset=0, limit=10)

    assert [each["id"] for each in shown] == ids[::-1]
    times = ("submitted_at", "ended_at")
    assert [[each[time] for time in times] for each in shown] == [
        [each[time] for time in times] for each in listed[1]
    ]
    assert total == listed[0] == 2


@pytest.mark.anyio
async def test_progress_is_told_to_so_many_callers_at_a_time(open_service):
    engine = Gated()
    sweeps = Here(open_service(engine), max_followers=1)
    identity = (await sweeps.submit(on_behalf_of("first"), SMALL))["id"]

    with pytest.raises(NotFound):
        await sweeps.follow(on_behalf_of("second"), identity)
    following = await sweeps.follow(on_behalf_of("first"), identity)
    with pytest.raises(Overloaded):
        await sweeps.follow(on_behalf_of("first"), identity)
    assert (await anext(aiter(following)))["id"] == identity
    await following.aclose()
    await following.aclose()

    another = await sweeps.follow(on_behalf_of("first"), identity)
    with pytest.raises(Overloaded):
        await sweeps.follow(on_behalf_of("first"), identity)
    await another.aclose()


@pytest.mark.anyio
async def test_all_followers_of_a_replica_look_by_one_call(open_service):
    engine = Gated()
    sweeps = Here(open_service(engine, max_running=2), max_followers=200)
    ids = [(await sweeps.submit(on_behalf_of("first"), SMALL | {"seed": seed}))["id"] for seed in (1, 2)]
    followings = [await sweeps.follow(on_behalf_of("first"), ids[index % 2]) for index in range(100)]
    told = [aiter(following) for following in followings]
    for each in told:
        await anext(each)
    sweeps.calls.clear()

    rounds = 3
    for _ in range(rounds):
        await asyncio.gather(*map(anext, told))

    assert rounds <= len(sweeps.calls) <= rounds + 1
    assert set(sweeps.calls) == {"statuses"}
    engine.open()
    *_, last = [shown async for shown in followings[0] if shown is not None]
    assert last["state"] == "completed"
    for following in followings:
        await following.aclose()


@pytest.mark.anyio
async def test_nobody_looks_when_nobody_follows(open_service):
    sweeps = Here(open_service(Gated()))
    identity = (await sweeps.submit(on_behalf_of("first"), SMALL))["id"]
    following = await sweeps.follow(on_behalf_of("first"), identity)
    told = aiter(following)
    await anext(told)
    await anext(told)
    looking = sweeps._watcher._looking
    await following.aclose()

    await asyncio.wait_for(looking, PATIENCE_SECONDS)


@pytest.mark.anyio
async def test_followers_hear_that_a_sweep_is_forgotten_or_cannot_be_reached(open_service):
    sweeps = Here(open_service(Gated(), max_running=2))
    ids = [(await sweeps.submit(on_behalf_of("first"), SMALL | {"seed": seed}))["id"] for seed in (1, 2)]
    gone, unreachable = [await sweeps.follow(on_behalf_of("first"), identity) for identity in ids]
    told = [aiter(each) for each in (gone, unreachable)]
    for each in told:
        await anext(each)
    call = sweeps._call

    async def forgets(context, method, *arguments):
        return [None for _ in await call(context, method, *arguments)]

    async def fails(context, method, *arguments):
        raise Unavailable("the sweep service")

    sweeps._call = forgets
    with pytest.raises(NotFound):
        await anext(told[0])
    await gone.aclose()
    sweeps._call = fails
    with pytest.raises(Unavailable):
        await anext(told[1])
    await unreachable.aclose()


def test_the_example_of_the_documentation_is_a_sweep():
    from serve_app.routes.sweeps import EXAMPLE

    assert len(sweep_from_wire(EXAMPLE).plan) == 10


def test_sweeps_are_recorded_in_the_data_folder_unless_told_otherwise(tmp_path):
    here = Settings(data={"folder": tmp_path})
    elsewhere = Settings(data={"folder": tmp_path}, sweep={"output": "s3://bucket"})

    assert open_sweeps(here, no_cluster)._settings.sweep.output == str(tmp_path / "sweeps")
    assert open_sweeps(elsewhere, no_cluster)._settings.sweep.output == "s3://bucket"
