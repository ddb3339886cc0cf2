"""Every error of ours as an HTTP answer: one table, one body."""

from __future__ import annotations

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from optionchain import errors
from optionchain.access.quotas import QuotaFull, QuotaUsedUp
from optionchain.errors import OptionChainError
from optionchain.ports import KeyReused
from serve_app.edge.errors import (
    Forbidden,
    RateLimited,
    Stalled,
    TooLarge,
    TooSlow,
    Unauthenticated,
    UnknownPath,
    WrongMethod,
)

STATUS_OF: dict[type[OptionChainError], int] = {
    errors.InvalidInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    QuotaFull: 403,
    errors.NotFound: 404,
    UnknownPath: 404,
    WrongMethod: 405,
    errors.Conflict: 409,
    errors.NotOver: 409,
    errors.HasFailed: 409,
    errors.LeaseLost: 409,
    errors.WrongState: 409,
    errors.Completed: 410,
    errors.PreconditionFailed: 412,
    TooSlow: 408,
    Stalled: 408,
    TooLarge: 413,
    KeyReused: 422,
    RateLimited: 429,
    QuotaUsedUp: 429,
    errors.Unavailable: 503,
    errors.Overloaded: 503,
    errors.NoRoom: 503,
    errors.CannotOpen: 500,
    errors.Damaged: 500,
    errors.Defect: 500,
}
CHALLENGE = 'Basic realm="optionchain", charset="UTF-8"'

# What pydantic finds wrong, in the words of a user. The rest says "is not valid".
REASON_OF = {
    "missing": "is required",
    "extra_forbidden": "is not a known key",
    "json_invalid": "is not valid JSON",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "has too many digits",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "bool_type": "must be true or false",
    "model_type": "must be an object",
    "model_attributes_type": "must be a JSON object, sent as application/json",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
}


def error_response(error: OptionChainError) -> JSONResponse:
    """The answer to one of our errors."""
    body: dict[str, Any] = {"error": str(error)}
    headers: dict[str, str] = {}
    match error:
        case errors.InvalidInput():
            body = {"error": f"Validation Error: {error}", "field": error.field}
        case errors.PreconditionFailed():
            body["current_step"] = error.current_step
        case QuotaFull():
            body["quota"] = error.quota
        case QuotaUsedUp():
            body["quota"] = error.quota
            headers["Retry-After"] = str(max(math.ceil(error.retry_after_seconds), 1))
        case RateLimited() | errors.Unavailable():
            headers["Retry-After"] = str(max(math.ceil(error.retry_after_seconds), 1))
        case Unauthenticated():
            headers["WWW-Authenticate"] = CHALLENGE
        case WrongMethod():
            headers["Allow"] = ", ".join(error.allowed)
        case TooLarge() | TooSlow():
            body["field"] = "body"
        case KeyReused():
            body["field"] = "Idempotency-Key"
    return JSONResponse(body, status_of(error), headers)


def status_of(error: OptionChainError) -> int:
    """The HTTP status of an error, by its nearest class in the table."""
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def known_error(error: Exception) -> OptionChainError:
    """What an exception means to the caller; one that nobody foresaw is a defect of ours."""
    match error:
        case OptionChainError():
            return error
        case RequestValidationError():
            return invalid_input(error.errors())
        case HTTPException() if isinstance(error.__cause__, OptionChainError):
            # FastAPI wraps whatever is raised while it reads a body.
            return error.__cause__
        case HTTPException() if error.status_code == HTTPStatus.BAD_REQUEST:
            return errors.InvalidInput("body", "cannot be read")
        case HTTPException() if error.status_code == HTTPStatus.NOT_FOUND:
            return UnknownPath()
    return errors.Defect()


def invalid_input(problems: Sequence[Any]) -> errors.InvalidInput:
    """The first problem that pydantic found, as our error."""
    problem = problems[0]
    location = [part for part in problem["loc"] if part not in ("query", "path", "header")]
    if location and location[0] == "body":
        location = [] if problem["type"] == "json_invalid" else location[1:]
    reason = REASON_OF.get(problem["type"], "is not valid: " + _lower_first(problem["msg"]))
    if not location and problem["type"] in ("dict_type", "model_type"):
        reason = REASON_OF["model_attributes_type"]
    return errors.InvalidInput(_field_path(location) or "body", reason)


def _field_path(location: Sequence[str | int]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
