# The public names, and where each comes from: `__init__.py` imports one when it is asked for.

from .chains import OptionChain, build_chain
from .contracts.products import product
from .errors import InvalidInput, OptionChainError
from .expirations import (
    DailyRule,
    Expiration,
    MonthlyRule,
    Schedule,
    WeeklyRule,
    YearlyRule,
    monthly_third_friday,
)
from .models import (
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
from .parameters import SimulationParameters, SingleExpiration
from .recorded_days import recorded
from .simulation import Simulation, simulate
from .sweeps import Sweep
from .time_frame import TimeFrame

__version__: str

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
    "Sweep",
    "Telegraph",
    "TimeFrame",
    "WeeklyRule",
    "YearlyRule",
    "__version__",
    "build_chain",
    "monthly_third_friday",
    "product",
    "recorded",
    "simulate",
]
