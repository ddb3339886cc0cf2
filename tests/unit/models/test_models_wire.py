"""Models as JSON."""

import json
from dataclasses import dataclass

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.declared.fields import settle
from optionchain.errors import InvalidInput
from optionchain.models import (
    MARKET_MODELS,
    Telegraph,
    market_model,
    model_from_wire,
    model_schema,
    model_to_wire,
)
from optionchain.models.parameters import StepYears, parameters_of
from tests.unit.models.model_laws import REPEATABLE, SPECIMENS

HESTON = model_to_wire(SPECIMENS["Heston"])["Heston"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
VALIDATOR = jsonschema.Draft202012Validator(model_schema())


def refused(wire):
    with pytest.raises(InvalidInput) as caught:
        model_from_wire(wire)
    return caught.value


def test_the_models_have_their_names():
    assert list(MARKET_MODELS) == [
        "Brownian",
        "Custom",
        "Garch",
        "GeometricBrownian",
        "Heston",
        "Historical",
        "JumpDiffusion",
        "LogReturns",
        "MeanReverting",
        "Recorded",
        "Telegraph",
    ]


def test_fields_have_the_names_of_the_api():
    assert {name: list(parameters_of(model)) for name, model in MARKET_MODELS.items()} == {
        "Brownian": ["dt", "drift", "volatility"],
        "Custom": ["dt", "drift", "volatility", "vov", "vol_speed", "vol_mean"],
        "Garch": ["dt", "drift", "volatility", "alpha", "beta"],
        "GeometricBrownian": ["dt", "drift", "volatility"],
        "Heston": ["dt", "drift", "volatility", "kappa", "theta", "xi", "rho"],
        "Historical": ["timeframe", "prices", "symbol"],
        "JumpDiffusion": ["dt", "drift", "volatility", "intensity", "jump_mean", "jump_volatility"],
        "LogReturns": ["dt", "expected_return", "volatility", "autocorrelation"],
        "MeanReverting": ["dt", "volatility", "speed", "mean"],
        "Recorded": ["asset", "from", "to"],
        "Telegraph": [
            "dt",
            "drift",
            "volatility",
            "lambda_up",
            "lambda_down",
            "vol_multiplier_up",
            "vol_multiplier_down",
        ],
    }


def test_absent_null_and_given_options_are_told_apart_in_the_echo():
    required = {"dt": 0.1, "drift": 0, "volatility": 0.2, "lambda_up": 1, "lambda_down": 2}

    for options in (
        {},
        {"vol_multiplier_up": None},
        {"vol_multiplier_up": None, "vol_multiplier_down": None},
    ):
        echo = model_to_wire(model_from_wire({"Telegraph": required | options}))
        assert echo == {"Telegraph": required | {"vol_multiplier_up": None, "vol_multiplier_down": None}}
    given = {"vol_multiplier_up": 0, "vol_multiplier_down": 1.5}
    assert model_to_wire(model_from_wire({"Telegraph": required | given})) == {"Telegraph": required | given}


def test_null_multipliers_mean_one():
    required = {"dt": 0.1, "drift": 0.0, "volatility": 0.2, "lambda_up": 1.0, "lambda_down": 2.0}

    assert Telegraph(**required)._levels() == (0.2, 0.2)


def test_integers_are_numbers_and_unknown_keys_are_ignored():
    model = model_from_wire({"Brownian": {"dt": 1, "drift": 0, "volatility": 1, "colour": "red"}})

    assert model_to_wire(model) == {"Brownian": {"dt": 1.0, "drift": 0.0, "volatility": 1.0}}
    assert isinstance(model.dt, float)


@pytest.mark.parametrize("wire", [None, 7, "Heston", [], {}, {"Heston": {}, "Garch": {}}])
def test_what_is_no_tagged_object_is_refused(wire):
    assert refused(wire).field == "method"


@pytest.mark.parametrize("name", ["Hestn", "heston", 5, None])
def test_an_unknown_model_is_told_the_known_ones(name):
    error = refused({name: HESTON})

    assert error.field == "method"
    assert f"unknown model {name}: one of Brownian, Custom" in error.reason


@pytest.mark.parametrize("body", [None, [], "x", 3])
def test_parameters_must_be_an_object(body):
    assert refused({"Heston": body}).field == "method.Heston"


@pytest.mark.parametrize("field", HESTON)
@pytest.mark.parametrize(
    "value", [None, True, "0.1", [], {}, float("nan"), float("inf"), -float("inf"), 10**400]
)
def test_a_parameter_that_is_no_finite_number_is_named(field, value):
    assert refused({"Heston": HESTON | {field: value}}).field == f"method.Heston.{field}"


@pytest.mark.parametrize("field", HESTON)
def test_a_missing_parameter_is_named(field):
    error = refused({"Heston": {name: value for name, value in HESTON.items() if name != field}})

    assert (error.field, error.reason) == (f"method.Heston.{field}", "is required")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("Brownian", "dt", 0.0),
        ("Brownian", "volatility", -0.1),
        ("GeometricBrownian", "volatility", 5.1),
        ("GeometricBrownian", "drift", 1e6),
        ("LogReturns", "autocorrelation", 1.01),
        ("MeanReverting", "mean", 0),
        ("MeanReverting", "mean", 1e-300),  # the start divided by it is no number
        ("MeanReverting", "speed", -1),
        ("JumpDiffusion", "intensity", -1),
        ("JumpDiffusion", "jump_volatility", -0.1),
        ("Garch", "alpha", 0.2),
        ("Garch", "beta", -0.1),
        ("Heston", "rho", -1.1),
        ("Custom", "vov", -0.1),
        ("Telegraph", "lambda_up", -1),
        ("Telegraph", "vol_multiplier_down", -1),
        ("Historical", "symbol", "a b"),
        ("Historical", "prices[1]", [100.0, 1e-200]),
    ],
)
def test_a_value_out_of_range_is_named(name, field, value):
    wire = {name: model_to_wire(SPECIMENS[name])[name] | {field.partition("[")[0]: value}}

    assert refused(wire).field == f"method.{name}.{field}"


@REPEATABLE
@given(
    JSON | st.sampled_from(sorted(MARKET_MODELS)).flatmap(lambda name: st.fixed_dictionaries({name: JSON}))
)
def test_any_json_is_read_or_refused_under_the_field(wire):
    try:
        model_from_wire(wire, "parameters.method")
    except InvalidInput as error:
        assert error.field.startswith("parameters.method")  # noqa: PT017


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_schema_allows_every_model_and_its_echo(name):
    VALIDATOR.validate(json.loads(json.dumps(model_to_wire(SPECIMENS[name]))))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(model_schema())


@REPEATABLE
@given(st.data())
def test_the_schema_and_the_reader_agree_about_numbers(data):
    name = data.draw(
        st.sampled_from(sorted(set(MARKET_MODELS) - {"Historical", "Recorded", "Garch"}))
    )  # Garch's sum is no schema's
    body = model_to_wire(SPECIMENS[name])[name]
    field = data.draw(st.sampled_from(sorted(body)))
    number = st.sampled_from([None, -1.0, -1e-9, 0, 1, 5, 5.1, 1e4, 1e7, 1e13]) | st.floats(-1e3, 1e3)
    wire = {name: body | {field: data.draw(number)}}

    try:
        model_from_wire(wire, step_years=1 / 365)
    except InvalidInput as error:
        assert error.field == f"method.{name}.{field}"  # noqa: PT017
        assert not VALIDATOR.is_valid(wire)
    else:
        assert VALIDATOR.is_valid(wire)


def test_an_eleventh_model_is_a_class_with_a_mark(request):
    request.addfinalizer(lambda: MARKET_MODELS.forget("Still"))

    @market_model
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Still:
        """A price that does not move."""

        dt: StepYears

        def __post_init__(self):
            settle(self)

        def sample(self, spot, steps, draws):
            raise NotImplementedError

    assert model_to_wire(model_from_wire({"Still": {"dt": 1}})) == {"Still": {"dt": 1.0}}
    assert refused({"Still": {"dt": 0}}).field == "method.Still.dt"
    assert model_schema()["oneOf"][-1]["description"] == "A price that does not move."
