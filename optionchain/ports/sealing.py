"""What is encrypted before it is stored."""

from __future__ import annotations

from typing import Protocol


class Sealing(Protocol):
    """Encrypts what nobody is to read in a store."""

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt.

        Args:
            plain: What nobody else is to read.
            context: What it is and whose; `open` must be given the same.

        Raises:
            InvalidInput: There is no key.
        """
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            CannotOpen: It was not sealed here, its key is not known, or it or the context was changed.
        """
        ...
