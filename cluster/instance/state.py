"""What a running instance has told of itself, for the commands that come after."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What a running instance has told of itself; kept in its folder, readable by its owner alone."""

    marker: str
    base_url: str
    api_key: str | None
    ray_address: str
    ray_dashboard: str
    redis_url: str
    mongo_uri: str
    environment: dict[str, str]


def write_state(file: Path, state: InstanceState) -> None:
    """Keep a state in a file."""
    write_private(file, json.dumps(asdict(state)))


def read_state(file: Path) -> InstanceState | None:
    """The state in a file, or None when there is none that can be trusted."""
    try:
        return InstanceState(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
