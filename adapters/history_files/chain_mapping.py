"""How a file of chains is read: its columns, how it writes dates and numbers, and in which units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from adapters.history_files.chain_names import SIDES
from adapters.history_files.presets import Preset
from optionchain.history.chains import QUOTE_FIELDS

NUMBERS = ("strike", "underlying_price", "underlying_bid", "underlying_ask")
DATES = {"day": "date", "expiration": "expiration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMapping:
    """How a file of chains is read.

    Attributes:
        preset: Its vendor's.
        columns: Of the file, by field.
        date_formats: Of `day` and `expiration`, where columns say them.
        scale: Factors, by field.
        in_underlying: The fields of prices in units of the underlying.
        day: The day of all rows, where the file has none.
        expiration: The same.
        underlying_price: Where the file has none.
        takes_closes: Where the file has no price of the underlying, it is the daily close that is stored.
        timezone: Of the close, at 16:00.
        decimal: The mark before a fraction.
    """

    preset: Preset
    columns: Mapping[str, str]
    date_formats: Mapping[str, str]
    scale: Mapping[str, float]
    in_underlying: tuple[str, ...] = ()
    day: date | None = None
    expiration: date | None = None
    underlying_price: float | None = None
    takes_closes: bool = False
    timezone: str = "UTC"
    decimal: str = "."

    @property
    def is_wide(self) -> bool:
        """Whether a row has a call and a put."""
        return is_wide(self.columns)

    @property
    def says_price(self) -> bool:
        """Whether the file has the underlying's price."""
        return any(name in self.columns for name in ("underlying_price", "underlying_bid"))

    @property
    def quotes(self) -> tuple[str, ...]:
        """The fields of quotes that a row has."""
        sides = tuple(f"{side}_" for side in SIDES) if self.is_wide else ("",)
        return tuple(side + name for side in sides for name in QUOTE_FIELDS)


def is_wide(columns: Mapping[str, str]) -> bool:
    """Whether a row has a call and a put."""
    return any(field.startswith("call_") for field in columns)
