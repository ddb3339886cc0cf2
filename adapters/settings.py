"""What can be set of the outside systems that we speak to."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from adapters.encryption import read_keys

LEAST_STALENESS_SECONDS = 90


class MongoSettings(BaseModel):
    """Where MongoDB is, and how patient we are with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: SecretStr | None = Field(None, description="`mongodb://` URI; empty starts a private server")
    database: str = Field("optionchain", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Name of the database")
    timeout_seconds: float = Field(
        3.0, gt=0, le=60, description="Patience with one operation or connection attempt"
    )
    max_connections: int = Field(32, ge=1, le=1000, description="Connections of one process")
    read_preference: Literal["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"] = (
        Field("primaryPreferred", description="Where history is read; writes go to the primary")
    )
    max_staleness_seconds: int = Field(
        0,
        ge=0,
        description="How far behind a secondary may be that history is read from, 90 or more; 0: no bound",
    )

    @field_validator("max_staleness_seconds")
    @classmethod
    def _is_as_long_as_drivers_need(cls, seconds: int) -> int:
        if 0 < seconds < LEAST_STALENESS_SECONDS:
            raise ValueError(f"must be 0, or {LEAST_STALENESS_SECONDS} or more: drivers know it no better")
        return seconds


class RedisSettings(BaseModel):
    """Where Redis (or Valkey) is, and how patient we are with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = Field(
        None,
        description="`redis://` or `rediss://` URL; of a cluster or of sentinels with several hosts, "
        "separated by commas; empty starts a private server",
    )
    mode: Literal["standalone", "cluster", "sentinel"] = Field(
        "standalone", description="What the URL leads to: one server, nodes of a cluster, or sentinels"
    )
    sentinel_service: str = Field("optionchain", description="Name of the primary that the sentinels watch")
    sentinel_password: SecretStr | None = Field(
        None, description="What the sentinels ask for themselves; that of the URL is for Redis"
    )
    prefix: str = Field("ocs", pattern=r"^[A-Za-z0-9_.-]{1,32}$", description="Prefix of every key")
    timeout_seconds: float = Field(
        2.0,
        gt=0,
        le=60,
        description="Patience with one call, from finding the server to the last repetition",
    )
    retries: int = Field(1, ge=0, le=10, description="Repetitions of a command whose connection broke")
    max_connections: int = Field(64, ge=1, le=10_000, description="Connections of one process")
    wait_replicas: int = Field(
        0, ge=0, le=9, description="Replicas that must have a checkpoint before a reply"
    )
    fsync: Literal["everysec", "always"] = Field(
        "always",
        description="Private server only: `always` loses nothing acknowledged; `everysec` may, when killed or cut off",
    )

    @model_validator(mode="after")
    def _one_server_has_one_host(self) -> RedisSettings:
        hosts = urlsplit(self.url.get_secret_value()).netloc.rpartition("@")[2] if self.url else ""
        if "," in hosts and self.mode == "standalone":
            raise ValueError("several hosts in OCS_REDIS_URL need OCS_REDIS_MODE=sentinel or cluster")
        return self


class CacheSettings(BaseModel):
    """Where and how much is cached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    redis_url: SecretStr | None = Field(
        None,
        description="URL of a Redis for the cache alone, which may evict; empty shares that of the sessions",
    )
    local_megabytes: int = Field(64, ge=1, description="Bound of the part that one process holds")
    redis_megabytes: int = Field(
        256,
        ge=1,
        description="Bound of what is cached in Redis; beside sessions it gives way to them when that is full",
    )


class RateSettings(BaseModel):
    """How many requests each caller may make: the owner of a key, or an address that has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Their product, in microseconds, stays far from where a double is no longer exact.
    per_minute: int = Field(
        0, ge=0, le=600_000, description="Requests a minute, over all replicas; then 429. 0 means no limit"
    )
    burst: int = Field(100, ge=1, le=100_000, description="Of these, how many may come at once")
    strangers_per_minute: int = Field(
        600,
        ge=0,
        le=600_000,
        description="The same of an address without a key that works, where one is asked for; 0 means no limit",
    )
    strangers_burst: int = Field(200, ge=1, le=100_000, description="Of these, how many may come at once")

    @property
    def of_strangers(self) -> RateSettings:
        """The same for addresses without a key that works."""
        return RateSettings(per_minute=self.strangers_per_minute, burst=self.strangers_burst)


class EncryptionSettings(BaseModel):
    """What is encrypted before it is stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: SecretStr = Field(
        SecretStr(""),
        description="32 bytes in base64 (`openssl rand -base64 32`), or several such keys, separated by commas: the "
        "first encrypts, all decrypt; a local instance makes one",
    )

    @field_validator("key")
    @classmethod
    def _keys_can_be_used(cls, key: SecretStr) -> SecretStr:
        read_keys(key.get_secret_value())
        return key


class TelemetrySettings(BaseModel):
    """What is told of what the service does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="What the log holds: `warning` and more are outages, `error` is bugs; `debug` tells of everything",
    )
    endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Where traces go, by OTLP over HTTP: `http://127.0.0.1:4318`; empty: there are none",
    )
    ratio: float = Field(
        0.01, ge=0, le=1, description="Share of the requests that are traced whose caller has not decided"
    )
    slow_seconds: float = Field(
        1.0, gt=0, description="A request that takes longer is traced in any case, as is one that fails"
    )
    webhook: SecretStr | None = Field(
        None,
        description="Whom the Alertmanager of `up --observe` tells; it adds `/page`, `/ticket` and `/heartbeat`",
    )
    loop_milliseconds: float = Field(
        100.0, ge=10, description="An event loop that served nobody for longer is told of, with what held it"
    )
    access_log: float = Field(
        0.0, ge=0, le=1, description="Share of the requests that have a line in the log: 0 none, 1 every one"
    )
