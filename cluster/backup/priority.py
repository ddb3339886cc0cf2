"""Whoever makes a backup gives way to the service, which goes first."""

from __future__ import annotations

import os

LOWER_PRIORITY = 15
"""As `nice` counts."""


def give_way() -> None:
    """From now on: on Linux this thread alone, and those that it starts."""
    os.nice(LOWER_PRIORITY)
