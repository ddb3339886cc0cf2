"""The layout for IronCondor: its columns, its rules, and that the backtester itself runs on it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optionchain.errors import InvalidInput
from optionchain.export import Export, Format, Layout
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import simulate
from tests.unit.export.simulations import parameters

COLUMNS = {
    "step": pa.int32(), "ts": pa.int64(), "underlying": pa.string(), "underlying_price": pa.int64(),
    "tick_size": pa.int64(), "contract_multiplier": pa.int32(), "expiration": pa.int64(),
    "strike": pa.int64(), "style": pa.string(), "bid": pa.int64(), "ask": pa.int64(),
    "bid_size": pa.int32(), "ask_size": pa.int32(), "implied_volatility": pa.float64(),
    "delta": pa.float64(), "gamma": pa.float64(), "theta": pa.float64(), "vega": pa.float64(),
}  # fmt: skip


def exported(terms: SimulationParameters) -> bytes:
    export = Export(parameters=terms, layout=Layout.IRONCONDOR, format=Format.PARQUET)
    return b"".join(export.pieces())


def table(terms: SimulationParameters) -> pa.Table:
    return pq.read_table(io.BytesIO(exported(terms)))


def test_it_has_exactly_its_eighteen_columns() -> None:
    assert {field.name: field.type for field in table(parameters()).schema} == COLUMNS


def test_steps_ascend_and_each_has_one_later_instant() -> None:
    rows = table(parameters())
    steps, instants = rows["step"].to_numpy(), rows["ts"].to_numpy()

    assert (np.diff(steps) >= 0).all()
    _, firsts = np.unique(steps, return_index=True)
    assert (np.diff(instants[firsts]) > 0).all()
    assert (instants == instants[firsts][steps]).all()


def test_prices_are_multiples_of_the_tick_and_no_quote_is_crossed() -> None:
    rows = table(parameters())

    assert set(rows["tick_size"].to_pylist()) == {1}
    assert (rows["bid"].to_numpy() >= 0).all()
    assert (rows["bid"].to_numpy() <= rows["ask"].to_numpy()).all()
    assert (rows["strike"].to_numpy() > 0).all()


def test_both_sides_of_every_contract_have_the_chains_numbers() -> None:
    terms = parameters()
    chain = simulate(terms).chain(5)

    rows = [row for row in table(terms).to_pylist() if row["step"] == 5]

    for style, side in (("call", "call"), ("put", "put")):
        own = [row for row in rows if row["style"] == style]
        for name, values in {
            "strike": chain.strikes * 100,
            "bid": getattr(chain, f"{side}_bid") * 100,
            "ask": getattr(chain, f"{side}_ask") * 100,
        }.items():
            assert [row[name] for row in own] == [round(value) for value in values.tolist()]
        for name, values in {
            "delta": getattr(chain, f"{side}_delta"),
            "theta": getattr(chain, f"{side}_theta")(),
            "gamma": chain.gamma,
            "vega": chain.vega,
            "implied_volatility": chain.implied_volatilities,
        }.items():
            assert [row[name] for row in own] == values.tolist()


def test_strikes_finer_than_a_cent_are_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        exported(parameters(strike_interval=0.005, initial_price=1.0))

    assert refusal.value.field == "layout"


def test_instants_beyond_sixty_four_bits_of_nanoseconds_are_refused() -> None:
    late = parameters(start_at=datetime(2262, 4, 1, tzinfo=UTC), steps=1, expirations=SingleExpiration(30.0))

    with pytest.raises(InvalidInput) as refusal:
        exported(late)

    assert refusal.value.field == "layout"


def test_the_backtester_trades_on_it(tmp_path: Path) -> None:
    ironcondor = pytest.importorskip("ironcondor", reason="the package `ironcondor` is in the test extra")
    # A ladder wide enough that every leg is still quoted at the last step.
    terms = parameters(strike_interval=25.0, chain_size=60, step_interval=timedelta(hours=6), steps=24)
    file = tmp_path / "chains.parquet"
    file.write_bytes(exported(terms))
    first = [row for row in pq.read_table(file).to_pylist() if row["step"] == 0]
    expiration = sorted({row["expiration"] for row in first})[-1]
    quotes = {(row["strike"], row["style"]): row for row in first if row["expiration"] == expiration}

    config = (
        ironcondor.BacktestConfig(seed=42, capital_cents=10_000_000)
        .data_parquet(str(file))
        .strategy_iron_condor(
            underlying="SPX",
            underlying_price_cents=500_000,
            short_call_strike_cents=510_000,
            long_call_strike_cents=515_000,
            short_put_strike_cents=490_000,
            long_put_strike_cents=485_000,
            expiration_ns=expiration,
            quantity=1,
            premium_short_call_cents=quotes[510_000, "call"]["bid"],
            premium_long_call_cents=quotes[515_000, "call"]["ask"],
            premium_short_put_cents=quotes[490_000, "put"]["bid"],
            premium_long_put_cents=quotes[485_000, "put"]["ask"],
        )
        .exit_time_steps(20)
        .execution_naive(slippage_cents=0)
        .fees(per_contract_cents=0, per_order_cents=0)
        .output_dir(str(tmp_path / "runs"))
    )
    metrics = ironcondor.run(config).metrics()

    assert metrics["custom_metrics"]["realized_pnl_cents"] is not None
    fills = pq.read_table(next((tmp_path / "runs").glob("*/fills.parquet"))).to_pylist()
    opening = sorted(fill["price_cents"] for fill in fills if fill["step"] == 0)
    quoted = sorted(
        quotes[leg]["bid" if side == "short" else "ask"]
        for leg, side in {
            (510_000, "call"): "short",
            (515_000, "call"): "long",
            (490_000, "put"): "short",
            (485_000, "put"): "long",
        }.items()
    )
    # Its naive fill sells a cent below the middle of our quote, rounded down, whose width is a cent.
    assert all(abs(fill - quote) <= 1 for fill, quote in zip(opening, quoted, strict=True))
