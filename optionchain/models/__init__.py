"""The market models. A new one is a file with a class marked `market_model`, and its import here."""

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
from optionchain.models.telegraph import Telegraph
from optionchain.models.wire import model_from_wire, model_schema, model_to_wire

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
    "SampledPaths",
    "Telegraph",
    "market_model",
    "model_from_wire",
    "model_schema",
    "model_to_wire",
]
