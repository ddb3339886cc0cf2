"""The bodies of the routes by which tokens are denied."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cluster.identity.held_denials import LONGEST_VALUE
from optionchain.access.denials import Denial, DeniedKind
from optionchain.wire.instants import instant_to_wire


class DenialRequest(BaseModel):
    """What is to be denied."""

    model_config = ConfigDict(extra="forbid")

    kind: DeniedKind = Field(description="`jti`: one token; `subject`: all tokens of a person or program")
    value: str = Field(description=f"Of that claim, at most {LONGEST_VALUE} characters")
    until: str | None = Field(
        None, description="RFC 3339: when the tokens have expired. Null: until it is removed"
    )


class DenialView(BaseModel):
    """Something that is denied."""

    id: str
    kind: DeniedKind
    value: str
    made_at: str
    made_by: str
    until: str | None


class DenialList(BaseModel):
    """All that is denied, the latest first."""

    data: list[DenialView]


def denial_view(denial: Denial) -> dict[str, Any]:
    """Something denied as it is shown."""
    return {
        "id": denial.id,
        "kind": denial.kind,
        "value": denial.value,
        "made_at": instant_to_wire(denial.made_at),
        "made_by": denial.made_by,
        "until": None if denial.until is None else instant_to_wire(denial.until),
    }
