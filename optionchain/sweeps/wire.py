"""A sweep as a JSON or YAML document: what the command line and the HTTP API read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from optionchain.declared.checks import finite, whole
from optionchain.errors import InvalidInput
from optionchain.expirations import schedule_from_wire
from optionchain.measures import TERMINAL_PRICE, Measure, is_profit, measure_name
from optionchain.measures.wire import measure_from_wire
from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.sweeps.changes import Shock, check_name
from optionchain.sweeps.definition import DEFAULT_QUANTILES, MOST_MEASURES, MOST_PATHS
from optionchain.sweeps.designs import MOST_POINTS, design
from optionchain.sweeps.reduction import Statistics
from optionchain.sweeps.scenarios import MOST_SCENARIOS
from optionchain.sweeps.sweep import Sweep
from optionchain.time_frame import TimeFrame
from optionchain.wire.documents import listed, named_values, refuse_unknown
from optionchain.wire.instants import instant_from_wire
from optionchain.wire.parameters import PLAIN_FIELDS

# Where nothing else is said: a fixed Monday, so that the same document is the same sweep tomorrow.
DEFAULT_START = datetime(2024, 1, 1, tzinfo=UTC)
MOST_LINEAR_POINTS = 1_000_000

_SCHEDULE = ("timezone", "calendar", "expiration_time", "schedules")
_BASE_REQUIRED = ("symbol", "steps", "initial_price", "volatility", "method")
_PLAIN = ("paths", "seed", "sampling", "quantiles", "tail", "covariances", "keep")
_KNOWN = ("base", "measures", "grid", "scenarios", "design", "shocks", "control", *_PLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large the sweep of a document may be.

    Attributes:
        scenarios: Of it.
        prices: Scenarios times paths times steps.
        numbers: Scenarios times columns of statistics.
    """

    scenarios: int = MOST_SCENARIOS
    prices: float = math.inf
    numbers: float = math.inf


def sweep_from_wire(wire: object, *, limits: Limits | None = None) -> Sweep:
    """Read a sweep. What it would be is named and counted first, so that a refused one costs no memory.

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
        InvalidInput: Something is missing, unknown, out of range or beyond the limits; the error names it.
    """
    document = named_values("", wire)
    refuse_unknown("", document, _KNOWN)
    options: dict[str, Any] = {name: document[name] for name in _PLAIN if document.get(name) is not None}
    if document.get("control") is not None:
        if document["control"] != "terminal_price":
            raise InvalidInput("control", "must be terminal_price")
        options["control"] = TERMINAL_PRICE
    if document.get("scenarios") is not None and document.get("design") is not None:
        raise InvalidInput("design", "give either a design or scenarios")
    if document.get("grid") is not None and (document.get("scenarios") or document.get("design")) is not None:
        raise InvalidInput("scenarios", "give either a grid or scenarios")
    base = base_from_wire(document.get("base"))
    if document.get("shocks") is not None:
        options["shocks"] = [_shock(index, each) for index, each in enumerate(listed("shocks", document))]
    field, scenarios = _counted(document, base)
    scenarios *= max(len(options.get("shocks", ())), 1)
    limits = limits or Limits()
    if scenarios > limits.scenarios:
        raise InvalidInput(field, f"has more than {limits.scenarios:,} scenarios")
    paths = whole("paths", options.get("paths", 1), low=1, high=MOST_PATHS)
    if scenarios * paths * base.total_steps > limits.prices:
        raise InvalidInput("paths", f"scenarios times paths times steps must be at most {limits.prices:g}")
    options["measures"] = _measures(document)
    if scenarios * _count_of_statistics(options) > limits.numbers:
        raise InvalidInput("measures", f"scenarios times statistics must be at most {limits.numbers:,}")
    return Sweep(base=base, **_varied(document), **options)


def _counted(document: Mapping[str, Any], base: SimulationParameters) -> tuple[str, int]:
    """How many combinations there will be, and the key that says so; the names are known, no value is made."""
    count = 1
    if document.get("grid") is not None:
        for name, values in named_values("grid", document["grid"]).items():
            _check_names("grid", (name,), base)
            count *= _axis_length(name, values)
    if document.get("scenarios") is not None:
        return "scenarios", len(listed("scenarios", document))
    if document.get("design") is not None:
        given = named_values("design", document["design"])
        _check_names("design.bounds", named_values("design.bounds", given.get("bounds")), base)
        return "scenarios", whole("design.points", given.get("points"), low=1, high=MOST_POINTS)
    return "grid", count


def _count_of_statistics(options: Mapping[str, Any]) -> int:
    """The columns of a row; what is no list of quantiles is refused later."""
    quantiles = options.get("quantiles", DEFAULT_QUANTILES)
    return Statistics(
        measures=tuple(map(measure_name, options["measures"])),
        profits=tuple(map(is_profit, options["measures"])),
        quantiles=tuple(quantiles) if isinstance(quantiles, list | tuple) else (),
        tail=0.05,
        has_control="control" in options,
        has_covariances=bool(options.get("covariances")),
    ).count


def _varied(document: Mapping[str, Any]) -> dict[str, Any]:
    varied: dict[str, Any] = {}
    if document.get("grid") is not None:
        varied["grid"] = {name: _axis(name, values) for name, values in document["grid"].items()}
    if document.get("scenarios") is not None:
        varied["scenarios"] = [_row(index, row) for index, row in enumerate(document["scenarios"])]
    if document.get("design") is not None:
        varied["scenarios"] = _design(document["design"])
    return varied


def _measures(document: Mapping[str, Any]) -> list[Measure]:
    if "measures" not in document:
        raise InvalidInput("measures", "is required")
    described = listed("measures", document)
    if len(described) > MOST_MEASURES:
        raise InvalidInput("measures", f"must be at most {MOST_MEASURES:,}")
    return [measure_from_wire(each, f"measures[{index}]") for index, each in enumerate(described)]


def base_from_wire(wire: object) -> SimulationParameters:
    """The parameters that a sweep varies: as of a v1 session, or with ``schedules`` as of a v2 simulation.

    Raises:
        InvalidInput: ``base`` and below.
    """
    base = named_values("base", wire)
    known = (*PLAIN_FIELDS, *_SCHEDULE, "method", "time_frame", "days_to_expiration", "start_at")
    refuse_unknown("base", base, known)
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


def _check_names(field: str, names: Iterable[str], base: SimulationParameters) -> None:
    for name in names:
        try:
            check_name(name, base)
        except InvalidInput as error:
            raise error.under(field) from None


def _axis_length(name: str, values: object) -> int:
    if isinstance(values, Mapping):
        refuse_unknown(f"grid.{name}", values, ("from", "to", "points"))
        return whole(f"grid.{name}.points", values.get("points"), low=1, high=MOST_LINEAR_POINTS)
    if not isinstance(values, list):
        raise InvalidInput(f"grid.{name}", "must be a list of values, or {from, to, points}")
    if not values:
        raise InvalidInput(f"grid.{name}", "must not be empty")
    return len(values)


def _axis(name: str, values: Mapping[str, Any] | list[Any]) -> Sequence[Any]:
    if isinstance(values, Mapping):
        low, high = (finite(f"grid.{name}.{end}", values.get(end)) for end in ("from", "to"))
        linear: list[float] = np.linspace(low, high, values["points"]).tolist()
        return linear
    return [_value(name, value, f"grid.{name}[{index}]") for index, value in enumerate(values)]


def _row(index: int, row: object) -> Mapping[str, Any]:
    path = f"scenarios[{index}]"
    return {name: _value(name, value, f"{path}.{name}") for name, value in named_values(path, row).items()}


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
    given = named_values("design", wire)
    refuse_unknown("design", given, ("bounds", "points", "kind", "seed"))
    bounds = named_values("design.bounds", given.get("bounds"))
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
    given = named_values(path, wire)
    refuse_unknown(path, given, ("name", "spot", "volatility", "rates"))
    try:
        return Shock(**({"name": ""} | dict(given)))
    except InvalidInput as error:
        raise error.under(path) from None
