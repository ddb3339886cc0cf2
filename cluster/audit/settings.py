"""What is kept of who did what."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class AuditSettings(BaseModel):
    """The record of who did what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: SecretStr = Field(
        SecretStr(""),
        description="Signs the ends of its chains; a local instance makes one, elsewhere empty leaves them unsigned",
    )
    keep_days: float = Field(365.0, gt=0, description="How long entries are kept")
    write_seconds: float = Field(
        1.0, gt=0, description="Rhythm in which they are written, beside the answers"
    )
    anchor_seconds: float = Field(60.0, gt=0, description="Rhythm in which the end of a chain is signed")
    gather_seconds: float = Field(
        10.0, gt=0, description="Refusals of one caller on one route within so long are one entry"
    )
    unusual_times: int = Field(
        30, ge=2, description="From so many of them on it is unusual access: told in the log, and counted"
    )
    many_networks: int = Field(
        8,
        ge=2,
        description="A key that one replica sees from so many networks (IPv4 /24, IPv6 /48) is told in the log, and "
        "counted",
    )
    networks_seconds: float = Field(3600.0, gt=0, description="Within so long")
    max_waiting: int = Field(
        10_000,
        ge=10,
        description="Entries of one replica that may wait to be written; further ones are counted",
    )
