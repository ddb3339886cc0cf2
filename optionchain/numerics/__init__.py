"""Numbers that are the same to the last bit on every machine: elementary functions and what compiles them."""

from optionchain.numerics.engine import Kernel, compile_kernels, compile_when_worthwhile
from optionchain.numerics.functions import exp, expm1, log, log1p, log_ndtr, ndtr, ndtri

IDENTITY = "formulas-v1"
"""Names the arithmetic behind every number: results are comparable byte for byte only where theirs are equal."""
EARLIER = "libraries"
"""The identity of what was recorded without one: the functions of the C library, NumPy and SciPy, whose last digits
depend on the machine."""

__all__ = [
    "EARLIER",
    "IDENTITY",
    "Kernel",
    "compile_kernels",
    "compile_when_worthwhile",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log_ndtr",
    "ndtr",
    "ndtri",
]
