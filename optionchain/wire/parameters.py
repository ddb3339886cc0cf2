"""Parameters as a JSON object that gives the same parameters back: for checkpoints and for replay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import orjson

from optionchain.declared.parameters import declared_parameters, terms_of
from optionchain.draws.philox import RNG_NAME
from optionchain.expirations import Schedule, schedule_from_wire, schedule_to_wire
from optionchain.models import model_from_wire, model_to_wire
from optionchain.numerics import EARLIER, IDENTITY
from optionchain.parameters import Expirations, SimulationParameters, SingleExpiration
from optionchain.time_frame import TimeFrame
from optionchain.wire.instants import instant_from_wire, instant_to_wire

PLAIN_FIELDS = tuple(name for name in declared_parameters() if name != "path")
"""Those that JSON has under their own names and that a scenario of a sweep may set."""

# What came after these is absent from the checkpoints of older releases, and then has its default.
_OF_THE_FIRST_RELEASE = tuple(declared_parameters())[: list(declared_parameters()).index("seed") + 1]
_LATER = tuple(name for name in declared_parameters() if name not in _OF_THE_FIRST_RELEASE)
_MICROSECOND = timedelta(microseconds=1)
_DECLARED = frozenset(declared_parameters())


def parameters_to_wire(parameters: SimulationParameters) -> dict[str, Any]:
    """Every replay input, as JSON values."""
    return fields_to_wire(shown(parameters, _ALL)) | {
        "rng": RNG_NAME,
        "numerics": parameters.numerics,
    }


def simulation_name(parameters: SimulationParameters) -> str:
    """A name for all that a simulation shows: a digest of its parameters and of today's arithmetic.

    Parameters of an earlier arithmetic are computed by today's, so they show the same.
    """
    wire = parameters_to_wire(parameters) | {"numerics": IDENTITY}
    return hashlib.blake2b(orjson.dumps(wire), digest_size=16).hexdigest()


def fields_to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Some fields of `SimulationParameters`, but for `numerics`, as JSON values.

    Args:
        values: By name.
    """
    wire: dict[str, Any] = {}
    for name, value in values.items():
        form = _FORMS.get(name)
        if form is not None:
            wire[form.name] = form.to_wire(value)
        elif name in _DECLARED and value is not None:
            wire[name] = declared_parameters()[name].parameter.to_wire(value)
        else:
            wire[name] = value
    return wire


def fields_from_wire(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `fields_to_wire`; what is no field is left out.

    Raises:
        InvalidInput: A value is out of range.
    """
    values: dict[str, Any] = {}
    for name, value in wire.items():
        if name in _DECLARED:
            values[name] = value
        elif name in _FORMS_BY_WIRE:
            field, form = _FORMS_BY_WIRE[name]
            values[field] = form.from_wire(value)
    return values


def parameters_from_wire(wire: Mapping[str, Any]) -> SimulationParameters:
    """The inverse of `parameters_to_wire`.

    Raises:
        InvalidInput: A value is out of range.
    """
    return SimulationParameters(**fields_from_wire(wire), numerics=wire.get("numerics", EARLIER))


def shown(parameters: SimulationParameters, names: Iterable[str]) -> dict[str, Any]:
    """Some parameters by name, without those that are silent and have their default."""
    declared, terms = declared_parameters(), terms_of(parameters)
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


class _Form(NamedTuple):
    """How a field is told whose JSON value is another than its own."""

    name: str
    to_wire: Callable[[Any], Any]
    from_wire: Callable[[Any], Any]


_FORMS = {
    "method": _Form("method", model_to_wire, model_from_wire),
    "time_frame": _Form("time_frame", TimeFrame.to_wire, partial(TimeFrame.from_wire, field="time_frame")),
    "step_interval": _Form(
        "step_interval_microseconds",
        lambda interval: None if interval is None else interval // _MICROSECOND,
        lambda interval: None if interval is None else timedelta(microseconds=interval),
    ),
    "start_at": _Form("start_at", instant_to_wire, partial(instant_from_wire, "start_at")),
    "expirations": _Form("expirations", _expirations_to_wire, _expirations_from_wire),
}
_FORMS_BY_WIRE = {form.name: (field, form) for field, form in _FORMS.items()}
_ALL = (*_OF_THE_FIRST_RELEASE, *_FORMS, *_LATER)
