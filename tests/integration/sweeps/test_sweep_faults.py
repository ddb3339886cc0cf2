"""Sweeps whose driver or nodes die."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0


PROGRAM = """
import sys
import ray
from tests.unit.sweeps.sweep_examples import sweep
from tests.waiting import take
from optionchain.sweeps import Silent
from cluster.sweeps.ray_engine import OnRay

def slow(block):
    take(0.1 if block.paths > 10 else 0.0)
    return block.prices[:, -1]

class Told(Silent):
    def started(self, sweep, progress):
        print("resumed", progress.resumed_blocks, flush=True)
    def advanced(self, progress):
        print("blocks", progress.blocks, flush=True)
    def ended(self, progress, state):
        print(state, progress.scenarios, flush=True)

ray.init(address={address!r}, log_to_driver=False)
one = sweep(measures=[slow], grid={{"volatility": [0.1 + 0.0001 * index for index in range({scenarios})]}})
result = one.run(engine=OnRay(workers=2, seconds_per_task=0.1), output={output!r}, observer=Told())
print("rows", result.is_done.sum(), flush=True)
"""


def start_driver(address, output, scenarios):
    text = PROGRAM.format(address=address, output=str(output), scenarios=scenarios)
    return subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines_until(process, is_last):
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if is_last(lines[-1]):
            return lines
    raise AssertionError(f"it ended early: {lines}")


def parts_recorded(output):
    return any(output.glob("*/parts/*.parquet"))


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

    process = start_driver(ray_address, tmp_path, scenarios=20_000)
    lines_until(process, lambda line: line[0] == "blocks" and int(line[1]) >= 3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)

    lines = [line.split() for line in out.splitlines()]
    assert process.returncode == 0
    assert lines[-2][0] == "interrupted"
    assert 3 <= int(lines[-1][1]) < 20_000
    assert parts_recorded(tmp_path)
    eventually(
        lambda: ray.available_resources().get("CPU", 0) == 2,
        "the interrupted driver's CPUs are back",
        patience_seconds=PATIENCE_SECONDS,
    )


TWO_NODES = """
import sys
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from tests.unit.sweeps.sweep_examples import run, sweep
from tests.waiting import take
from optionchain.sweeps import Silent
from cluster.sweeps.ray_engine import OnRay

def where(block):
    if block.paths > 10:
        take(0.1)
        Path({folder!r}, ray.get_runtime_context().get_node_id()).touch()
    return block.prices[:, -1]

nodes = Cluster(initialize_head=True, head_node_args={{"num_cpus": 1, "include_dashboard": False}})
second = nodes.add_node(num_cpus=1)
ray.init(address=nodes.address, log_to_driver=False)

class KillsANode(Silent):
    is_alive = True
    def advanced(self, progress):
        if self.is_alive and len(list(Path({folder!r}).iterdir())) == 2:
            self.is_alive = False
            nodes.remove_node(second, allow_graceful=False)

one = sweep(measures=[where], grid={{"volatility": [0.1 + 0.01 * index for index in range(40)]}})
killer = KillsANode()
result = one.run(engine=OnRay(seconds_per_task=0.3), observer=killer)
is_same = (result.numbers == run(one).numbers).all()
print(f"killed: {{not killer.is_alive}}, {{result.state}}, {{len(result.errors)}} failures, same: {{is_same}}")
ray.shutdown()
nodes.shutdown()
"""


def test_a_sweep_survives_the_death_of_a_node(tmp_path):
    text = TWO_NODES.format(folder=str(tmp_path))
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}

    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "killed: True, completed, 0 failures, same: True" in done.stdout, done.stdout


def test_a_sweep_without_a_cluster_has_one_of_its_own_for_as_long_as_it_takes():
    text = """
import ray
from tests.unit.sweeps.sweep_examples import sweep
result = sweep().run()
print(result.state, ray.is_initialized())
"""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}

    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE_SECONDS,
        check=False,
    )

    assert done.stdout.split() == ["completed", "False"], done.stderr
    assert "completed: 6/6 scenarios" in done.stderr
