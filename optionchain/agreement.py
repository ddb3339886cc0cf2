"""Parameters that speak of the same thing: the volatility and the model's, the time frame and the model's step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from optionchain.declared.fields import declared
from optionchain.declared.parameters import declared_parameters
from optionchain.models import MarketModel
from optionchain.models.model import MIN_VOLATILITY
from optionchain.models.wire import STEP
from optionchain.parameters import SimulationParameters
from optionchain.time_frame import YEAR

LARGEST_DIFFERENCE = 0.1
"""Relative, of a model's step from the time between two snapshots: 252 days instead of 365 in a year is 0.45."""


class ParametersDisagree(UserWarning):
    """Parameters of a simulation say of one thing what does not go together; they are taken as they are."""


class Disagreement(NamedTuple):
    """What is allowed and was probably not meant.

    Attributes:
        field: Path of the input.
        reason: What does not agree, and what follows from it.
    """

    field: str
    reason: str


def own_volatility(method: MarketModel) -> float | None:
    """The annualised volatility with which a market model prices its first chain; None where it has none of its own.

    A `Telegraph` multiplies it by the factor of its state.
    """
    if "volatility" not in declared(type(method)):
        return None
    volatility: float = cast("Any", method).volatility
    return max(volatility, MIN_VOLATILITY)


def with_one_volatility(values: Mapping[str, Any], method: MarketModel) -> dict[str, Any]:
    """Values of parameters in which the volatility is the model's.

    Args:
        values: By the fields of `SimulationParameters`; any of them.
        method: The market model where `values` has none.

    Returns:
        The same values; with a model that has a volatility of its own, that one; without a model, the model with the
        volatility that was given.

    Raises:
        InvalidInput: The volatility is out of range.
    """
    agreed = dict(values)
    if "volatility" in values:
        # What is about to be replaced must make sense all the same.
        agreed["volatility"] = declared_parameters()["volatility"].parameter.check(
            "volatility", values["volatility"]
        )
    own = own_volatility(values.get("method", method))
    if own is not None and "method" in values:
        agreed["volatility"] = own
    elif own is not None and "volatility" in values:
        agreed["method"] = replace(cast("Any", method), volatility=agreed["volatility"])
    return agreed


def changed(parameters: SimulationParameters, changes: Mapping[str, Any]) -> SimulationParameters:
    """Parameters with some of them changed, and one volatility.

    Args:
        parameters: What is changed.
        changes: By the fields of `SimulationParameters`.

    Raises:
        InvalidInput: A value is out of range; the error names it.
    """
    return replace(parameters, **with_one_volatility(changes, parameters.method))


def disagreements(parameters: SimulationParameters) -> list[Disagreement]:
    """Whether a model's step is not the time between two snapshots, and whether the expiration cuts off steps."""
    return disagreements_between(
        model=type(parameters.method).__name__,
        dt=getattr(parameters.method, STEP, None),
        interval_years=parameters.interval / YEAR,
        steps=parameters.steps,
        total_steps=parameters.total_steps,
    )


def disagreements_between(
    *, model: str, dt: float | None, interval_years: float, steps: int, total_steps: int
) -> list[Disagreement]:
    """`disagreements`, by what they depend on.

    Args:
        model: The model's name.
        dt: Its step, in years, > 0; None where it has none.
        interval_years: The time between two snapshots, in years of 365 days, > 0.
        steps: How many were asked for.
        total_steps: How many there are.
    """
    of_step = None if dt is None else step_disagreement(model, dt, interval_years)
    found = [of_step, steps_disagreement(steps, total_steps)]
    return [each for each in found if each is not None]


def warn_of_disagreements(parameters: SimulationParameters, *, calls: int = 1) -> None:
    """Warn of `disagreements`, by a `ParametersDisagree` for each.

    Args:
        parameters: Of a simulation.
        calls: How many functions of ours lie between this one and the user, whose line is named.
    """
    for each in disagreements(parameters):
        warnings.warn(f"{each.field} {each.reason}", ParametersDisagree, stacklevel=2 + calls)


def step_disagreement(model: str, dt: float, interval_years: float) -> Disagreement | None:
    """What to say of a model whose step is not the time between two snapshots, by more than a tenth.

    Args:
        model: Its name.
        dt: Its step, in years, > 0.
        interval_years: The time between two snapshots, in years of 365 days, > 0.

    Example:
        >>> step_disagreement("GeometricBrownian", 0.004, 1 / 365).reason
        'is 1.46 times the 0.00273973 years between two snapshots: the path has 1.46 times the variance of its chains'
        >>> step_disagreement("GeometricBrownian", 0.00274, 1 / 365)
    """
    ratio = dt / interval_years
    if abs(ratio - 1.0) <= LARGEST_DIFFERENCE:
        return None
    reason = (
        f"is {ratio:.3g} times the {interval_years:.6g} years between two snapshots: "
        f"the path has {ratio:.3g} times the variance of its chains"
    )
    return Disagreement(f"method.{model}.{STEP}", reason)


def steps_disagreement(steps: int, total_steps: int) -> Disagreement | None:
    """What to say where a simulation ends before the steps that were asked for, with its only expiration.

    Example:
        >>> steps_disagreement(32, 31).reason
        '32 were asked for, and the expiration ends it after 31'
    """
    if total_steps >= steps:
        return None
    return Disagreement("steps", f"{steps} were asked for, and the expiration ends it after {total_steps}")
