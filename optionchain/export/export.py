"""An export: which rows of a simulation, in which layout and format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson
import pyarrow as pa

from optionchain.chains.columns import SIDES, GreekSet
from optionchain.declared.parameters import terms_of
from optionchain.errors import InvalidInput
from optionchain.export import ironcondor
from optionchain.export.blocks import check_nanoseconds
from optionchain.export.datasets import Dataset
from optionchain.export.encodings import Format
from optionchain.export.series import Series
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import Simulation
from optionchain.wire.parameters import fields_to_wire

MAX_ROWS = 50_000_000
# Larger batches are not written faster, smaller ones more slowly.
_BATCH_ROWS = 1 << 16


class Layout(StrEnum):
    """Which columns an export has."""

    STANDARD = "standard"
    """Those of the dataset."""
    IRONCONDOR = "ironcondor"
    """The 18 columns that the backtester IronCondor reads, of the option chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file of rows, decided by these values alone: the same to the byte whenever it is written.

    Attributes:
        parameters: Of the simulation.
        dataset: What the rows are.
        format: How they are written.
        layout: Which columns they have.
        greeks: Which greeks option chains have beside delta and gamma; a layout other than the standard has its own.
        from_step: The first step, from 0.
        to_step: The last step, which is included; None means the simulation's last.
        max_rows: More rows are refused.

    Raises:
        InvalidInput: There is no such step, the steps are in the wrong order, or the rows are too many.

    Example:
        >>> from datetime import UTC, datetime
        >>> from optionchain.parameters import SingleExpiration
        >>> from optionchain.models import GeometricBrownian
        >>> parameters = SimulationParameters(
        ...     symbol="SPX", steps=30, initial_price=5000.0, volatility=0.2, seed=42,
        ...     method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
        ...     expirations=SingleExpiration(30.0), start_at=datetime(2026, 1, 5, tzinfo=UTC),
        ... )
        >>> export = Export(parameters=parameters, dataset=Dataset.UNDERLYING, format=Format.CSV, to_step=0)
        >>> print(b"".join(export.pieces()).decode().replace("\\r", ""), end="")
        step,simulated_at,symbol,price
        0,2026-01-05T00:00:00Z,SPX,5000.0
    """

    parameters: SimulationParameters
    dataset: Dataset = Dataset.OPTION_CHAINS
    format: Format = Format.JSON
    layout: Layout = Layout.STANDARD
    greeks: GreekSet = "none"
    from_step: int = 0
    to_step: int | None = None
    max_rows: int = MAX_ROWS

    def __post_init__(self) -> None:
        last = self.parameters.total_steps - 1
        for name, step in (("from_step", self.from_step), ("to_step", self.to_step)):
            if step is not None and not 0 <= step <= last:
                raise InvalidInput(name, f"must be from 0 to the last step, {last}")
        if not self.steps:
            raise InvalidInput("from_step", f"must not be after to_step, {self.to_step}")
        if self.layout is Layout.IRONCONDOR and self.parameters.underlyings:
            raise InvalidInput("layout", "ironcondor has one underlying")
        if self.layout is Layout.IRONCONDOR and self.dataset is not Dataset.OPTION_CHAINS:
            raise InvalidInput("layout", "ironcondor is a layout of option_chains")
        rows = self.most_rows
        if rows > self.max_rows:
            raise InvalidInput(
                "to_step", f"asks for up to {rows} rows: at most {self.max_rows} in one export"
            )

    @property
    def steps(self) -> range:
        """The steps that are exported."""
        last = self.parameters.total_steps - 1 if self.to_step is None else self.to_step
        return range(self.from_step, last + 1)

    @property
    def most_rows(self) -> int:
        """How many rows there are, or a few more: a chain may lack the strikes below zero."""
        return len(self.steps) * self._rows_a_step

    @property
    def file_name(self) -> str:
        """A name that says what the file has: ``option_chains_0-29.csv``."""
        return f"{self.dataset}_{self.steps[0]}-{self.steps[-1]}.{self.format.ending}"

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        if self.layout is Layout.IRONCONDOR:
            return ironcondor.SCHEMA
        schema = self.dataset.schema(self.greeks, Series.of(self.parameters).columns)
        terms = fields_to_wire(terms_of(self.parameters))
        return (
            schema.with_metadata({name: _text(value) for name, value in terms.items()}) if terms else schema
        )

    def pieces(self) -> Iterator[bytes]:
        """The file, piece by piece, each computed when it is asked for; the path is computed at once.

        Raises:
            InvalidInput: The parameters lead a chain out of range, or the layout cannot express it.
        """
        simulation = Simulation(self.parameters)
        simulation.compute()
        if self.format is Format.PACKED:
            check_nanoseconds(simulation, self.steps, "format", Format.PACKED)
        codec = ironcondor.CODEC if self.layout is Layout.IRONCONDOR else "zstd"
        batches = self.record_batches(simulation)
        return self.format.pieces(batches, self.schema, texts=self._texts, codec=codec)

    def record_batches(self, simulation: Simulation) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches, each computed when it is asked for.

        Args:
            simulation: Of the parameters, its path computed.
        """
        if self.layout is Layout.IRONCONDOR:
            return ironcondor.ironcondor_batches(simulation, self.steps, _BATCH_ROWS)
        return self.dataset.record_batches(simulation, self.steps, _BATCH_ROWS, self.greeks)

    @property
    def _texts(self) -> Sequence[str]:
        """Every text that a row can have, the symbol first, then the labels, sorted."""
        expirations = self.parameters.expirations
        rules = () if isinstance(expirations, SingleExpiration) else expirations.rules
        sides = SIDES if self.layout is Layout.IRONCONDOR else ()
        symbols = [self.parameters.symbol, *(each.symbol for each in self.parameters.underlyings or ())]
        series = Series.of(self.parameters).texts if self.layout is Layout.STANDARD else ()
        return [*symbols, *sorted(rule.rule_id for rule in rules), *series, *sides]

    @property
    def _rows_a_step(self) -> int:
        if self.dataset is not Dataset.OPTION_CHAINS:
            return 1 + len(self.parameters.underlyings or ())
        return self.parameters.most_contracts * (2 if self.layout is Layout.IRONCONDOR else 1)


def _text(value: object) -> str:
    """A parameter as metadata have it: a part is JSON."""
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
