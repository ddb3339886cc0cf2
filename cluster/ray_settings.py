"""The Ray cluster: where it is, and what of ours asks it for."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from actors.sessions.placement import PER_SESSION

CPUS_IN_COMPANY = 0.5
"""What a replica or an actor of several nodes asks for. A core is what it can use; half of one leaves room for those of
a node that is lost, and for the new beside the old while they are exchanged."""


class RaySettings(BaseModel):
    """The Ray cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None = Field(None, description="Address of a running cluster; empty starts a private one")
    listen: str | None = Field(
        None,
        description="Address of this machine at which other nodes reach it: `up --listen`; empty means none do",
    )
    port: int = Field(6380, ge=1, le=65_535, description="Port at which they reach it")
    token: SecretStr | None = Field(
        None, description="What nodes and command lines of one cluster know each other by; empty makes one"
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis in which a head that others join keeps what it knows, so that they serve on while it is "
        "gone and it comes back to them: `redis://:password@host:6379`, not that of the sessions; empty: it is lost "
        "with it",
    )
    namespace: str = Field("optionchain", min_length=1, description="Ray namespace of our actors")
    cpus: int | None = Field(
        None,
        ge=0,
        description="CPUs of the node that is started here; empty means all; 0 is for a head that only manages",
    )
    object_store_megabytes: int = Field(200, ge=80, description="Object store of the private cluster")
    dashboard: bool = Field(
        False,
        description="Start Ray's dashboard with the private cluster (240 MB), which also takes Ray Jobs",
    )
    shared_process: bool | None = Field(
        None,
        description="One process for history and configuration, 100 MB less; empty means on a private cluster",
    )
    replica_cpus: float | None = Field(
        None,
        ge=0,
        description="CPUs that a node has free for an HTTP replica; empty means 0.5, and none on a private cluster",
    )
    actor_cpus: float | None = Field(
        None,
        ge=0,
        description="The same of a session actor; empty means none for those of `per-session` placement too",
    )
    start_timeout_seconds: float = Field(
        600.0, gt=0, description="Patience with the start of each part, and of Ray with each of its own"
    )

    @field_validator("token")
    @classmethod
    def _token_goes_into_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token and not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token.get_secret_value()):
            raise ValueError("must be 16 or more letters, digits, _ or -")
        return token

    @field_validator("redis_url")
    @classmethod
    def _redis_is_one_server(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url else None
        if parts and (
            parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.path not in ("", "/")
        ):
            raise ValueError(
                "must be `redis://` or `rediss://`, of one server, without a number of a database"
            )
        return url

    @property
    def is_alone(self) -> bool:
        """Whether the cluster is one machine's own."""
        return self.address is None and self.listen is None

    @property
    def cpus_of_replica(self) -> float:
        """What an HTTP replica asks for."""
        given = self.replica_cpus
        return given if given is not None else 0.0 if self.is_alone else CPUS_IN_COMPANY

    def cpus_of_actor(self, placement: str) -> float:
        """What a session actor of this placement asks for."""
        given = self.actor_cpus
        if given is not None:
            return given
        return 0.0 if self.is_alone or placement == PER_SESSION else CPUS_IN_COMPANY

    @property
    def shares_process(self) -> bool:
        """Whether the shared actors live in one process."""
        return self.is_alone if self.shared_process is None else self.shared_process
