"""Parameters as a JSON object that gives the same parameters back: for checkpoints and for replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from optionchain.draws.philox import RNG_NAME
from optionchain.expirations import Schedule, schedule_from_wire, schedule_to_wire
from optionchain.models import model_from_wire, model_to_wire
from optionchain.numerics import EARLIER
from optionchain.parameters import Expirations, SimulationParameters, SingleExpiration, declared_parameters
from optionchain.time_frame import TimeFrame
from optionchain.wire.instants import instant_from_wire, instant_to_wire

PLAIN_FIELDS = tuple(name for name in declared_parameters() if name != "path")
"""Those whose JSON value is their own value and that a scenario of a sweep may set."""

# What came after these is absent from the checkpoints of older releases, and then has its default.
_OF_THE_FIRST_RELEASE = tuple(declared_parameters())[: list(declared_parameters()).index("seed") + 1]
_LATER = tuple(name for name in declared_parameters() if name not in _OF_THE_FIRST_RELEASE)
_MICROSECOND = timedelta(microseconds=1)


def parameters_to_wire(parameters: SimulationParameters) -> dict[str, Any]:
    """Every replay input, as JSON values."""
    interval = parameters.step_interval
    return shown(parameters, _OF_THE_FIRST_RELEASE) | {
        "method": model_to_wire(parameters.method),
        "time_frame": parameters.time_frame.to_wire(),
        "step_interval_microseconds": None if interval is None else interval // _MICROSECOND,
        "start_at": instant_to_wire(parameters.start_at),
        "expirations": _expirations_to_wire(parameters.expirations),
        **shown(parameters, _LATER),
        "rng": RNG_NAME,
        "numerics": parameters.numerics,
    }


def parameters_from_wire(wire: Mapping[str, Any]) -> SimulationParameters:
    """The inverse of `parameters_to_wire`.

    Raises:
        InvalidInput: A value is out of range.
    """
    interval = wire["step_interval_microseconds"]
    return SimulationParameters(
        **{name: wire[name] for name in _OF_THE_FIRST_RELEASE},
        **{name: wire[name] for name in _LATER if name in wire},
        method=model_from_wire(wire["method"]),
        time_frame=TimeFrame.from_wire(wire["time_frame"], "time_frame"),
        step_interval=None if interval is None else timedelta(microseconds=interval),
        start_at=instant_from_wire("start_at", wire["start_at"]),
        expirations=_expirations_from_wire(wire["expirations"]),
        numerics=wire.get("numerics", EARLIER),
    )


def shown(parameters: SimulationParameters, names: Iterable[str]) -> dict[str, Any]:
    """Some parameters by name, without those that are silent and have their default."""
    declared, terms = declared_parameters(), parameters.terms
    return {
        name: getattr(parameters, name)
        for name in names
        if name in terms or name not in declared or not declared[name].is_silent
    }


def _expirations_to_wire(expirations: Expirations) -> dict[str, Any]:
    if isinstance(expirations, SingleExpiration):
        return {"days": expirations.days}
    return {"schedule": schedule_to_wire(expirations)}


def _expirations_from_wire(wire: Mapping[str, Any]) -> SingleExpiration | Schedule:
    if "days" in wire:
        return SingleExpiration(wire["days"])
    return schedule_from_wire(wire["schedule"])
