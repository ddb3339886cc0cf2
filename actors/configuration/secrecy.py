"""Secret configurations: their values are encrypted wherever they are stored or cached, and shown to administrators."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from optionchain.configuration.simulator import SIMULATOR
from optionchain.configuration.versions import Configuration, encoded
from optionchain.errors import InvalidInput
from optionchain.ports import Sealing

SEALED = "sealed"
"""The one value of a secret configuration as it is stored: all of its values, encrypted, in base64."""
MARKED = "secret"
_MARK = b'"secret":true'


class Secrecy:
    """Encrypts the values of secret configurations, and decrypts them for who may see them.

    Args:
        sealing: The keys.
    """

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def sealed(self, configuration: Configuration) -> Configuration:
        """A secret configuration as it is stored.

        Raises:
            InvalidInput: There is no key, or it is the one that new sessions need.
        """
        if configuration.name == SIMULATOR:
            raise InvalidInput(MARKED, "must be false: every new session needs these values")
        context = _context(configuration.name, configuration.version)
        try:
            sealed = self._sealing.seal(encoded(configuration.values), context)
        except InvalidInput as problem:
            raise InvalidInput(MARKED, f"must be false here: {problem}") from problem
        return replace(configuration, values={SEALED: b64encode(sealed).decode()}, is_secret=True)

    def resealed(self, configuration: Configuration) -> Configuration:
        """A stored one under the key that seals now.

        Raises:
            CannotOpen: It cannot be decrypted.
        """
        values = self._opened(configuration.name, configuration.version, configuration.values)
        return self.sealed(replace(configuration, values=values))

    def shown(self, document: bytes, *, with_secrets: bool) -> bytes:
        """A configuration's JSON as somebody may see it.

        Args:
            document: As it is stored or cached.
            with_secrets: Whether secret values are shown; otherwise they are null.

        Raises:
            CannotOpen: They cannot be decrypted.
        """
        if _MARK not in document:
            return document
        return orjson.dumps(self.shown_version(orjson.loads(document), with_secrets=with_secrets))

    def shown_version(self, version: Mapping[str, Any], *, with_secrets: bool) -> Mapping[str, Any]:
        """The same of a version that was read."""
        if not version.get(MARKED):
            return version
        name, number, values = version["name"], version["version"], version["values"]
        return {**version, "values": self._opened(name, number, values) if with_secrets else None}

    def _opened(self, name: str, version: int, values: Mapping[str, Any]) -> Mapping[str, Any]:
        plain = self._sealing.open(b64decode(values[SEALED]), _context(name, version))
        opened: Mapping[str, Any] = orjson.loads(plain)
        return opened


def _context(name: str, version: int) -> bytes:
    return f"configuration/{name}/{version}".encode()
