"""What a column of contracts is: its place among the kernel's rows, its unit, and where it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias, overload

from optionchain.arrays import Floats

GreekSet: TypeAlias = Literal["none", "first", "all"]
"""Which greeks a rendering shows beside delta and gamma: no others, those of the first order, or of the second too."""

Side: TypeAlias = Literal["call", "put"]
SIDES: tuple[Side, ...] = ("call", "put")

GREEK_SETS: tuple[GreekSet, ...] = ("none", "first", "all")


class Column:
    """A number that every contract has, an attribute of a chain.

    Args:
        label: What JSON and tables of one row a side call it.
        unit: In words.
        side: Whose number it is; None where it is that of both.
        greeks: The smallest set of greeks that shows it; None where it is no greek. What ``none`` shows is shown
            always, the others in a block of each side.
        is_partial: Whether it is not defined for some contracts, for which it is NaN.

    Attributes:
        name: The attribute of a chain that has it.
    """

    def __init__(
        self,
        label: str,
        unit: str,
        *,
        side: Side | None = None,
        greeks: GreekSet | None = None,
        is_partial: bool = False,
    ) -> None:
        self.name = ""
        self.label = label
        self.unit = unit
        self.side = side
        self.greeks = greeks
        self.is_partial = is_partial

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def full_label(self) -> str:
        """What a table of one row a strike calls it: ``call_bid``."""
        return self.label if self.side is None else f"{self.side}_{self.label}"

    @property
    def is_greek(self) -> bool:
        """Whether it is a derivative of the price."""
        return self.greeks is not None

    @property
    def is_always_shown(self) -> bool:
        """Whether every rendering has it."""
        return self.is_shown("none")

    def is_shown(self, greeks: GreekSet) -> bool:
        """Whether a rendering with these greeks has it."""
        return self.greeks is None or GREEK_SETS.index(self.greeks) <= GREEK_SETS.index(greeks)

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
        self.row = row
        self.american_row = row if american_row is None else american_row

    def row_of(self, contracts: Any) -> int:
        """Its place in the columns of these contracts."""
        return self.american_row if contracts.is_american else self.row

    @overload
    def __get__(self, contracts: None, owner: type) -> Self: ...
    @overload
    def __get__(self, contracts: object, owner: type) -> Floats: ...
    def __get__(self, contracts: Any, owner: type) -> Self | Floats:
        if contracts is None:
            return self
        numbers: Floats = contracts.columns[self.row_of(contracts)]
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
