"""A sweep that can be run: its definition, and the way to its results."""

from __future__ import annotations

from dataclasses import dataclass

from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.engine import Engine
from optionchain.sweeps.index import SweepIndex
from optionchain.sweeps.progress import ProgressObserver
from optionchain.sweeps.results import SweepResult
from optionchain.sweeps.run import run
from optionchain.sweeps.surroundings import InDoubt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sweep(SweepDefinition):
    """Scenarios of a simulation, each with many paths, reduced to statistics of what is measured on them.

    A path follows from (seed, path) alone, so every number is the same whatever the number of workers, the
    order and the retries. All scenarios share their draws: differences between them are not noise.

    Attributes:
        base: The parameters that the scenarios change.
        measures: Functions of a `PathBlock` that return one number a path.
        grid: Values of parameters by name; every combination is a scenario. ``volatility`` changes the market
            model's volatility with it; ``method.x`` changes a parameter of the model.
        scenarios: Given combinations instead of a grid; see `design`.
        shocks: Each combination is simulated under each of them.
        paths: Of each scenario, 1 to 2^32; even for antithetic and a multiple of 16 for Sobol paths.
        seed: 0 to 2^64 - 1; None takes the base's.
        sampling: ``independent`` paths, ``antithetic`` pairs, or 16 replicates of ``sobol`` points.
        control: A measure with a known mean, which corrects the others: see `TERMINAL_PRICE`.
        quantiles: Levels that are reported of each measure, in [0, 1].
        tail: Share of the worst paths that value at risk and expected shortfall look at.
        covariances: Whether the covariance of each pair of measures is reported.
        keep: ``statistics``, or ``paths`` to write every path with its measures to Parquet as well.
        block_paths: Paths that are simulated together; None chooses. The results do not depend on it.

    Raises:
        InvalidInput: Something is unknown, empty or out of range; the error names it.

    Example:
        >>> from datetime import UTC, datetime
        >>> from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, Sweep
        >>> from optionchain.measures import terminal_price
        >>> from optionchain.sweeps import InProcess, Silent
        >>> base = SimulationParameters(
        ...     symbol="SPX", steps=31, initial_price=100.0, volatility=0.2,
        ...     method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
        ...     expirations=SingleExpiration(days=30.0), seed=7, start_at=datetime(2026, 1, 5, tzinfo=UTC),
        ... )
        >>> sweep = Sweep(base=base, measures=[terminal_price], grid={"volatility": [0.1, 0.4]}, paths=1000)
        >>> sweep.run(engine=InProcess(), observer=Silent()).to_polars()["terminal_price_std"].round(1).to_list()
        [2.8, 11.4]
    """

    def run(
        self,
        *,
        engine: Engine | None = None,
        output: str | None = None,
        observer: ProgressObserver | None = None,
        index: SweepIndex | None = None,
        in_doubt: InDoubt = "refuse",
    ) -> SweepResult:
        """Compute every scenario.

        A scenario that fails is a row with its error. Ctrl-C keeps what is done. With an `output`, what is
        done is recorded there, and the same sweep run again goes on where it was, even after a kill.

        Args:
            engine: Where to compute; by default on the Ray cluster at hand, or on this machine's cores; in this
                process where Ray is not installed.
            output: A folder, local or of any file system that fsspec knows (``s3://...``).
            observer: Told of progress; by default bars on a terminal and nothing elsewhere.
            index: Keeps a record of the sweep, such as `adapters.mongo.sweeps.MongoSweepIndex`.
            in_doubt: What to do where the output has a record of this definition of which is not certain that it is
                of the same computation, for other releases made it, or a measure has what cannot be compared:
                ``refuse`` to go on, or forget the record and begin ``anew``.

        Raises:
            InvalidInput: A measure raises, returns no number a path, or does not travel to workers; or it is in doubt
                what the output has, and the error says why.
        """
        return run(self, engine=engine, output=output, observer=observer, index=index, in_doubt=in_doubt)
