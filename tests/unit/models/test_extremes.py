"""Parameters at and beyond what a price can bear: a path within its limits, or an error with a name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.declared.fields import Number
from optionchain.errors import InvalidInput
from optionchain.models import MARKET_MODELS
from optionchain.models.parameters import parameters_of
from tests.unit.models.model_laws import REPEATABLE, SPECIMENS, SPOT, paths

MODELS = sorted(set(MARKET_MODELS) - {"Historical", "Recorded"})


def assert_sound_or_named(model, spot, steps, count, *, fields):
    try:
        path = model.sample(spot, steps, paths(count))
    except InvalidInput as error:
        assert error.field in fields  # noqa: PT017
        return
    assert np.isfinite(path.prices).all()
    assert path.prices.min() >= (0.01 if spot >= 0.01 else 0.01 * spot)
    assert path.prices.max() <= 1e12
    assert path.volatilities.min() >= 1e-4
    assert path.volatilities.max() <= 5.0


def numbers(parameter: Number) -> st.SearchStrategy[float]:
    low = 1e-12 if parameter.above else parameter.low
    edges = st.sampled_from([low, parameter.high, min(1e-9, parameter.high)])
    return edges | st.floats(low, parameter.high) | st.floats(low, min(1.0, parameter.high))


@st.composite
def models(draw):
    name = draw(st.sampled_from(MODELS))
    values = {
        field: draw(numbers(parameter)) for field, parameter in parameters_of(MARKET_MODELS[name]).items()
    }
    if name == "Garch":
        persistence = max(values["alpha"] + values["beta"], 1.0) * 1.001
        values |= {"alpha": values["alpha"] / persistence, "beta": values["beta"] / persistence}
    return values, MARKET_MODELS[name]


@settings(REPEATABLE, max_examples=400)
@given(models(), st.sampled_from([1e-3, 100.0, 1e9]), st.sampled_from([1, 2, 40]), st.sampled_from([1, 20]))
def test_any_allowed_parameters_give_a_sound_path_or_a_named_error(drawn, spot, steps, count):
    values, model = drawn
    assert_sound_or_named(model(**values), spot, steps, count, fields=values)


@pytest.mark.parametrize("name", MODELS)
def test_volatility_5_over_10_000_steps_is_sound_or_named(name):
    model = replace(SPECIMENS[name], volatility=5.0)

    assert_sound_or_named(model, SPOT, 10_000, 2, fields=["volatility"])


@pytest.mark.parametrize("name", sorted({*MODELS} - {"Brownian", "LogReturns", "MeanReverting"}))
@pytest.mark.parametrize("count", [1, 40])
def test_a_drift_that_overflows_is_named(name, count):
    model = replace(SPECIMENS[name], drift=900.0)

    with pytest.raises(InvalidInput, match="drift: drives the price above 1e\\+12: lower it") as caught:
        model.sample(SPOT, 253, paths(count))

    assert caught.value.field == "drift"


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("LogReturns", {"volatility": 5.0, "dt": 0.5}, "volatility"),
        ("LogReturns", {"expected_return": 50.0}, "expected_return"),
        ("MeanReverting", {"mean": 1e12, "volatility": 1.0}, "mean"),
        ("MeanReverting", {"mean": 1e12, "volatility": 0.0, "speed": 1e4}, "mean"),  # 1e12 but for rounding
        ("MeanReverting", {"volatility": 5.0, "speed": 0.0}, "volatility"),
        ("Brownian", {"drift": 1000.0, "dt": 10.0}, "drift"),
    ],
)
def test_the_parameter_most_at_fault_is_named(name, changes, field):
    model = replace(SPECIMENS[name], **changes)

    with pytest.raises(InvalidInput) as caught:
        model.sample(1e6, 10_000, paths(5))

    assert caught.value.field == field
