"""Wiring, placement, the command line, benchmarks, and sweeps: ``from cluster import Sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cluster.sweep import Sweep

__all__ = ["Sweep"]


def __getattr__(name: str) -> Any:
    """Import `Sweep` when it is asked for: whoever reads the settings does not pay for NumPy."""
    if name == "Sweep":
        from cluster.sweep import Sweep  # noqa: PLC0415

        return Sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
