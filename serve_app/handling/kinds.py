"""Two kinds of routes that FastAPI documents as usual and that cost less, or read more exactly, than its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from inspect import signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import orjson
from fastapi import Request, Response
from fastapi.params import Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, ValidationError, create_model

from optionchain.errors import InvalidInput
from serve_app.edge.answers import REASON_OF, invalid_input

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


# JSON takes up to thirty times its size when it is read: so many values are as many as anything that we take has. A
# historical model has 100,000 prices; a chain of the past and the scenarios of a sweep are tables.
MOST_VALUES, MOST_VALUES_OF_A_TABLE = 131_072, 250_000


def read_json(body: bytes, most_values: int) -> Any:
    """The value that JSON is of, unless it has so many parts that to read it would take much memory.

    Raises:
        InvalidInput: ``body``: it has more values, counted by what separates them, in texts as well.
        orjson.JSONDecodeError: It is none.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > most_values:
        raise InvalidInput("body", f"has more than {most_values:,} values")
    return orjson.loads(body)


class _OrjsonRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body(), MOST_VALUES_OF_A_TABLE)


class JsonRoute(APIRoute):
    """A route whose body orjson reads: exact 64-bit seeds, no NaN, bounded nesting."""

    def get_route_handler(self) -> Handle:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_OrjsonRequest(request.scope, request.receive))

        return handle


class ModelRoute(APIRoute):
    """A route ``endpoint(request, [query], [body], **path)``: query and body are one pydantic model each.

    Each is validated in one go. FastAPI solves every parameter as a dependency of its own, which was three quarters
    of a step's time in the replica. It still reads the signature for the OpenAPI document.
    """

    def get_route_handler(self) -> Handle:
        endpoint = self.endpoint
        hints = get_type_hints(endpoint, include_extras=True)
        parameters = {
            name: hints[name] for name in signature(endpoint).parameters if hints[name] is not Request
        }
        path = _path_model({name: hint for name, hint in parameters.items() if _is(Path, hint)})
        queries = [_model(hint) for hint in parameters.values() if _is(Query, hint)]
        bodies = [hint for hint in parameters.values() if get_origin(hint) is not Annotated]

        async def handle(request: Request) -> Response:
            try:
                named = path.model_validate(request.path_params)
                arguments = [query.model_validate(dict(request.query_params)) for query in queries]
                arguments += [_read(body, await _json(request)) for body in bodies]
            except ValidationError as error:
                raise invalid_input(error.errors()) from error
            response: Response = await endpoint(request, *arguments, **dict(named))
            return response

        return handle


def _read(body: type[BaseModel], document: Any) -> BaseModel:
    """A body as its model. An unknown key is refused first: pydantic would make an error of each."""
    if body.model_config.get("extra") == "forbid" and isinstance(document, dict):
        for name in document:
            if name not in body.model_fields:
                raise InvalidInput(name, REASON_OF["extra_forbidden"])
    return body.model_validate(document)


async def _json(request: Request) -> Any:
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise InvalidInput("body", "must be a JSON object, sent as application/json")
    body = await request.body()
    if not body:
        raise InvalidInput("body", "is required")
    try:
        return read_json(body, MOST_VALUES)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("body", "is not valid JSON") from error


def _is(place: type[Path] | type[Query], hint: Any) -> bool:
    """Whether a parameter comes from that place of the request."""
    return any(isinstance(note, place) for note in get_args(hint))


def _model(hint: Any) -> type[BaseModel]:
    model: type[BaseModel] = get_args(hint)[0]
    return model


def _path_model(hints: Mapping[str, Any]) -> type[BaseModel]:
    """The parameters in a route's path as a model, named in errors as they are in the path."""
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        kind, *notes = get_args(hint)
        fields[name] = (kind, Field(alias=next(note.alias for note in notes if isinstance(note, Path))))
    return create_model("PathParameters", **fields)
