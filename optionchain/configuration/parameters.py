"""One parameter of a configuration, and where its value comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optionchain.configuration.simulator import SIMULATOR, built_in_values
from optionchain.errors import NotFound


@dataclass(frozen=True, slots=True)
class ConfiguredParameter:
    """What a configuration says of one key.

    Attributes:
        configuration: Its name.
        key: The whole path: ``defaults.spread``.
        value: JSON.
        version: Of the configuration that says it; 0 where it is built in.
    """

    configuration: str
    key: str
    value: Any
    version: int

    @property
    def source(self) -> str:
        """Where the value comes from: ``default``, which is built in, or ``configuration``."""
        return "configuration" if self.version else "default"

    @property
    def overridden_by(self) -> str | None:
        """Whose value wins over this one: that of a ``request`` over a default of new sessions; None: nobody's."""
        is_default = self.configuration == SIMULATOR and self.key.startswith("defaults.")
        return "request" if is_default else None


def configured_parameter(name: str, key: str, values: Mapping[str, Any], version: int) -> ConfiguredParameter:
    """Look a parameter up in a configuration, and then in what is built in.

    Args:
        name: Of the configuration.
        key: Its path, with dots; of `simulator`, the last part will do.
        values: Of the configuration; empty where none was ever written.
        version: Theirs, 0 likewise.

    Raises:
        NotFound: Neither knows it.

    Example:
        >>> configured_parameter("simulator", "spread", {"defaults": {"spread": 0.05}}, 3).value
        0.05
        >>> configured_parameter("simulator", "chain_size", {"defaults": {"spread": 0.05}}, 3).source
        'default'
    """
    sources = [(values, version)]
    if name == SIMULATOR:
        sources.append((built_in_values(), 0))
    for of_source, its_version in sources:
        for path in _paths(name, key):
            found, value = _at(of_source, path)
            if found:
                return ConfiguredParameter(name, path, value, its_version)
    raise NotFound("parameter", f"{key} of the configuration {name}")


def _paths(name: str, key: str) -> Iterator[str]:
    yield key
    if name == SIMULATOR and "." not in key:
        yield from (f"{group}.{key}" for group in built_in_values())


def _at(values: Any, path: str) -> tuple[bool, Any]:
    for part in path.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return False, None
        values = values[part]
    return True, values
