"""Simulated option-chain market data: models, pricing, chains, expirations, sweeps. Pure NumPy, SciPy and numba.

>>> from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, simulate

What is imported from here is imported when it is asked for, so that a command line need not wait for SciPy. Which names
there are, `__init__.pyi` says.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
