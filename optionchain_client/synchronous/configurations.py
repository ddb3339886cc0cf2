# Made from asynchronous/configurations.py by make_synchronous.py: edit that.
"""Named configurations of the service and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optionchain_client.checks import refuse_not_finite
from optionchain_client.errors import Conflict, NotFound
from optionchain_client.requests import ApiRequest, reading, segment
from optionchain_client.synchronous.transport import Transport
from optionchain_client.views import (
    ConfigurationVersion,
    ConfigurationView,
    ParameterView,
    StoredConfiguration,
)

CONFIG = "/api/v1/config"


class Configurations:
    """Configurations. `simulator` gives every new session its defaults and limits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def names(self) -> list[ConfigurationVersion]:
        """The latest version of each configuration, without its values."""
        answer = self._transport.send(reading(CONFIG))
        versions: list[ConfigurationVersion] = answer["data"]
        return versions

    def get(self, name: str, *, version: int | None = None) -> ConfigurationView:
        """A version of a configuration; None is the latest. Version 0 of `simulator` is what is built in.

        Raises:
            NotFound: There is none.
        """
        view: ConfigurationView = self._transport.send(reading(_path(name), version=version))
        return view

    def parameter(self, name: str, key: str) -> ParameterView:
        """A parameter of the latest version, and where its value comes from.

        Args:
            name: Of the configuration.
            key: Its path, with dots; of `simulator` the last part will do.

        Raises:
            NotFound: There is none.
        """
        path = f"{_path(name)}/parameters/{segment(key)}"
        view: ParameterView = self._transport.send(reading(path))
        return view

    def history(self, name: str, *, limit: int = 100) -> list[StoredConfiguration]:
        """The versions of a configuration, the latest first.

        Args:
            name: Of the configuration.
            limit: At most so many, 1 to 1000.

        Raises:
            NotFound: There is none.
        """
        answer = self._transport.send(reading(f"{_path(name)}/history", limit=limit))
        versions: list[StoredConfiguration] = answer["data"]
        return versions

    def save(
        self, name: str, values: Mapping[str, Any], *, expected_version: int = 0, secret: bool = False
    ) -> ConfigurationView:
        """Store the version after the one that is expected to be the latest. Versions are never overwritten.

        A lost answer loses nothing: where the next version has these very values, that is the answer.

        Args:
            name: Of the configuration.
            values: All of them: what is left out is not kept.
            expected_version: The latest version; 0 for a new configuration.
            secret: Encrypt the values where they are stored, and show them to administrators alone.

        Raises:
            Conflict: The latest version is another one.
            Forbidden: The key is not an administrator's.
            ValueError: A number is NaN or infinite.
        """
        refuse_not_finite("values", values)
        headers = {"If-Match": str(expected_version)}
        query = {"secret": True} if secret else None
        request = ApiRequest(method="PUT", path=_path(name), query=query, body=values, headers=headers)
        try:
            view: ConfigurationView = self._transport.send(request)
        except Conflict as conflict:
            return self._as_saved(name, values, expected_version + 1, conflict)
        return view

    def _as_saved(
        self, name: str, values: Mapping[str, Any], version: int, conflict: Conflict
    ) -> ConfigurationView:
        try:
            view = self.get(name, version=version)
        except NotFound:
            raise conflict from None
        if view["values"] != values:
            raise conflict
        return view


def _path(name: str) -> str:
    return f"{CONFIG}/{segment(name)}"
