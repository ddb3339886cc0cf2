"""The configuration `simulator`: what new sessions get where they ask for nothing, and what they may not exceed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from optionchain.errors import InvalidInput
from optionchain.parameters import (
    MAX_CHAIN_SIZE,
    MAX_COEFFICIENT,
    MAX_PRICE,
    MAX_STEPS,
    SimulationParameters,
)
from optionchain.validation import finite, positive, whole

SIMULATOR = "simulator"

Group = TypeVar("Group", "Defaults", "Limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The values of the optional parameters, as in `SimulationParameters`."""

    chain_size: int = 30
    strike_interval: float | None = None
    skew_slope: float = -0.2
    smile_curve: float = 0.4
    spread: float = 0.01

    def __post_init__(self) -> None:
        settled: dict[str, float] = {
            "chain_size": whole("chain_size", self.chain_size, low=0, high=MAX_CHAIN_SIZE),
            "skew_slope": finite("skew_slope", self.skew_slope, low=-MAX_COEFFICIENT, high=MAX_COEFFICIENT),
            "smile_curve": finite(
                "smile_curve", self.smile_curve, low=-MAX_COEFFICIENT, high=MAX_COEFFICIENT
            ),
            "spread": finite("spread", self.spread, low=0.0, high=MAX_PRICE),
        }
        if self.strike_interval is not None:
            settled["strike_interval"] = positive("strike_interval", self.strike_interval, high=MAX_PRICE)
        for name, number in settled.items():
            object.__setattr__(self, name, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a session may ask for at most; none is above what the service can do.

    Attributes:
        max_steps: Snapshots of a session.
        max_chain_size: Strikes on each side of the centre.
        max_contracts: Strikes of a snapshot, over all expirations; None leaves it to the service's settings.
    """

    max_steps: int = MAX_STEPS
    max_chain_size: int = MAX_CHAIN_SIZE
    max_contracts: int | None = None

    def __post_init__(self) -> None:
        settled = {
            "max_steps": whole("max_steps", self.max_steps, low=1, high=MAX_STEPS),
            "max_chain_size": whole("max_chain_size", self.max_chain_size, low=0, high=MAX_CHAIN_SIZE),
        }
        if self.max_contracts is not None:
            settled["max_contracts"] = whole("max_contracts", self.max_contracts, low=1, high=2**31 - 1)
        for name, number in settled.items():
            object.__setattr__(self, name, number)

    def check(self, parameters: SimulationParameters) -> None:
        """Refuse parameters over a limit.

        Raises:
            InvalidInput: One of them is.
        """
        self.check_sizes({"steps": parameters.steps, "chain_size": parameters.chain_size})
        if self.max_contracts is not None:
            check_contracts(parameters, self.max_contracts)

    def check_sizes(self, values: Mapping[str, Any]) -> None:
        """Refuse steps and chain sizes over a limit, before anything is made of them; either may be absent.

        Raises:
            InvalidInput: One of them is, or is no number.
        """
        bounds = {"steps": (1, self.max_steps), "chain_size": (0, self.max_chain_size)}
        for name in bounds.keys() & values.keys():
            low, high = bounds[name]
            whole(name, values[name], low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfiguration:
    """Defaults and limits; without any stored configuration, those of the code.

    Attributes:
        version: Of the stored configuration; 0 where there is none.
    """

    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    version: int = 0

    @classmethod
    def from_values(cls, values: Mapping[str, Any], version: int = 0) -> SimulatorConfiguration:
        """Read ``{"defaults": {...}, "limits": {...}}``; what is absent keeps the value of the code.

        Raises:
            InvalidInput: A key is unknown or a value out of range.

        Example:
            >>> SimulatorConfiguration.from_values({"defaults": {"chain_size": 5}}).defaults.chain_size
            5
        """
        for key in values:
            if key not in ("defaults", "limits"):
                raise InvalidInput(f"values.{key}", "must be defaults or limits")
        return cls(
            defaults=_group(Defaults, values.get("defaults", {}), "values.defaults"),
            limits=_group(Limits, values.get("limits", {}), "values.limits"),
            version=version,
        )


def check_contracts(parameters: SimulationParameters, limit: int) -> None:
    """Refuse parameters whose snapshots would have too many strikes.

    Raises:
        InvalidInput: They would have more than `limit`, over all expirations.
    """
    contracts = parameters.most_contracts
    if contracts > limit:
        raise InvalidInput("chain_size", f"asks for {contracts} contracts a snapshot: at most {limit}")


def _group(kind: type[Group], values: object, field: str) -> Group:
    if not isinstance(values, Mapping):
        raise InvalidInput(field, "must be an object")
    known = [one.name for one in fields(kind)]
    for key in values:
        if key not in known:
            raise InvalidInput(f"{field}.{key}", f"must be one of {', '.join(known)}")
    try:
        return kind(**values)
    except InvalidInput as error:
        raise error.under(field) from None
