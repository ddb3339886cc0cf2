"""A sweep as a JSON or YAML document: what the command line and the HTTP API read."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cluster.sweep.controls import TERMINAL_PRICE
from cluster.sweep.definition import Sweep
from cluster.sweep.designs import design
from cluster.sweep.scenarios import MOST_SCENARIOS
from cluster.sweep.shocks import Shock
from optionchain import measures
from optionchain.errors import InvalidInput
from optionchain.expirations import schedule_from_wire
from optionchain.measures import Measure
from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.time_frame import TimeFrame
from optionchain.validation import finite, whole
from optionchain.wire.instants import instant_from_wire
from optionchain.wire.parameters import PLAIN_FIELDS

# Where nothing else is said: a fixed Monday, so that the same document is the same sweep tomorrow.
DEFAULT_START = datetime(2024, 1, 1, tzinfo=UTC)
MOST_LINEAR_POINTS = 1_000_000

PLAIN_MEASURES: Mapping[str, Measure] = {
    each.__name__: each
    for each in (
        measures.terminal_price,
        measures.total_return,
        measures.average_price,
        measures.realised_volatility,
        measures.max_drawdown,
    )
}
MEASURES_WITH_TERMS: Mapping[str, Callable[..., Measure]] = {
    each.__name__: each
    for each in (
        measures.touch_probability,
        measures.call_payoff,
        measures.put_payoff,
        measures.short_strangle,
        measures.short_straddle,
        measures.iron_condor,
        measures.short_put,
        measures.long_put,
        measures.long_call,
    )
}
STRATEGY_TERMS = ("days", "roll", "hedge", "fill", "label")

_SCHEDULE = ("timezone", "calendar", "expiration_time", "schedules")
_BASE_REQUIRED = ("symbol", "steps", "initial_price", "volatility", "method")
_PLAIN = ("paths", "seed", "sampling", "quantiles", "tail", "covariances", "keep")
_KNOWN = ("base", "measures", "grid", "scenarios", "design", "shocks", "control", *_PLAIN)


def sweep_from_wire(wire: object, *, most_scenarios: int = MOST_SCENARIOS) -> Sweep:
    """Read a sweep, whose scenarios are counted before they are looked at.

    ::

        base: {symbol: SPX, steps: 64, initial_price: 5000, days_to_expiration: 90, volatility: 0.2, seed: 7,
               method: {GeometricBrownian: {dt: 0.00274, drift: 0.03, volatility: 0.2}}}
        grid:
          volatility: {from: 0.1, to: 0.6, points: 50}
          method.drift: [0, 0.05]
        measures: [terminal_price, {short_strangle: {delta: 0.16, days: 30}}]
        paths: 10000

    Instead of a grid, ``scenarios`` is a list of mappings, and ``design`` is
    ``{bounds: {name: [low, high]}, points, kind, seed}``. Other keys are as in `Sweep`; ``control`` may be
    ``terminal_price``.

    Raises:
        InvalidInput: Something is missing, unknown or out of range; the error names it.
    """
    document = _mapping("", wire)
    _refuse_unknown("", document, _KNOWN)
    options: dict[str, Any] = {name: document[name] for name in _PLAIN if document.get(name) is not None}
    if document.get("control") is not None:
        if document["control"] != "terminal_price":
            raise InvalidInput("control", "must be terminal_price")
        options["control"] = TERMINAL_PRICE
    if document.get("grid") is not None:
        grid = _mapping("grid", document["grid"])
        options["grid"] = {name: _axis(name, values) for name, values in grid.items()}
    if document.get("scenarios") is not None:
        options["scenarios"] = [_row(index, row) for index, row in enumerate(_list("scenarios", document))]
    if document.get("design") is not None:
        if "scenarios" in options:
            raise InvalidInput("design", "give either a design or scenarios")
        options["scenarios"] = _design(document["design"])
    if document.get("shocks") is not None:
        options["shocks"] = [_shock(index, each) for index, each in enumerate(_list("shocks", document))]
    _check_size(options, most_scenarios)
    if "measures" not in document:
        raise InvalidInput("measures", "is required")
    chosen = [
        measure_from_wire(each, f"measures[{index}]")
        for index, each in enumerate(_list("measures", document))
    ]
    return Sweep(base=_base(document.get("base")), measures=chosen, **options)


def _check_size(options: Mapping[str, Any], most: int) -> None:
    """Refuse too many scenarios."""
    of_grid = math.prod(len(axis) for axis in options.get("grid", {}).values())
    rows = len(options["scenarios"]) if "scenarios" in options else of_grid
    if rows * max(len(options.get("shocks", ())), 1) > most:
        field = "scenarios" if "scenarios" in options else "grid"
        raise InvalidInput(field, f"has more than {most:,} scenarios")


def measure_from_wire(wire: object, field: str) -> Measure:
    """Read ``"terminal_price"`` or ``{"short_strangle": {"delta": 0.16}}``.

    Raises:
        InvalidInput: It is no known measure, or its terms are wrong.
    """
    name, terms = (wire, {}) if isinstance(wire, str) else _single(field, wire)
    if name in PLAIN_MEASURES and not terms:
        return PLAIN_MEASURES[name]
    if name not in MEASURES_WITH_TERMS:
        known = [*PLAIN_MEASURES, *MEASURES_WITH_TERMS]
        raise InvalidInput(field, f"unknown measure {name!r}: one of {', '.join(known)}")
    make, path = MEASURES_WITH_TERMS[name], f"{field}.{name}"
    given = _mapping(path, terms)
    _refuse_unknown(path, given, terms_of(make))
    try:
        return make(**given)
    except InvalidInput as error:
        raise error.under(path) from None
    except TypeError as error:
        raise InvalidInput(path, f"has wrong terms: {error}") from None


def terms_of(make: Callable[..., Measure]) -> list[str]:
    """The terms that a named measure has."""
    names = list(inspect.signature(make).parameters)
    return [name for name in names if name != "terms"] + (list(STRATEGY_TERMS) if "terms" in names else [])


def _base(wire: object) -> SimulationParameters:
    base = _mapping("base", wire)
    known = (*PLAIN_FIELDS, *_SCHEDULE, "method", "time_frame", "days_to_expiration", "start_at")
    _refuse_unknown("base", base, known)
    try:
        for name in _BASE_REQUIRED:
            if base.get(name) is None:
                raise InvalidInput(name, "is required")
        values = {name: base[name] for name in PLAIN_FIELDS if base.get(name) is not None}
        start_at = base.get("start_at")
        return SimulationParameters(
            **({"seed": 0} | values),
            method=model_from_wire(base["method"]),
            expirations=_expirations(base),
            start_at=DEFAULT_START if start_at is None else instant_from_wire("start_at", start_at),
            time_frame=TimeFrame.from_wire(base.get("time_frame") or "Day"),
        )
    except InvalidInput as error:
        raise error.under("base") from None


def _expirations(base: Mapping[str, Any]) -> Any:
    if base.get("schedules") is None:
        if base.get("days_to_expiration") is None:
            raise InvalidInput("days_to_expiration", "is required, or schedules")
        return SingleExpiration(base["days_to_expiration"])
    return schedule_from_wire({name: base[name] for name in _SCHEDULE if name in base})


def _axis(name: str, values: object) -> Sequence[Any]:
    if isinstance(values, Mapping):
        _refuse_unknown(f"grid.{name}", values, ("from", "to", "points"))
        points = whole(f"grid.{name}.points", values.get("points"), low=1, high=MOST_LINEAR_POINTS)
        low, high = (finite(f"grid.{name}.{end}", values.get(end)) for end in ("from", "to"))
        linear: list[float] = np.linspace(low, high, points).tolist()
        return linear
    if not isinstance(values, list):
        raise InvalidInput(f"grid.{name}", "must be a list of values, or {from, to, points}")
    return [_value(name, value, f"grid.{name}[{index}]") for index, value in enumerate(values)]


def _row(index: int, row: object) -> Mapping[str, Any]:
    path = f"scenarios[{index}]"
    return {name: _value(name, value, f"{path}.{name}") for name, value in _mapping(path, row).items()}


def _value(name: str, value: Any, field: str) -> Any:
    match name:
        case "method":
            return model_from_wire(value, field)
        case "time_frame":
            return TimeFrame.from_wire(value, field)
        case "start_at":
            return instant_from_wire(field, value)
    return value


def _design(wire: object) -> list[dict[str, float]]:
    given = _mapping("design", wire)
    _refuse_unknown("design", given, ("bounds", "points", "kind", "seed"))
    bounds = _mapping("design.bounds", given.get("bounds"))
    for name, pair in bounds.items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise InvalidInput(f"design.bounds.{name}", "must be a list of a lowest and a highest value")
    options = {name: given[name] for name in ("kind", "seed") if name in given}
    try:
        return design({name: tuple(pair) for name, pair in bounds.items()}, given.get("points"), **options)  # type: ignore[arg-type]
    except InvalidInput as error:
        raise error.under("design") from None


def _shock(index: int, wire: object) -> Shock:
    path = f"shocks[{index}]"
    given = _mapping(path, wire)
    _refuse_unknown(path, given, ("name", "spot", "volatility", "rates"))
    try:
        return Shock(**({"name": ""} | dict(given)))
    except InvalidInput as error:
        raise error.under(path) from None


def _mapping(field: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidInput(field or "sweep", "must be an object with named values")
    return value


def _list(field: str, document: Mapping[str, Any]) -> list[Any]:
    value = document[field]
    if not isinstance(value, list):
        raise InvalidInput(field, "must be a list")
    return value


def _single(field: str, wire: object) -> tuple[str, Any]:
    if not isinstance(wire, Mapping) or len(wire) != 1:
        raise InvalidInput(field, "must be a name, or an object with one key, the name")
    ((name, terms),) = wire.items()
    return name, {} if terms is None else terms


def _refuse_unknown(field: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            meant = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
            hint = f": did you mean {meant[0]}?" if meant else ""
            raise InvalidInput(f"{field}.{name}" if field else str(name), f"is not a known key{hint}")
