"""What a sweep is: base parameters, what varies, what is measured on each path, and how many paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import orjson
from numpy.typing import NDArray

from cluster.sweep.controls import Control
from cluster.sweep.measure_names import fingerprint, is_profit, measure_name
from cluster.sweep.reduction import Statistics
from cluster.sweep.sampling import SAMPLINGS, Sampling, SamplingName
from cluster.sweep.scenarios import Scenarios, checked_grid, checked_list
from cluster.sweep.shocks import Shock
from optionchain.draws.philox import RNG_NAME
from optionchain.errors import InvalidInput
from optionchain.measures import Measure
from optionchain.parameters import MAX_SEED, SimulationParameters
from optionchain.validation import finite, whole
from optionchain.wire.parameters import parameters_to_wire

if TYPE_CHECKING:
    from cluster.sweep.engine import Engine
    from cluster.sweep.index import SweepIndex
    from cluster.sweep.progress import Observer
    from cluster.sweep.results import SweepResult

MOST_PATHS = 1 << 32
# Half a million pairs, of each of which a covariance may be asked for.
MOST_MEASURES = 1000
# Prices of a block: with their copies they stay near the last level of a core's cache. Measured best of 2^14 to 2^20.
BLOCK_PRICES = 1 << 17
# Contracts of a block's chains at one step: with greeks, 84 MB.
BLOCK_CONTRACTS = 1 << 20
DEFAULT_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
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
        >>> from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration
        >>> from optionchain.measures import terminal_price
        >>> from cluster.sweep import InProcess, Silent
        >>> base = SimulationParameters(
        ...     symbol="SPX", steps=22, initial_price=100.0, volatility=0.2,
        ...     method=GeometricBrownian(dt=1 / 252, drift=0.05, volatility=0.2),
        ...     expirations=SingleExpiration(days=30.0), seed=7, start_at=datetime(2026, 1, 5, tzinfo=UTC),
        ... )
        >>> sweep = Sweep(base=base, measures=[terminal_price], grid={"volatility": [0.1, 0.4]}, paths=1000)
        >>> sweep.run(engine=InProcess(), observer=Silent()).to_polars()["terminal_price_std"].round(1).to_list()
        [2.9, 11.8]
    """

    base: SimulationParameters
    measures: Sequence[Measure]
    grid: Mapping[str, Sequence[Any] | NDArray[Any]] | None = None
    scenarios: Sequence[Mapping[str, Any]] | None = None
    shocks: Sequence[Shock] = ()
    paths: int = 1000
    seed: int | None = None
    sampling: SamplingName = "independent"
    control: Control | None = None
    quantiles: Sequence[float] = DEFAULT_QUANTILES
    tail: float = 0.05
    covariances: bool = False
    keep: Literal["statistics", "paths"] = "statistics"
    block_paths: int | None = None
    plan: Scenarios = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_kinds(self)
        seed = self.base.seed if self.seed is None else whole("seed", self.seed, low=0, high=MAX_SEED)
        quantiles = tuple(finite("quantiles", level, low=0.0, high=1.0) for level in self.quantiles)
        settled: dict[str, Any] = {
            "measures": _checked_measures(self.measures),
            "shocks": tuple(self.shocks),
            "paths": int(self.paths),
            "seed": seed,
            "quantiles": quantiles,
            "tail": finite("tail", self.tail, low=1e-6, high=0.5),
            "block_paths": self._settled_block_paths(),
        }
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "plan", self._plan(seed))

    @property
    def way(self) -> Sampling:
        """How the paths are drawn."""
        return SAMPLINGS[self.sampling]

    @property
    def names(self) -> tuple[str, ...]:
        """The measures' names."""
        return tuple(map(measure_name, self.measures))

    @property
    def statistics(self) -> Statistics:
        """Which numbers a row has."""
        return Statistics(
            measures=self.names,
            profits=tuple(map(is_profit, self.measures)),
            quantiles=tuple(self.quantiles),
            tail=self.tail,
            has_control=self.control is not None,
            has_covariances=self.covariances,
        )

    @property
    def id(self) -> str:
        """20 hexadecimal digits that follow from the definition: a changed one is another sweep."""
        return hashlib.sha256(orjson.dumps(self.description(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:20]

    def description(self) -> dict[str, Any]:
        """The definition in JSON values: for the identity, and for people."""
        measures = [{"name": measure_name(each), "is": fingerprint(each)} for each in self.measures]
        return {
            "format": 1,
            "rng": RNG_NAME,
            "base": _exact(parameters_to_wire(self.base)),
            "varies": fingerprint(self.plan.combinations),
            "shocks": [fingerprint(shock) for shock in self.shocks],
            "scenarios": len(self.plan),
            "paths": self.paths,
            "block_paths": self.block_paths,
            "seed": str(self.seed),
            "sampling": self.sampling,
            "measures": measures,
            "control": None if self.control is None else fingerprint(self.control),
            "quantiles": list(self.quantiles),
            "tail": self.tail,
            "covariances": self.covariances,
            "keep": self.keep,
        }

    def run(
        self,
        *,
        engine: Engine | None = None,
        output: str | None = None,
        observer: Observer | None = None,
        index: SweepIndex | None = None,
    ) -> SweepResult:
        """Compute every scenario.

        A scenario that fails is a row with its error. Ctrl-C keeps what is done. With an `output`, what is
        done is recorded there, and the same sweep run again goes on where it was, even after a kill.

        Args:
            engine: Where to compute; by default on the Ray cluster at hand, or on this machine's cores.
            output: A folder, local or of any file system that fsspec knows (``s3://...``).
            observer: Told of progress; by default bars on a terminal and nothing elsewhere.
            index: Keeps a record of the sweep, such as `adapters.mongo_sweeps.MongoSweepIndex`.

        Raises:
            InvalidInput: A measure raises, returns no number a path, or does not travel to workers.
        """
        from cluster.sweep.run import run  # noqa: PLC0415  it needs polars and Ray, a definition does not

        return run(self, engine=engine, output=output, observer=observer, index=index)

    def _settled_block_paths(self) -> int:
        multiple = SAMPLINGS[self.sampling].multiple
        if self.block_paths is not None:
            block = whole("block_paths", self.block_paths, low=1, high=1 << 24)
            if block % multiple:
                raise InvalidInput(
                    "block_paths", f"must be a multiple of {multiple} for {self.sampling} paths"
                )
            return block
        fitting = min(BLOCK_PRICES // self.base.total_steps, BLOCK_CONTRACTS // self.base.most_contracts)
        block = min(fitting, self.paths)
        return max(block // multiple, 1) * multiple

    def _plan(self, seed: int) -> Scenarios:
        if self.scenarios is not None:
            combinations: Any = checked_list(self.base, self.scenarios)
        else:
            combinations = checked_grid(self.base, self.grid or {})
        return Scenarios(self.base, seed, combinations, tuple(self.shocks))


def _check_kinds(sweep: Sweep) -> None:
    if not isinstance(sweep.base, SimulationParameters):
        raise InvalidInput("base", "must be SimulationParameters")
    if sweep.grid is not None and sweep.scenarios is not None:
        raise InvalidInput("scenarios", "give either a grid or scenarios")
    if sweep.grid is not None and not isinstance(sweep.grid, Mapping):
        raise InvalidInput("grid", "must be a mapping from parameters to lists of values")
    for name in ("quantiles", "shocks", *(("scenarios",) if sweep.scenarios is not None else ())):
        given = getattr(sweep, name)
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise InvalidInput(name, "must be a list")
    if not isinstance(sweep.covariances, bool):
        raise InvalidInput("covariances", "must be true or false")
    if not isinstance(sweep.sampling, str) or sweep.sampling not in SAMPLINGS:
        raise InvalidInput("sampling", f"must be one of {', '.join(SAMPLINGS)}")
    whole("paths", sweep.paths, low=1, high=MOST_PATHS)
    multiple = SAMPLINGS[sweep.sampling].multiple
    if sweep.paths % multiple:
        raise InvalidInput("paths", f"must be a multiple of {multiple} for {sweep.sampling} paths")
    if not all(isinstance(shock, Shock) for shock in sweep.shocks):
        raise InvalidInput("shocks", "must be a list of Shock")
    if len({shock.name for shock in sweep.shocks}) < len(sweep.shocks):
        raise InvalidInput("shocks", "must have different names")
    if sweep.keep not in ("statistics", "paths"):
        raise InvalidInput("keep", "must be statistics or paths")


def _checked_measures(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    if not callable(measures) and not isinstance(measures, Iterable):
        raise InvalidInput("measures", "must be a list of functions of a block of paths")
    given = (measures,) if callable(measures) else tuple(measures)
    if not given:
        raise InvalidInput("measures", "must not be empty")
    if len(given) > MOST_MEASURES:
        raise InvalidInput("measures", f"must be at most {MOST_MEASURES:,}")
    names: list[str] = []
    for index, measure in enumerate(given):
        if not callable(measure):
            raise InvalidInput(f"measures[{index}]", "must be a function of a block of paths")
        name = measure_name(measure)
        if name in names:
            raise InvalidInput(f"measures[{index}]", f"another measure is called {name} already")
        names.append(name)
    return given


def _exact(wire: dict[str, Any]) -> dict[str, Any]:
    """JSON of our own does not lose a seed above 2^53 where others read it."""
    return wire | {"seed": str(wire["seed"])}
