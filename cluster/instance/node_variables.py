"""The variables of Ray's nodes, as `ray_config/nodes/` has them for every way of starting one."""

from __future__ import annotations

from pathlib import Path

NODES = Path(__file__).resolve().parents[2] / "ray_config" / "nodes"
EVERY_NODE = "node"
WITH_HAPROXY = "haproxy"
IN_COMPANY = "cluster"
"""Of several nodes, which take over from one that is lost."""


def node_variables(*names: str) -> dict[str, str]:
    """The variables of these files together.

    Args:
        names: `EVERY_NODE`, `WITH_HAPROXY`, `IN_COMPANY`.
    """
    return {
        name: value
        for file in names
        for line in (NODES / f"{file}.env").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
        for name, _, value in [line.partition("=")]
    }
