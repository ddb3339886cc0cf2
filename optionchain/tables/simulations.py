"""A simulation as tables and as a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from optionchain.arrays import Steps
from optionchain.chains import GreekSet
from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput
from optionchain.extras import brought_by
from optionchain.parameters import SimulationParameters
from optionchain.tables.frames import pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from plotly.graph_objects import Figure

Rows: TypeAlias = Literal["option_chains", "underlying", "volatility"]
"""What the rows of a table are: every strike of every expiration of each step, or a step's price or volatility."""

# Contracts that are priced together.
_BATCH_ROWS = 1 << 16


class Tables(ABC):
    """What a simulation is as a whole.

    Attributes:
        parameters: Everything that decides it.
    """

    parameters: SimulationParameters

    @property
    @abstractmethod
    def prices(self) -> Steps:
        """``[steps]`` price of the underlying."""

    @property
    @abstractmethod
    def volatilities(self) -> Steps:
        """``[steps]`` annualised volatility at the money."""

    def to_arrow(
        self,
        dataset: Rows = "option_chains",
        *,
        greeks: GreekSet = "none",
        from_step: int = 0,
        to_step: int | None = None,
    ) -> pyarrow.Table:
        """All steps as one table, with the columns of the service's exports and of its client's frames.

        Args:
            dataset: What the rows are; see `optionchain.export.datasets`.
            greeks: Which greeks option chains have beside delta and gamma.
            from_step: The first step.
            to_step: The last step, which is included; None means the simulation's last.

        Raises:
            InvalidInput: There is no such dataset or step, or the parameters lead a chain out of range.
            ImportError: pyarrow is not installed.
        """
        with brought_by("frames", purpose="a table"):
            import pyarrow  # noqa: PLC0415  heavy

            from optionchain.export.datasets import Dataset  # noqa: PLC0415

        if dataset not in set(Dataset):
            raise InvalidInput("dataset", f"must be one of {', '.join(Dataset)}")
        last = self.parameters.total_steps - 1
        first = whole("from_step", from_step, low=0, high=last)
        until = last if to_step is None else whole("to_step", to_step, low=first, high=last)
        batches = Dataset(dataset).record_batches(
            cast("Any", self), range(first, until + 1), _BATCH_ROWS, greeks
        )
        return pyarrow.Table.from_batches(list(batches))

    def to_polars(
        self,
        dataset: Rows = "option_chains",
        *,
        greeks: GreekSet = "none",
        from_step: int = 0,
        to_step: int | None = None,
    ) -> polars.DataFrame:
        """`to_arrow` as a polars frame."""
        return polars_frame(self.to_arrow(dataset, greeks=greeks, from_step=from_step, to_step=to_step))

    def to_pandas(
        self,
        dataset: Rows = "option_chains",
        *,
        greeks: GreekSet = "none",
        from_step: int = 0,
        to_step: int | None = None,
    ) -> pandas.DataFrame:
        """`to_arrow` as a pandas frame."""
        return pandas_frame(self.to_arrow(dataset, greeks=greeks, from_step=from_step, to_step=to_step))

    def plot(self) -> Figure:
        """Draw the price, and beneath it the volatility; the figure is plotly's.

        Raises:
            ImportError: plotly is not installed.
        """
        from optionchain.pictures.market import path_picture  # noqa: PLC0415  plotly is heavy

        parameters = self.parameters
        instants = [parameters.simulated_at(step) for step in range(parameters.total_steps)]
        return path_picture(parameters.symbol, instants, self.prices, self.volatilities)
