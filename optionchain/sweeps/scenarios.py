"""The scenarios of a sweep, by number: none is made before it is asked for, so there may be any number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from optionchain.errors import InvalidInput
from optionchain.parameters import SimulationParameters
from optionchain.sweeps.changes import Shock, changed, check_name, check_value, plain

MOST_SCENARIOS = 10_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Every combination of the values of some parameters; the last parameter changes fastest.

    Attributes:
        axes: The values of each parameter.
    """

    axes: Mapping[str, tuple[Any, ...]]

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.axes.values())

    def changes(self, index: int) -> dict[str, Any]:
        """What a combination changes."""
        chosen: dict[str, Any] = {}
        for name in reversed(tuple(self.axes)):
            index, position = divmod(index, len(self.axes[name]))
            chosen[name] = self.axes[name][position]
        return {name: chosen[name] for name in self.axes}

    def names(self) -> tuple[str, ...]:
        """What varies."""
        return tuple(self.axes)


@dataclass(frozen=True, slots=True)
class Listed:
    """Given combinations.

    Attributes:
        rows: What each changes.
    """

    rows: tuple[Mapping[str, Any], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def changes(self, index: int) -> dict[str, Any]:
        """What a combination changes."""
        return dict(self.rows[index])

    def names(self) -> tuple[str, ...]:
        """What varies."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Combinations, each under every shock.

    Attributes:
        base: What they change.
        seed: Of every scenario that does not set its own: common random numbers.
        combinations: What they change.
        shocks: Empty for none.
    """

    base: SimulationParameters
    seed: int
    combinations: Grid | Listed
    shocks: tuple[Shock, ...]

    def __len__(self) -> int:
        return len(self.combinations) * max(len(self.shocks), 1)

    def changes(self, index: int) -> dict[str, Any]:
        """What a scenario changes, by name."""
        return self.combinations.changes(index // max(len(self.shocks), 1))

    def shock(self, index: int) -> Shock | None:
        """The shock of a scenario."""
        return self.shocks[index % len(self.shocks)] if self.shocks else None

    def parameters(self, index: int) -> SimulationParameters:
        """The parameters of a scenario.

        Raises:
            InvalidInput: Values that are allowed alone are not together.
        """
        parameters = changed(self.base, {"seed": self.seed} | self.changes(index))
        shock = self.shock(index)
        return parameters if shock is None else shock.applied(parameters)

    def seed_of(self, index: int) -> int:
        """The seed of a scenario, which needs no valid parameters."""
        return int(self.changes(index).get("seed", self.seed))


def checked_grid(base: SimulationParameters, grid: Mapping[str, Any]) -> Grid:
    """A grid whose names are known and whose values are each allowed.

    Raises:
        InvalidInput: A name is unknown, a list is empty, or a value is out of range.
    """
    for name, values in grid.items():
        _check_axis(base, name, values)
    # Counted before anything is made of them.
    if math.prod(len(values) for values in grid.values() if isinstance(values, Sized)) > MOST_SCENARIOS:
        raise _too_many()
    made = Grid({name: _axis(base, name, values) for name, values in grid.items()})
    if len(made) > MOST_SCENARIOS:
        raise _too_many()
    return made


def checked_list(base: SimulationParameters, rows: Sequence[Mapping[str, Any]]) -> Listed:
    """Given combinations, each of them allowed.

    Raises:
        InvalidInput: There are none, a name is unknown, or a value is out of range.
    """
    if not rows:
        raise InvalidInput("scenarios", "must not be empty")
    if len(rows) > MOST_SCENARIOS:
        raise InvalidInput("scenarios", f"has more than {MOST_SCENARIOS:,} rows")
    return Listed(tuple(_row(base, index, row) for index, row in enumerate(rows)))


def _too_many() -> InvalidInput:
    return InvalidInput("grid", f"has more than {MOST_SCENARIOS:,} combinations")


def _check_axis(base: SimulationParameters, name: str, values: Any) -> None:
    try:
        check_name(name, base)
    except InvalidInput as error:
        raise error.under("grid") from None
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise InvalidInput(f"grid.{name}", "must be a list of values")


def _axis(base: SimulationParameters, name: str, values: Any) -> tuple[Any, ...]:
    axis = tuple(plain(value) for value in values)
    if not axis:
        raise InvalidInput(f"grid.{name}", "must not be empty")
    for index in _telling(axis):
        try:
            check_value(name, axis[index], base)
        except InvalidInput as error:
            raise InvalidInput(f"grid.{name}[{index}]", error.reason) from None
    return axis


def _telling(axis: tuple[Any, ...]) -> Iterable[int]:
    """Which values of an axis tell whether all are allowed: of numbers, the lowest and the highest.

    The numbers that a parameter may have are an interval of whole ones or of all.
    """
    kinds = {type(value) for value in axis}
    if kinds == {int} or (kinds == {float} and all(map(math.isfinite, axis))):
        return sorted({axis.index(min(axis)), axis.index(max(axis))})
    return range(len(axis))


def _row(base: SimulationParameters, index: int, row: Any) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise InvalidInput(f"scenarios[{index}]", "must be a mapping from parameters to values")
    try:
        changes = {check_name(name, base): plain(value) for name, value in row.items()}
    except InvalidInput as error:
        raise error.under(f"scenarios[{index}]") from None
    try:
        changed(base, changes)
    except InvalidInput as error:
        raise error.under(f"scenarios[{index}]") from None
    except (TypeError, AttributeError):
        raise InvalidInput(f"scenarios[{index}]", "has a value that its parameter cannot have") from None
    return changes
