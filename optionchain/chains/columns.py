"""What a column of contracts is: its place among the kernel's rows, its unit, and where it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias, overload

from optionchain.arrays import Floats

GreekSet: TypeAlias = Literal["none", "first", "all"]
"""Which greeks a rendering shows: none, delta and gamma, or these with theta, vega and rho."""

_SETS: tuple[GreekSet, ...] = ("none", "first", "all")


class Column:
    """A number that every contract has, an attribute of a chain.

    Args:
        label: What JSON and tables of one row a side call it.
        unit: In words.
        side: Whose number it is; None where it is that of both.
        greeks: The smallest set of greeks that it belongs to; ``none`` is always shown.
        beside: JSON shows it beside the two sides although it is that of one, rather than in the object of its side.
        exported: Whether an exported chain has it.
        american: JSON and exports show it only of contracts that can be exercised early: of others, what stands
            beside the two sides is enough.

    Attributes:
        name: The attribute of a chain that has it.
    """

    def __init__(
        self,
        label: str,
        unit: str,
        *,
        side: Literal["call", "put"] | None = None,
        greeks: GreekSet = "none",
        beside: bool = False,
        exported: bool = False,
        american: bool = False,
    ) -> None:
        self.name = ""
        self.label = label
        self.unit = unit
        self.side = side
        self.greeks = greeks
        self.exported = exported
        self.american = american
        self.json_side = None if beside else side

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def full_label(self) -> str:
        """What a table of one row a strike calls it: ``call_bid``."""
        return self.label if self.side is None else f"{self.side}_{self.label}"

    def is_shown(self, greeks: GreekSet) -> bool:
        """Whether a rendering with these greeks has it."""
        return _SETS.index(self.greeks) <= _SETS.index(greeks)

    def is_own(self, *, is_american: bool) -> bool:
        """Whether JSON and exports of such contracts show it."""
        return is_american or not self.american

    def of(self, contracts: Any) -> Floats:
        """The numbers of these contracts, computed if need be."""
        numbers = getattr(contracts, self.name)
        result: Floats = numbers() if callable(numbers) else numbers
        return result


class Stored(Column):
    """A column that the kernel fills.

    Args:
        row: Its place in the kernel's columns.
        american_row: Its place in those of American contracts, where it has another.
        label, unit, shown: As `Column` takes them.
    """

    def __init__(
        self, row: int, label: str, unit: str, *, american_row: int | None = None, **shown: Any
    ) -> None:
        super().__init__(label, unit, **shown)
        self._rows = (row, row if american_row is None else american_row)

    def row(self, *, is_american: bool) -> int:
        """Its place in the kernel's columns."""
        return self._rows[is_american]

    @overload
    def __get__(self, contracts: None, owner: type) -> Self: ...
    @overload
    def __get__(self, contracts: object, owner: type) -> Floats: ...
    def __get__(self, contracts: Any, owner: type) -> Self | Floats:
        if contracts is None:
            return self
        numbers: Floats = contracts.columns[self.row(is_american=contracts.is_american)]
        return numbers


class Derived(Column):
    """A column that follows from others and is computed when it is called for.

    Args:
        label, unit, shown: As `Column` takes them.
    """

    def __init__(self, label: str, unit: str, **shown: Any) -> None:
        super().__init__(label, unit, **shown)
        self._compute: Callable[[Any], Floats] | None = None

    def __call__(self, compute: Callable[[Any], Floats]) -> Self:
        """Decorate the method that computes it."""
        self._compute = compute
        self.__doc__ = compute.__doc__
        return self

    @overload
    def __get__(self, contracts: None, owner: type) -> Self: ...
    @overload
    def __get__(self, contracts: object, owner: type) -> Callable[[], Floats]: ...
    def __get__(self, contracts: Any, owner: type) -> Self | Callable[[], Floats]:
        if contracts is None:
            return self
        bound: Callable[[], Floats] = self._compute.__get__(contracts, owner)  # type: ignore[union-attr]
        return bound
