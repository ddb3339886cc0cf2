from itertools import permutations

import numpy as np
import pytest

from optionchain.sweeps.distributions import RELATIVE_ACCURACY, Buckets, Sample, distribution_from
from optionchain.sweeps.moments import Moments, Replicates, controlled
from optionchain.sweeps.reduction import Part, Statistics, part_from
from optionchain.sweeps.sampling import SAMPLINGS

RNG = np.random.default_rng(3)
VALUES = RNG.normal(5.0, 2.0, (3, 1000)) + 1e6 * np.array([[0.0], [1.0], [0.0]])
CUTS = np.split(VALUES, [1, 17, 400, 401], axis=1)
SKEWED = np.concatenate([RNG.normal(0.0, 3.0, 5000), -RNG.lognormal(2.0, 2.0, 5000), np.zeros(50)])
LEVELS = np.array([0.0, 0.01, 0.05, 0.25, 0.5, 0.9, 0.99, 1.0])


def merged(parts):
    whole, *others = parts
    for part in others:
        whole = whole.merged(part)
    return whole


def test_merged_moments_are_those_of_all_values():
    whole = merged([Moments.of(cut) for cut in CUTS])

    np.testing.assert_allclose(whole.means, VALUES.mean(axis=1), rtol=1e-14)
    # Rounding of 1e6 against a deviation of 2 leaves 10 digits of a product's deviation; the rest is exact.
    np.testing.assert_allclose(whole.covariances(), np.cov(VALUES), rtol=1e-9, atol=1e-9)
    assert whole.count == 1000


def test_the_order_of_merging_moves_a_mean_by_less_than_a_trillionth_of_its_error():
    parts = [Moments.of(cut) for cut in CUTS]
    means = np.array([merged(order).means for order in permutations(parts)])

    errors = Moments.of(VALUES).standard_errors()
    assert (np.ptp(means, axis=0) <= np.maximum(1e-12 * errors, 2e-16 * np.abs(means[0]) * 4)).all()


def test_a_single_observation_has_no_error():
    one = Moments.of(VALUES[:, :1])

    assert np.isnan(one.standard_errors()).all()


def test_a_samples_quantiles_are_numpys():
    ordered = merged([Sample(cut) for cut in np.array_split(SKEWED, 7)]).ordered()

    np.testing.assert_allclose(ordered.quantiles(LEVELS), np.quantile(SKEWED, LEVELS), rtol=1e-14, atol=1e-14)


def test_buckets_know_every_quantile_to_their_accuracy():
    ordered = Buckets.of(SKEWED).ordered()

    # Interpolation between neighbours on both sides of zero could mix signs: take the levels' own order statistics.
    exact = np.sort(SKEWED)[np.rint(LEVELS * (SKEWED.size - 1)).astype(int)]
    at = np.rint(LEVELS * (SKEWED.size - 1)) / (SKEWED.size - 1)
    np.testing.assert_allclose(ordered.quantiles(at), exact, rtol=1.01 * RELATIVE_ACCURACY, atol=1e-12)


def test_buckets_agree_with_an_independent_implementation():
    ddsketch = pytest.importorskip("ddsketch", reason="it is compared with the library of its authors")
    theirs = ddsketch.DDSketch(RELATIVE_ACCURACY)
    for value in SKEWED.tolist():
        theirs.add(value)

    ours = Buckets.of(SKEWED).ordered()

    for rank in (100, 3000, 7000, 9900):  # they do not interpolate between two
        level = rank / (SKEWED.size - 1)
        assert ours.quantiles(np.array([level]))[0] == pytest.approx(
            theirs.get_quantile_value(level), rel=3 * RELATIVE_ACCURACY
        )


def test_buckets_are_the_same_in_whatever_order_they_are_merged():
    cuts = [Buckets.of(cut) for cut in np.array_split(SKEWED, 4)]
    whole = Buckets.of(SKEWED)

    for order in permutations(cuts):
        together = merged(order)
        assert np.array_equal(together.keys, whole.keys)
        assert np.array_equal(together.counts, whole.counts)


@pytest.mark.parametrize("of", [Sample, Buckets.of])
def test_the_tail_mean_is_the_mean_of_the_worst(of):
    worst = np.sort(SKEWED)

    assert of(SKEWED).ordered().tail_mean(0.1) == pytest.approx(
        (worst[:1005].sum()) / 1005, rel=2 * RELATIVE_ACCURACY
    )


def test_a_value_that_the_tail_cuts_counts_in_part():
    assert Sample(np.array([-3.0, -1.0, 4.0, 5.0])).ordered().tail_mean(0.375) == pytest.approx(
        (-3.0 - 0.5) / 1.5
    )


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
@pytest.mark.parametrize("paths", [1000, 10_000_000])
def test_a_part_is_the_same_after_it_was_written_and_read(sampling, paths):
    part = Part.of(VALUES[:, :992], measures=2, sampling=sampling, paths=paths)

    again = part_from(part.arrays())

    assert all(np.array_equal(one, again.arrays()[name]) for name, one in part.arrays().items())
    assert type(again.groups) is type(part.groups)
    assert again.merged(part).moments.count == 2 * 992


def test_replicates_give_the_error_of_their_means():
    values = RNG.normal(size=(1, 1600))
    replicates = SAMPLINGS["sobol"].grouped(values)

    means = values.reshape(100, 16).mean(axis=0)
    assert isinstance(replicates, Replicates)
    np.testing.assert_allclose(replicates.moments().standard_errors(), means.std(ddof=1) / 4, rtol=1e-12)


def test_a_control_that_never_varies_changes_nothing():
    values = np.stack([RNG.normal(size=100), np.ones(100)])
    moments = Moments.of(values)

    means, errors = controlled(moments, 3.0)

    assert (means[0], errors[0]) == (moments.means[0], moments.standard_errors()[0])


def test_distributions_tell_their_kind_from_their_arrays():
    assert isinstance(distribution_from(Sample(SKEWED).arrays()), Sample)
    assert isinstance(distribution_from(Buckets.of(SKEWED).arrays()), Buckets)


@pytest.mark.parametrize("has_control", [False, True])
@pytest.mark.parametrize("has_covariances", [False, True])
def test_the_numbers_of_a_row_are_counted_without_naming_them(has_control, has_covariances):
    statistics = Statistics(
        measures=("a", "b", "c"),
        profits=(True, False, True),
        quantiles=(0.1, 0.5),
        tail=0.05,
        has_control=has_control,
        has_covariances=has_covariances,
    )

    assert statistics.count == len(statistics.columns())
