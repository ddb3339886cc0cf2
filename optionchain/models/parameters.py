"""The parameters that many market models have, and what is known of those of any."""

from __future__ import annotations

from typing import Annotated

from optionchain.declared.fields import Number, Parameter, called, declared
from optionchain.models.model import MAX_VOLATILITY, MarketModel

StepYears = Annotated[float, Number("Length of one step, in years.", high=10.0, above=True)]
Drift = Annotated[float, Number("Expected growth of the price, per year.", low=-1000.0, high=1000.0)]
Volatility = Annotated[float, Number("Annualised volatility.", high=MAX_VOLATILITY)]


def parameters_of(model: type[MarketModel]) -> dict[str, Parameter]:
    """The parameters of a model by their names in JSON, in the order in which they are declared."""
    return {
        called(name, parameter): parameter
        for name, parameter in declared(model).items()
        if not getattr(parameter, "is_internal", False)
    }
