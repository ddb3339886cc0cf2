"""How many HTTP replicas there are: always the same, or as many as the load needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_REPLICAS = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """The bounds of a number of replicas.

    Attributes:
        fewest: There are never fewer.
        most: Nor more.
    """

    fewest: int
    most: int

    @property
    def is_fixed(self) -> bool:
        """Whether their number does not follow the load."""
        return self.fewest == self.most


def parse_scale(text: str) -> Scale:
    """Read ``3``, or ``2:8``.

    Raises:
        ValueError: It is neither.
    """
    match = re.fullmatch(r"(\d{1,4})(?::(\d{1,4}))?", text)
    scale = Scale(int(match[1]), int(match[2] or match[1])) if match else Scale(0, 0)
    if not 1 <= scale.fewest <= scale.most <= MOST_REPLICAS:
        raise ValueError(
            f"must be a number from 1 to {MOST_REPLICAS}, or the fewest and the most, such as `2:8`"
        )
    return scale
