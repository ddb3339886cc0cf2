"""Named configurations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from optionchain.configuration.parameters import ConfiguredParameter
from optionchain.configuration.versions import Configuration, ConfigurationSummary


class ConfigRepository(Protocol):
    """Named configurations. Every method raises `Unavailable` when the store does not answer."""

    async def get_config(self, name: str, version: int | None = None) -> Configuration:
        """A version of a configuration; None is the latest.

        Raises:
            NotFound: There is none.
        """
        ...

    async def get_parameter(self, name: str, key: str) -> ConfiguredParameter:
        """One parameter of the latest version of a configuration, and where its value comes from.

        Args:
            name: Of the configuration; `simulator` has built-in values where it was never written.
            key: Its path, with dots; of `simulator`, the last part will do: ``spread``.

        Raises:
            NotFound: There is none.
        """
        ...

    async def save_config(
        self,
        name: str,
        values: Mapping[str, Any],
        *,
        expected_version: int,
        saved_by: str,
        saved_at: datetime,
        is_secret: bool = False,
    ) -> Configuration:
        """Store the version after `expected_version` (0: the first) and return it.

        Raises:
            Conflict: The latest version is another one. Of two writers with the same expectation one wins.
            InvalidInput: The name, a key or the size is not allowed, or the latest version is secret and this is not.
        """
        ...

    async def list_configurations(self) -> Sequence[ConfigurationSummary]:
        """The latest version of each configuration, in order of name."""
        ...

    async def get_config_history(self, name: str, *, limit: int = 100) -> Sequence[Configuration]:
        """The versions of a configuration, the latest first.

        Raises:
            NotFound: There is none.
        """
        ...

    def changes(self) -> AsyncGenerator[tuple[str, int] | None, None]:
        """The names and new versions of configurations as they change, whoever changes them; without end.

        None comes first, once no further change can be missed.

        Raises:
            Unavailable: The store cannot tell; ask it from time to time instead.
        """
        ...
