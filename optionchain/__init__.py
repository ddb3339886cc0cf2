"""Simulated option-chain market data: models, pricing, chains, rolling expirations. Pure NumPy, SciPy and numba.

>>> from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, simulate
"""

from optionchain.chains import OptionChain, build_chain
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.expirations import (
    DailyRule,
    Expiration,
    MonthlyRule,
    Schedule,
    WeeklyRule,
    YearlyRule,
)
from optionchain.models import (
    Brownian,
    Custom,
    Garch,
    GeometricBrownian,
    Heston,
    Historical,
    JumpDiffusion,
    LogReturns,
    MeanReverting,
    Telegraph,
)
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import Simulation, simulate
from optionchain.time_frame import TimeFrame

__version__ = "0.1.0"

__all__ = [
    "Brownian",
    "Custom",
    "DailyRule",
    "Expiration",
    "Garch",
    "GeometricBrownian",
    "Heston",
    "Historical",
    "InvalidInput",
    "JumpDiffusion",
    "LogReturns",
    "MeanReverting",
    "MonthlyRule",
    "OptionChain",
    "OptionChainError",
    "Schedule",
    "Simulation",
    "SimulationParameters",
    "SingleExpiration",
    "Telegraph",
    "TimeFrame",
    "WeeklyRule",
    "YearlyRule",
    "__version__",
    "build_chain",
    "simulate",
]
