"""The long table: one row for each call and put, units with the columns."""

import polars
import pyarrow as pa
import pytest

from optionchain.chains.table import SCHEMA
from tests.unit.chains.chain_examples import chain

COLUMNS = [
    "contract_symbol",
    "symbol",
    "quote_time",
    "expiration",
    "days_to_expiration",
    "strike",
    "option_type",
    "bid",
    "ask",
    "mid",
    "implied_volatility",
    "delta",
    "gamma",
    "theta",
    "vega",
    "rho",
    "rho_d",
    *(SECOND := ["alpha", "vanna", "vomma", "veta", "charm", "color"]),
    "underlying_price",
]


def test_there_is_one_row_for_each_call_and_put_in_order():
    several = chain(days=(7, 30))

    table = several.to_arrow()

    assert table.column_names == COLUMNS
    assert table.num_rows == 2 * several.strikes.size
    assert table["strike"].to_pylist()[:3] == [90.0, 90.0, 91.0]
    assert table["option_type"].to_pylist()[:3] == ["call", "put", "call"]
    for column, name in (("bid", "bid"), ("ask", "ask"), ("mid", "mid"), ("delta", "delta")):
        assert table[column].to_pylist()[0::2] == getattr(several, f"call_{name}").tolist()
        assert table[column].to_pylist()[1::2] == getattr(several, f"put_{name}").tolist()
    assert table["theta"].to_pylist()[1::2] == several.put_theta().tolist()
    assert table["rho"].to_pylist()[0::2] == several.call_rho().tolist()
    assert set(table["expiration"].to_pylist()[:42]) == {several.expirations[0].expires_at}


def test_every_column_states_its_unit():
    assert all(field.metadata[b"unit"] for field in chain().to_arrow().schema)


@pytest.mark.parametrize(
    ("greeks", "absent"),
    [("none", {"theta", "vega", "rho", "rho_d", *SECOND}), ("first", {*SECOND}), ("all", set())],
)
def test_greeks_that_are_not_computed_are_null(greeks, absent):
    table = chain().to_arrow(greeks)

    assert table.schema.equals(SCHEMA, check_metadata=True)
    for name in COLUMNS:
        assert table[name].null_count == (table.num_rows if name in absent else 0), name


def test_polars_shows_the_same_table():
    frame = chain().to_polars()

    assert frame.columns == COLUMNS
    assert frame.schema["quote_time"] == polars.Datetime("us", "UTC")
    assert frame.filter(polars.col("option_type") == "put").height == 21


def test_an_empty_chain_is_an_empty_table():
    table = chain(days=()).to_arrow()

    assert table.num_rows == 0
    assert table.schema.field("expiration").type == pa.timestamp("us", tz="UTC")


def test_listed_contracts_have_their_occ_symbol():
    symbols = chain(symbol="SPY").to_arrow()["contract_symbol"].to_pylist()

    assert symbols[:2] == ["SPY   260204C00090000", "SPY   260204P00090000"]


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "TOOLONG"},
        {"symbol": "BRK.B"},
        {"symbol": "spy"},
        {"symbol": ""},
        {"spot": 200_000.0},
        {"strike_interval": 0.00025, "spot": 0.10025, "chain_size": 0},
        {"days": (36_500,)},  # in 2125, which two digits do not tell from 2025
    ],
)
def test_contracts_that_occ_cannot_express_have_no_symbol(changes):
    assert set(chain(**changes).to_arrow()["contract_symbol"].to_pylist()) == {None}


def test_pandas_has_what_polars_has():
    ours = chain()

    pandas, expected = ours.to_pandas(), ours.to_polars()

    assert pandas.columns.to_list() == expected.columns == COLUMNS
    for name in ("strike", "bid", "implied_volatility", "delta"):
        assert pandas[name].to_list() == expected[name].to_list()
    assert pandas["option_type"].to_list() == expected["option_type"].to_list()
