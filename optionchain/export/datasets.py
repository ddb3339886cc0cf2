"""The three datasets of a simulation as Arrow record batches, one row a step or one row a contract."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import product
from typing import Any, assert_never

import numpy as np
import pyarrow as pa

from optionchain.chains import COLUMNS
from optionchain.chains.block import ChainBlock
from optionchain.chains.columns import Column
from optionchain.export.blocks import Simulated, StepBlock, chain_blocks, step_blocks
from optionchain.parameters import SimulationParameters

_INSTANT = pa.timestamp("us", tz="UTC")
_STEPS = [
    pa.field("step", pa.int32(), metadata={"unit": "index from 0"}),
    pa.field("simulated_at", _INSTANT, metadata={"unit": "instant"}),
    pa.field("symbol", pa.string(), metadata={"unit": "name"}),
]


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
        """The columns that every simulation has, each with its unit in the metadata."""
        return _SCHEMAS[self, False]

    def schema_of(self, parameters: SimulationParameters) -> pa.Schema:
        """The columns of a simulation's rows; the metadata has the terms of its contracts that are not the default."""
        schema, terms = _SCHEMAS[self, parameters.is_american], parameters.terms
        return schema.with_metadata({name: str(value) for name, value in terms.items()}) if terms else schema

    def record_batches(self, simulation: Simulated, steps: range, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of consecutive steps, in order of step, expiration and strike.

        Args:
            simulation: With its path computed.
            steps: Consecutive steps of it.
            rows: Of a batch, about; a step is never divided. With the same number the batches are the same.

        Raises:
            InvalidInput: The parameters lead a chain out of range.
        """
        schema = self.schema_of(simulation.parameters)
        match self:
            case Dataset.UNDERLYING:
                for block in step_blocks(simulation, steps, rows):
                    yield _batch(schema, [*_step_columns(block), block.prices])
            case Dataset.VOLATILITY:
                for block in step_blocks(simulation, steps, rows):
                    yield _batch(schema, [*_step_columns(block), block.volatilities])
            case Dataset.OPTION_CHAINS:
                for block, chains in chain_blocks(simulation, steps, rows):
                    yield _batch(schema, _contract_columns(block, chains))
            case _:
                assert_never(self)


def _exported(is_american: bool) -> list[Column]:
    return [column for column in COLUMNS if column.exported and column.is_own(is_american=is_american)]


def _columns(dataset: Dataset, is_american: bool) -> list[pa.Field]:
    match dataset:
        case Dataset.UNDERLYING:
            return [*_STEPS, _number("price", "currency")]
        case Dataset.VOLATILITY:
            return [*_STEPS, _number("base_volatility", "per year")]
        case Dataset.OPTION_CHAINS:
            return [
                *_STEPS,
                pa.field("expires_at", _INSTANT, metadata={"unit": "instant"}),
                pa.field("labels", pa.string(), metadata={"unit": "ids of rules, joined by |"}),
                _number("days_to_expiration", "days of 24 hours"),
                *(_number(column.full_label, column.unit) for column in _exported(is_american)),
            ]
        case _:
            assert_never(dataset)


_SCHEMAS = {
    (dataset, is_american): pa.schema(_columns(dataset, is_american))
    for dataset, is_american in product(Dataset, (False, True))
}


def _batch(schema: pa.Schema, columns: list[Any]) -> pa.RecordBatch:
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


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
        *(column.of(chains) for column in _exported(chains.is_american)),
    ]
