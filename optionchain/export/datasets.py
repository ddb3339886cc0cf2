"""The three datasets of a simulation as Arrow record batches, one row a step or one row a contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Any, assert_never

import numpy as np
import pyarrow as pa

from optionchain.chains.block import ChainBlock
from optionchain.chains.columns import SIDES, Column, GreekSet
from optionchain.chains.contracts import COLUMNS, greek_labels, of_side
from optionchain.export.blocks import Simulated, StepBlock, chain_blocks, step_blocks
from optionchain.export.series import SERIES, Series

_INSTANT = pa.timestamp("us", tz="UTC")
_STEPS = [
    pa.field("step", pa.int32(), metadata={"unit": "index from 0"}),
    pa.field("simulated_at", _INSTANT, metadata={"unit": "instant"}),
    pa.field("symbol", pa.string(), metadata={"unit": "name"}),
]


def _number(name: str, unit: str) -> pa.Field:
    return pa.field(name, pa.float64(), metadata={"unit": unit})


@cache
def _exported(greeks: GreekSet) -> dict[str, Column]:
    """The numbers of a contract by the names of their columns: those with more greeks begin with those with fewer.

    Of what a larger set adds, every number is there for the call and for the put, also where it is the same, and gamma
    with those of the second order.
    """
    columns = {column.full_label: column for column in COLUMNS if column.is_always_shown}
    first = greek_labels("first") if greeks != "none" else ()
    second = ("gamma", *greek_labels("all")) if greeks == "all" else ()
    for label, side in product(first + second, SIDES):
        column = of_side(label, side)
        if column is not None:
            columns[f"{side}_{label}"] = column
    return columns


class Dataset(StrEnum):
    """What is exported."""

    UNDERLYING = "underlying"
    """The price at each step."""
    VOLATILITY = "volatility"
    """The volatility that prices each step's chains at the money."""
    OPTION_CHAINS = "option_chains"
    """Every strike of every expiration at each step, with its call and its put."""

    def schema(self, greeks: GreekSet = "none", series: Sequence[str] = ()) -> pa.Schema:
        """The columns, each with its unit in the metadata.

        Args:
            greeks: Which greeks the option chains have beside delta and gamma.
            series: What they have beside the labels, as `Series.columns`.
        """
        if self is not Dataset.OPTION_CHAINS:
            return _SCHEMAS[self]
        numbers = (_number(name, column.unit) for name, column in _exported(greeks).items())
        return pa.schema([*_LISTED, *(SERIES[name] for name in series), _DAYS, *numbers])

    def record_batches(
        self, simulation: Simulated, steps: range, rows: int, greeks: GreekSet = "none"
    ) -> Iterator[pa.RecordBatch]:
        """The rows of consecutive steps, in order of step, expiration and strike; of several underlyings those of the
        first before those of the others.

        Args:
            simulation: With its path computed.
            steps: Consecutive steps of it.
            rows: Of a batch, about; a step is never divided. With the same number the batches are the same.
            greeks: Which greeks the option chains have beside delta and gamma.

        Raises:
            InvalidInput: The parameters lead a chain out of range.
        """
        for each in (simulation, *simulation.others):
            yield from self._batches(each, steps, rows, greeks)

    def _batches(
        self, simulation: Simulated, steps: range, rows: int, greeks: GreekSet
    ) -> Iterator[pa.RecordBatch]:
        """Those of one underlying."""
        series = Series.of(simulation.parameters)
        schema = self.schema(greeks, series.columns)
        match self:
            case Dataset.UNDERLYING:
                for block in step_blocks(simulation, steps, rows):
                    yield _batch([*_step_columns(block), block.prices], schema)
            case Dataset.VOLATILITY:
                for block in step_blocks(simulation, steps, rows):
                    yield _batch([*_step_columns(block), block.volatilities], schema)
            case Dataset.OPTION_CHAINS:
                for block, chains in chain_blocks(simulation, steps, rows):
                    yield _batch(_contract_columns(block, chains, greeks, series), schema)
            case _:
                assert_never(self)


def _batch(columns: list[Any], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


_SCHEMAS = {
    Dataset.UNDERLYING: pa.schema([*_STEPS, _number("price", "currency")]),
    Dataset.VOLATILITY: pa.schema([*_STEPS, _number("base_volatility", "per year")]),
}
_LISTED = [
    *_STEPS,
    pa.field("expires_at", _INSTANT, metadata={"unit": "instant"}),
    pa.field("labels", pa.string(), metadata={"unit": "ids of rules, joined by |"}),
]
_DAYS = _number("days_to_expiration", "days of 24 hours")


def _step_columns(block: StepBlock) -> list[Any]:
    symbol = pa.repeat(block.simulation.parameters.symbol, len(block.steps))
    return [np.arange(block.steps.start, block.steps.stop), block.simulated_at, symbol]


def _contract_columns(block: StepBlock, chains: ChainBlock, greeks: GreekSet, series: Series) -> list[Any]:
    listing = chains.listing
    return [
        chains.per_step(np.arange(block.steps.start, block.steps.stop, dtype=np.int32)),
        chains.per_step(block.simulated_at),
        pa.repeat(block.simulation.parameters.symbol, chains.strikes.size),
        chains.per_listed(listing.expires_at),
        pa.array(listing.names).take(pa.array(chains.per_listed(listing.labels))),
        *(
            column.take(pa.array(chains.per_listed(np.arange(listing.labels.size))))
            for column in series.of_listed(listing, chains.carried)
        ),
        chains.per_listed(chains.days_to_expiration),
        *(_numbers(column, chains) for column in _exported(greeks).values()),
    ]


def _numbers(column: Column, chains: ChainBlock) -> Any:
    numbers = column.of(chains)
    is_partial = column.is_partial or chains.is_american
    return pa.array(numbers, from_pandas=True) if is_partial else numbers
