"""The market models. A new one is a file with a class marked `market_model`, and its import here."""

from optionchain.walks.brownian import Brownian
from optionchain.walks.custom import Custom
from optionchain.walks.garch import Garch
from optionchain.walks.geometric_brownian import GeometricBrownian
from optionchain.walks.heston import Heston
from optionchain.walks.historical import Historical
from optionchain.walks.jump_diffusion import JumpDiffusion
from optionchain.walks.log_returns import LogReturns
from optionchain.walks.mean_reverting import MeanReverting
from optionchain.walks.telegraph import Telegraph
from optionchain.walks.walk import WALKS, Tape, Walk, market_model
from optionchain.walks.wire import walk_from_wire, walk_schema, walk_to_wire

__all__ = [
    "WALKS",
    "Brownian",
    "Custom",
    "Garch",
    "GeometricBrownian",
    "Heston",
    "Historical",
    "JumpDiffusion",
    "LogReturns",
    "MeanReverting",
    "Tape",
    "Telegraph",
    "Walk",
    "market_model",
    "walk_from_wire",
    "walk_schema",
    "walk_to_wire",
]
