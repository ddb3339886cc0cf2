"""Changes to parameters: by name, ``{"volatility": 0.3, "method.drift": 0.05}``, and by shocks of the market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from optionchain.declared.checks import finite
from optionchain.declared.parameters import varying_names
from optionchain.errors import InvalidInput
from optionchain.models import Historical, MarketModel
from optionchain.models.parameters import parameters_of
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.wire.documents import nearest

METHOD = "method."
DAYS = "days_to_expiration"
_FIELDS = varying_names()


def known_names(base: SimulationParameters) -> frozenset[str]:
    """The names that a change of these parameters may have."""
    of_method = {METHOD + name for name in parameters_of(type(base.method))}
    days = {DAYS} if isinstance(base.expirations, SingleExpiration) else {"expirations"}
    return _FIELDS | of_method | days


def check_name(name: object, base: SimulationParameters) -> str:
    """Return a name that is known.

    Raises:
        InvalidInput: It is not; the reason says what may have been meant.
    """
    known = known_names(base)
    if isinstance(name, str) and name in known:
        return name
    meant = nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"one of {', '.join(sorted(known))}"
    raise InvalidInput(str(name), f"is not a parameter of this simulation: {hint}")


def check_value(name: str, value: Any, base: SimulationParameters) -> None:
    """Refuse a value that is wrong whatever the others are; two that do not go together are not looked for.

    Raises:
        InvalidInput: It is not allowed.
    """
    if name.startswith(METHOD):
        parameter = name.removeprefix(METHOD)
        parameters_of(type(base.method))[parameter].check(name, value)
        return
    try:
        changed(base, {name: value})
    except InvalidInput as error:
        if error.field.partition(".")[0] in (name, "method"):
            raise InvalidInput(name, error.reason) from None
    except (TypeError, AttributeError):
        raise InvalidInput(name, "is not a value of this parameter") from None


def plain(value: Any) -> Any:
    """The Python value of a NumPy scalar."""
    return value.item() if isinstance(value, np.generic) else value


def changed(base: SimulationParameters, changes: Mapping[str, Any]) -> SimulationParameters:
    """The parameters with some of them changed.

    ``volatility`` is the market's: it changes the model's starting volatility with it, unless
    ``method.volatility`` says otherwise. ``method.x`` changes a parameter of the model.

    Args:
        base: What is changed.
        changes: Known names and their values.

    Raises:
        InvalidInput: A value is out of range; the error names it.
    """
    of_method = {
        name.removeprefix(METHOD): value for name, value in changes.items() if name.startswith(METHOD)
    }
    direct = {name: value for name, value in changes.items() if not name.startswith(METHOD) and name != DAYS}
    method: MarketModel = direct.get("method", base.method)
    if "volatility" in direct and "volatility" in parameters_of(type(method)):
        of_method = {"volatility": direct["volatility"]} | of_method
    if DAYS in changes:
        direct["expirations"] = SingleExpiration(changes[DAYS])
    if of_method:
        direct["method"] = _changed_method(method, of_method)
    return replace(base, **direct)


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
            rate_curve=_shifted(parameters.rate_curve, self.rates),
            method=self._applied_to(parameters.method),
        )

    def _applied_to(self, method: MarketModel) -> MarketModel:
        changes: dict[str, Any] = {}
        if isinstance(method, Historical):
            changes = {"prices": tuple(price * (1.0 + self.spot) for price in method.prices)}
        elif hasattr(method, "volatility"):
            changes = {"volatility": method.volatility * (1.0 + self.volatility)}
        return _with_parameters(method, changes)


def _shifted(
    curve: tuple[tuple[float, float], ...] | None, rates: float
) -> tuple[tuple[float, float], ...] | None:
    return None if curve is None else tuple((years, rate + rates) for years, rate in curve)


def _changed_method(method: MarketModel, changes: Mapping[str, Any]) -> MarketModel:
    try:
        return _with_parameters(method, changes)
    except InvalidInput as error:
        raise error.under("method") from None


def _with_parameters(method: MarketModel, parameters: Mapping[str, Any]) -> MarketModel:
    model: MarketModel = replace(cast("Any", method), **parameters)  # every model is a dataclass
    return model
