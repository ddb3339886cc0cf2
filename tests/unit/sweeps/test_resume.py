import hashlib
import json
import platform
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from cluster.sweeps.journal import FolderJournal
from optionchain import InvalidInput
from optionchain.sweeps import InProcess
from tests.unit.sweeps.interrupted_sweeps import Watching, interrupted, resumed
from tests.unit.sweeps.sweep_examples import run, sweep


@pytest.mark.parametrize("block_paths", [200, 30])
def test_an_interrupted_sweep_keeps_what_is_done_and_goes_on_there(tmp_path, block_paths):
    one = sweep(block_paths=block_paths)
    kept = interrupted(one, str(tmp_path), tasks=10 if block_paths == 30 else 3)

    result, observer = resumed(one, str(tmp_path))

    # 10 blocks of 30 are scenario 0 and three blocks of scenario 1, 3 blocks of 200 are three scenarios.
    assert kept.is_done.sum() == (1 if block_paths == 30 else 3)
    assert observer.resumed == (10 if block_paths == 30 else 3)
    assert observer.progress.paths == 6 * 200 - (200 + 3 * 30 if block_paths == 30 else 3 * 200)
    np.testing.assert_allclose(result.numbers, run(one).numbers, rtol=1e-12)  # merged in another order


def test_a_complete_sweep_is_not_computed_again(tmp_path):
    resumed(sweep(), str(tmp_path))

    result, observer = resumed(sweep(), str(tmp_path))

    assert observer.progress.paths == 0
    assert np.array_equal(result.numbers, run(sweep()).numbers)
    assert pl.read_parquet(Path(result.folder) / "results.parquet").equals(result.to_polars())


def test_a_changed_definition_is_another_sweep(tmp_path):
    resumed(sweep(), str(tmp_path))

    _, observer = resumed(sweep(seed=8), str(tmp_path))

    assert observer.resumed == 0
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["lost", "cut", "flipped"])
def test_a_damaged_part_is_computed_again(tmp_path, damage):
    result, _ = resumed(sweep(), str(tmp_path))
    (part,) = (Path(result.folder) / "parts").iterdir()
    content = bytearray(part.read_bytes())
    match damage:
        case "lost":
            part.unlink()
        case "cut":
            part.write_bytes(content[:-10])
        case "flipped":
            content[50] ^= 1
            part.write_bytes(content)

    again, observer = resumed(sweep(), str(tmp_path))

    assert observer.resumed == 0
    assert np.array_equal(again.numbers, result.numbers)


def test_every_part_says_its_checksum_and_its_blocks(tmp_path):
    result, _ = resumed(sweep(), str(tmp_path))
    folder = Path(result.folder)

    parts = list((folder / "parts").iterdir())

    for part in parts:
        assert hashlib.sha256(part.read_bytes()).hexdigest() in part.name
    blocks = [json.loads(pq.read_schema(part).metadata[b"blocks"]) for part in parts]
    assert sum(stop - start for part in blocks for start, stop in part) == 6
    assert json.loads((folder / "sweep.json").read_text())["paths"] == 200


def test_what_is_recorded_costs_no_more_the_more_there_is(tmp_path):
    """Every file is written once: the parts by themselves, and nothing that grows with them."""
    journal = FolderJournal(sweep(), str(tmp_path), seconds_between_parts=0.0)
    sizes = []
    for outcome in InProcess(seconds_per_task=0.0).outcomes(sweep(), _Pending(), None):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        journal.add(outcome)
        after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        written = [path for path, time in after.items() if before.get(path) != time]
        sizes.append(sum(path.stat().st_size for path in written))
        assert [path.parent.name for path in written] == ["parts"]

    assert max(sizes) < 1.2 * min(sizes)


def test_the_manifest_says_what_it_is_computed_with(tmp_path):
    result, _ = resumed(sweep(), str(tmp_path))

    manifest = json.loads((Path(result.folder) / "manifest.json").read_text())

    assert manifest["computed_with"]["numpy"] == np.__version__
    assert set(manifest["computed_with"]) == {"numpy", "scipy", "optionchain"}
    assert (manifest["python"], manifest["doubts"]) == (platform.python_version(), [])


def test_what_another_release_has_begun_is_refused_and_can_be_begun_anew(tmp_path):
    first = interrupted(sweep(), str(tmp_path))
    manifest = Path(first.folder) / "manifest.json"
    as_of_now = json.loads(manifest.read_text())
    older = as_of_now | {"computed_with": as_of_now["computed_with"] | {"numpy": "1.0.0"}}
    manifest.write_text(json.dumps(older))

    with pytest.raises(InvalidInput) as caught:
        resumed(sweep(), str(tmp_path))
    assert caught.value.field == "output"
    assert f"it was begun with numpy 1.0.0, this is {np.__version__}" in caught.value.reason
    assert "in_doubt='anew'" in caught.value.reason
    observer = Watching()
    result = sweep().run(engine=InProcess(), output=str(tmp_path), observer=observer, in_doubt="anew")

    assert (result.state, observer.resumed) == ("completed", 0)
    assert json.loads(manifest.read_text()) == as_of_now
    assert resumed(sweep(), str(tmp_path))[1].resumed == 6


def test_a_measure_that_cannot_be_compared_is_not_gone_on_with(tmp_path):
    lock = threading.Lock()

    def locked(block):
        with lock:
            return block.prices[:, -1]

    interrupted(sweep(measures=[locked]), str(tmp_path))

    with pytest.raises(InvalidInput, match=r"locked uses a _thread\.lock, which cannot be read"):
        resumed(sweep(measures=[locked]), str(tmp_path))


def helper(block):
    return block.prices[:, -1]


def test_a_sweep_is_not_gone_on_with_by_another_helper(tmp_path, monkeypatch):
    def uses(block):
        return helper(block)

    interrupted(sweep(measures=[uses]), str(tmp_path))
    monkeypatch.setitem(globals(), "helper", lambda block: -block.prices[:, -1])

    result, observer = resumed(sweep(measures=[uses]), str(tmp_path))

    assert observer.resumed == 0
    assert (result.numbers[:, 0] < 0.0).all()


def test_a_failed_scenario_is_remembered_with_its_reason(tmp_path):
    def picky(block):
        if block.parameters.volatility > 0.2:
            raise RuntimeError("too wild")
        return block.prices[:, -1]

    first, _ = resumed(sweep(measures=[picky]), str(tmp_path))
    again, observer = resumed(sweep(measures=[picky]), str(tmp_path))

    assert observer.progress.failures == 3
    assert again.errors == first.errors
    assert again.to_polars().equals(first.to_polars())


def test_parts_are_written_every_few_seconds_not_for_every_task(tmp_path):
    now = [0.0]
    journal = FolderJournal(sweep(), str(tmp_path), clock=lambda: now[0], seconds_between_parts=2.0)
    outcomes = list(InProcess(seconds_per_task=0.0).outcomes(sweep(), _Pending(), None))

    for outcome in outcomes:
        journal.add(outcome)
        now[0] += 1.0
    journal.flush()

    parts = list((Path(journal.folder) / "parts").iterdir())
    assert len(outcomes) == 6
    assert len(parts) == 3  # at 2 s, at 4 s, and the rest


class _Pending:
    def __init__(self):
        self.tasks = [(index, index + 1) for index in reversed(range(6))]

    def take(self, workers):
        return self.tasks.pop() if self.tasks else None

    def observe(self, outcome):
        return


def test_kept_paths_are_all_there_with_their_measures(tmp_path):
    one = sweep(keep="paths", block_paths=64)

    result = run(one, output=str(tmp_path))

    frame = result.kept_paths().sort("scenario", "path").collect()
    assert frame["path"].to_list() == list(range(200)) * 6
    block = result.block(4, 150, 1)
    row = frame.row(4 * 200 + 150, named=True)
    assert row["prices"] == block.prices[0].tolist()
    assert row["volatilities"] == block.volatilities[0].tolist()
    assert row["terminal_price"] == block.prices[0, -1]


def test_kept_paths_of_a_resumed_sweep_are_there_once(tmp_path):
    one = sweep(keep="paths", block_paths=64)
    kept = interrupted(one, str(tmp_path), tasks=5)
    stray = Path(kept.folder) / "paths" / "blocks-000000000005-000000000009.parquet"
    stray.write_bytes(b"of a task whose driver was killed before it was recorded")

    result, _ = resumed(one, str(tmp_path))

    keys = result.kept_paths().select("scenario", "path").collect()
    assert keys.height == keys.unique().height == 6 * 200


def test_paths_need_a_place_to_be_kept(tmp_path):
    with pytest.raises(InvalidInput, match="output"):
        run(sweep(keep="paths"))
    with pytest.raises(InvalidInput, match="keep"):
        run(sweep()).kept_paths()


def test_any_file_system_will_do():
    one = sweep()
    first = run(one, output="memory://sweeps")

    observer = Watching()
    again = one.run(engine=InProcess(), output="memory://sweeps", observer=observer)

    assert observer.resumed == 6
    assert np.array_equal(again.numbers, first.numbers)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "a folder of its own"),
        ("/", "a folder of its own"),
        ("nosuch://bucket", "cannot be written to: Protocol not known: nosuch"),
        ("{file}/sweeps", "cannot be written to: .*Not a directory"),
    ],
)
def test_an_output_that_cannot_be_written_to_is_refused_before_any_work(output, words, tmp_path):
    file = tmp_path / "file"
    file.touch()

    def never(block):
        assert block.paths < 200, "more was computed than the trial of the measures"
        return block.prices[:, 0]

    with pytest.raises(InvalidInput, match=words) as caught:
        run(sweep(measures=[never]), output=output.format(file=file))

    assert caught.value.field == "output"
