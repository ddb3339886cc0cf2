"""Sweeps: many scenarios of a simulation, each with many paths, computed in parallel and reduced where they are."""

from cluster.sweep.blocks import Failure
from cluster.sweep.controls import TERMINAL_PRICE, Control
from cluster.sweep.definition import Sweep
from cluster.sweep.designs import design
from cluster.sweep.engine import InProcess
from cluster.sweep.progress import OnConsole, Silent
from cluster.sweep.results import SweepResult
from cluster.sweep.shocks import Shock

__all__ = [
    "TERMINAL_PRICE",
    "Control",
    "Failure",
    "InProcess",
    "OnConsole",
    "Shock",
    "Silent",
    "Sweep",
    "SweepResult",
    "design",
]
