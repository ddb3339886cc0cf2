"""Which of the two options: ``call`` or ``put``, as tables of contracts have it in their column `option_type`."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optionchain.errors import InvalidInput

OptionType: TypeAlias = str | ArrayLike
"""``"call"``, ``"put"``, or an array or column of them."""


def are_calls(option_type: OptionType) -> NDArray[np.bool_]:
    """Whether each is a call, in an array of their shape.

    Raises:
        InvalidInput: One is neither.

    Example:
        >>> are_calls(["put", "call"])
        array([False,  True])
    """
    names = np.asarray(option_type)
    calls = np.asarray(names == "call", dtype=np.bool_)
    if names.dtype.kind not in "UOT" or not np.all(calls | np.asarray(names == "put", dtype=np.bool_)):
        raise InvalidInput("option_type", "must be call or put")
    return calls
