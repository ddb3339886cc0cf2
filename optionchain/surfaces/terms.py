"""How the volatility at the money depends on the time to expiration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Protocol, TypeVar

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.declared.checks import positive
from optionchain.declared.fields import Number, Parameter, settle
from optionchain.declared.parts import Parts
from optionchain.errors import InvalidInput
from optionchain.models import Heston, MarketModel
from optionchain.pricing.black_scholes import DAYS_PER_YEAR

MOST_POINTS = 64
_LONGEST_DAYS = 36_525.0
# Of speed times years: below it the mean of a variance is its start, to all digits.
_NO_TIME = 1e-8


class TermStructure(Protocol):
    """Frozen, validated parameters and one method."""

    def levels(self, volatility: Floats, years: Floats) -> Floats:
        """The annualised volatility at the money of each expiration; its total variance must never fall with time.

        Args:
            volatility: ``[ladders]`` the market's, at the quote time.
            years: ``[ladders]`` to expiration, >= 0.
        """
        ...


T = TypeVar("T", bound=type)

TERM_STRUCTURES: Parts[TermStructure] = Parts("term structure", "optionchain.term_structures")


def term_structure(name: str) -> Callable[[T], T]:
    """Make a term structure known by a name."""
    return TERM_STRUCTURES.register(name=name)


class Points(Parameter):
    """A short list of numbers above zero."""

    def __init__(self, about: str, high: float) -> None:
        self.about = about
        self.high = high

    def check(self, field: str, value: object) -> tuple[float, ...]:
        if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
            raise InvalidInput(field, "must be a list of numbers")
        if not 1 <= len(value) <= MOST_POINTS:
            raise InvalidInput(field, f"must have 1 to {MOST_POINTS} numbers")
        return tuple(positive(f"{field}[{index}]", each, high=self.high) for index, each in enumerate(value))

    def to_wire(self, value: tuple[float, ...]) -> list[float]:
        return list(value)

    def schema(self) -> dict[str, Any]:
        each = {"type": "number", "exclusiveMinimum": 0.0, "maximum": self.high}
        return {
            "type": "array",
            "items": each,
            "minItems": 1,
            "maxItems": MOST_POINTS,
            "description": self.about,
        }


@term_structure("flat")
@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """Every expiration has the market's volatility at the money; the default."""

    def levels(self, volatility: Floats, years: Floats) -> Floats:
        """See `TermStructure.levels`."""
        return volatility


@term_structure("heston")
@dataclass(frozen=True, slots=True, kw_only=True)
class HestonTerm:
    """The root of the mean variance until expiration of a variance that returns to a level, as Heston's does.

    Attributes:
        kappa: Speed of its return; None takes that of the market model, which must be Heston's.
        theta: The variance to which it returns; likewise.
    """

    kappa: Annotated[float | None, Number("Speed of the variance's return, per year", high=1e3)] = None
    theta: Annotated[float | None, Number("Variance in the long run, a volatility squared", high=25.0)] = None

    def __post_init__(self) -> None:
        settle(self)

    def of_model(self, model: MarketModel) -> HestonTerm:
        """This term structure with what the market model knows.

        Raises:
            InvalidInput: Parameters are neither given nor the model's.
        """
        if self.kappa is not None and self.theta is not None:
            return self
        if not isinstance(model, Heston):
            lacking = "kappa" if self.kappa is None else "theta"
            raise InvalidInput(f"heston.{lacking}", "must be given where the method is not Heston")
        return HestonTerm(
            kappa=model.kappa if self.kappa is None else self.kappa,
            theta=model.theta if self.theta is None else self.theta,
        )

    def levels(self, volatility: Floats, years: Floats) -> Floats:
        """See `TermStructure.levels`."""
        if self.kappa is None or self.theta is None:
            raise InvalidInput("heston", "needs kappa and theta")
        periods = self.kappa * years
        is_long = periods > _NO_TIME
        divisor = np.where(is_long, periods, 1.0)
        weight = np.where(is_long, -numerics.expm1(-divisor) / divisor, 1.0)
        return np.sqrt(self.theta + (volatility * volatility - self.theta) * weight)


@term_structure("given")
@dataclass(frozen=True, slots=True, kw_only=True)
class GivenTerm:
    """Multiples of the market's volatility at given days, between which the total variance is straight.

    Attributes:
        days: To expiration, ascending.
        multiples: Of the market's volatility, one for each of the days. Outside of the days it is that of the nearest.

    Raises:
        InvalidInput: They are not as many, do not ascend, or total variance would fall with time.
    """

    days: Annotated[tuple[float, ...], Points("Days to expiration, ascending", _LONGEST_DAYS)]
    multiples: Annotated[
        tuple[float, ...], Points("Multiples of the volatility, one for each of the days", 100.0)
    ]

    def __post_init__(self) -> None:
        settle(self)
        if len(self.multiples) != len(self.days):
            raise InvalidInput("multiples", f"must be {len(self.days)}, one for each of the days")
        if any(later <= earlier for earlier, later in pairwise(self.days)):
            raise InvalidInput("days", "must ascend")
        if any(later < earlier for earlier, later in pairwise(self._variances())):
            raise InvalidInput(
                "multiples", "must not fall so fast that a later expiration has less total variance"
            )

    def levels(self, volatility: Floats, years: Floats) -> Floats:
        """See `TermStructure.levels`."""
        days = np.asarray(years) * DAYS_PER_YEAR
        within = np.clip(days, self.days[0], self.days[-1])
        variances = np.interp(within, self.days, self._variances())
        return np.asarray(volatility * np.sqrt(variances / within))

    def _variances(self) -> list[float]:
        return [days * multiple * multiple for days, multiple in zip(self.days, self.multiples, strict=True)]
