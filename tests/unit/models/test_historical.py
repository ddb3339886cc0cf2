import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.models import Historical
from optionchain.time_frame import TimeFrame
from tests.unit.models.model_laws import REPEATABLE, SPOT, paths

PRICES = st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=30)


def test_prices_are_replayed_as_they_are_on_every_path():
    model = Historical(timeframe=TimeFrame.DAY, prices=[0.004, 7, 12.123456789, 11.0])

    prices = model.sample(SPOT, 3, paths(2)).prices

    assert prices.tolist() == [[0.004, 7.0, 12.123456789]] * 2


@REPEATABLE
@given(PRICES)
def test_volatility_is_realised_over_the_expanding_window(prices):
    model = Historical(timeframe=TimeFrame.custom(1000), prices=prices, fallback_volatility=0.3)

    volatilities = model.sample(SPOT, len(prices), paths(1)).volatilities[0]

    returns = np.diff(np.log(prices))
    realised = [np.std(returns[:count], ddof=1) for count in range(2, len(prices))]
    expected = [0.3, 0.3, *np.clip(np.sqrt(1000) * np.array(realised), 1e-4, 5.0)]
    # Squares of returns up to 21 are summed: half the digits remain of a volatility near zero.
    np.testing.assert_allclose(volatilities, expected, rtol=1e-6, atol=1e-5)


@REPEATABLE
@given(PRICES, PRICES)
def test_volatility_never_looks_ahead(seen, future):
    first, second = (
        Historical(timeframe=TimeFrame.HOUR, prices=seen + rest).sample(SPOT, len(seen) + 1, paths(1))
        for rest in (future, future[::-1])
    )

    assert np.array_equal(first.volatilities[0, : len(seen)], second.volatilities[0, : len(seen)])


def test_volatility_of_an_unmoved_price_is_the_least_that_is_quoted():
    path = Historical(timeframe=TimeFrame.DAY, prices=[50.0] * 5).sample(SPOT, 5, paths(1))

    assert path.volatilities[0].tolist() == [0.2, 0.2, 1e-4, 1e-4, 1e-4]


@pytest.mark.parametrize("prices", [[], [1.0, 2.0]])
def test_too_few_prices_are_counted_in_the_error(prices):
    model = Historical(timeframe=TimeFrame.DAY, prices=prices)

    with pytest.raises(InvalidInput, match=f"prices: {len(prices)} were given, and 3 steps need one each"):
        model.sample(SPOT, 3, paths(1))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_short_replay_needs_no_volatility_of_its_own(steps):
    path = Historical(timeframe=TimeFrame.DAY, prices=[10.0, 11.0, 12.0]).sample(SPOT, steps, paths(1))

    assert path.volatilities.shape == (1, steps)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prices": [1.0, 0.0]}, "prices[1]"),
        ({"prices": [1.0, float("nan")]}, "prices[1]"),
        ({"prices": [float("inf")]}, "prices[0]"),
        ({"prices": [10**400]}, "prices[0]"),
        ({"prices": [True]}, "prices[0]"),
        ({"prices": ["1"]}, "prices[0]"),
        ({"prices": "123"}, "prices"),
        ({"prices": None}, "prices"),
        ({"prices": [1.0] * 100_001}, "prices"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "A" * 33}, "symbol"),
        ({"symbol": "BRK/B"}, "symbol"),
        ({"symbol": 7}, "symbol"),
        ({"timeframe": "Fortnight"}, "timeframe"),
        ({"timeframe": {"Custom": 0}}, "timeframe.Custom"),
        ({"fallback_volatility": float("nan")}, "fallback_volatility"),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_name(changed, field):
    with pytest.raises(InvalidInput) as caught:
        Historical(**({"timeframe": "Day", "prices": [1.0]} | changed))

    assert caught.value.field == field
