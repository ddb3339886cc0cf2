"""The configuration `simulator`: what new sessions get where they ask for nothing, and what they may not exceed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from optionchain.declared.checks import whole
from optionchain.declared.parameters import configurable_defaults, declared_parameters
from optionchain.errors import InvalidInput
from optionchain.parameters import (
    MAX_CHAIN_SIZE,
    MAX_STEPS,
    SimulationParameters,
)

SIMULATOR = "simulator"


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
        defaults: By name, what the parameters are that may be configured, as in `SimulationParameters`.
        limits: What a session may ask for at most.
        version: Of the stored configuration; 0 where there is none.
    """

    defaults: Mapping[str, Any] = field(default_factory=configurable_defaults)
    limits: Limits = Limits()
    version: int = 0

    @classmethod
    def from_values(cls, values: Mapping[str, Any], version: int = 0) -> SimulatorConfiguration:
        """Read ``{"defaults": {...}, "limits": {...}}``; what is absent keeps the value of the code.

        Raises:
            InvalidInput: A key is unknown or a value out of range.

        Example:
            >>> SimulatorConfiguration.from_values({"defaults": {"chain_size": 5}}).defaults["chain_size"]
            5
        """
        for key in values:
            if key not in ("defaults", "limits"):
                raise InvalidInput(f"values.{key}", "must be defaults or limits")
        return cls(
            defaults=_defaults(values.get("defaults", {}), "values.defaults"),
            limits=_limits(values.get("limits", {}), "values.limits"),
            version=version,
        )


def built_in_values() -> dict[str, Any]:
    """The values of a configuration that says what holds without any: version 0."""
    return {"defaults": configurable_defaults(), "limits": asdict(Limits())}


def check_contracts(parameters: SimulationParameters, limit: int) -> None:
    """Refuse parameters whose snapshots would have too many strikes.

    Raises:
        InvalidInput: They would have more than `limit`, over all expirations.
    """
    contracts = parameters.most_contracts
    if contracts > limit:
        raise InvalidInput("chain_size", f"asks for {contracts} contracts a snapshot: at most {limit}")


def _defaults(values: object, path: str) -> Mapping[str, Any]:
    of_code = configurable_defaults()
    given = _known(values, path, of_code)
    return of_code | {name: _default(name, value, f"{path}.{name}") for name, value in given.items()}


def _default(name: str, value: object, path: str) -> object:
    parameter = declared_parameters()[name]
    if value is None and parameter.default is None:
        return None
    return parameter.parameter.check(path, value)


def _limits(values: object, path: str) -> Limits:
    given = _known(values, path, [one.name for one in fields(Limits)])
    try:
        return Limits(**given)
    except InvalidInput as error:
        raise error.under(path) from None


def _known(values: object, path: str, names: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise InvalidInput(path, "must be an object")
    for key in values:
        if key not in names:
            raise InvalidInput(f"{path}.{key}", f"must be one of {', '.join(names)}")
    return values
