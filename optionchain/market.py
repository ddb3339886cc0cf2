"""A market of several underlyings: what each of the others has of its own, beside the clock and the rates of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

from optionchain.correlation import (
    Matrix,
    checked_correlations,
    nearest_correlations,
    of_common_factors,
    weights_of,
)
from optionchain.declared.fields import Choice, Number, Omission, Parameter, declared
from optionchain.errors import InvalidInput
from optionchain.models.model import MarketModel
from optionchain.models.recorded import Recorded
from optionchain.models.wire import model_from_wire, model_to_wire
from optionchain.time_frame import YEAR

# `SimulationParameters`, which imports this module and so cannot be named here.
Parameters: TypeAlias = Any

MOST_UNDERLYINGS = 32
# What all underlyings share: one clock, one seed, one currency, one money market.
SHARED = frozenset(
    {"steps", "seed", "path", "risk_free_rate", "rate_curve", "currency", "annual_days"}
    | {"closed_day_weight", "night_weight"}
    | {"underlyings", "correlations", "common_factors", "correlation_repair"}
)
_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Underlying:
    """One that is simulated beside the first.

    Attributes:
        method: Its market model.
        own: Its parameters by name, in JSON values, among them `symbol`, `initial_price` and `volatility`; what is
            not here is the first's.
    """

    method: MarketModel
    own: tuple[tuple[str, Any], ...]

    @property
    def symbol(self) -> str:
        """Its name."""
        return str(dict(self.own)["symbol"])

    def values(self) -> dict[str, Any]:
        """What it changes of the first's parameters."""
        return {**dict(self.own), "method": self.method}


class UnderlyingsParameter(Parameter):
    """The underlyings beside the first."""

    about = "Further underlyings on the same clock: symbol, initial_price, method, and what differs from the first"

    def check(self, field: str, value: object) -> tuple[Any, ...]:
        """Objects, or what was made of them before; the parameters as a whole say whether each is allowed."""
        if not isinstance(value, list | tuple) or not 1 <= len(value) < MOST_UNDERLYINGS:
            raise InvalidInput(field, f"must be a list of 1 to {MOST_UNDERLYINGS - 1} underlyings")
        return tuple(
            each if isinstance(each, Underlying) else _given(f"{field}[{index}]", each)
            for index, each in enumerate(value)
        )

    def to_wire(self, value: tuple[Underlying | Mapping[str, Any], ...]) -> list[dict[str, Any]]:
        return [_to_wire(each) for each in value]

    def schema(self) -> dict[str, Any]:
        fields = {
            "symbol": {"type": "string"},
            "initial_price": {"type": "number", "exclusiveMinimum": 0.0},
            "volatility": {"type": ["number", "null"]},
            "method": {"type": "object"},
        }
        item = {"type": "object", "properties": fields, "required": ["symbol", "initial_price", "method"]}
        return {"type": "array", "items": item, "maxItems": MOST_UNDERLYINGS - 1, "description": self.about}


class MatrixParameter(Parameter):
    """Rows of numbers from -1 to 1.

    Args:
        about: Meaning, for the schema.
    """

    _number = Number("", low=-1.0, high=1.0)

    def __init__(self, about: str) -> None:
        self.about = about

    def check(self, field: str, value: object) -> Matrix:
        if not _are_rows(value):
            raise InvalidInput(field, f"must be a list of at most {MOST_UNDERLYINGS} rows of numbers")
        rows: Any = value
        return tuple(
            tuple(
                self._number.check(f"{field}[{row}][{column}]", each) for column, each in enumerate(numbers)
            )
            for row, numbers in enumerate(rows)
        )

    def to_wire(self, value: Matrix) -> list[list[float]]:
        return [list(row) for row in value]

    def schema(self) -> dict[str, Any]:
        number = {"type": "number", "minimum": -1.0, "maximum": 1.0}
        row = {"type": "array", "items": number, "minItems": 1, "maxItems": MOST_UNDERLYINGS}
        return {"type": "array", "items": row, "maxItems": MOST_UNDERLYINGS, "description": self.about}


_SILENT = Omission("means none", is_silent=True)
UnderlyingsTerm: TypeAlias = Annotated[tuple[Underlying, ...] | None, UnderlyingsParameter(), _SILENT]
CorrelationsTerm: TypeAlias = Annotated[
    Matrix | None,
    MatrixParameter("Correlations of the moves of all underlyings, the first before the others"),
    _SILENT,
]
CommonFactorsTerm: TypeAlias = Annotated[
    Matrix | None,
    MatrixParameter("Instead of correlations: of each underlying, those with some common factors"),
    _SILENT,
]
RepairTerm: TypeAlias = Annotated[
    str | None,
    Choice("What becomes of correlations that no prices can have: refused, or the nearest", ("nearest",)),
    Omission("means refused", is_silent=True),
]


def others_of(parameters: Parameters) -> tuple[Any, ...]:
    """The parameters of the underlyings beside the first, each as if it were alone."""
    alone = {"underlyings": None, "correlations": None}
    return tuple(replace(parameters, **alone, **each.values()) for each in parameters.underlyings or ())


def price_weights_of(parameters: Parameters) -> Matrix:
    """Of each underlying, the first before the others, the weights of independent normals that move its price."""
    return weights_of(parameters.correlations)


def settle_market(parameters: Parameters) -> None:
    """Check the other underlyings and how they move together, and keep their normal form.

    Of what correlations were made from, nothing is kept.

    Raises:
        InvalidInput: A value is out of range, two have one symbol, or no prices can have these correlations.
    """
    if parameters.underlyings is None:
        for name in ("correlations", "common_factors", "correlation_repair"):
            if getattr(parameters, name) is not None:
                raise InvalidInput(name, "is of several underlyings: give underlyings")
        return
    if isinstance(parameters.method, Recorded):
        raise InvalidInput("underlyings", "cannot stand beside recorded days")
    kind: Any = type(parameters)
    known, step_years = declared(kind), parameters.interval / YEAR
    settled = tuple(
        each if isinstance(each, Underlying) else _settled(f"underlyings[{index}]", each, known, step_years)
        for index, each in enumerate(parameters.underlyings)
    )
    found = {"underlyings": settled, "correlations": _correlations(parameters, 1 + len(settled))}
    for name, value in (found | {"common_factors": None, "correlation_repair": None}).items():
        object.__setattr__(parameters, name, value)
    symbols = [parameters.symbol, *(each.symbol for each in settled)]
    for index, each in enumerate(settled):
        try:
            _ = replace(parameters, underlyings=None, correlations=None, **each.values())
            if symbols.count(each.symbol) > 1:
                raise InvalidInput("symbol", f"{each.symbol} is that of another underlying")
        except InvalidInput as error:
            raise error.under(f"underlyings[{index}]") from None


def _correlations(parameters: Parameters, size: int) -> Matrix:
    if parameters.correlations is not None and parameters.common_factors is not None:
        raise InvalidInput("common_factors", "give either them or correlations")
    if parameters.common_factors is not None:
        return of_common_factors(parameters.common_factors, size)
    if parameters.correlations is None:
        return tuple(tuple(float(row == column) for column in range(size)) for row in range(size))
    repaired = nearest_correlations if parameters.correlation_repair else checked_correlations
    return repaired(parameters.correlations, size)


def _settled(field: str, given: Mapping[str, Any], known: Mapping[str, Any], step_years: float) -> Underlying:
    own = {name: value for name, value in given.items() if name != "method" and value is not None}
    for name in own:
        if name in SHARED:
            raise InvalidInput(f"{field}.{name}", "is the same for all underlyings: leave it out")
        if name not in known:
            raise InvalidInput(f"{field}.{name[:64]}", "is no parameter of an underlying")
    for name in ("symbol", "initial_price", "method"):
        if given.get(name) is None:
            raise InvalidInput(f"{field}.{name}", "is required")
    method = given["method"]
    if isinstance(method, Mapping):
        method = model_from_wire(method, f"{field}.method", step_years=step_years)
    volatility = getattr(method, "volatility", None)
    if own.setdefault("volatility", volatility) is None:
        raise InvalidInput(f"{field}.volatility", "is required: the method has none")
    if volatility is not None and own["volatility"] != volatility:
        raise InvalidInput(f"{field}.volatility", f"must equal that of the method, {volatility}")
    return Underlying(method=method, own=tuple(own.items()))


def _to_wire(each: Underlying | Mapping[str, Any]) -> dict[str, Any]:
    """An underlying in JSON values; one that was checked by itself, and by no other parameters yet, is in them."""
    wire = {**dict(each.own), "method": each.method} if isinstance(each, Underlying) else dict(each)
    if isinstance(wire.get("method"), MarketModel):
        wire["method"] = model_to_wire(wire["method"])
    return wire


def _given(field: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(field, "must be an object")
    for name, each in value.items():
        if name != "method" and not _is_plain(each):
            raise InvalidInput(f"{field}.{name}", "must be what JSON has")
    return dict(value)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_plain(each) for name, each in value.items())
    return isinstance(value, _PLAIN) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _are_rows(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and 1 <= len(value) <= MOST_UNDERLYINGS
        and all(isinstance(row, list | tuple) and 1 <= len(row) <= MOST_UNDERLYINGS for row in value)
    )
