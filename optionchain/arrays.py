"""The axes of our arrays, named once.

`Paths` is ``[paths, steps]``: one row a simulated path, column 0 the start. `Strikes` is one axis of
contracts in strike order. `Floats` broadcasts over any shape.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Paths: TypeAlias = Annotated[NDArray[np.float64], "paths steps"]
Strikes: TypeAlias = Annotated[NDArray[np.float64], "strikes"]
Steps: TypeAlias = Annotated[NDArray[np.float64], "steps"]
