"""The market models. A new one is a file in this folder with a class marked `market_model`: it is found by itself.

The names below are for those who write them in Python; JSON, its schema and the documentation know every marked class.
"""

import importlib
import pkgutil

from optionchain.models.brownian import Brownian
from optionchain.models.custom import Custom
from optionchain.models.garch import Garch
from optionchain.models.geometric_brownian import GeometricBrownian
from optionchain.models.heston import Heston
from optionchain.models.historical import Historical
from optionchain.models.jump_diffusion import JumpDiffusion
from optionchain.models.log_returns import LogReturns
from optionchain.models.mean_reverting import MeanReverting
from optionchain.models.model import MARKET_MODELS, MarketModel, SampledPaths, market_model
from optionchain.models.recorded import Recorded
from optionchain.models.telegraph import Telegraph
from optionchain.models.wire import model_from_wire, model_schema, model_to_wire

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "MARKET_MODELS",
    "Brownian",
    "Custom",
    "Garch",
    "GeometricBrownian",
    "Heston",
    "Historical",
    "JumpDiffusion",
    "LogReturns",
    "MarketModel",
    "MeanReverting",
    "Recorded",
    "SampledPaths",
    "Telegraph",
    "market_model",
    "model_from_wire",
    "model_schema",
    "model_to_wire",
]
