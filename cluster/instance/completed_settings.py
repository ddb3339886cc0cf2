"""The settings of an instance once it is known where its servers are: what its processes are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cluster.settings import Settings


def with_redis(settings: Settings, url: str) -> Settings:
    """The settings with the address of Redis."""
    return settings.model_copy(update={"redis": settings.redis.model_copy(update={"url": SecretStr(url)})})


def with_mongo(settings: Settings, uri: str) -> Settings:
    """The settings with the address of MongoDB."""
    return settings.model_copy(update={"mongo": settings.mongo.model_copy(update={"uri": SecretStr(uri)})})


def with_key(settings: Settings, key: str | None) -> Settings:
    """The settings with the key that was made for the instance, unless they have keys or need none."""
    if key is None or settings.auth.keys.get_secret_value():
        return settings
    keys = SecretStr(f"owner:admin={key}")
    return settings.model_copy(update={"auth": settings.auth.model_copy(update={"keys": keys})})


def revealed(settings: Settings) -> dict[str, Any]:
    """The settings as JSON can hold them, secrets included."""

    def reveal(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reveal(inner) for key, inner in value.items()}
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return str(value) if isinstance(value, Path) else value

    result: dict[str, Any] = reveal(settings.model_dump())
    return result
