"""The layout that the backtester IronCondor reads: one row a call or put, money in whole cents, time in nanoseconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.block import ChainBlock
from optionchain.chains.ladder import strike_intervals
from optionchain.errors import InvalidInput
from optionchain.export.blocks import Simulated, StepBlock, chain_blocks, check_nanoseconds
from optionchain.export.encodings import Codec
from optionchain.pricing.spreads import CENTS

# Its 0.10 wheels are built without zstd.
CODEC: Codec = "snappy"
CONTRACT_MULTIPLIER = 100
# A simulated quote has no depth of its own: enough for any backtest of a few contracts.
QUOTE_SIZE = 100

SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False, metadata={"unit": unit})
        for name, kind, unit in (
            ("step", pa.int32(), "index from 0"),
            ("ts", pa.int64(), "nanoseconds from 1970"),
            ("underlying", pa.string(), "name"),
            ("underlying_price", pa.int64(), "cents"),
            ("tick_size", pa.int64(), "cents"),
            ("contract_multiplier", pa.int32(), "units of the underlying"),
            ("expiration", pa.int64(), "nanoseconds from 1970"),
            ("strike", pa.int64(), "cents"),
            ("style", pa.string(), "call or put"),
            ("bid", pa.int64(), "cents"),
            ("ask", pa.int64(), "cents"),
            ("bid_size", pa.int32(), "contracts"),
            ("ask_size", pa.int32(), "contracts"),
            ("implied_volatility", pa.float64(), "per year"),
            ("delta", pa.float64(), "price per unit of the underlying's price"),
            ("gamma", pa.float64(), "delta per unit of the underlying's price"),
            ("theta", pa.float64(), "price per calendar day"),
            ("vega", pa.float64(), "price per percentage point of implied_volatility"),
        )
    ]
)


def ironcondor_batches(simulation: Simulated, steps: range, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of consecutive steps, in order of step, expiration and strike, the call before the put.

    Args:
        simulation: With its path computed.
        steps: Consecutive steps of it.
        rows: Of a batch, about; a step is never divided.

    Raises:
        InvalidInput: ``layout``: it cannot express a strike or an instant of this simulation.
    """
    _check_expressible(simulation, steps)
    for block, chains in chain_blocks(simulation, steps, rows // 2):
        if simulation.recorded is not None:
            _check_quoted(chains)
        yield pa.record_batch(
            [
                pa.array(column, field.type)
                for column, field in zip(_columns(block, chains), SCHEMA, strict=True)
            ],
            schema=SCHEMA,
        )


def _check_expressible(simulation: Simulated, steps: range) -> None:
    interval = simulation.parameters.strike_interval
    if interval is not None and abs(interval * 100.0 - round(interval * 100.0)) > 1e-9 * interval:
        raise InvalidInput("layout", f"ironcondor needs strikes in whole cents, not every {interval}")
    if simulation.parameters.spreads.grid[1] != CENTS:
        raise InvalidInput("layout", "ironcondor needs quotes in whole cents, not ticks of less than a cent")
    is_ours = simulation.recorded is None and simulation.parameters.strike_rule is None
    if is_ours and interval is None and _is_cheap(simulation):
        raise InvalidInput("layout", "ironcondor needs strikes in whole cents: give a strike_interval")
    if _multiplier(simulation) != int(_multiplier(simulation)):
        raise InvalidInput("layout", "ironcondor needs a whole multiplier")
    check_nanoseconds(simulation, steps, "layout", "ironcondor")


def _check_quoted(chains: ChainBlock) -> None:
    """Refuse recorded days on which a contract was not quoted: whole cents cannot say so."""
    quotes = (chains.call_bid, chains.call_ask, chains.put_bid, chains.put_ask)
    if any(np.isnan(each).any() for each in quotes):
        raise InvalidInput("layout", "ironcondor needs every contract quoted: the standard layout says null")


def _is_cheap(simulation: Simulated) -> bool:
    """Whether the interval that fits the lowest price on the last day is less than a cent."""
    [interval] = strike_intervals(
        spot=float(simulation.prices.min()),
        volatility=float(simulation.volatilities.min()),
        expiry_years=np.zeros(1),
        chain_size=simulation.parameters.chain_size,
    )
    return bool(interval < 0.01)


def _multiplier(simulation: Simulated) -> float:
    given = simulation.parameters.multiplier
    return CONTRACT_MULTIPLIER if given is None else given


def _columns(block: StepBlock, chains: ChainBlock) -> Iterator[object]:
    rows = 2 * chains.strikes.size
    yield chains.per_step(np.arange(block.steps.start, block.steps.stop), 2)
    yield chains.per_step(1000 * block.simulated_at, 2)
    yield pa.repeat(block.simulation.parameters.symbol, rows)
    yield chains.per_step(_cents(block.prices), 2)
    yield np.full(rows, int(block.simulation.parameters.spreads.grid[0]))
    yield np.full(rows, _multiplier(block.simulation))
    yield chains.per_listed(1000 * chains.listing.expires_at, 2)
    yield np.repeat(_cents(chains.strikes), 2)
    yield pa.array(["call", "put"]).take(pa.array(np.arange(rows) % 2))
    yield _cents(_sides(chains.call_bid, chains.put_bid))
    yield _cents(_sides(chains.call_ask, chains.put_ask))
    yield np.full(rows, QUOTE_SIZE)
    yield np.full(rows, QUOTE_SIZE)
    yield np.repeat(chains.implied_volatilities, 2)
    yield _sides(chains.call_delta, chains.put_delta)
    yield _sides(chains.gamma, chains.put_gamma)
    yield _sides(chains.call_theta(), chains.put_theta())
    yield _sides(chains.vega, chains.put_vega)


def _cents(money: Floats) -> NDArray[np.int64]:
    return np.rint(100.0 * money).astype(np.int64)


def _sides(call: Floats, put: Floats) -> Floats:
    """Call, put, call, put, ..."""
    return np.column_stack([call, put]).ravel()
