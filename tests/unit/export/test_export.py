"""Files of a simulation: what they hold, in every format, and that they are the same each time."""

from __future__ import annotations

import csv
import io
import json
from itertools import product
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from optionchain.chains import GreekSet
from optionchain.chains.chain import OptionChain
from optionchain.errors import InvalidInput
from optionchain.export import Dataset, Export, Format, Layout
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import Simulation, simulate
from optionchain.wire.contracts import v2_chains
from optionchain.wire.instants import instant_to_wire
from tests.conformance.packed_columns import columns_of
from tests.unit.export.simulations import SERIES, VARIETY, parameters

HEADERS = {
    Dataset.UNDERLYING: "step,simulated_at,symbol,price",
    Dataset.VOLATILITY: "step,simulated_at,symbol,base_volatility",
    Dataset.OPTION_CHAINS: "step,simulated_at,symbol,expires_at,labels,days_to_expiration,strike,"
    "implied_volatility,call_bid,call_ask,call_mid,call_delta,put_bid,put_ask,put_mid,put_delta,gamma",
}


def written(terms: SimulationParameters, **options: Any) -> bytes:
    return b"".join(Export(parameters=terms, **options).pieces())


def rows_of(body: bytes, format: Format) -> list[dict[str, Any]]:
    match format:
        case Format.JSON:
            rows: list[dict[str, Any]] = json.loads(body)
        case Format.CSV:
            rows = [{name: _number(text) for name, text in row.items()} for row in _csv(body)]
        case Format.ARROW:
            rows = _with_text(pa.ipc.open_stream(body).read_all())
        case Format.PACKED:
            columns = columns_of(body)
            rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        case Format.PARQUET:
            rows = _with_text(pq.read_table(io.BytesIO(body)))
    return rows


def _csv(body: bytes) -> csv.DictReader[str]:
    return csv.DictReader(io.StringIO(body.decode(), newline=""))


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _with_text(table: pa.Table) -> list[dict[str, Any]]:
    return [
        {
            name: instant_to_wire(value) if name in ("simulated_at", "expires_at") else value
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]


def contract_rows(step: int, simulated_at: str, chain: OptionChain) -> list[dict[str, Any]]:
    rows = []
    for index, expiration in enumerate(chain.expirations):
        for row in range(chain.offsets[index], chain.offsets[index + 1]):
            numbers = (
                chain.strikes, chain.implied_volatilities, chain.call_bid, chain.call_ask, chain.call_mid,
                chain.call_delta, chain.put_bid, chain.put_ask, chain.put_mid, chain.put_delta, chain.gamma,
            )  # fmt: skip
            values = (
                step,
                simulated_at,
                chain.symbol,
                instant_to_wire(expiration.expires_at),
                "|".join(expiration.labels),
                float(chain.days_to_expiration[index]),
                *(float(array[row]) for array in numbers),
            )
            rows.append(dict(zip(HEADERS[Dataset.OPTION_CHAINS].split(","), values, strict=True)))
    return rows


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("terms", VARIETY.values(), ids=VARIETY.keys())
def test_every_format_holds_every_contract_exactly(terms: SimulationParameters, format: Format) -> None:
    simulation = simulate(terms)
    expected = [
        row
        for step in (1, 2, 3)
        for row in contract_rows(step, instant_to_wire(terms.simulated_at(step)), simulation.chain(step))
    ]

    body = written(terms, format=format, from_step=1, to_step=3)

    assert rows_of(body, format) == expected


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("dataset", [Dataset.UNDERLYING, Dataset.VOLATILITY])
def test_the_underlying_and_its_volatility_are_the_path(dataset: Dataset, format: Format) -> None:
    terms = VARIETY["stochastic volatility"]
    simulation = simulate(terms)
    values = simulation.prices if dataset is Dataset.UNDERLYING else simulation.volatilities

    rows = rows_of(written(terms, dataset=dataset, format=format), format)

    names = HEADERS[dataset].split(",")
    assert [list(row) for row in rows] == [names] * 40
    assert [row[names[-1]] for row in rows] == values.tolist()
    assert [row["simulated_at"] for row in rows] == [
        instant_to_wire(terms.simulated_at(step)) for step in range(40)
    ]


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("layout", Layout)
def test_a_part_of_the_steps_is_that_part_of_the_rows(layout: Layout, format: Format) -> None:
    whole = rows_of(written(parameters(), format=format, layout=layout), format)

    part = rows_of(written(parameters(), format=format, layout=layout, from_step=7, to_step=9), format)

    assert part == [row for row in whole if 7 <= row["step"] <= 9]


@pytest.mark.parametrize("format", Format)
def test_a_file_of_many_pieces_is_one_file(format: Format) -> None:
    terms = parameters(steps=10, chain_size=500, strike_interval=1.0)
    contracts = [1001 * len(simulate(terms).expirations(step)) for step in range(10)]

    pieces = list(Export(parameters=terms, format=format).pieces())

    assert len(pieces) >= 3
    assert steps_of(b"".join(pieces), format) == [step for step in range(10) for _ in range(contracts[step])]


def steps_of(body: bytes, format: Format) -> list[int]:
    match format:
        case Format.JSON:
            return [row["step"] for row in orjson.loads(body)]
        case Format.CSV:
            return [int(line.partition(",")[0]) for line in body.decode().splitlines()[1:]]
        case Format.ARROW:
            table = pa.ipc.open_stream(body).read_all()
        case Format.PACKED:
            return columns_of(body)["step"]
        case Format.PARQUET:
            table = pq.read_table(io.BytesIO(body))
    steps: list[int] = table["step"].to_pylist()
    return steps


def test_csv_has_a_header_and_ends_every_line_with_crlf() -> None:
    for dataset, header in HEADERS.items():
        lines = written(parameters(), dataset=dataset, format=Format.CSV, to_step=1).decode().split("\r\n")
        assert lines[0] == header
        assert lines[-1] == ""
        assert not any("\n" in line for line in lines)


def test_csv_quotes_a_symbol_that_needs_it() -> None:
    symbol = 'S,P "500"'

    body = written(parameters(symbol=symbol), dataset=Dataset.UNDERLYING, format=Format.CSV)

    assert {row["symbol"] for row in _csv(body)} == {symbol}
    assert b'"S,P ""500"""' in body


def test_each_set_of_greeks_adds_columns_behind_those_of_the_smaller_one() -> None:
    def columns(greeks: GreekSet) -> list[str]:
        rows = _csv(written(parameters(), format=Format.CSV, to_step=0, greeks=greeks))
        return list(next(iter(rows)))

    none, first, every = columns("none"), columns("first"), columns("all")

    assert none == list(next(iter(_csv(written(parameters(), format=Format.CSV, to_step=0)))))
    assert (first[: len(none)], every[: len(first)]) == (none, first)
    sides = [(f"call_{label}", f"put_{label}") for label in ("theta", "vega", "rho", "rho_d")]
    assert first[len(none) :] == [name for pair in sides for name in pair]
    second = ("gamma", "alpha", "vanna", "vomma", "veta", "charm", "color")
    assert every[len(first) :] == [f"{side}_{label}" for label in second for side in ("call", "put")]


def test_exported_greeks_are_those_of_the_snapshot() -> None:
    table = pa.ipc.open_stream(written(parameters(), format=Format.ARROW, greeks="all")).read_all()
    chains = json.loads(v2_chains(simulate(parameters()).chain(3), "all"))
    contracts = [contract for each in chains for contract in each["contracts"]]

    rows = table.filter(pc.equal(table["step"], 3))

    for side, label in product(("call", "put"), contracts[0]["call"]["greeks"]):
        if label != "delta":
            shown = [contract[side]["greeks"][label] for contract in contracts]
            assert rows[f"{side}_{label}"].to_pylist() == shown, label


def test_what_is_not_defined_is_an_empty_field() -> None:
    # The last snapshot is at the expiry, where theta is zero and alpha is not defined.
    at_expiry = parameters(expirations=SingleExpiration(2.0), strike_interval=25.0)

    row = list(_csv(written(at_expiry, format=Format.CSV, greeks="all")))[-1]

    assert (row["call_theta"], row["call_alpha"]) == ("0.0", "")


def test_arrow_columns_have_types_and_units() -> None:
    schema = pa.ipc.open_stream(written(parameters(), format=Format.ARROW, to_step=0)).schema

    assert schema.field("step").type == pa.int32()
    assert schema.field("expires_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("call_bid").metadata == {b"unit": b"currency, whole cents"}
    assert all(field.metadata[b"unit"] for field in schema)


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("layout", Layout)
def test_an_export_is_the_same_to_the_byte_when_repeated(layout: Layout, format: Format) -> None:
    assert written(parameters(), format=format, layout=layout) == written(
        parameters(), format=format, layout=layout
    )


def test_pieces_are_computed_when_they_are_asked_for() -> None:
    export = Export(parameters=parameters(steps=10_000, chain_size=100), format=Format.ARROW)

    pieces = export.pieces()

    assert sum(len(next(pieces)) for _ in range(3)) < 100 << 20


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"from_step": 40}, "from_step"),
        ({"from_step": -1}, "from_step"),
        ({"to_step": 40}, "to_step"),
        ({"from_step": 3, "to_step": 2}, "from_step"),
        ({"max_rows": 40 * 8 * 9 - 1}, "to_step"),
        ({"layout": Layout.IRONCONDOR, "dataset": Dataset.UNDERLYING}, "layout"),
    ],
)
def test_a_range_or_size_out_of_bounds_is_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Export(parameters=parameters(), **options)

    assert refusal.value.field == field


def test_a_chain_out_of_range_is_refused_before_the_first_piece() -> None:
    rising = parameters(
        method=type(parameters().method)(dt=1.0, drift=0.6, volatility=0.18),
        initial_price=1.0,
        strike_interval=0.0000123,
    )

    with pytest.raises(InvalidInput) as refusal:
        Export(parameters=rising).pieces()

    assert refusal.value.field == "strike_interval"


def test_every_row_of_a_step_has_its_instant() -> None:
    table = pa.ipc.open_stream(written(parameters(), format=Format.ARROW)).read_all()
    steps, instants = (table[name].to_numpy() for name in ("step", "simulated_at"))

    assert (np.diff(steps) >= 0).all()
    assert len(set(zip(steps.tolist(), instants.tolist(), strict=True))) == 40


@pytest.mark.parametrize("symbol", ['=HYPERLINK("http://x")', "+1", "-1+2", "@SUM(A1)", "=", "-"])
def test_no_cell_of_a_csv_is_a_formula(symbol: str) -> None:
    body = written(parameters(symbol=symbol), dataset=Dataset.UNDERLYING, format=Format.CSV)

    assert {row["symbol"] for row in _csv(body)} == {"'" + symbol}


def test_other_formats_have_the_symbol_as_it_is() -> None:
    body = written(parameters(symbol="=1"), dataset=Dataset.UNDERLYING, format=Format.JSON)

    assert {row["symbol"] for row in json.loads(body)} == {"=1"}


@pytest.mark.parametrize("dataset", list(Dataset))
@pytest.mark.parametrize("terms", VARIETY.values(), ids=list(VARIETY))
def test_a_simulation_gives_itself_as_the_table_that_is_exported(
    terms: SimulationParameters, dataset: Dataset
) -> None:
    body = written(terms, dataset=dataset, format=Format.PARQUET, from_step=1, to_step=3)
    simulation = Simulation(terms)

    table = simulation.to_polars(dataset.value, from_step=1, to_step=3)

    assert_frame_equal(table, pl.read_parquet(io.BytesIO(body)))
    assert simulation.to_pandas(dataset.value).columns.to_list() == table.columns
    assert simulation.to_arrow(dataset.value)["step"].to_pylist()[-1] == terms.total_steps - 1


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dataset": "chains"}, "dataset"),
        ({"from_step": -1}, "from_step"),
        ({"to_step": 40}, "to_step"),
        ({"from_step": 3, "to_step": 2}, "to_step"),
    ],
)
def test_a_simulation_refuses_a_table_that_there_is_not(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Simulation(VARIETY["rolling daily"]).to_arrow(**options)

    assert refusal.value.field == field


@pytest.mark.parametrize("format", Format)
def test_rows_say_the_series_where_rules_do(format: Format) -> None:
    rows = rows_of(written(parameters(expirations=SERIES, steps=8, chain_size=0), format=format), format)

    said = {
        (
            row["labels"],
            row["root"],
            row["settlement"] or None,
            str(row["expires_at"])[:10],
            _minute(row["last_trade_at"]),
        )
        for row in rows
        if str(row["expires_at"])[:10] in ("2026-01-12", "2026-01-16")
    }
    assert said == {
        ("spx", "SPX", "AM", "2026-01-16", "2026-01-15 21:00"),  # traded until the evening before
        ("spxw", "SPXW", "PM", "2026-01-16", "2026-01-16 21:00"),
        ("unsaid", "SPX", None, "2026-01-12", "2026-01-12 21:00"),  # of no root: the symbol's
    }


def _minute(instant: object) -> str:
    return str(instant)[:16].replace("T", " ")


def test_what_no_rule_says_is_no_column() -> None:
    rolling = Export(parameters=parameters()).schema.names

    assert not {"root", "settlement", "last_trade_at"} & set(rolling)
