import os
import signal
import threading
import time

import numpy as np
import pytest

from cluster.sweeps.ray_engine import OnRay
from optionchain import InvalidInput
from optionchain.measures import short_strangle, terminal_price
from optionchain.sweeps import Silent, Sweep
from optionchain.sweeps.engine import Pending
from optionchain.sweeps.progress import Progress
from tests.unit.sweeps.sweep_examples import ROLLING, run, sweep
from tests.waiting import take

pytestmark = pytest.mark.usefixtures("ray_address")

PATIENCE_SECONDS = 60.0
QUICK = OnRay(seconds_per_task=0.2)


def on_ray(one: Sweep, engine: OnRay = QUICK, **options):
    return one.run(engine=engine, observer=Silent(), **options)


def test_workers_find_what_one_process_finds():
    one = sweep(base=ROLLING, measures=[terminal_price, short_strangle()], grid={"volatility": [0.1, 0.3]})
    in_blocks = sweep(
        base=ROLLING,
        measures=[terminal_price, short_strangle()],
        grid={"volatility": [0.1, 0.3]},
        block_paths=17,
    )

    result = on_ray(in_blocks)

    assert result.state == "completed"
    np.testing.assert_allclose(result.numbers, run(one).numbers, rtol=1e-12, atol=1e-13)


def test_a_function_defined_anywhere_travels():
    barrier = 104.0

    def ends_above(block):
        return block.prices[:, -1] > barrier

    one = sweep(measures=[ends_above])
    assert np.array_equal(on_ray(one).numbers, run(one).numbers)


def test_a_measure_that_cannot_be_sent_is_refused():
    lock = threading.Lock()

    def locked(block):
        with lock:
            return block.prices[:, -1]

    with pytest.raises(InvalidInput) as caught:
        on_ray(sweep(measures=[locked]))

    assert caught.value.field == "measures.locked"
    assert "cannot be sent" in caught.value.reason


def test_a_scenario_that_kills_its_worker_is_a_row_and_the_others_go_on():
    def deadly(block):
        if block.parameters.volatility == 0.3 and block.parameters.method.drift == 0.1:
            os.kill(os.getpid(), signal.SIGKILL)
        return block.prices[:, -1]

    result = on_ray(sweep(measures=[deadly]), OnRay(retries=0, seconds_per_task=5.0))

    assert list(result.errors) == [4]
    assert "its worker died" in result.errors[4]
    assert np.isfinite(np.delete(result.numbers, 4, axis=0)).all()


def test_a_worker_that_dies_once_costs_nothing_but_time(tmp_path):
    marker = tmp_path / "died"

    def unlucky(block):
        if block.parameters.volatility == 0.3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return block.prices[:, -1]

    result = on_ray(sweep(measures=[unlucky]))

    assert marker.exists()
    assert result.errors == {}
    assert np.array_equal(result.numbers, run(sweep(measures=[unlucky])).numbers)


def test_workers_give_way_to_others():
    def niceness(block):
        return np.full(block.paths, float(os.getpriority(os.PRIO_PROCESS, 0)))

    result = on_ray(sweep(measures=[niceness], grid=None), OnRay(niceness=19))

    assert result.numbers[0, 0] == 19.0  # the most; Ray's own is 15


def test_a_sweep_on_every_cpu_does_not_keep_an_actor_waiting():
    import ray

    class Actor:
        def answer(self):
            return 42

    answers = []

    class AskAnActor(Silent):
        def advanced(self, progress: Progress) -> None:
            if not answers:
                actor = ray.remote(Actor).options(num_cpus=0).remote()
                answers.append(ray.get(actor.answer.remote(), timeout=PATIENCE_SECONDS))
                assert progress.blocks < progress.total_blocks

    def slow(block):
        take(0.2 if block.paths > 10 else 0.0)
        return block.prices[:, -1]

    sweep(measures=[slow], block_paths=40).run(engine=QUICK, observer=AskAnActor())

    assert answers == [42]


def test_tasks_can_be_kept_to_nodes_with_a_resource():
    import ray

    result = on_ray(sweep(), OnRay(resources={"sweep": 1}, workers=1))

    assert ray.cluster_resources()["sweep"] == 1
    assert result.is_done.all()


class Counting(Pending):
    """Knows how many tasks are under way."""

    under_way = 0
    most = 0

    def take(self, workers):
        task = super().take(workers)
        self.under_way += task is not None
        self.most = max(self.most, self.under_way)
        return task

    def observe(self, outcome):
        self.under_way -= 1
        super().observe(outcome)


def test_what_is_not_wanted_any_more_stops_however_long_a_block_takes(tmp_path):
    begun, began_at = tmp_path / "begun", time.monotonic()

    def endless(block):
        if block.paths > 10:
            begun.touch()
            take(10 * PATIENCE_SECONDS)
        return block.prices[:, -1]

    engine = OnRay(seconds_per_task=0.2, is_wanted=lambda: not begun.exists())
    result = on_ray(sweep(measures=[endless]), engine)

    assert (result.state, result.is_done.any()) == ("interrupted", False)
    assert time.monotonic() - began_at < PATIENCE_SECONDS


def test_only_so_many_tasks_are_under_way_however_large_the_sweep():
    one = sweep(grid={"volatility": [0.1 + 0.001 * index for index in range(300)]})
    pending = Counting(300, seconds_per_task=0.0)

    done = list(QUICK.outcomes(one, pending, None))

    assert len(done) == 300
    assert pending.most == 2 * QUICK.slots()


def test_a_sweep_is_shipped_to_a_worker_once_however_many_tasks_it_gets(tmp_path):
    class Tells:
        """A measure that tells whenever it is unpacked."""

        name = "tells"

        def __init__(self, file):
            self.file = file

        def __setstate__(self, state):
            self.__dict__.update(state)
            with open(self.file, "a") as file:
                file.write(f"{os.getpid()}\n")

        def __call__(self, block):
            return block.prices[:, -1]

    file = tmp_path / "unpacked"
    grid = {"volatility": [0.1 + 0.001 * index for index in range(50)]}
    one = sweep(measures=[Tells(str(file))], grid=grid)

    tasks = list(QUICK.outcomes(one, Pending(50, seconds_per_task=0.0), None))

    unpacked = file.read_text().split()
    assert len(tasks) == 50
    assert len(unpacked) == len(set(unpacked))


class OnlyHere:
    """A measure in a module that no worker has."""

    name = "only_here"

    def __call__(self, block):
        return block.prices[:, -1]


def test_a_measure_that_workers_cannot_unpack_is_refused_with_the_reason():
    with pytest.raises(InvalidInput) as caught:
        on_ray(sweep(measures=[OnlyHere()]))

    assert caught.value.field == "measures"
    assert "cannot be unpacked by workers: No module named 'test_ray_engine'" in caught.value.reason


def test_what_is_kept_is_written_by_the_workers_once(tmp_path):
    result = on_ray(sweep(keep="paths", block_paths=40), output=str(tmp_path))

    keys = result.kept_paths().select("scenario", "path").collect()
    assert keys.height == keys.unique().height == 6 * 200
