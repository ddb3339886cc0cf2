"""Variables of the service that this one replaces, for deployments that have them: where both are set, ours win."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_BIND_ADDRESSES = {"all": "0.0.0.0", "localhost": "127.0.0.1"}  # noqa: S104  what its operators write
_LOG_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class Alias:
    """A variable that means a setting.

    Attributes:
        group, field: Of the setting.
        meaning: The setting's value for one of the variable; None where it means nothing.
    """

    group: str
    field: str
    meaning: Callable[[str], str | None]


ALIASES: Mapping[str, Alias] = {
    "OCS_PORT": Alias("http", "port", lambda given: given),
    "OCS_BIND_ADDRESS": Alias("http", "host", lambda given: _BIND_ADDRESSES.get(given.lower(), given)),
    # Others read it too: what is none of its words is theirs.
    "LOGLEVEL": Alias("telemetry", "log_level", lambda given: _LOG_LEVELS.get(given.lower())),
}


def of_aliases() -> dict[str, dict[str, Any]]:
    """What the aliases in the environment set, by group and field; a blank one is not set."""
    settings: dict[str, dict[str, Any]] = {}
    for name, alias in ALIASES.items():
        given = os.environ.get(name, "").strip()
        value = alias.meaning(given) if given else None
        if value is not None:
            settings.setdefault(alias.group, {})[alias.field] = value
    return settings


def name_in_use(group: str, field: str, name: str) -> str:
    """The variable that sets a field: `name`, or the alias where that is in the environment and `name` is not."""
    if name in os.environ:
        return name
    of_field = (alias for alias, means in ALIASES.items() if (means.group, means.field) == (group, field))
    return next((alias for alias in of_field if os.environ.get(alias, "").strip()), name)
