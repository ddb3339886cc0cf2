"""Every secret of the settings, for what must not tell them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from cluster.api_keys import MIN_KEY_LENGTH, parse_keys
from cluster.settings import Settings


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secrets, each as a whole and by its parts: the password of an address, every key of a list."""
    return tuple(sorted({part for secret in _secrets(settings) for part in _parts(secret)}))


def _secrets(group: BaseModel) -> Iterator[str]:
    for _, value in group:
        if isinstance(value, BaseModel):
            yield from _secrets(value)
        elif isinstance(value, SecretStr) and value.get_secret_value():
            yield value.get_secret_value()


def _parts(secret: str) -> Iterator[str]:
    yield secret
    yield from (part.strip() for part in secret.split(",") if len(part.strip()) >= MIN_KEY_LENGTH)
    if "://" in secret:
        password = urlsplit(secret).password
        if password:
            yield password
            yield unquote(password)
    else:
        with suppress(ValueError):  # no list of keys
            yield from parse_keys(secret)
