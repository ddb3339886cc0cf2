"""Where backups go, how fast, and how many are kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cluster.backup.retention import Retention

# Of a task that is done again and again.
SHORTEST_SECONDS = 60.0


class BackupSettings(BaseModel):
    """Where backups go, how fast, and how many are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: str = Field(
        "",
        description="Folders or URLs (`s3://bucket/backups`), separated by commas, of `optionchain backup`",
    )
    megabytes_per_second: float = Field(
        0.0, ge=0, description="What a backup writes at most; 0 means as fast as it can"
    )
    share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Of the time of one processor, how much a backup takes at most; 1 means as much as it can",
    )
    increments: int = Field(
        23,
        ge=0,
        le=1000,
        description="After so many backups that hold only what has changed, `backup create` makes a whole one",
    )
    keep: str = Field(
        "24,7,5,12",
        description="Backups that `backup prune` keeps: the latest of so many hours, days, weeks and months",
    )

    every_seconds: float = Field(
        0.0,
        ge=0,
        description="How often a running service makes a backup by itself, 3600 for hourly; 0 for never",
    )
    verify_every_seconds: float = Field(
        0.0,
        ge=0,
        description="How often it proves that the latest comes back, 604800 for weekly; 0 for never",
    )
    tasks_of: str = Field(
        "owner", min_length=1, description="Whose tasks these are: who sees, pauses and cancels them"
    )

    @field_validator("every_seconds", "verify_every_seconds")
    @classmethod
    def _is_a_rhythm(cls, seconds: float) -> float:
        if 0 < seconds < SHORTEST_SECONDS:
            raise ValueError(f"must be 0, or at least {SHORTEST_SECONDS:.0f} seconds")
        return seconds

    @field_validator("keep")
    @classmethod
    def _is_a_retention(cls, keep: str) -> str:
        Retention.of(keep)
        return keep

    @property
    def places(self) -> tuple[str, ...]:
        """Each place."""
        return tuple(part.strip() for part in self.to.split(",") if part.strip())
