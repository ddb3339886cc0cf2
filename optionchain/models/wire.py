"""Market models as JSON: externally tagged, ``{"Heston": {"dt": 0.004, ...}}``."""

from __future__ import annotations

from typing import Any

from optionchain.models.model import MARKET_MODELS, MarketModel

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
    known = {} if step_years is None else {STEP: step_years}
    return MARKET_MODELS.from_wire(wire, field, ignores_unknown=True, known=known)


def model_to_wire(model: MarketModel) -> dict[str, dict[str, object]]:
    """The JSON value from which `model_from_wire` makes the same model; absent parameters are None."""
    return MARKET_MODELS.to_wire(model)


def model_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of what `model_from_wire` reads where the length of a step is known."""
    return MARKET_MODELS.schema(optional=frozenset({STEP}))
