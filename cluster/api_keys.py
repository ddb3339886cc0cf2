"""API keys: how they are written in the settings, and the one that is made at first start."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from optionchain.context import ADMIN, Principal

MIN_KEY_LENGTH = 16


def parse_keys(text: str) -> dict[str, Principal]:
    """Read ``owner=key,owner:admin=key``; the keys of the result are the API keys.

    The owner is both the tenant and the subject of its callers: a key has no name of its own.

    Raises:
        ValueError: An entry is not of that form, or a key is shorter than 16 characters.
    """
    principals = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = entry.partition("=")
        owner, _, role = name.partition(":")
        if (
            not owner.replace("-", "").replace("_", "").isalnum()
            or len(owner) > 64
            or role not in ("", ADMIN)
        ):
            raise ValueError(
                "each entry must be owner=key or owner:admin=key, the owner of letters, digits, - and _"
            )
        if len(key) < MIN_KEY_LENGTH:
            raise ValueError(f"the key of {owner} must have at least {MIN_KEY_LENGTH} characters")
        principals[key] = Principal(owner, owner, frozenset({ADMIN} if role else ()))
    return principals


def kept_key(file: Path) -> str:
    """The key in `file`, readable by its owner alone; made at the first call."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(24) + "\n")
    return file.read_text().strip()
