import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.sweeps.blocks import Outcome
from optionchain.sweeps.engine import Pending


def outcome(task, seconds):
    return Outcome(start=task[0], stop=task[1], rows=(), pieces=(), seconds=seconds)


def drain(pending, *, seconds_per_block=0.0, workers=1):
    tasks = []
    while task := pending.take(workers):
        tasks.append(task)
        pending.observe(outcome(task, seconds_per_block * (task[1] - task[0])))
    return tasks


@given(
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=6),
    st.integers(1, 4),
    st.floats(0, 1),
)
def test_every_block_that_is_not_done_is_handed_out_once(blocks, ranges, workers, seconds):
    done = [(start, min(start + length, blocks)) for start, length in ranges if start < blocks]
    pending = Pending(blocks, done)

    tasks = drain(pending, seconds_per_block=seconds, workers=workers)

    finished = {block for start, stop in done for block in range(start, stop)}
    handed = [block for start, stop in tasks for block in range(start, stop)]
    assert sorted(handed) == sorted(set(range(blocks)) - finished)
    assert pending.blocks == 0


def test_tasks_grow_to_the_time_that_they_should_take():
    tasks = drain(Pending(100_000, seconds_per_task=1.0), seconds_per_block=0.01)

    sizes = [stop - start for start, stop in tasks]
    assert sizes[:5] == [1, 4, 16, 64, 100]
    assert set(sizes[5:900]) == {100}


def test_slow_blocks_stay_alone():
    assert {stop - start for start, stop in drain(Pending(20), seconds_per_block=3.0)} == {1}


def test_the_last_tasks_are_small_so_that_no_worker_is_alone_at_the_end():
    sizes = [stop - start for start, stop in drain(Pending(1000), seconds_per_block=0.001, workers=4)]

    assert sizes[-1] * 0.001 <= 1.0 / 50
    assert max(sizes) <= 1000 / 8


def test_the_last_tasks_are_not_so_small_that_they_cost_more_than_they_even_out():
    sizes = [stop - start for start, stop in drain(Pending(100_000), seconds_per_block=0.001, workers=4)]

    assert min(sizes[10:-1]) * 0.001 >= 1.0 / 50


def test_a_worker_that_is_alone_anyway_has_no_small_tasks_at_the_end():
    sizes = [stop - start for start, stop in drain(Pending(1000), seconds_per_block=0.002)]

    assert sizes == [1, 4, 16, 64, 256, 500, 159]


@pytest.mark.parametrize("done", [[(0, 10)], [(0, 4), (4, 10)], [(3, 10), (0, 5)]])
def test_nothing_is_left_of_what_is_done(done):
    assert Pending(10, done).take(1) is None
