"""Where backups go, how fast, and how many are kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cluster.backup.retention import Retention


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
    keep: str = Field(
        "24,7,5,12",
        description="Backups that `backup prune` keeps: the latest of so many hours, days, weeks and months",
    )

    @field_validator("keep")
    @classmethod
    def _is_a_retention(cls, keep: str) -> str:
        Retention.of(keep)
        return keep

    @property
    def places(self) -> tuple[str, ...]:
        """Each place."""
        return tuple(part.strip() for part in self.to.split(",") if part.strip())
