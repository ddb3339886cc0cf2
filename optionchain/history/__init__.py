"""What was quoted and traded: chains and prices of the past, and what history answers."""

from optionchain.history.bars import PriceSeries
from optionchain.history.chains import DateRange, HistoricalChain

__all__ = ["DateRange", "HistoricalChain", "PriceSeries"]
