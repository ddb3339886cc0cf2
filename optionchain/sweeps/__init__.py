"""Sweeps: many scenarios of a simulation, each with many paths, computed in parallel and reduced where they are."""

from optionchain.measures import TERMINAL_PRICE, Control
from optionchain.sweeps.blocks import Failure
from optionchain.sweeps.changes import Shock
from optionchain.sweeps.designs import design
from optionchain.sweeps.engine import InProcess
from optionchain.sweeps.progress import Silent
from optionchain.sweeps.results import SweepResult
from optionchain.sweeps.sweep import Sweep

__all__ = [
    "TERMINAL_PRICE",
    "Control",
    "Failure",
    "InProcess",
    "Shock",
    "Silent",
    "Sweep",
    "SweepResult",
    "design",
]
