import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from optionchain.draws.philox import RNG_NAME, Factor, PhiloxDraws
from optionchain.errors import InvalidInput

NORMALS = [0.7383886622983749, -1.014893459564203, -0.20050082531502142]
UNIFORMS = [0.02853579649602489, 0.8683232373128237, 0.8008334607571981]

REPEATABLE = settings(derandomize=True, deadline=None)
SEEDS = st.integers(0, 2**64 - 1)
KINDS = st.sampled_from([PhiloxDraws.normals, PhiloxDraws.uniforms])


@REPEATABLE
@given(SEEDS, KINDS, st.sampled_from(Factor), st.integers(0, 40), st.integers(0, 40))
def test_fewer_steps_are_a_prefix_of_more(seed, kind, factor, fewer, more):
    draws = PhiloxDraws(seed, paths=2)

    assert np.array_equal(kind(draws, factor, fewer), kind(draws, factor, fewer + more)[:, :fewer])


@REPEATABLE
@given(SEEDS, KINDS, st.sampled_from(Factor), st.integers(0, 2**64 - 10), st.integers(0, 8))
def test_a_path_does_not_depend_on_its_block(seed, kind, factor, first_path, offset):
    block = kind(PhiloxDraws(seed, first_path=first_path, paths=9), factor, 5)

    alone = kind(PhiloxDraws(seed, first_path=first_path + offset), factor, 5)

    assert np.array_equal(block[offset], alone[0])


def test_the_order_of_drawing_does_not_matter():
    draws = PhiloxDraws(1, paths=3)

    first = draws.normals(Factor.PRICE, 10)
    draws.uniforms(Factor.JUMP_COUNT, 7)

    assert np.array_equal(draws.normals(Factor.PRICE, 10), first)


def test_philox_v1_is_what_it_always_was():
    draws = PhiloxDraws(42, first_path=3)

    assert RNG_NAME == "philox-v1"
    assert [(factor.name, factor.value) for factor in Factor] == [
        ("PRICE", 0),
        ("VOLATILITY", 1),
        ("JUMP_COUNT", 2),
        ("JUMP_SIZE", 3),
    ]
    assert draws.normals(Factor.PRICE, 3)[0].tolist() == NORMALS
    assert draws.uniforms(Factor.JUMP_SIZE, 3)[0].tolist() == UNIFORMS


def test_the_stream_is_numpys_philox_with_that_key_and_counter():
    key = np.array([9, 7], dtype=np.uint64)
    counter = np.array([0, 0, 0, 2], dtype=np.uint64)

    plain = np.random.Generator(np.random.Philox(key=key, counter=counter)).standard_normal(1000)

    assert np.array_equal(PhiloxDraws(9, first_path=7).normals(Factor.JUMP_COUNT, 1000)[0], plain)


@pytest.mark.parametrize("seed", [0, 2**53, 2**63, 2**64 - 2])
def test_neighbouring_seeds_differ(seed):
    one, other = (PhiloxDraws(s).normals(Factor.PRICE, 4) for s in (seed, seed + 1))

    assert not np.array_equal(one, other)


def test_seeds_paths_and_factors_are_uncorrelated():
    count = 20_000
    streams = [
        PhiloxDraws(seed, first_path=path).normals(factor, count)[0]
        for seed in (1, 2)
        for path in (0, 1)
        for factor in Factor
    ]

    correlations = np.corrcoef(streams) - np.eye(len(streams))

    assert np.abs(correlations).max() < 5 / np.sqrt(count)  # 120 pairs: 4 standard errors would be too few


@pytest.mark.parametrize(("kind", "law"), [(PhiloxDraws.normals, "norm"), (PhiloxDraws.uniforms, "uniform")])
def test_numbers_follow_their_law_along_a_path_and_across_paths(kind, law):
    along = kind(PhiloxDraws(5), Factor.PRICE, 20_000)[0]
    across = kind(PhiloxDraws(5, paths=20_000), Factor.PRICE, 1)[:, 0]

    assert stats.kstest(along, law).pvalue > 1e-4
    assert stats.kstest(across, law).pvalue > 1e-4


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": 1, "paths": 0}, "paths"),
        ({"seed": 1, "first_path": -1}, "first_path"),
        ({"seed": 1, "first_path": 2**64 - 1, "paths": 2}, "paths"),
    ],
)
def test_a_key_that_is_out_of_range_is_refused(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        PhiloxDraws(**arguments)

    assert caught.value.field == field
