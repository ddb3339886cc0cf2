"""What a sweep has found: a row a scenario, and a way back from each row to its paths."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput
from optionchain.extras import brought_by
from optionchain.measures import PathBlock
from optionchain.models import MarketModel, model_to_wire
from optionchain.parameters import SimulationParameters
from optionchain.simulation import Simulation, simulate
from optionchain.sweeps.blocks import block_of
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.surroundings import surroundings
from optionchain.tables.frames import pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow as pa
    from plotly.graph_objects import Figure

PATHS_FOLDER = "paths"
"""Of a recorded sweep: where its kept paths are."""

SHOWN_ROWS = 20
"""Of a table in a notebook."""

State: TypeAlias = Literal["completed", "interrupted", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepResult:
    """The scenarios that are done, in their order.

    Attributes:
        sweep: What was asked for.
        state: ``completed``, or ``interrupted`` by Ctrl-C with what was done until then.
        numbers: ``[scenarios, statistics]``; NaN where a scenario failed or is not done.
        errors: Why a scenario failed, by its index.
        is_done: ``[scenarios]``.
        folder: Where it is recorded, if it is.
    """

    sweep: SweepDefinition
    state: State
    numbers: Floats
    errors: dict[int, str]
    is_done: NDArray[np.bool_]
    folder: str | None = None

    def to_arrow(self) -> pa.Table:
        """One row a scenario that is done: what it changes, seed, paths, error, then the statistics.

        Columns are ``scenario``, the names of what varies, ``shock`` where there are shocks, ``seed``,
        ``paths`` (0 where it failed), ``error`` (null where it did not), ``<measure>_mean``, ``_std``,
        ``_std_error``, ``_min``, ``_max``, the quantiles ``_q5`` ..., and for profits and losses
        ``_value_at_risk`` and ``_expected_shortfall``, losses as positive numbers.
        """
        with brought_by("frames", purpose="a table"):
            import pyarrow as pa  # noqa: PLC0415  heavy

        done = np.flatnonzero(self.is_done)
        columns: dict[str, Any] = {"scenario": pa.array(done)}
        columns |= self._varied(done)
        errors = [self.errors.get(int(scenario)) for scenario in done]
        columns["seed"] = pa.array([self.sweep.plan.seed_of(int(index)) for index in done], pa.uint64())
        columns["paths"] = pa.array([0 if error else self.sweep.paths for error in errors], pa.int64())
        columns["error"] = pa.array(errors, pa.string())
        for name, numbers in zip(self.sweep.statistics.columns(), self.numbers[done].T, strict=True):
            columns[name] = pa.array(numbers, from_pandas=True)  # NaN is a missing number
        return pa.table(columns)

    def to_polars(self) -> polars.DataFrame:
        """`to_arrow` as a polars frame."""
        return polars_frame(self.to_arrow())

    def to_pandas(self) -> pandas.DataFrame:
        """`to_arrow` as a pandas frame."""
        return pandas_frame(self.to_arrow())

    def write_parquet(self, path: str) -> None:
        """`to_arrow` as a Parquet file, local or of any file system that fsspec knows."""
        with brought_by("frames", purpose="write_parquet"):
            import fsspec  # noqa: PLC0415

        with fsspec.open(path, "wb") as stream:
            stream.write(parquet_bytes(self.to_arrow()))

    def kept_paths(self) -> polars.LazyFrame:
        """Every path of ``keep="paths"``: scenario, path, measures, ``prices`` and ``volatilities`` as lists.

        Raises:
            InvalidInput: The sweep did not keep them.
        """
        with brought_by("frames", purpose="kept_paths"):
            import polars  # noqa: PLC0415  heavy

        if self.folder is None or self.sweep.keep != "paths":
            raise InvalidInput(
                "keep", "this sweep did not keep its paths: ask for keep='paths' and an output"
            )
        return polars.scan_parquet(f"{self.folder}/{PATHS_FOLDER}/*.parquet")

    def parameters(self, scenario: int, path: int = 0) -> SimulationParameters:
        """What a session needs to replay a path.

        Raises:
            InvalidInput: There is no such scenario or path, or the paths are not independent ones.
        """
        whole("scenario", scenario, low=0, high=len(self.sweep.plan) - 1)
        whole("path", path, low=0, high=self.sweep.paths - 1)
        if self.sweep.sampling != "independent":
            raise InvalidInput(
                "sampling", f"a session cannot replay {self.sweep.sampling} paths: use `block`"
            )
        return replace(self.sweep.plan.parameters(scenario), path=path)

    def simulation(self, scenario: int, path: int = 0) -> Simulation:
        """A path with its chains, in this process; raises as `parameters`."""
        return simulate(self.parameters(scenario, path))

    def block(self, scenario: int, first_path: int = 0, paths: int = 1) -> PathBlock:
        """Some paths as their measures saw them; for paired or replicated paths a multiple of their number."""
        return block_of(self.sweep, scenario, first_path, paths)

    def session(
        self, scenario: int, path: int = 0, *, url: str = "http://127.0.0.1:7070", api_key: str | None = None
    ) -> dict[str, Any]:
        """Create a session over HTTP that replays a path.

        Args:
            scenario: Its index.
            path: Its index.
            url: Of the service.
            api_key: Of the caller, where the service needs one.

        Returns:
            The session as the service shows it; `id` is what steps ask for.

        Raises:
            InvalidInput: As `parameters`, or the simulation has rolling expirations.
            httpx.HTTPError: The service refuses it or does not answer.
        """
        return surroundings().create_session(self.parameters(scenario, path), url=url, api_key=api_key)

    def plot(self, statistic: str, *, by: str | None = None, colour: str | None = None) -> Figure:
        """Draw a statistic against a parameter, a line for each value of another; the figure is plotly's.

        Args:
            statistic: A column such as ``terminal_price_mean``; means come with bars of two standard errors.
            by: The parameter along the axis; the first that varies by default.
            colour: The parameter that tells the lines apart; the second that varies by default.

        Raises:
            InvalidInput: There is no such column; the error lists those that there are.
        """
        from optionchain.pictures.sweep import line_plot  # noqa: PLC0415  plotly is heavy

        return line_plot(self._succeeded(), self._varying(), statistic, by=by, colour=colour)

    def heatmap(self, statistic: str, *, x: str | None = None, y: str | None = None) -> Figure:
        """Draw a statistic over two parameters, the mean of what else varies; the figure is plotly's.

        Args:
            statistic: A column such as ``short_strangle_mean``.
            x: The parameter along the lower axis; the first that varies by default.
            y: The parameter along the other axis; the next that varies by default.

        Raises:
            InvalidInput: There is no such column, or fewer than two parameters vary.
        """
        from optionchain.pictures.sweep import heat_map  # noqa: PLC0415  plotly is heavy

        return heat_map(self._succeeded(), self._varying(), statistic, x=x, y=y)

    def __repr__(self) -> str:
        done = f"{int(self.is_done.sum()):,} of {len(self.sweep.plan):,} scenarios"
        return f"<SweepResult {self.state}: {done}, {self.sweep.paths:,} paths each>"

    def _repr_html_(self) -> str:
        """For notebooks: what varies, and of each measure the mean with its standard error."""
        from optionchain.pictures.notebook import html_table  # noqa: PLC0415  only a notebook asks

        done = np.flatnonzero(self.is_done).tolist()
        rows = [[*self._changes(scenario), *self._means(scenario)] for scenario in done[:SHOWN_ROWS]]
        rest = len(done) - len(rows)
        headings = [*self._varying(), *(f"{name} mean" for name in self.sweep.names)]
        return html_table(repr(self)[1:-1], headings, rows, f"and {rest:,} more scenarios" if rest else "")

    def _changes(self, scenario: int) -> list[str]:
        changes, shock = self.sweep.plan.changes(scenario), self.sweep.plan.shock(scenario)
        values = changes if shock is None else {**changes, "shock": shock.name}
        return [str(_shown(values.get(name, ""))) for name in self._varying()]

    def _means(self, scenario: int) -> list[str]:
        if scenario in self.errors:
            return [self.errors[scenario]]
        numbers = dict(zip(self.sweep.statistics.columns(), self.numbers[scenario], strict=True))
        return [f"{numbers[f'{n}_mean']:,.4g} ± {numbers[f'{n}_std_error']:.2g}" for n in self.sweep.names]

    def _succeeded(self) -> polars.DataFrame:
        frame = self.to_polars()
        return frame.filter(frame["error"].is_null())

    def _varying(self) -> list[str]:
        names = [name for name in self.sweep.plan.combinations.names() if name != "seed"]
        return [*names, *(["shock"] if self.sweep.plan.shocks else [])]

    def _varied(self, done: NDArray[np.intp]) -> dict[str, Any]:
        import pyarrow as pa  # noqa: PLC0415

        plan = self.sweep.plan
        changes = [plan.changes(int(scenario)) for scenario in done]
        columns = {
            name: pa.array([_shown(change.get(name)) for change in changes])
            for name in plan.combinations.names()
            if name != "seed"
        }
        if plan.shocks:
            columns["shock"] = pa.array([shock.name for index in done if (shock := plan.shock(int(index)))])
        return columns


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _shown(value: Any) -> Any:
    if isinstance(value, MarketModel):
        return orjson.dumps(model_to_wire(value)).decode()
    if isinstance(value, int | float | str | type(None)):
        return value
    return str(value)
