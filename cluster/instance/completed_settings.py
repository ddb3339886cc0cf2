"""The settings of an instance once it is known where its servers are: what its processes are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters.encryption import new_key
from cluster.api_keys import kept_key
from cluster.instance.ray_node import actor_sockets, proxy_proof
from cluster.settings import Settings

AUDIT_KEY, ENCRYPTION_KEY = "audit_key", "encryption_key"


def completed(settings: Settings, folder: Path, api_key: str | None) -> Settings:
    """The settings with what is an instance's own: its secrets and its folder.

    Args:
        settings: All settings.
        folder: Of the instance.
        api_key: The key that was made for it; None where nobody needs one.
    """
    proven = with_proof(settings, proxy_proof(settings, folder))
    signing = with_audit_key(with_key(proven, api_key), kept_key(folder / AUDIT_KEY))
    sealing = with_encryption_key(signing, folder)
    return with_sockets(sealing, actor_sockets(folder)) if settings.ray.is_alone else sealing


def with_redis(settings: Settings, url: str) -> Settings:
    """The settings with the address of Redis."""
    return settings.with_changes({"redis": {"url": url}})


def with_mongo(settings: Settings, uri: str) -> Settings:
    """The settings with the address of MongoDB."""
    return settings.with_changes({"mongo": {"uri": uri}})


def with_sockets(settings: Settings, folder: Path) -> Settings:
    """The settings with the folder of the actors' sockets, unless they have one."""
    if settings.session.socket_folder is not None:
        return settings
    return settings.with_changes({"session": {"socket_folder": folder}})


def with_key(settings: Settings, key: str | None) -> Settings:
    """The settings with the key that was made for the instance, unless they have keys or need none."""
    if key is None or settings.auth.keys.get_secret_value():
        return settings
    return settings.with_changes({"auth": {"keys": f"owner:admin={key}"}})


def with_proof(settings: Settings, proof: str) -> Settings:
    """The settings with the secret by which the instance's HAProxy is known, unless they have one."""
    if settings.http.proxy_proof.get_secret_value():
        return settings
    return settings.with_changes({"http": {"proxy_proof": proof}})


def with_audit_key(settings: Settings, key: str) -> Settings:
    """The settings with the key that signs the audit log of the instance, unless they have one."""
    if settings.audit.key.get_secret_value():
        return settings
    return settings.with_changes({"audit": {"key": key}})


def with_encryption_key(settings: Settings, folder: Path) -> Settings:
    """The settings with the keys that encrypt what the instance of a folder stores, unless they have some."""
    if settings.encryption.key.get_secret_value():
        return settings
    return settings.with_changes({"encryption": {"key": kept_key(folder / ENCRYPTION_KEY, new_key)}})


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
