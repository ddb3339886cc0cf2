"""What goes with prices and days of the past among the parameters of a simulation."""

from __future__ import annotations

from typing import Any, TypeAlias

from optionchain.errors import InvalidInput
from optionchain.expirations.single import SingleExpiration
from optionchain.models import Historical
from optionchain.models.recorded import Recorded

# `SimulationParameters`, which imports this module and so cannot be named here.
Parameters: TypeAlias = Any


def check_history(parameters: Parameters) -> None:
    """Refuse a past that is shorter than the simulation.

    Raises:
        InvalidInput: There are too few prices or days, or recorded days and one expiration.
    """
    method = parameters.method
    if isinstance(method, Recorded):
        _check_recorded(method, parameters)
    if isinstance(method, Historical) and len(method.prices) < parameters.total_steps:
        raise InvalidInput(
            "method.Historical.prices",
            f"{len(method.prices)} prices were given and {parameters.total_steps} steps need one each",
        )


def _check_recorded(method: Recorded, parameters: Parameters) -> None:
    if isinstance(parameters.expirations, SingleExpiration):
        raise InvalidInput("method", "Recorded has many expirations: /api/v2/simulations serves it")
    try:
        days = len(method.days)
    except InvalidInput as error:
        raise error.under("method.Recorded") from None
    if parameters.steps > days:
        raise InvalidInput("steps", f"{days} days are recorded, and each step is one of them")
