"""The parameters of a market model, declared once: their check, their JSON and its schema.

A field of a model that a caller may set is annotated with a `Parameter`::

    speed: Annotated[float, Number("Speed of mean reversion, per year.", low=0.0, high=1e4)]

and `check_parameters`, called in ``__post_init__``, applies every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import Signature, signature
from typing import Annotated, Any, Protocol, get_args, get_type_hints, runtime_checkable

from optionchain.limits import HIGHEST_PATH
from optionchain.models.model import MAX_VOLATILITY, MarketModel
from optionchain.validation import finite, positive


@runtime_checkable
class Parameter(Protocol):
    """What one field allows."""

    def check(self, field: str, value: object) -> object:
        """The value to keep for one that a caller gave, in Python or in JSON.

        Raises:
            InvalidInput: The value is not allowed; the error names `field`.
        """
        ...

    def to_wire(self, value: Any) -> object:
        """The JSON of a kept value."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of what `check` allows."""
        ...


@dataclass(frozen=True, slots=True)
class Number(Parameter):
    """A finite number between two bounds.

    Attributes:
        about: Meaning and unit, for the schema.
        low: Least value; excluded where `above` is true.
        high: Greatest value.
        above: Whether the value must be greater than zero; `low` is then not looked at.
    """

    about: str
    low: float = 0.0
    high: float = HIGHEST_PATH
    above: bool = False

    def check(self, field: str, value: object) -> float:
        if self.above:
            return positive(field, value, high=self.high)
        return finite(field, value, low=self.low, high=self.high)

    def to_wire(self, value: float) -> float:
        return value

    def schema(self) -> dict[str, Any]:
        low = {"exclusiveMinimum": 0.0} if self.above else {"minimum": self.low}
        return {"type": "number", **low, "maximum": self.high, "description": self.about}


StepYears = Annotated[float, Number("Length of one step, in years.", high=10.0, above=True)]
Drift = Annotated[float, Number("Expected growth of the price, per year.", low=-1000.0, high=1000.0)]
Volatility = Annotated[float, Number("Annualised volatility.", high=MAX_VOLATILITY)]


@cache
def parameters_of(model: type[MarketModel]) -> dict[str, Parameter]:
    """The parameters of a model by field, in the order in which they are declared."""
    hints = get_type_hints(model, include_extras=True).items()
    return {name: note for name, hint in hints for note in get_args(hint) if isinstance(note, Parameter)}


@cache
def required_parameters(model: type[MarketModel]) -> tuple[str, ...]:
    """The parameters without a default; the others may be absent or None."""
    arguments = signature(model).parameters
    return tuple(name for name in parameters_of(model) if arguments[name].default is Signature.empty)


def check_parameters(model: MarketModel) -> None:
    """Check every parameter of a model that is being made, and keep its normal form.

    Raises:
        InvalidInput: One is not allowed; the error names its field.
    """
    kind = type(model)
    required = required_parameters(kind)
    for name, parameter in parameters_of(kind).items():
        value = getattr(model, name)
        if value is not None or name in required:
            object.__setattr__(model, name, parameter.check(name, value))
