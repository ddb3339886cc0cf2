"""A wheel of the service needs the wheels of the library and the client; a clone has them beside it."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NeedsItsSiblings(BuildHookInterface[Any]):
    """Adds them, of the same version, to what a wheel requires."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling calls it before it builds; `version` is the kind of wheel."""
        if version == "standard":
            release = self.metadata.version
            build_data["dependencies"] += [f"optionchain=={release}", f"optionchain-client=={release}"]
