"""Every error of ours as an HTTP answer: one table, one body."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from optionchain import errors
from optionchain.errors import OptionChainError

logger = logging.getLogger("ray.serve")

STATUS_OF: dict[type[OptionChainError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotOver: 409,
    errors.HasFailed: 409,
    errors.LeaseLost: 409,
    errors.Completed: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.KeyReused: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.Overloaded: 503,
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
        case errors.RateLimited() | errors.Unavailable():
            headers["Retry-After"] = str(max(math.ceil(error.retry_after_seconds), 1))
        case errors.Unauthenticated():
            headers["WWW-Authenticate"] = CHALLENGE
        case errors.TooLarge():
            body["field"] = "body"
        case errors.KeyReused():
            body["field"] = "Idempotency-Key"
    return JSONResponse(body, status_of(error), headers)


def status_of(error: OptionChainError) -> int:
    """The HTTP status of an error, by its nearest class in the table."""
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with our body."""

    @app.exception_handler(OptionChainError)
    async def _ours(_: Request, error: OptionChainError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(invalid_input(error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, OptionChainError):
            # FastAPI wraps whatever is raised while it reads a body.
            return error_response(error.__cause__)
        text, headers = error.detail, dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # Starlette names the methods of one route of the path, and there may be several.
            documented = allowed_methods(app.openapi(), request.url.path)
            headers["Allow"] = ", ".join(documented) or headers["Allow"]
            text = f"{text}: this path knows {headers['Allow']}"
        if error.status_code == HTTPStatus.NOT_FOUND:
            without_slash = request.url.path.rstrip("/")
            is_known = bool(allowed_methods(app.openapi(), without_slash))
            text = f"{text}: {f'did you mean {without_slash}?' if is_known else '/docs shows what there is'}"
        return JSONResponse({"error": text}, error.status_code, headers)

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> JSONResponse:
        logger.error("request.failed", exc_info=error, extra={"path": request.url.path})
        return error_response(errors.Defect())


def allowed_methods(document: Mapping[str, Any], path: str) -> list[str]:
    """The methods that a path has, by the OpenAPI document."""
    templates: Mapping[str, Mapping[str, Any]] = document["paths"]
    matching = [template for template in templates if compile_path(template)[0].match(path)]
    # `/{asset}/prices` is no day of the asset, though `/{asset}/{date}` matches it.
    template = min(matching, key=lambda template: template.count("{"), default=None)
    return sorted(method.upper() for method in templates[template]) if template else []


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
