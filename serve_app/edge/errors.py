"""What is refused at the edge, before the domain hears of it. The tree is drawn in `optionchain.errors`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optionchain.access.roles import Permission, roles_with
from optionchain.errors import OptionChainError


class Unauthenticated(OptionChainError):
    """No credentials, or unknown ones."""


class Forbidden(OptionChainError):
    """The credentials are known, and do not allow this."""


def missing_role(needed: Permission) -> Forbidden:
    """What a caller is told who has no role with a permission."""
    roles = roles_with(needed)
    return Forbidden(f"this needs {'the role' if len(roles) == 1 else 'one of the roles'} {', '.join(roles)}")


class TooLarge(OptionChainError):
    """The body is over its limit; it was not read to its end."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes

    def __str__(self) -> str:
        return f"the request body is larger than {self.limit_bytes} bytes"


class TooSlow(OptionChainError):
    """The body was not there in time."""

    retryable = True

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the request did not come within {self.seconds:g} seconds: send it faster"


class Stalled(OptionChainError):
    """Whoever reads has taken nothing for too long; what was left to send is not sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the reader took nothing for {self.seconds:g} seconds"


class RateLimited(OptionChainError):
    """The caller's budget is used up until `retry_after_seconds` from now."""

    retryable = True

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        seconds = max(math.ceil(self.retry_after_seconds), 1)
        return f"rate limit exceeded: try again in {seconds} second{'s' if seconds > 1 else ''}"


class UnknownPath(OptionChainError):
    """Nothing answers at this path; `known` is the one that was meant, where that can be guessed."""

    def __init__(self, known: str | None = None) -> None:
        super().__init__(known)
        self.known = known

    def __str__(self) -> str:
        hint = f"did you mean {self.known}?" if self.known else "/docs shows what there is"
        return f"Not Found: {hint}"


class WrongMethod(OptionChainError):
    """The path is known, and answers other methods."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(allowed)
        self.allowed = allowed

    def __str__(self) -> str:
        return f"Method Not Allowed: this path knows {', '.join(self.allowed)}"
