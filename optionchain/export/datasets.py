"""The three datasets of a simulation as Arrow record batches, one row a step or one row a contract."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, assert_never

import numpy as np
import pyarrow as pa

from optionchain.chains import COLUMNS
from optionchain.chains.block import ChainBlock
from optionchain.export.blocks import Simulated, StepBlock, chain_blocks, step_blocks

_INSTANT = pa.timestamp("us", tz="UTC")
_STEPS = [
    pa.field("step", pa.int32(), metadata={"unit": "index from 0"}),
    pa.field("simulated_at", _INSTANT, metadata={"unit": "instant"}),
    pa.field("symbol", pa.string(), metadata={"unit": "name"}),
]
_EXPORTED = tuple(column for column in COLUMNS if column.exported)


def _number(name: str, unit: str) -> pa.Field:
    return pa.field(name, pa.float64(), metadata={"unit": unit})


class Dataset(StrEnum):
    """What is exported."""

    UNDERLYING = "underlying"
    """The price at each step."""
    VOLATILITY = "volatility"
    """The volatility that prices each step's chains at the money."""
    OPTION_CHAINS = "option_chains"
    """Every strike of every expiration at each step, with its call and its put."""

    @property
    def schema(self) -> pa.Schema:
        """The columns, each with its unit in the metadata."""
        return _SCHEMAS[self]

    def record_batches(self, simulation: Simulated, steps: range, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of consecutive steps, in order of step, expiration and strike.

        Args:
            simulation: With its path computed.
            steps: Consecutive steps of it.
            rows: Of a batch, about; a step is never divided. With the same number the batches are the same.

        Raises:
            InvalidInput: The parameters lead a chain out of range.
        """
        match self:
            case Dataset.UNDERLYING:
                for block in step_blocks(simulation, steps, rows):
                    yield self._batch([*_step_columns(block), block.prices])
            case Dataset.VOLATILITY:
                for block in step_blocks(simulation, steps, rows):
                    yield self._batch([*_step_columns(block), block.volatilities])
            case Dataset.OPTION_CHAINS:
                for block, chains in chain_blocks(simulation, steps, rows):
                    yield self._batch(_contract_columns(block, chains))
            case _:
                assert_never(self)

    def _batch(self, columns: list[Any]) -> pa.RecordBatch:
        schema = self.schema
        arrays = [
            column if isinstance(column, pa.Array) else pa.array(column, field.type)
            for column, field in zip(columns, schema, strict=True)
        ]
        return pa.record_batch(arrays, schema=schema)


_SCHEMAS = {
    Dataset.UNDERLYING: pa.schema([*_STEPS, _number("price", "currency")]),
    Dataset.VOLATILITY: pa.schema([*_STEPS, _number("base_volatility", "per year")]),
    Dataset.OPTION_CHAINS: pa.schema(
        [
            *_STEPS,
            pa.field("expires_at", _INSTANT, metadata={"unit": "instant"}),
            pa.field("labels", pa.string(), metadata={"unit": "ids of rules, joined by |"}),
            _number("days_to_expiration", "days of 24 hours"),
            *(_number(column.full_label, column.unit) for column in _EXPORTED),
        ]
    ),
}


def _step_columns(block: StepBlock) -> list[Any]:
    symbol = pa.repeat(block.simulation.parameters.symbol, len(block.steps))
    return [np.arange(block.steps.start, block.steps.stop), block.simulated_at, symbol]


def _contract_columns(block: StepBlock, chains: ChainBlock) -> list[Any]:
    listing = chains.listing
    return [
        chains.per_step(np.arange(block.steps.start, block.steps.stop, dtype=np.int32)),
        chains.per_step(block.simulated_at),
        pa.repeat(block.simulation.parameters.symbol, chains.strikes.size),
        chains.per_listed(listing.expires_at),
        pa.array(listing.names).take(pa.array(chains.per_listed(listing.labels))),
        chains.per_listed(chains.days_to_expiration),
        *(column.of(chains) for column in _EXPORTED),
    ]
