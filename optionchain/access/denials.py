"""Tokens that are not accepted any more although they have not expired: by their own id, or all of a subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

DeniedKind: TypeAlias = Literal["jti", "subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Something that is denied.

    Attributes:
        id: By which it is named.
        kind: `jti`, the id of a token, or `subject`, whose tokens they are.
        value: Which one.
        made_at: When, with an offset.
        made_by: The tenant of who denied it.
        until: From then on it counts no more, for the tokens have expired; None for never.
    """

    id: str
    kind: DeniedKind
    value: str
    made_at: datetime
    made_by: str
    until: datetime | None = None
