import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sweep_examples import ROLLING, run, sweep

from cluster.sweep import Silent, Sweep
from cluster.sweep.progress import Progress
from cluster.sweep.ray_engine import OnRay
from optionchain import InvalidInput
from optionchain.measures import short_strangle, terminal_price

pytestmark = pytest.mark.usefixtures("ray_address")

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0
QUICK = OnRay(seconds_per_task=0.2)


def on_ray(one: Sweep, engine: OnRay = QUICK, **options):
    return one.run(engine=engine, observer=Silent(), **options)


def eventually(is_true, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


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

    result = on_ray(sweep(measures=[niceness], grid=None), OnRay(niceness=17))

    assert result.numbers[0, 0] == 17.0  # Ray's own is 15


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
        time.sleep(0.2 if block.paths > 10 else 0.0)
        return block.prices[:, -1]

    sweep(measures=[slow], block_paths=40).run(engine=QUICK, observer=AskAnActor())

    assert answers == [42]


def test_tasks_can_be_kept_to_nodes_with_a_resource():
    import ray

    result = on_ray(sweep(), OnRay(resources={"sweep": 1}, workers=1))

    assert ray.cluster_resources()["sweep"] == 1
    assert result.is_done.all()


def test_what_is_kept_is_written_by_the_workers_once(tmp_path):
    result = on_ray(sweep(keep="paths", block_paths=40), output=str(tmp_path))

    keys = result.kept_paths().select("scenario", "path").collect()
    assert keys.height == keys.unique().height == 6 * 200


PROGRAM = """
import sys, time
sys.path.insert(0, {unit!r})
import ray
from sweep_examples import sweep
from cluster.sweep import Silent
from cluster.sweep.ray_engine import OnRay

def slow(block):
    time.sleep(0.1 if block.paths > 10 else 0.0)
    return block.prices[:, -1]

class Told(Silent):
    def started(self, sweep, progress):
        print("resumed", progress.resumed_blocks, flush=True)
    def advanced(self, progress):
        print("blocks", progress.blocks, flush=True)
    def ended(self, progress, state):
        print(state, progress.scenarios, flush=True)

ray.init(address={address!r}, log_to_driver=False)
one = sweep(measures=[slow], grid={{"volatility": [0.1 + 0.001 * index for index in range({scenarios})]}})
result = one.run(engine=OnRay(workers=2, seconds_per_task=0.1), output={output!r}, observer=Told())
print("rows", result.is_done.sum(), flush=True)
"""


def start_driver(address, output, scenarios):
    unit = str(Path(__file__).parents[2] / "unit" / "sweep")
    text = PROGRAM.format(unit=unit, address=address, output=str(output), scenarios=scenarios)
    return subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines_until(process, is_last):
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if is_last(lines[-1]):
            return lines
    raise AssertionError(f"it ended early: {lines}")


def parts_recorded(output):
    manifests = list(output.glob("*/manifest.json"))
    return bool(manifests) and len(json.loads(manifests[0].read_text())) > 0


def test_a_sweep_whose_driver_was_killed_goes_on_where_it_was(ray_address, tmp_path):
    first = start_driver(ray_address, tmp_path, scenarios=100)
    lines_until(first, lambda line: line[0] == "blocks" and parts_recorded(tmp_path))
    first.send_signal(signal.SIGKILL)
    first.communicate()

    second = start_driver(ray_address, tmp_path, scenarios=100)
    out, _ = second.communicate(timeout=PATIENCE_SECONDS * 2)

    lines = [line.split() for line in out.splitlines()]
    assert second.returncode == 0
    assert int(lines[0][1]) > 0
    assert lines[-1] == ["rows", "100"]


def test_ctrl_c_keeps_what_is_done_and_cancels_the_rest(ray_address, tmp_path):
    import ray

    process = start_driver(ray_address, tmp_path, scenarios=1000)
    lines_until(process, lambda line: line[0] == "blocks" and int(line[1]) >= 3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)

    lines = [line.split() for line in out.splitlines()]
    assert process.returncode == 0
    assert lines[-2][0] == "interrupted"
    assert 3 <= int(lines[-1][1]) < 1000
    assert parts_recorded(tmp_path)
    # The interrupted driver's CPUs come back.
    eventually(lambda: ray.available_resources().get("CPU", 0) == 2, "a cancelled task still has a CPU")
