"""Packed files: what a reader finds that knows their description alone."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from optionchain.errors import InvalidInput
from optionchain.export import Dataset, Export, Format, Layout
from optionchain.parameters import SingleExpiration
from optionchain.wire.instants import instant_to_wire
from tests.conformance.packed_columns import columns_of
from tests.unit.export.simulations import VARIETY, parameters


def written(terms: Any, **options: Any) -> bytes:
    return b"".join(Export(parameters=terms, **options).pieces())


def table(terms: Any, **options: Any) -> dict[str, list[Any]]:
    """The columns of the Arrow file, its instants as texts."""
    columns = pa.ipc.open_stream(written(terms, format=Format.ARROW, **options)).read_all().to_pydict()
    return {
        name: [instant_to_wire(one) if isinstance(one, datetime) else one for one in column]
        for name, column in columns.items()
    }


@pytest.mark.parametrize("dataset", Dataset)
@pytest.mark.parametrize("terms", VARIETY.values(), ids=VARIETY.keys())
def test_it_has_the_columns_of_the_arrow_file(terms: Any, dataset: Dataset) -> None:
    options: dict[str, Any] = {"dataset": dataset, "greeks": "all"}

    assert columns_of(written(terms, format=Format.PACKED, **options)) == table(terms, **options)


def test_a_file_of_several_blocks_is_one_table() -> None:
    long = parameters(steps=1100, chain_size=4)

    columns = columns_of(written(long, format=Format.PACKED))

    assert len(columns["step"]) > 1 << 16
    assert columns == table(long)


def test_a_label_may_be_called_as_the_symbol_is() -> None:
    terms = parameters(symbol="weeklies")

    columns = columns_of(written(terms, format=Format.PACKED, to_step=3))

    assert columns == table(terms, to_step=3)
    assert "weeklies" in columns["labels"]


def test_the_backtesters_layout_is_packed_too() -> None:
    options: dict[str, Any] = {"layout": Layout.IRONCONDOR, "to_step": 3}

    columns = columns_of(written(parameters(), format=Format.PACKED, **options))

    assert set(columns["style"]) == {"call", "put"}
    assert columns == table(parameters(), **options)


def test_an_instant_beyond_nanoseconds_is_refused_before_anything_is_sent() -> None:
    late = parameters(start_at=datetime(2262, 4, 1, tzinfo=UTC), expirations=SingleExpiration(40.0))

    with pytest.raises(InvalidInput, match="format: packed ends in the year 2262"):
        Export(parameters=late, format=Format.PACKED).pieces()


def test_a_file_that_was_cut_off_is_known_by_its_missing_end() -> None:
    with pytest.raises(struct.error):
        columns_of(written(parameters(), format=Format.PACKED)[:-32])
