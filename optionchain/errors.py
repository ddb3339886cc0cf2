"""The one tree of errors: what went wrong, which input or session, and whether trying again can help.

::

    OptionChainError
    ├── InvalidInput          an input is out of range; `field` names it
    ├── NotFound              unknown, expired, or another tenant's
    ├── Conflict              another writer was first                       retry helps
    │   ├── NotOver           work has no result yet                       retry helps, later
    │   ├── HasFailed         work failed for good and has none
    │   ├── LeaseLost         another worker has taken the work up
    │   └── WrongState        it is not in a state in which that can be asked of it
    ├── Completed             every snapshot was served
    ├── PreconditionFailed    the cursor is not where the caller expected it
    ├── Unavailable           a dependency does not answer                   retry helps, later
    │   ├── Overloaded        a queue is full                                retry helps, later
    │   ├── NoRoom            a store is full, and takes no writes           retry helps, later
    │   └── CalendarMissing   of `optionchain.expirations.exchanges`: it is being computed
    ├── CannotOpen            what was encrypted cannot be read here
    ├── Damaged               what was stored is not what was written
    ├── Defect                a bug of ours; the log has the details
    │
    ├── KeyReused             of `optionchain.ports.requests`: the idempotency key belongs to another request
    ├── of `optionchain.access.quotas`, whose requests were not begun:
    │   ├── QuotaUsedUp       a tenant's quota is used up for now            retry helps, later
    │   └── QuotaFull         a tenant's quota has no room
    └── of `serve_app.edge.errors`, whose requests never reach the domain:
        ├── Unauthenticated   no credentials, or unknown ones
        ├── Forbidden         known credentials without the right
        ├── UnknownPath       nothing answers there
        ├── WrongMethod       something else answers there
        ├── TooLarge          the body is over its limit
        ├── TooSlow           the body did not come in time                  retry helps
        ├── Stalled           whoever reads an answer takes nothing of it
        └── RateLimited       the caller's budget is used up                 retry helps, later

Every constructor takes just what it passes to ``super().__init__``, so that each error survives
pickling between processes.
"""

from __future__ import annotations

from typing import ClassVar


class OptionChainError(Exception):
    """The root of everything that this project raises on purpose."""

    retryable: ClassVar[bool] = False


class InvalidInput(OptionChainError, ValueError):
    """An input is malformed or out of range.

    Args:
        field: Path of the input, in the words of the caller: ``method.Heston.rho``.
        reason: What is wrong and what is allowed, without the field's name.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason

    def under(self, parent: str) -> InvalidInput:
        """The same error, seen from the value that contains the field."""
        return InvalidInput(f"{parent}.{self.field}" if self.field else parent, self.reason)


class NotFound(OptionChainError):
    """Nothing has this identity: unknown, expired, or another tenant's."""

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(kind, identity)
        self.kind = kind
        self.identity = identity

    def __str__(self) -> str:
        return f"{self.kind} not found: {self.identity}"


class Conflict(OptionChainError):
    """Another writer changed it first; nothing of this call was stored."""

    retryable = True

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(kind, identity)
        self.kind = kind
        self.identity = identity

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} was changed by another writer at the same time: try again"


class NotOver(Conflict):
    """Work has no result yet."""

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} is not over: its results come when it is completed or cancelled"


class HasFailed(Conflict):
    """Work failed for good, and has no result."""

    retryable = False

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} failed and has no results: its `error` says why; submit it again to go on"


class LeaseLost(Conflict):
    """A worker was silent for too long, and another one has taken its work up; nothing was stored."""

    retryable = False

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} was taken up by another worker"


class WrongState(Conflict):
    """What was asked cannot be asked of something in its state; nothing was changed."""

    retryable = False

    def __init__(self, kind: str, identity: str, reason: str) -> None:
        OptionChainError.__init__(self, kind, identity, reason)
        self.kind = kind
        self.identity = identity
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.kind} {self.identity} {self.reason}"


class Completed(OptionChainError):
    """Every snapshot of the session was served."""

    def __init__(self, session_id: str, total_steps: int) -> None:
        super().__init__(session_id, total_steps)
        self.session_id = session_id
        self.total_steps = total_steps

    def __str__(self) -> str:
        return f"session {self.session_id} is completed: all {self.total_steps} steps were served"


class PreconditionFailed(OptionChainError):
    """The cursor is not where the caller expected it; nothing was consumed."""

    def __init__(self, current_step: int) -> None:
        super().__init__(current_step)
        self.current_step = current_step

    def __str__(self) -> str:
        return "expected_step does not match the session's current cursor"


class Unavailable(OptionChainError):
    """A dependency does not answer. What was not acknowledged may or may not have been stored."""

    retryable = True

    def __init__(self, dependency: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(dependency, retry_after_seconds)
        self.dependency = dependency
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.dependency} is not available right now: try again"


class Overloaded(Unavailable):
    """A queue is full; the call was not begun."""

    def __str__(self) -> str:
        return f"{self.dependency} has no room for more requests right now: try again"


class NoRoom(Unavailable):
    """A store is full, or about to be, and takes no writes; what it has acknowledged it keeps, and gives."""

    def __str__(self) -> str:
        return f"{self.dependency} takes no writes: its disk or memory is full, or it lacks replicas. Try again later"


class CannotOpen(OptionChainError):
    """What was encrypted cannot be read here.

    Args:
        reason: Why, without a word of what it is.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"what is encrypted cannot be read: {self.reason}"


class Damaged(OptionChainError):
    """What was stored is not what was written.

    Args:
        what: Which file, or part of it.
        reason: What is wrong with it.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what = what
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.what} is damaged: {self.reason}"


class Defect(OptionChainError):
    """A bug of ours. The log has the details; the caller gets none."""

    def __str__(self) -> str:
        return "Internal server error"
