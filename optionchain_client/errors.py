"""What can go wrong with a call: one class a meaning, with what the server said about it.

::

    ApiError                  `.problem` has the status, the field at fault and the request's id
    ├── InvalidInput          400  an input is malformed or out of range; `field` names it
    ├── Unauthenticated       401  no API key, or an unknown one
    ├── Forbidden             403  the key does not allow this, or a quota has no room
    ├── NotFound              404  unknown, expired, or another caller's
    ├── Conflict              409  another writer was first: try again; or a sweep is not over yet
    ├── Completed             410  every snapshot was served
    ├── PreconditionFailed    412  the cursor is elsewhere; `current_step` says where
    ├── TooLarge              413  the body is over the server's limit
    ├── KeyReused             422  the Idempotency-Key belongs to another request
    ├── RateLimited           429  was retried already, in vain; or a quota is used up for longer
    ├── Unavailable           502, 503, 504  was retried already, in vain
    │   └── ConnectionFailed  no answer, was retried already, in vain; or a download that broke off
    ├── SweepFailed           the sweep that was waited for failed
    └── ServerError           any other 5xx, or an answer that is not the service's
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import httpx

REQUEST_ID = "X-Request-Id"
EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is known of a failed call.

    Attributes:
        status: The HTTP status; None where there was no answer.
        message: For people.
        host: Who said so, with its port where it is not the usual one.
        field: The input at fault, where it is one.
        current_step: Where the cursor is, with a 412.
        retry_after_seconds: When the server wants to be asked again.
        request_id: What to quote to the operators.
    """

    status: int | None
    message: str
    host: str | None = None
    field: str | None = None
    current_step: int | None = None
    retry_after_seconds: float | None = None
    request_id: str | None = None


class ApiError(Exception):
    """A call failed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def status(self) -> int | None:
        return self.problem.status

    @property
    def field(self) -> str | None:
        return self.problem.field

    @property
    def request_id(self) -> str | None:
        return self.problem.request_id

    def __str__(self) -> str:
        host = "" if self.problem.host is None else f" from {self.problem.host}"
        status = "" if self.status is None else f"{self.status}{host}: "
        request = "" if self.request_id is None else f" (request {self.request_id})"
        return f"{status}{self.problem.message}{request}"


class InvalidInput(ApiError):
    """400: an input is malformed or out of range; `field` names it."""


class Unauthenticated(ApiError):
    """401: no API key, or an unknown one."""


class Forbidden(ApiError):
    """403: the key does not allow this, or a quota of its tenant has no room."""


class NotFound(ApiError):
    """404: unknown, expired, or another caller's."""


class Conflict(ApiError):
    """409: another writer was first, and nothing of this call was stored; or a sweep is not over yet."""


class Completed(ApiError):
    """410: every snapshot was served."""


class PreconditionFailed(ApiError):
    """412: the cursor is not where this client believed it; nothing was consumed."""

    @property
    def current_step(self) -> int | None:
        """Where the cursor is."""
        return self.problem.current_step


class TooLarge(ApiError):
    """413: the body is over the server's limit."""


class KeyReused(ApiError):
    """422: the Idempotency-Key was used for another request."""


class RateLimited(ApiError):
    """429: the budget is used up."""


class Unavailable(ApiError):
    """502, 503 or 504: the service, or something that it needs, does not answer."""


class ConnectionFailed(Unavailable):
    """No answer, or half of one. A call that changes something may or may not have been applied."""


class SweepFailed(ApiError):
    """The sweep that was waited for failed; the message is why."""


class ServerError(ApiError):
    """A bug of the server's, or an answer that is not the service's."""


ERROR_OF: dict[int, type[ApiError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Completed,
    412: PreconditionFailed,
    413: TooLarge,
    422: KeyReused,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(response: httpx.Response) -> ApiError:
    """The error that an unsuccessful answer means."""
    body = _body(response)
    problem = Problem(
        status=response.status_code,
        message=str(body.get("error") or response.text[:EXCERPT_CHARACTERS] or response.reason_phrase),
        host=response.request.url.netloc.decode("ascii"),
        field=body.get("field"),
        current_step=body.get("current_step"),
        retry_after_seconds=_seconds(response.headers.get("Retry-After")),
        request_id=response.headers.get(REQUEST_ID),
    )
    return ERROR_OF.get(response.status_code, ServerError)(problem)


def no_answer(call: str, error: Exception) -> ConnectionFailed:
    """The error of a call that got no answer."""
    return ConnectionFailed(Problem(status=None, message=f"{call} got no answer: {_what(error)}"))


def broken_off(call: str, reason: Exception | str) -> ConnectionFailed:
    """The error of a call whose answer ended in the middle."""
    what = reason if isinstance(reason, str) else _what(reason)
    return ConnectionFailed(Problem(status=None, message=f"the answer to {call} broke off: {what}"))


def not_readable(call: str, reason: Exception) -> ServerError:
    """The error of a call whose answer is not what it should be."""
    return ServerError(Problem(status=None, message=f"the answer to {call} cannot be read: {reason}"))


def _what(error: Exception) -> str:
    return str(error) or type(error).__name__


def _body(response: httpx.Response) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        body = response.json()
        if isinstance(body, dict):
            return body
    return {}


def _seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds; its other form, a date, is left to the usual pauses."""
    try:
        return max(float(header), 0.0) if header is not None else None
    except ValueError:
        return None
