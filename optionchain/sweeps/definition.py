"""What a sweep is: base parameters, what varies, what is measured on each path, and how many paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from numpy.typing import NDArray

from optionchain.declared.checks import finite, whole
from optionchain.draws.philox import RNG_NAME
from optionchain.errors import InvalidInput
from optionchain.measures import Control, Measure, is_profit, measure_name
from optionchain.parameters import MAX_SEED, SimulationParameters
from optionchain.sweeps.changes import Shock
from optionchain.sweeps.identity import Identity, identified
from optionchain.sweeps.reduction import Statistics
from optionchain.sweeps.sampling import SAMPLINGS, Sampling, SamplingName
from optionchain.sweeps.scenarios import Scenarios, checked_grid, checked_list
from optionchain.wire.parameters import parameters_to_wire

MOST_PATHS = 1 << 32
# Half a million pairs, of each of which a covariance may be asked for.
MOST_MEASURES = 1000
# Prices of a block: with their copies they stay near the last level of a core's cache. Measured best of 2^14 to 2^20.
BLOCK_PRICES = 1 << 17
# Contracts of a block's chains at one step: with greeks, 84 MB.
BLOCK_CONTRACTS = 1 << 20
DEFAULT_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepDefinition:
    """The definition of a sweep, as workers and records know it; `Sweep`, which runs it, describes it."""

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
        return identity_of(self.description())

    @property
    def identity(self) -> Identity:
        """What is known of the measures and the control: what makes them doubtful, and the packages that they use."""
        return identified((self.measures, self.control))

    def description(self) -> dict[str, Any]:
        """The definition in JSON values: for the identity, and for people."""
        measures = [{"name": measure_name(each), "is": identified(each).digest} for each in self.measures]
        return {
            "format": 2,
            "rng": RNG_NAME,
            "base": _exact(parameters_to_wire(self.base)),
            "varies": identified(self.plan.combinations).digest,
            "shocks": [identified(shock).digest for shock in self.shocks],
            "scenarios": len(self.plan),
            "paths": self.paths,
            "block_paths": self.block_paths,
            "seed": str(self.seed),
            "sampling": self.sampling,
            "measures": measures,
            "control": None if self.control is None else identified(self.control).digest,
            "quantiles": list(self.quantiles),
            "tail": self.tail,
            "covariances": self.covariances,
            "keep": self.keep,
        }

    def __repr__(self) -> str:
        varied = ", ".join(self.plan.combinations.names()) or "nothing"
        return (
            f"<{type(self).__name__} of {self.base.symbol}: {len(self.plan):,} scenarios of {varied}, "
            f"{self.paths:,} paths each, measuring {', '.join(self.names)}>"
        )

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


def identity_of(description: Mapping[str, Any]) -> str:
    """The id of a sweep from what describes it."""
    return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).hexdigest()[:20]


def _check_kinds(sweep: SweepDefinition) -> None:
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
    if sweep.sampling == "sobol" and sweep.base.underlyings is not None:
        raise InvalidInput(
            "sampling", "must be independent or antithetic: sobol has the points of one underlying"
        )
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
