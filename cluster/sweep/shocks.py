"""Shocks: what a market would be after a jump of its price, its volatility and its rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cluster.sweep.changes import with_parameters
from optionchain.errors import InvalidInput
from optionchain.models import Historical, MarketModel
from optionchain.parameters import SimulationParameters
from optionchain.validation import finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """A change of the market before the first step.

    Attributes:
        name: What the result's column `shock` says.
        spot: Relative change of the price, > -1; -0.2 is a fall by a fifth.
        volatility: Relative change of the volatility that the market starts at, > -1.
        rates: Absolute change of the risk-free rate, per year.
    """

    name: str
    spot: float = 0.0
    volatility: float = 0.0
    rates: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInput("name", "must be a text")
        for field, low, high in (
            ("spot", -0.999, 100.0),
            ("volatility", -0.999, 100.0),
            ("rates", -1.0, 1.0),
        ):
            object.__setattr__(self, field, finite(field, getattr(self, field), low=low, high=high))

    def applied(self, parameters: SimulationParameters) -> SimulationParameters:
        """The parameters of the shocked market.

        Raises:
            InvalidInput: They are out of range.
        """
        volatility = parameters.volatility * (1.0 + self.volatility)
        return replace(
            parameters,
            initial_price=parameters.initial_price * (1.0 + self.spot),
            volatility=volatility,
            risk_free_rate=parameters.risk_free_rate + self.rates,
            method=self._applied_to(parameters.method),
        )

    def _applied_to(self, method: MarketModel) -> MarketModel:
        changes: dict[str, Any] = {}
        if isinstance(method, Historical):
            changes = {"prices": tuple(price * (1.0 + self.spot) for price in method.prices)}
        elif hasattr(method, "volatility"):
            changes = {"volatility": method.volatility * (1.0 + self.volatility)}
        return with_parameters(method, changes)
