"""Market models as JSON: externally tagged, ``{"Heston": {"dt": 0.004, ...}}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optionchain.declarations import Parameter
from optionchain.errors import InvalidInput
from optionchain.models.model import MARKET_MODELS, MarketModel
from optionchain.models.parameters import parameters_of, required_parameters

# Of all models but the historical one: the length of a step, which the time frame knows as well.
STEP = "dt"


def model_from_wire(wire: object, field: str = "method", *, step_years: float | None = None) -> MarketModel:
    """Read a model and its parameters. Unknown keys among the parameters are ignored.

    Args:
        wire: Parsed JSON.
        field: Path of `wire` in the caller's input, for errors.
        step_years: The length of a step where the parameters do not say it, in years; None asks them to.

    Raises:
        InvalidInput: It is no known model, or a parameter is missing or not allowed; the error names its
            path, as in ``method.Heston.rho``.

    Example:
        >>> model_from_wire({"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.25}})
        GeometricBrownian(dt=0.004, drift=0.05, volatility=0.25)
    """
    if not isinstance(wire, Mapping) or len(wire) != 1:
        raise InvalidInput(field, "must be an object with one key, the name of the model")
    name, given = next(iter(wire.items()))
    if name not in MARKET_MODELS:
        raise InvalidInput(field, f"unknown model {str(name)[:64]}: one of {', '.join(MARKET_MODELS)}")
    try:
        return _made(MARKET_MODELS[name], given, step_years)
    except InvalidInput as error:
        raise error.under(f"{field}.{name}") from None


def model_to_wire(model: MarketModel) -> dict[str, dict[str, object]]:
    """The JSON value from which `model_from_wire` makes the same model; absent parameters are None."""
    parameters = parameters_of(type(model)).items()
    body = {name: _optional(parameter, getattr(model, name)) for name, parameter in parameters}
    return {type(model).__name__: body}


def model_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of what `model_from_wire` reads where the length of a step is known."""
    return {"oneOf": [_tagged_schema(name, model) for name, model in MARKET_MODELS.items()]}


def _made(model: type[MarketModel], given: object, step_years: float | None) -> MarketModel:
    if not isinstance(given, Mapping):
        raise InvalidInput("", "must be an object with the model's parameters")
    if step_years is not None and given.get(STEP) is None:
        given = {**given, STEP: step_years}
    for name in required_parameters(model):
        if name not in given:
            raise InvalidInput(name, "is required")
    return model(**{name: given[name] for name in parameters_of(model) if name in given})


def _optional(parameter: Parameter, value: object) -> object:
    return None if value is None else parameter.to_wire(value)


def _tagged_schema(name: str, model: type[MarketModel]) -> dict[str, Any]:
    required = [field for field in required_parameters(model) if field != STEP]
    properties = {
        field: parameter.schema() if field in required else _nullable(parameter.schema())
        for field, parameter in parameters_of(model).items()
    }
    body = {"type": "object", "properties": properties, "required": required}
    about = (model.__doc__ or name).partition("\n")[0]
    return {
        "type": "object",
        "title": name,
        "description": about,
        "properties": {name: body},
        "required": [name],
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"], "default": None}
