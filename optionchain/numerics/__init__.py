"""Numbers that are the same to the last bit on every machine: elementary functions and what compiles them."""

from optionchain.numerics.engine import Kernel, compile_in_background, compile_kernels
from optionchain.numerics.functions import exp, expm1, log, log1p, log_ndtr, ndtr, ndtri

IDENTITY = "formulas-v1"
"""Names the arithmetic behind every number. Two results are comparable byte for byte only where theirs are equal; what
was recorded without one, before version 0.2, used the C library's functions and NumPy's and SciPy's."""

__all__ = [
    "IDENTITY",
    "Kernel",
    "compile_in_background",
    "compile_kernels",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log_ndtr",
    "ndtr",
    "ndtri",
]
