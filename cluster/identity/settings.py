"""Who may call, and how that is known."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from cluster.api_keys import parse_keys


class AuthSettings(BaseModel):
    """Who may call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(
        True, description="Require an API key on every route but /health, /ready and the docs"
    )
    keys: SecretStr = Field(
        SecretStr(""),
        description="`owner=key` or `owner:role+role=key`, separated by commas; empty makes a key of an "
        "administrator at first start",
    )
    max_keys: int = Field(
        10_000, ge=1, le=100_000, description="Managed keys that may work at a time; each process holds them"
    )
    poll_seconds: float = Field(
        5.0, gt=0, le=300, description="Rhythm in which they are read again, beside the notices of changes"
    )
    used_seconds: float = Field(60.0, gt=0, description="Rhythm in which their last use is written")
    unheard: Literal["serve", "refuse"] = Field(
        "serve",
        description="Managed keys while neither Redis nor MongoDB can tell of revocations: `serve` goes by what was "
        "last known, `refuse` answers 503 after a while; /ready tells either way",
    )
    unheard_seconds: float = Field(60.0, ge=1, description="Until `refuse` does so")

    @field_validator("keys")
    @classmethod
    def _keys_are_readable(cls, keys: SecretStr) -> SecretStr:
        parse_keys(keys.get_secret_value())
        return keys
